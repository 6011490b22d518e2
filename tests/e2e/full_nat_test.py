"""Full NAT: the reals' gateway is a router that knows nothing of the director, and still every
reply comes back through it, because the reals see a local address of the director as the client.
"""

import socket
import struct

import packets
from ipv6_test import OverIpv6, config6, service6
from labkit.capture import Capture
from labkit.director import web_service
from labkit.lab import CLIENT, VIP, WEB, WEB_PORT, wait_until
from nat_test import errors_counted
from scenario import start_server

LOCAL, OTHER_LOCAL, LOCAL6 = "10.2.0.100", "10.2.0.101", "2001:db8:2::100"
ECHO_PORT, ECHO_REAL_PORT = 53, 5353
CLOSED_PORT, CLOSED_REAL_PORT = 54, 5454


def udp_service(name, port, real_port):
    return web_service(["web1"], port=real_port, name=name, protocol="udp", forward="fullnat",
                       check={"type": "none"}) | {"port": port}


class FullNat(OverIpv6):
    has_router = True

    @classmethod
    def config(cls, local=(LOCAL, OTHER_LOCAL, LOCAL6)):
        config = config6([web_service(forward="fullnat"),
                          service6(forward="fullnat", name="web6"),
                          udp_service("echo", ECHO_PORT, ECHO_REAL_PORT),
                          udp_service("closed", CLOSED_PORT, CLOSED_REAL_PORT)])
        config["ports"][1]["local_addresses"] = list(local)
        return config

    @classmethod
    def prepare(cls):
        super().prepare()
        start_server(cls.lab, "web1", "echo", ECHO_REAL_PORT, "web1")
        for name in WEB:
            (cls.lab.folder / name / "large").write_bytes(bytes(range(250)) * 4000)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.director.wait_all_up(service="web6")

    def udp_client(self, port):
        wire = self.lab.client.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.addCleanup(wire.close)
        wire.settimeout(3)
        wire.connect((VIP, port))
        return wire

    def test_reals_behind_another_gateway_serve_and_see_a_local_address(self):
        self.assertEqual(set(self.fetch_many(60)), set(WEB))
        seen = {self.fetch("/where").split()[1] for _ in range(8)}
        self.assertEqual(seen, {LOCAL, OTHER_LOCAL})

    def test_over_ipv6_too(self):
        self.assertEqual(set(self.fetch_many6(60)), set(WEB))
        self.assertEqual(self.fetch6("/where").split()[1], LOCAL6)
        target = self.lab.folder / "fetched"
        self.fetch6("/files/large", "-o", target)
        self.assertEqual(target.read_bytes(), bytes(range(250)) * 4000)

    def test_bodies_arrive_whole_either_way_with_true_checksums(self):
        at_client = Capture(self.lab.client, "eth0")
        at_real = {name: Capture(node, "eth0") for name, node in self.lab.web.items()}
        target, content = self.lab.folder / "fetched", bytes(range(250)) * 4000
        self.fetch("/files/large", "-o", target)
        (self.lab.folder / "upload").write_bytes(content)
        self.fetch("/", "--data-binary", f"@{self.lab.folder}/upload", "-H", "Expect:")
        self.assertEqual(target.read_bytes(), content)
        received = packets.incoming(at_client.stop())
        for capture in at_real.values():
            received += [packet for packet in packets.incoming(capture.stop())
                         if packet.source in (LOCAL, OTHER_LOCAL)]
        self.assertGreater(len(received), 1000)
        self.assertEqual(packets.problems(received), [])
        self.assertEqual({packet.source for packet in received if packet.destination == CLIENT
                          and packet.protocol == packets.TCP}, {VIP})

    def test_datagrams_and_those_of_8_kb_cross_in_both_directions(self):
        wire = self.udp_client(ECHO_PORT)
        for sent in (b"hello", bytes(range(250)) * 32):
            wire.send(sent)
            name, sender, octets = wire.recv(65535).split(b" ", 2)
            self.assertEqual((name, octets), (b"web1", sent))
            self.assertIn(sender.rsplit(b":")[0].decode(), {LOCAL, OTHER_LOCAL})

    def test_an_icmp_error_of_the_real_names_the_vip_and_the_client_to_the_client(self):
        wire = self.udp_client(CLOSED_PORT)
        at_client = Capture(self.lab.client, "eth0")
        wire.send(b"anybody there?")
        with self.assertRaises(ConnectionRefusedError):
            wire.recv(2048)
        errors = [packet for packet in packets.incoming(at_client.stop())
                  if packet.protocol == packets.ICMP]
        self.assertEqual([(error.icmp_type, error.source) for error in errors],
                         [(packets.ICMP_UNREACHABLE, VIP)])
        quoted = errors[0].quoted
        self.assertEqual((quoted.source, quoted.destination, quoted.destination_port,
                          quoted.source_port),
                         (CLIENT, VIP, CLOSED_PORT, wire.getsockname()[1]))
        self.assertEqual(packets.problems(errors), [])

    def test_an_icmp_error_of_the_client_names_the_real_and_the_local_end_to_the_real(self):
        raw = self.lab.client.call(
            lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP))
        self.addCleanup(raw.close)
        text = b"I shall not listen"
        datagram = struct.pack("!HHHH", 40000, ECHO_PORT, 8 + len(text), 0) + text
        before = errors_counted(self.lab.web["web1"])
        at_real = Capture(self.lab.web["web1"], "eth0")
        raw.sendto(datagram, (VIP, 0))
        wait_until(lambda: errors_counted(self.lab.web["web1"]) > before, 5,
                   "no ICMP error reached web1")
        frames = at_real.stop()
        asked = [packet for packet in packets.incoming(frames) if packet.payload == text]
        errors = [packet for packet in packets.incoming(frames) if packet.protocol == packets.ICMP]
        self.assertEqual([error.icmp_type for error in errors], [packets.ICMP_UNREACHABLE])
        local_end = (asked[0].source, asked[0].source_port)
        quoted = errors[0].quoted
        self.assertEqual((errors[0].source, quoted.source, quoted.source_port),
                         (local_end[0], WEB["web1"], ECHO_REAL_PORT))
        self.assertEqual((quoted.destination, quoted.destination_port), local_end)
        self.assertEqual(packets.problems(errors), [])

    def test_sessions_and_explanations_name_the_local_end(self):
        wire = self.lab.client.call(socket.socket)
        self.addCleanup(wire.close)
        wire.connect((VIP, 80))
        client = "%s:%d" % wire.getsockname()
        session = next(session for session in self.director.ask("sessions")["sessions"]
                       if session["client"] == client)
        address, port = session["local"].split(":")
        self.assertIn(address, {LOCAL, OTHER_LOCAL})
        peers = self.lab.web[session["real"]].run("ss", "-Htn", "state", "established",
                                                  f"sport = :{WEB_PORT}")
        self.assertIn(session["local"], peers)
        self.assertIn(session["local"], self.director.ctl("sessions").stdout)
        explained = self.director.ask("explain", "tcp", client, f"{VIP}:80", "--flags", "ack")
        self.assertEqual(explained["session"]["local"], session["local"])
        self.assertEqual(explained["leaves"]["packet"],
                         [f"ipv4 {address} > {WEB[session['real']]}", f"tcp {port} > {WEB_PORT}"])
        back = self.director.ask("explain", "tcp", f"{WEB[session['real']]}:{WEB_PORT}",
                                 session["local"], "--flags", "ack", "--from", "lan")
        self.assertEqual((back["class"], back["verdict"]), ("reply", "transmit"))
        self.assertEqual(back["leaves"]["packet"],
                         [f"ipv4 {VIP} > {CLIENT}", f"tcp 80 > {client.split(':')[1]}"])

    def test_ports_in_use_are_told_and_given_back(self):
        wire = self.lab.client.call(socket.socket)
        wire.connect((VIP, 80))
        self.assertGreaterEqual(self.local_ports(), 1)
        wire.close()

    def local_ports(self):
        return sum(float(value) for line, value in self.director.metrics().items()
                   if line.startswith("fulcrum_local_ports{"))

    def test_z_a_reload_takes_a_local_address_away_and_its_sessions_with_it(self):
        self.director.write(self.config(local=(OTHER_LOCAL, LOCAL6)))
        report = self.director.ask("reload")
        self.assertIn(f'port "lan": local_addresses {LOCAL}, {OTHER_LOCAL}, {LOCAL6} becomes '
                      f"{OTHER_LOCAL}, {LOCAL6}", report["changes"])
        wait_until(lambda: LOCAL not in self.lab.director.ip("address", "show", "dev", "lan"), 5,
                   "the twin keeps the address")
        self.assertEqual({self.fetch("/where").split()[1] for _ in range(8)}, {OTHER_LOCAL})
