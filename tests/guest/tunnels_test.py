"""Tunnels whose far ends are the modules of Debian's kernel, as on a real server of anybody's:
ipip, ip_gre, fou (for GUE), sit, ip6_tunnel, ip6_gre. What is asked of them is what the end-to-end
tests ask of a program that unwraps; where those leave out a kind of tunnel for an IP version, it is
here.
"""

from ipv6_test import OverIpv6, config6
from labkit.lab import CLIENT6, VIP6, WEB, WEB6
from tunnel6_test import TunnelsOfIpv6, real, service
from tunnel_test import Tunnels

GUE_PORT = "6080"


def unwrap_by_modules(lab, checksum="web3"):
    """Makes each real an end of all kinds of tunnels, from any director, with the VIP. `checksum`
    has to be given for the real whose GRE has one: the kernel takes no others then."""
    for name, node in lab.web.items():
        # The module of a kind, its name for it, and what the real's end is told besides.
        csum = ["icsum"] if name == checksum else []
        ends = [("ipip4", WEB, "ipip"), ("gre4", WEB, "gre", *csum)]
        node.ip("fou", "add", "port", GUE_PORT, "gue")
        if lab.has_ipv6:
            ends += [("sit4", WEB, "sit"), ("any6", WEB6, "ip6tnl", "mode", "any"),
                     ("gre6", WEB6, "ip6gre")]
            node.ip("-6", "fou", "add", "port", GUE_PORT, "gue")
        for end, addresses, kind, *words in ends:
            node.ip("link", "add", end, "type", kind, "local", addresses[name], "remote", "any",
                    *words)
            if lab.has_ipv6:
                node.sysctl(f"net/ipv6/conf/{end}/disable_ipv6", 0)
            node.ip("link", "set", end, "up")
        lab.hold_vip(name)


class KernelTunnels(Tunnels):
    unwrap = staticmethod(unwrap_by_modules)

    test_each_real_of_a_service_is_served_by_a_tunnel_of_its_own_kind = \
        Tunnels.test_each_real_of_a_service_is_served_by_a_tunnel_of_its_own_kind
    test_the_real_sees_the_client_and_the_vip = Tunnels.test_the_real_sees_the_client_and_the_vip
    test_an_upload_adapts_to_what_the_tunnel_leaves_of_the_mtu = \
        Tunnels.test_an_upload_adapts_to_what_the_tunnel_leaves_of_the_mtu
    test_tracepath_finds_the_mtu_within_the_tunnel = \
        Tunnels.test_tracepath_finds_the_mtu_within_the_tunnel
    test_a_datagram_of_8_kb_reaches_the_real_in_pieces_and_is_answered = \
        Tunnels.test_a_datagram_of_8_kb_reaches_the_real_in_pieces_and_is_answered


class KernelTunnelsOfIpv6(TunnelsOfIpv6):
    unwrap = staticmethod(unwrap_by_modules)

    test_packets_of_ipv6_reach_reals_of_either_ip_version = \
        TunnelsOfIpv6.test_packets_of_ipv6_reach_reals_of_either_ip_version
    test_packets_of_ipv4_reach_reals_of_ipv6 = \
        TunnelsOfIpv6.test_packets_of_ipv4_reach_reals_of_ipv6
    test_the_real_sees_the_client_and_the_vip = \
        TunnelsOfIpv6.test_the_real_sees_the_client_and_the_vip
    test_an_upload_adapts_to_what_the_tunnel_leaves_of_the_mtu = \
        TunnelsOfIpv6.test_an_upload_adapts_to_what_the_tunnel_leaves_of_the_mtu
    test_tracepath_finds_the_mtu_within_the_tunnel = \
        TunnelsOfIpv6.test_tracepath_finds_the_mtu_within_the_tunnel
    test_a_datagram_of_8_kb_reaches_the_real_in_pieces_and_is_answered = \
        TunnelsOfIpv6.test_a_datagram_of_8_kb_reaches_the_real_in_pieces_and_is_answered


class KernelTunnelsOfTheOtherKinds(OverIpv6):
    """IPv6 within IPv4 by IPIP (sit) and by GUE, and within IPv6 by GRE."""
    has_router = True

    @classmethod
    def config(cls):
        return config6([service(VIP6, "web", [real("web1", WEB, "ipip"), real("web2", WEB, "gue"),
                                              real("web3", WEB6, "gre")])])

    @classmethod
    def prepare(cls):
        cls.lab.start_web(port=80)
        unwrap_by_modules(cls.lab)

    def test_each_real_serves_and_sees_the_client_and_the_vip(self):
        self.assertEqual(set(self.fetch_many6(40)), set(WEB))
        for _ in range(8):
            self.assertEqual(self.fetch6("/where").split()[1:], [CLIENT6, f"[{VIP6}]"])

    def test_large_bodies_arrive_whole(self):
        body = bytes(range(250)) * 2000
        for name in WEB:
            (self.lab.folder / name / "large").write_bytes(body)
        target = self.lab.folder / "fetched"
        for _ in range(6):
            self.fetch6("/files/large", "-o", target)
            self.assertEqual(target.read_bytes(), body)
