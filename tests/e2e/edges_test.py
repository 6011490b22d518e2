"""The rarer turns of a service's life: nobody left to serve, a stand-in, a real that serves two
services, a client that comes back on the same port, a link that goes.
"""

import errno
import socket
import subprocess
import time

import packets
from labkit.capture import Capture
from labkit.director import director_config, http_check, web_service
from labkit.lab import CLIENT, VIP, WEB, run, wait_until
from labkit.load import Load, failures
from scenario import Scenario, start_server

FALLBACK_PORT, OTHER_PORT, ECHO_PORT, DEAD_PORT = 8099, 8088, 5353, 8077
SILENT_PORT, REFUSING_PORT, UNREACHABLE_PORT = 85, 86, 87
ANSWER_S_MAX = 0.001
SWEEP_S_MAX = 10  # what has expired may stay until the next sweep of the table
CLIENT_PORT = 1000  # below those that the client's kernel gives out by itself


class NobodyLeft(Scenario):
    @classmethod
    def config(cls):
        dead = {"check": http_check(port=DEAD_PORT)}
        refusing = web_service(name="refusing", **dead) | {"port": REFUSING_PORT}
        silent = web_service(name="silent", no_real="silent", **dead) | {"port": SILENT_PORT}
        unreachable = web_service(name="unreachable", no_real="unreachable", **dead) | {
            "port": UNREACHABLE_PORT}
        with_fallback = web_service(fallback={"address": WEB["web3"], "port": FALLBACK_PORT,
                                              "forward": "nat"})
        with_fallback["reals"].pop()
        return director_config([with_fallback, refusing, silent, unreachable])

    @classmethod
    def prepare(cls):
        cls.lab.start_web()
        start_server(cls.lab, "web3", "answer", FALLBACK_PORT, "we shall be back")

    def connect(self, port):
        return self.lab.client.call(lambda: socket.create_connection((VIP, port), timeout=1))

    def assert_refused_within_a_millisecond(self, port, client_port_told):
        """`client_port_told(packet)`: whose SYN a packet answers; None: it is no answer."""
        capture = Capture(self.lab.client, "eth0")
        for _ in range(20):
            with self.assertRaises(ConnectionRefusedError):
                self.connect(port)
        frames = [(frame.time_s, packets.dissect(frame.octets)) for frame in capture.stop()]
        asked = {packet.source_port: at for at, packet in frames
                 if packet and packet.flags & packets.SYN and packet.destination == VIP}
        waited = [at - asked[client_port_told(packet)] for at, packet in frames
                  if packet and client_port_told(packet)]
        self.assertEqual(len(waited), 20)
        self.assertLess(sorted(waited)[10], ANSWER_S_MAX)

    def test_a_syn_is_reset_within_a_millisecond(self):
        self.assert_refused_within_a_millisecond(
            REFUSING_PORT, lambda packet: packet.destination_port
            if packet.flags & packets.RST and packet.source == VIP else None)

    def test_or_its_port_is_unreachable_within_a_millisecond_if_the_file_says_so(self):
        self.assert_refused_within_a_millisecond(
            UNREACHABLE_PORT, lambda packet: packet.quoted.source_port
            if packet.quoted and packet.icmp_type == packets.ICMP_UNREACHABLE else None)

    def test_or_is_met_with_silence_if_the_file_says_so(self):
        with self.assertRaises(TimeoutError):
            self.connect(SILENT_PORT)

    def test_the_fallback_answers_while_no_real_does_and_steps_back_without_a_refusal(self):
        for name in ("web1", "web2"):
            self.lab.stop_web(name)
        for name in ("web1", "web2"):
            self.director.wait_state(name, "down")
        self.assertEqual(self.fetch(), "we shall be back")
        load = Load(self.lab.client, VIP, parallel=4, pause=0.005)
        self.lab.start_web("web1")
        self.director.wait_state("web1", "up")
        self.assertEqual(set(self.fetch_many(50)), {"web1"})
        self.assertEqual(failures(load.finish()), [])
        self.lab.start_web("web2")
        self.director.wait_all_up()


