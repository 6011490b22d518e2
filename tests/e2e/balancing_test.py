"""Where new connections go, and what becomes of the old ones, when an operator takes a real out of
service; what a client without a service gets; octets that pass unchanged.
"""

import collections
import http.client
import socket
import struct
import time

import packets
from labkit.director import director_config, web_service
from labkit.lab import CLIENT, VIP, WEB, WEB_PORT, wait_until
from labkit.load import Load, by_real, failures
from scenario import Scenario, start_server

RECORD_PORT, RECORD_REAL_PORT = 81, 8181


def connection_to(scenario, wanted):
    """A kept-alive connection that the director gave to the real `wanted`."""
    for _ in range(200):
        connection = http.client.HTTPConnection(VIP, timeout=5)
        scenario.lab.client.call(connection.connect)
        if ask(connection) == wanted:
            return connection
        connection.close()
    raise AssertionError(f"no connection of 200 went to {wanted}")


def ask(connection):
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    return answer.getheader("X-Real")


class Drain(Scenario):
    def test_new_connections_avoid_a_drained_real_and_old_ones_live_on(self):
        old = connection_to(self, "web2")
        self.addCleanup(old.close)
        self.assertEqual(self.director.ctl("drain", "web/web2").returncode, 0)
        self.assertEqual(set(self.fetch_many(200)), {"web1", "web3"})
        self.assertEqual([ask(old) for _ in range(50)], ["web2"] * 50)
        real = self.director.reals()["web2"]
        self.assertEqual((real["state"], real["weight"], real["weight_configured"]),
                         ("drained", 0, 1))

    def test_an_undrained_real_gets_connections_again(self):
        self.director.ctl("drain", "web/web2")
        self.assertEqual(self.director.ctl("undrain", "web/web2").returncode, 0)
        self.assertEqual(set(self.fetch_many(200)), set(WEB))

    def test_weight_zero_in_the_file_drains_as_well(self):
        old = connection_to(self, "web3")
        self.addCleanup(old.close)
        config = self.config()
        config["services"][0]["reals"][2]["weight"] = 0
        self.director.write(config)
        self.assertEqual(self.director.ctl("reload").returncode, 0)
        self.assertEqual(set(self.fetch_many(200)), {"web1", "web2"})
        self.assertEqual([ask(old) for _ in range(50)], ["web3"] * 50)
        self.director.write(self.config())
        self.assertEqual(self.director.ctl("reload").returncode, 0)
        self.assertEqual(set(self.fetch_many(200)), set(WEB))

    def test_no_request_fails_while_reals_are_drained_in_turn(self):
        load = Load(self.lab.client, VIP, parallel=8, pause=0.002)
        for name in list(WEB) * 3:
            self.director.ask("drain", f"web/{name}")
            self.director.ask("undrain", f"web/{name}")
        records = load.finish()
        self.assertEqual(failures(records), [])
        self.assertEqual(set(by_real(records)), set(WEB))

    def test_connections_left_at_the_deadline_are_reset_at_both_ends(self):
        old = connection_to(self, "web2")
        self.addCleanup(old.close)
        server = self.lab.web["web2"]
        established = lambda: server.run("ss", "-Htn", "state", "established",  # noqa: E731
                                         "sport", f"= :{WEB_PORT}").count(f"{CLIENT}:")
        self.assertGreater(established(), 0)
        answer = self.director.ctl("drain", "web/web2", "--deadline", "2s", "--then", "reset")
        self.assertEqual(answer.returncode, 0)
        self.assertEqual(ask(old), "web2")
        drain = self.director.reals()["web2"]["drain"]
        self.assertEqual((drain["then"], drain["sessions_at_start"] > 0), ("reset", True))
        self.assertIn("reset in", self.director.ctl("reals").stdout)
        wait_until(lambda: self.director.reals()["web2"]["drain"]["deadline_in_s"] == 0, 10,
                   "the deadline does not come")
        with self.assertRaises(ConnectionResetError):
            for _ in range(50):
                ask(old)
                time.sleep(0.1)
        wait_until(lambda: established() == 0, 10, "the real still believes in the connection")
        self.director.ask("undrain", "web/web2")

    def test_draining_what_does_not_exist_is_refused_by_name(self):
        answer = self.director.ctl("drain", "web/web9")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("web9", answer.stderr)


class Vip(Scenario):
    @classmethod
    def config(cls):
        record = web_service(["web1"], port=RECORD_REAL_PORT, name="record",
                             check={"type": "connect"}) | {"port": RECORD_PORT}
        return director_config([web_service(), record])

    @classmethod
    def prepare(cls):
        cls.lab.start_web()
        cls.recording = cls.lab.folder / "recording"
        start_server(cls.lab, "web1", "record", RECORD_REAL_PORT, cls.recording)

    def test_it_answers_ping(self):
        wire = self.lab.client.call(
            lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
        self.addCleanup(wire.close)
        wire.settimeout(3)
        for sequence in range(3):
            echo = struct.pack("!BBHHH", packets.ICMP_ECHO, 0, 0, 77, sequence) + b"ping"
            echo = echo[:2] + struct.pack("!H", packets.checksum(echo)) + echo[4:]
            wire.sendto(echo, (VIP, 0))
            answer, sender = wire.recvfrom(2048)
            self.assertEqual(sender[0], VIP)
            self.assertEqual(answer[20], packets.ICMP_ECHO_REPLY)
            self.assertEqual(answer[24:28], struct.pack("!HH", 77, sequence))

    def test_octets_at_the_real_equal_the_octets_sent_whatever_the_host_header(self):
        self.director.wait_all_up(service="record")
        sent = collections.Counter()
        for host in ("www.example.org", "shop.example.org:80", "x" * 300, "b\u00fccher.example"):
            request = (f"GET /a?b=c HTTP/1.1\r\nHost: {host}\r\nX-Odd:\t  blanks  \r\n"
                       "Connection: close\r\n\r\n").encode()
            wire = self.lab.client.call(
                lambda: socket.create_connection((VIP, RECORD_PORT), timeout=5))
            wire.sendall(request)
            self.assertTrue(wire.recv(100).startswith(b"HTTP/1.1 204"))
            wire.close()
            sent[request] += 1
        wait_until(lambda: self.recording.stat().st_size >= sum(map(len, sent)), 5,
                   "not every octet arrived")
        self.assertEqual(self.recording.read_bytes(), b"".join(sent))

    def test_each_name_based_host_gets_its_own_header_through(self):
        for host in ("one.example", "two.example"):
            answer = self.fetch("/where", "-H", f"Host: {host}").split()
            self.assertEqual(answer[2], host)

    def test_a_port_that_is_no_service_refuses_the_connection(self):
        with self.assertRaises(ConnectionRefusedError):
            self.lab.client.call(lambda: socket.create_connection((VIP, 82), timeout=3))
