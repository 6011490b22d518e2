#!/usr/bin/python3
"""Sound packets with one lie each are dropped by its name; what is the kernel's goes there."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

from collections import Counter  # noqa: E402

send, fates = [], Counter()


def lie(reason, frame):
    send.append(bytes(frame))
    fates["dropped " + reason] += 1


def kernels(punt_class, frame):
    send.append(bytes(frame))
    fates["punted " + punt_class] += 1


def syn(*headers, ip=None, **tcp):
    packet = IPv6(**{"src": CLIENT6, "dst": VIP6, **(ip or {})})
    for header in headers:
        packet = packet / header
    return from_client(packet / TCP(**{"sport": 40000, "dport": 80, "flags": "S", **tcp}) / b"abc")


def datagram(ip=None, **udp):
    return from_client(IPv6(**{"src": CLIENT6, "dst": VIP6, **(ip or {})})
                       / UDP(**{"sport": 40000, "dport": 53, **udp}) / b"abc")


def padding(count=4):
    return IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(count))])


whole = bytes(syn())
for length in (14, 15, 40, 53):
    lie("ipv6_truncated", whole[:length])
for length in (54, 70, len(whole) - 1):
    lie("ipv6_payload_length", whole[:length])
for version in (0, 4, 5, 7, 15):
    lie("ipv6_version", syn(ip=dict(version=version)))
lie("ipv6_payload_length", syn(ip=dict(plen=24)))
lie("ipv6_payload_length", syn(ip=dict(plen=65535)))
for source in ("ff02::1", "::1", "::ffff:192.0.2.1"):
    lie("ipv6_source", syn(ip=dict(src=source)))
lie("ipv6_source", syn(ip=dict(src="::")))  # to a service
lie("ipv6_source", syn(ip=dict(src="fe80::7")))  # nobody could tell by which link to answer
lie("ipv6_extension", syn(*[padding()] * 5))
lie("ipv6_extension", syn(padding(100), padding(100)))
lie("ipv6_extension", syn(IPv6ExtHdrRouting(segleft=1, addresses=[VIP6])))
lie("ipv6_extension", syn(padding(), IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))])))
lie("ipv6_extension", from_client(IPv6(src=CLIENT6, dst=VIP6, nh=60) / b"\x06\x02345678"))
lie("ipv6_extension", from_client(IPv6(src=CLIENT6, dst=VIP6, nh=60) / b"\x06\x00345"))
lie("ipv6_fragment", syn(IPv6ExtHdrFragment(offset=0, m=1, id=1), padding()))
lie("ipv6_extension", syn(IPv6ExtHdrFragment(offset=0, m=1, id=1), IPv6ExtHdrFragment(id=1)))
lie("fragment_bounds", syn(IPv6ExtHdrFragment(offset=8190, m=0, id=1, nh=6)))
lie("l4_truncated", syn(ip=dict(plen=0)))
lie("l4_truncated", syn(ip=dict(plen=19)))
for words in (0, 4, 6, 15):
    lie("l4_header_length", syn(dataofs=words))
lie("l4_port_zero", syn(sport=0))
lie("l4_port_zero", datagram(dport=0))
for flags in (0, "P", "SF", "SR", "SFRPAU"):
    lie("tcp_flags", syn(flags=flags))
for length in (0, 7, 12, 65535):
    lie("l4_length", datagram(len=length))
lie("udp_checksum_missing", datagram(chksum=0))
error = from_client(IPv6(src=FAR_ROUTER6, dst=VIP6) / ICMPv6DestUnreach(code=1))
answer = bytes(IPv6(src=VIP6, dst=CLIENT6) / TCP(sport=80))
for quotation in (b"", b"\x60" * 39, answer[:47], b"\x45" + answer[1:],
                  answer[:6] + b"\x3c" + answer[7:40] + b"\x06\xff" + bytes(30)):
    lie("icmp_quotation", error / quotation)
for flags in ("R", "RA", "SA"):
    lie("no_session", syn(flags=flags))
lie("destination", syn(ip=dict(dst="2001:db8:9::9")))
multicast = Ether(src=ROUTER_MAC, dst="33:33:ff:00:00:80")
kernels("link", multicast / IPv6(src="fe80::1", dst="ff02::1:ff00:80", hlim=255)
        / ICMPv6ND_NS(tgt=VIP6))
kernels("link", multicast / IPv6(src="::", dst="ff02::1:ff00:80", hlim=255) / ICMPv6ND_NS(tgt=VIP6))
kernels("link", from_client(IPv6(src="fe80::1", dst=VIP6, hlim=255) / ICMPv6ND_NS(tgt=VIP6)))
kernels("rest", from_client(IPv6(src=CLIENT6, dst=VIP6) / ICMPv6EchoRequest()))
kernels("rest", from_client(IPv6(src=CLIENT6, dst="2001:db8:1::2") / ICMPv6EchoRequest()))
kernels("keepalive", multicast / IPv6(src="fe80::1", dst="ff02::12", hlim=255, nh=112) / b"vrrp")
kernels("routing", syn(ip=dict(dst="2001:db8:1::2"), dport=179))
kernels("rest", syn(dport=81))  # a VIP's port that is no service
kernels("check", from_real(11, IPv6(src=real6(11), dst="2001:db8:1::2")
                           / TCP(sport=8080, dport=50000, flags="SA")))
kernels("transit", from_real(11, IPv6(src=real6(11), dst="2001:db8:9::9")
                             / TCP(sport=50000, dport=443, flags="S")))
kernels("transit", from_real(11, IPv6(src=real6(11), dst="2001:db8:9::9") / ICMPv6EchoRequest()))
write("send.pcap", send)
write("expect.pcap", [])
write_text("expect.txt", [f"{fate} {count}" for fate, count in fates.items()])