class SharedReal(Scenario):
    """web1 serves two services; web2 echoes datagrams beside it."""

    @classmethod
    def config(cls):
        other = web_service(["web1"], port=OTHER_PORT, name="other") | {"port": 81}
        echo = web_service(["web1", "web2"], port=ECHO_PORT, name="echo", protocol="udp",
                           check={"type": "connect", "port": 8080, "interval": "500ms",
                                  "timeout": "500ms", "fall": 3}) | {"port": 53}
        return director_config([web_service(), other, echo])

    @classmethod
    def prepare(cls):
        cls.lab.start_web()
        cls.lab.web["web1"].start("/usr/bin/python3", "-m", "http.server", str(OTHER_PORT),
                                  "--directory", cls.lab.folder / "web1",
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.lab.wait_listening(cls.lab.web["web1"], OTHER_PORT)
        for name in ("web1", "web2"):
            start_server(cls.lab, name, "echo", ECHO_PORT, name)

    def setUp(self):
        self.director.wait_all_up()

    def test_a_failure_in_one_service_leaves_the_reals_other_service_alone(self):
        self.director.wait_all_up(service="other")
        self.lab.stop_web("web1")
        self.director.wait_state("web1", "down")
        self.assertEqual(self.director.reals("other")["web1"]["state"], "up")
        self.assertIn("Hello", self.fetch(":81/ping.html"))
        self.lab.start_web("web1")
        self.director.wait_state("web1", "up")

    def test_datagrams_of_an_old_flow_go_to_a_live_real_when_theirs_dies(self):
        self.director.wait_all_up(service="echo")
        wire = self.lab.client.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.addCleanup(wire.close)
        wire.settimeout(3)
        wire.connect((VIP, 53))

        def ask():
            wire.send(b"who is there?")
            return wire.recv(2048).split()[0].decode()

        first = ask()
        self.assertEqual({ask() for _ in range(20)}, {first})
        self.lab.stop_web(first)
        self.addCleanup(self.lab.start_web, first)
        self.director.wait_state(first, "down", service="echo")
        self.assertEqual({ask() for _ in range(20)}, {"web1", "web2"} - {first})

    def test_a_client_that_returns_on_the_same_port_is_served_at_once(self):
        for _ in range(5):
            begun, wire = wait_until(self.dial_from_the_same_port, 5, "the port stays in use")
            wire.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while part := wire.recv(65536):  # the server closes first, and waits in TIME_WAIT
                answer += part
            wire.close()
            self.assertIn(b"200 OK", answer)
            self.assertLess(time.monotonic() - begun, 0.5)  # a lost SYN would cost a second

    def dial_from_the_same_port(self):
        """A connection and the moment of its SYN; None while the last one's end is on its way."""
        wire = self.lab.client.call(socket.socket)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wire.settimeout(5)
        try:
            wire.bind((CLIENT, CLIENT_PORT))
            begun = time.monotonic()
            wire.connect((VIP, 80))
        except OSError as error:
            wire.close()
            if error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
                return None
            raise
        return begun, wire

    def test_nat_works_with_ip_forward_off(self):
        self.lab.director.sysctl("net/ipv4/ip_forward", 0)
        self.assertEqual(set(self.fetch_many(50)), set(WEB))

    def test_status_names_a_port_that_is_down_and_exits_with_1(self):
        self.assertEqual(self.director.ctl("status").returncode, 0)
        run("ip", "link", "set", "director-eth1", "down")
        try:
            answer = wait_until(self.bad_status, 10, "status finds nothing wrong")
        finally:
            run("ip", "link", "set", "director-eth1", "up")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("lan", answer.stdout + answer.stderr)
        wait_until(lambda: self.director.ctl("status").returncode == 0, 10, "status stays bad")

    def test_status_of_a_director_without_services_exits_with_1(self):
        self.director.write(director_config([]))
        self.director.ask("reload")
        answer = self.director.ctl("status")
        self.director.write(self.config())
        self.director.ask("reload")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("no service", answer.stdout + answer.stderr)
        self.director.wait_all_up()

    def bad_status(self):
        answer = self.director.ctl("status")
        return answer if answer.returncode != 0 else None


class Timeouts(Scenario):
    """How long the table keeps a session that nobody uses."""

    @classmethod
    def config(cls):
        return director_config([cls.silent_service(), web_service(), cls.echo_service()])

    @staticmethod
    def silent_service(**changes):
        return web_service(["web1"], port=OTHER_PORT, name="patient", check={"type": "none"},
                           **changes) | {"port": 81}

    @staticmethod
    def echo_service():
        return web_service(["web1"], port=ECHO_PORT, name="echo", protocol="udp",
                           check={"type": "none"}) | {"port": 53}

    @classmethod
    def prepare(cls):
        cls.lab.start_web()
        start_server(cls.lab, "web1", "patient", OTHER_PORT)
        start_server(cls.lab, "web1", "echo", ECHO_PORT, "web1")

    def connection(self):
        wire = self.lab.client.call(lambda: socket.create_connection((VIP, 81), timeout=5))
        self.addCleanup(wire.close)
        return wire

    def session_of(self, wire):
        """What the director knows of this client socket's session, or None."""
        name = f"{CLIENT}:{wire.getsockname()[1]}"
        found = [session for session in self.director.ask("sessions", "--limit", "1000")["sessions"]
                 if session["client"] == name]
        self.assertLessEqual(len(found), 1)
        return found[0] if found else None

    def assert_timeout(self, wire, seconds):
        wait_until(lambda: (self.session_of(wire) or {}).get("timeout_s") == seconds, 5,
                   f"the session's timeout is not {seconds} s: {self.session_of(wire)}")

    def test_an_established_connection_is_kept_for_900_s_and_a_half_closed_one_for_120_s(self):
        wire = self.connection()
        self.assert_timeout(wire, 900)
        wire.shutdown(socket.SHUT_WR)
        self.assert_timeout(wire, 120)

    def test_answered_datagrams_keep_their_session_for_300_s(self):
        wire = self.lab.client.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.addCleanup(wire.close)
        wire.settimeout(3)
        wire.connect((VIP, 53))
        wire.send(b"hello")
        wire.recv(2048)
        self.assert_timeout(wire, 300)

    def test_a_timeout_that_the_file_sets_ends_the_session_and_not_before(self):
        config = director_config([self.silent_service(timeouts={"tcp_established": "2s"}),
                                  web_service(), self.echo_service()])
        self.director.write(config)
        self.director.ask("reload")
        wire, begun = self.connection(), time.monotonic()
        self.assert_timeout(wire, 2)
        wait_until(lambda: self.session_of(wire) is None, 2 + SWEEP_S_MAX + 2, "it never ends")
        self.assertGreater(time.monotonic() - begun, 2)
