"""Tunnels whose inner or outer packet is one of IPv6, with real web servers behind them. What
unwraps the packets is unwrap.bpf.c, as in tunnel_test.py.
"""

import socket

import packets
from ipv6_test import OverIpv6, config6
from labkit.capture import Capture
from labkit.director import http_check
from labkit.lab import CLIENT, CLIENT6, VIP, VIP6, WEB, WEB6
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

    def setUp(self):
        if not may_load_programs():
            self.skipTest("only the machine's root may load the program that unwraps")

    @classmethod
    def config(cls):
        web6 = service(VIP6, "web", [real("web1", WEB6, "ipip"), real("web2", WEB6, "gue"),
                                     real("web3", WEB, "gre", tunnel_checksum=True)])
        web4 = service(VIP, "web4", [real("web1", WEB6, "gre"), real("web2", WEB6, "ipip"),
                                     real("web3", WEB6, "gue", tunnel_checksum=True)])
        return config6([web6, web4])

    @classmethod
    def prepare(cls):
        cls.lab.start_web(port=80)
        if may_load_programs():
            unwrap(cls.lab)

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
