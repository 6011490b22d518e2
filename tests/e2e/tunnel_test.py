"""Tunnels: the packet travels to its real within another one. What unwraps it there is a program of
the kernel's, compiled from unwrap.bpf.c: Linux as an endpoint, with a real web server behind it.
"""

import socket
import struct
import subprocess
from pathlib import Path

import packets
from labkit.capture import Capture
from labkit.director import director_config, http_check, web_service
from labkit.lab import CLIENT, VIP, WEB, run, wait_until
from scenario import Scenario, start_server

TUNNELS = {"web1": "ipip", "web2": "gue", "web3": "gre"}
PROTOCOLS = {"web1": 4, "web2": 17, "web3": 47}
OVERHEAD = {"web1": 20, "web2": 32, "web3": 28}
DIRECTOR = "10.2.0.1"
CLIENT_TTL = 64
TRACED_PORT = 44444


def tunnel_service():
    service = web_service(port=80, check=http_check())
    for real in service["reals"]:
        real["forward"] = TUNNELS[real["name"]]
    service["reals"][2]["tunnel_checksum"] = True
    return service


class Bridge:
    """Where the lab's bridges are: the namespace that we are in."""
    name = "bridge"

    @staticmethod
    def start(*command, **options):
        return subprocess.Popen(command, **options)


def may_load_programs():
    """Whether we are root of the machine, and not of a user namespace alone."""
    return Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]


def unwrap(lab):
    """Every real takes off the outer headers of what arrives, and holds the VIP."""
    source = Path(__file__).resolve().parent / "unwrap.bpf.c"
    program = lab.folder / "unwrap.bpf.o"
    run("clang", "-O2", "-Wall", "-Werror", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu",
        "-c", source, "-o", program)
    for name, node in lab.web.items():
        node.ip("link", "set", "dev", "eth0", "xdp", "obj", program, "sec", "xdp")
        lab.hold_vip(name)


class Tunnels(Scenario):
    has_router = True
    unwrap = staticmethod(unwrap)

    def setUp(self):
        if not may_load_programs():
            self.skipTest("only the machine's root may load the program that unwraps")

    @classmethod
    def config(cls):
        keep = web_service(["web1"], port=81, name="keep", forward="ipip", check={"type": "none"})
        echo = web_service(["web2"], port=53, name="echo", forward="gue", protocol="udp",
                           check={"type": "none"})
        traced = [web_service(["web1"], port=port, name=f"traced{port}", forward="ipip",
                              protocol="udp", check={"type": "none"}) | {"port": port}
                  for port in range(TRACED_PORT, TRACED_PORT + 16)]
        return director_config([tunnel_service(), keep | {"port": 81}, echo | {"port": 53},
                                *traced])

    @classmethod
    def prepare(cls):
        cls.lab.start_web(port=80)
        if may_load_programs():
            cls.unwrap(cls.lab)
            start_server(cls.lab, "web1", "record", 81, cls.lab.folder / "kept")
            start_server(cls.lab, "web2", "echo", 53, "web2", VIP)

    def test_each_real_of_a_service_is_served_by_a_tunnel_of_its_own_kind(self):
        # At the bridge, because the real's own interface shows what has been unwrapped.
        captures = {name: Capture(Bridge(), f"{name}-eth0") for name in WEB}
        self.assertEqual(set(self.fetch_many(60)), set(WEB))
        for name, capture in captures.items():
            outer = [packet for packet in packets.outgoing(capture.stop())
                     if packet.source == DIRECTOR and packet.protocol == PROTOCOLS[name]]
            self.assertGreater(len(outer), 10, name)
            self.assertEqual({packet.destination for packet in outer}, {WEB[name]})
            self.assertEqual({packet.ttl for packet in outer}, {CLIENT_TTL - 1})
            self.assertEqual(packets.problems(outer), [])

    def test_the_real_sees_the_client_and_the_vip(self):
        for _ in range(12):
            self.assertEqual(self.fetch("/where").split()[:2], [f"{VIP}:80", CLIENT])

    def test_what_a_real_sent_is_not_available_rather_than_zero(self):
        self.fetch_many(30)
        for name, real in self.director.reals().items():
            self.assertEqual(real["forward"], TUNNELS[name])
            self.assertIsNone(real["out_packets"])
            self.assertGreater(real["in_packets"], 0)

    def test_an_upload_adapts_to_what_the_tunnel_leaves_of_the_mtu(self):
        content = bytes(range(250)) * 1000 + b"\r\n\r\n"
        wire = self.lab.client.call(lambda: socket.create_connection((VIP, 81), timeout=10))
        self.addCleanup(wire.close)
        wire.sendall(content)
        self.assertIn(b"204", wire.recv(100))
        self.assertEqual((self.lab.folder / "kept").read_bytes(), content)
        self.assertIn(f"mtu {1500 - OVERHEAD['web1']}", self.lab.client.ip("route", "get", VIP))
        self.lab.client.ip("route", "flush", "cache")

    def test_tracepath_finds_the_mtu_within_the_tunnel(self):
        self.lab.client.ip("route", "flush", "cache")
        path = self.lab.client.run("tracepath", "-n", "-m", "5", "-p", str(TRACED_PORT), VIP)
        self.assertIn("pmtu 1480", path.splitlines()[-1], path)
        self.assertIn("reached", path)
        self.lab.client.ip("route", "flush", "cache")

    def test_a_datagram_of_8_kb_reaches_the_real_in_pieces_and_is_answered(self):
        wire = self.lab.client.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.addCleanup(wire.close)
        wire.settimeout(5)
        wire.connect((VIP, 53))
        sent = bytes(range(250)) * 32
        wire.send(sent)
        answer = f"web2 {CLIENT}:{wire.getsockname()[1]} ".encode() + sent
        self.assertEqual(wire.recv(65535), answer)

    def test_a_routers_error_about_an_answer_reaches_the_real_that_sent_it(self):
        self.downloads_adapt_to_the_router()

    def test_a_routers_word_on_the_way_to_a_real_becomes_the_mtu_of_its_path(self):
        # It quotes our outer header and eight octets: whose packet was within, nobody can tell.
        outer = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 1500, 0, 0x4000, 63, PROTOCOLS["web1"], 0,
                            socket.inet_aton(DIRECTOR), socket.inet_aton(WEB["web1"])) + bytes(8)
        message = struct.pack("!BBHHH", 3, 4, 0, 0, 1400) + outer
        message = message[:2] + struct.pack("!H", packets.checksum(message)) + message[4:]
        raw = self.lab.web["web3"].call(
            lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
        self.addCleanup(raw.close)
        raw.sendto(message, (DIRECTOR, 0))
        wait_until(lambda: self.director.reals()["web1"]["path_mtu"] == 1400, 5,
                   "the path's MTU is not known")
        self.assertIsNone(self.director.reals()["web2"]["path_mtu"])
        self.lab.client.ip("route", "flush", "cache")
        path = self.lab.client.run("tracepath", "-n", "-m", "5", "-p", str(TRACED_PORT), VIP)
        self.assertIn("pmtu 1380", path.splitlines()[-1], path)
        self.lab.client.ip("route", "flush", "cache")
