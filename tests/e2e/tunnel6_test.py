"""Tunnels whose inner or outer packet is one of IPv6, with real web servers behind them. What
unwraps the packets is unwrap.bpf.c, as in tunnel_test.py.
"""

import socket
import struct

import packets
from ipv6_test import (ECHO_PORT, TRACED_PORTS, OverIpv6, config6, echo_service,
                       traced_service)
from labkit.capture import Capture
from labkit.director import http_check, web_service
from labkit.lab import CLIENT, CLIENT6, VIP, VIP6, WEB, WEB6, wait_until
from scenario import start_server
from tunnel_test import Bridge, may_load_programs, unwrap

DIRECTOR, DIRECTOR6 = "10.2.0.1", "2001:db8:2::1"
CLIENT_HOPS = 64
# What each real's outer header says of what follows it: (IP version, protocol).
OUTER6 = {"web1": (6, 41), "web2": (6, 17), "web3": (4, 47)}  # around IPv6
OUTER4 = {"web1": (6, 47), "web2": (6, 4), "web3": (6, 17)}   # around IPv4


def real(name, addresses, forward, **options):
    return {"name": name, "address": addresses[name], "port": 80, "forward": forward, **options}


def service(vip, name, reals):
    return {"name": name, "vip": vip, "port": 80, "check": http_check(), "reals": reals}


class TunnelsOfIpv6(OverIpv6):
    has_router = True
    unwrap = staticmethod(unwrap)

    def setUp(self):
        if not may_load_programs():
            self.skipTest("only the machine's root may load the program that unwraps")

    @classmethod
    def config(cls):
        web6 = service(VIP6, "web", [real("web1", WEB6, "ipip"), real("web2", WEB6, "gue"),
                                     real("web3", WEB, "gre", tunnel_checksum=True)])
        web4 = service(VIP, "web4", [real("web1", WEB6, "gre"), real("web2", WEB6, "ipip"),
                                     real("web3", WEB6, "gue", tunnel_checksum=True)])
        keep = web_service(vip=VIP6, port=81, name="keep", check={"type": "none"},
                           reals=[real("web1", WEB6, "ipip") | {"port": 81}])
        traced = [traced_service(port, "ipip") for port in TRACED_PORTS]
        return config6([web6, web4, keep | {"port": 81}, echo_service("gue", "web2"), *traced])

    @classmethod
    def prepare(cls):
        cls.lab.start_web(port=80)
        if may_load_programs():
            cls.unwrap(cls.lab)
            start_server(cls.lab, "web2", "echo", ECHO_PORT, "web2", VIP6)
            start_server(cls.lab, "web1", "record", 81, cls.lab.folder / "kept", "::")

    def outer_headers(self, fetch):
        """(IP version, protocol) of what leaves the director for each real while `fetch` runs. At
        the bridge, because a real's own interface shows what has been unwrapped."""
        captures = {name: Capture(Bridge(), f"{name}-eth0") for name in WEB}
        self.assertEqual(set(fetch()), set(WEB))
        seen = {}
        for name, capture in captures.items():
            frames = [frame.octets for frame in capture.stop() if not frame.is_incoming]
            v4 = [packet for packet in map(packets.dissect, frames)
                  if packet and packet.source == DIRECTOR and packet.protocol != packets.TCP]
            self.assertEqual(packets.problems(v4), [])
            v6 = [octets[14:] for octets in frames if octets[12:14] == b"\x86\xdd"
                  and octets[22:38] == socket.inet_pton(socket.AF_INET6, DIRECTOR6)
                  and octets[20] not in (packets.TCP, 58)]  # its checks, and neighbour discovery
            self.assertGreater(len(v4) + len(v6), 10, name)
            self.assertLessEqual({packet.ttl for packet in v4} | {octets[7] for octets in v6},
                                 {CLIENT_HOPS - 1})
            seen[name] = {(4, packet.protocol) for packet in v4} | {(6, octets[6]) for octets in v6}
        return seen

    def test_packets_of_ipv6_reach_reals_of_either_ip_version(self):
        self.assertEqual(self.outer_headers(lambda: self.fetch_many6(60)),
                         {name: {outer} for name, outer in OUTER6.items()})

    def test_packets_of_ipv4_reach_reals_of_ipv6(self):
        self.assertEqual(self.outer_headers(lambda: self.fetch_many(60)),
                         {name: {outer} for name, outer in OUTER4.items()})

    def test_the_real_sees_the_client_and_the_vip(self):
        for _ in range(8):
            self.assertEqual(self.fetch6("/where").split()[1:], [CLIENT6, f"[{VIP6}]"])
            self.assertEqual(self.fetch("/where").split()[:2], [f"{VIP}:80", CLIENT])

    def test_a_datagram_of_8_kb_reaches_the_real_in_pieces_and_is_answered(self):
        self.exchange_8_kb("web2")

    def test_an_upload_adapts_to_what_the_tunnel_leaves_of_the_mtu(self):
        content = bytes(range(250)) * 1000 + b"\r\n\r\n"
        wire = self.lab.client.call(lambda: socket.create_connection((VIP6, 81), timeout=10))
        self.addCleanup(wire.close)
        wire.sendall(content)
        self.assertIn(b"204", wire.recv(100))
        self.assertEqual((self.lab.folder / "kept").read_bytes(), content)
        self.assertIn("mtu 1460", self.lab.client.ip("-6", "route", "get", VIP6))
        self.lab.client.ip("-6", "route", "flush", "cache")

    def test_tracepath_finds_the_mtu_within_the_tunnel(self):
        path = self.tracepath6()
        self.assertIn("pmtu 1460", path.splitlines()[-1], path)
        self.assertIn("reached", path)

    def test_a_routers_word_on_the_way_to_a_real_becomes_the_mtu_of_its_path(self):
        # It quotes our outer header alone: whose packet was within, nobody can tell.
        outer = (struct.pack("!IHBB", 6 << 28, 1460, 41, 63)
                 + socket.inet_pton(socket.AF_INET6, DIRECTOR6)
                 + socket.inet_pton(socket.AF_INET6, WEB6["web1"]))
        raw = self.lab.web["web3"].call(
            lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6))
        self.addCleanup(raw.close)
        raw.sendto(struct.pack("!BBHI", 2, 0, 0, 1400) + outer, (DIRECTOR6, 0))
        wait_until(lambda: self.director.reals()["web1"]["path_mtu"] == 1400, 5,
                   "the path's MTU is not known")
        self.assertIsNone(self.director.reals()["web2"]["path_mtu"])
        path = self.tracepath6()
        self.assertIn("pmtu 1360", path.splitlines()[-1], path)

    def test_explain_foretells_how_a_packet_leaves(self):
        ends = f"[{CLIENT6}]:4000", f"[{VIP6}]:{TRACED_PORTS[0]}"
        told = self.director.ask("explain", "udp", *ends)
        self.assertEqual((told["verdict"], told["real"]["name"]), ("refit", "web1"))
        self.assertRegex(str(told["leaves"]["packet"]),
                         f"ipv6 .*2001:db8:2:.*ipv6 .*udp 4000 > {TRACED_PORTS[0]}")
        self.assertEqual(told["leaves"]["neighbour"], WEB6["web1"])
        told = self.director.ask("explain", "udp", *ends, "--size", "1461")
        self.assertEqual(told["reason"], "mtu_exceeded")
