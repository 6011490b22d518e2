#!/usr/bin/python3
"""Each packet travels to its real within another one, and is itself only a hop older. The outer
header has the inner one's type of service, TTL and "don't fragment"; without that mark it is
numbered, and what is too long for the way is cut before it is wrapped.
"""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403
from scapy.layers.inet import IPOption_RR, fragment  # noqa: E402
from scapy.layers.l2 import GRE  # noqa: E402

DIRECTOR = "10.1.0.2"
FAR_REAL = "192.0.2.80"
numbers = iter(range(1000))


def word(octets):
    return int.from_bytes(octets, "little")


def source_port(inner, whole):
    """GUE: the same for all packets of a flow, and for the pieces that we make of one."""
    inner = IP(bytes(whole or inner))
    ports = inner.proto
    if not inner.flags.MF and not inner.frag:
        ports |= word(struct.pack(">H", inner.sport)) << 32 | word(
            struct.pack(">H", inner.dport)) << 16
    octets = bytes(inner)
    addresses = word(octets[12:16]) << 32 | word(octets[16:20])
    product = (addresses ^ 0x9E3779B97F4A7C15) * (ports + 1)
    mixed = (product & (1 << 64) - 1) ^ product >> 64
    return 49152 + ((mixed ^ mixed >> 32) & 16383)


def wrapped(inner, destination, l4, **outer):
    number = next(numbers)
    is_whole = "DF" in inner.flags
    return IP(src=DIRECTOR, dst=destination, ttl=inner.ttl, tos=inner.tos,
              flags="DF" if is_whole else 0, id=0 if is_whole else number, **outer) / l4 / inner


def in_ipip(inner, destination=real(21)):
    return wrapped(inner, destination, b"", proto=4)


def in_gue(inner, dport=6080, has_checksum=False, whole=None):
    udp = UDP(sport=source_port(inner, whole), dport=dport)
    if not has_checksum:
        udp.chksum = 0
    return wrapped(inner, real(22), udp / b"\0\4\0\0")


def in_gre(inner, **options):
    return wrapped(inner, real(23), GRE(proto=0x0800, **options), proto=47)


send, expect = [], []


def passes(packet, wrap, to, ways=lambda packet: [packet]):
    send.append(from_client(packet))
    aged = IP(bytes(packet))
    aged.ttl -= 1
    del aged.chksum
    expect.extend(to(wrap(piece)) for piece in ways(IP(bytes(aged))))


def tcp(vip, port, marks="S", payload=b"", sport=40000, **ip):
    return (IP(src=CLIENT, dst=vip, **ip) / TCP(sport=sport, dport=port, flags=marks, seq=1000)
            / payload)


def udp(vip, payload, sport=5000, **ip):
    return IP(src=CLIENT, dst=vip, **ip) / UDP(sport=sport, dport=53) / payload


def to(number):
    return lambda packet: to_real(number, packet)


for sport in (40000, 40001):
    for marks, payload in (("S", b""), ("A", b""), ("PA", b"GET / HTTP/1.0"), ("FA", b"")):
        for vip, port, number, wrap in (
                (VIP, 80, 21, in_ipip), (VIP, 81, 23, in_gre),
                ("10.1.0.81", 81, 23, lambda inner: in_gre(inner, chksum_present=1))):
            passes(tcp(vip, port, marks, payload, sport, flags="DF"), wrap, to(number))
for payload in (b"", b"odd", b"even", bytes(range(256))):
    passes(udp(VIP, payload, flags="DF"), in_gue, to(22))
    passes(udp("10.1.0.81", payload, flags="DF"), lambda inner: in_gue(inner, 9000, True), to(22))
    passes(udp("10.1.0.81", payload), lambda inner: in_gue(inner, 9000, True), to(22))
# Type of service with each congestion mark, other TTLs, options, no "don't fragment".
for tos in (0xB8, 0x01, 0x02, 0x03):
    passes(tcp(VIP, 80, tos=tos, ttl=9, id=77), in_ipip, to(21))
    passes(udp(VIP, b"marked", tos=tos, ttl=2), in_gue, to(22))
passes(tcp(VIP, 81, options=[IPOption_RR(length=7)]), in_gre, to(23))
# By the route to the real, through the router.
passes(tcp("10.1.0.82", 80, flags="DF"), lambda inner: in_ipip(inner, FAR_REAL), to_client)
# As long as it may be, and longer: 1480 octets fit within IPIP, 1468 within GUE, 1472 within GRE
# with a checksum.
passes(tcp(VIP, 80, "A", bytes(1440), flags="DF"), in_ipip, to(21))
passes(tcp(VIP, 80, "A", bytes(1440)), in_ipip, to(21))
passes(tcp(VIP, 80, "A", bytes(range(200)) * 7 + bytes(41), id=78), in_ipip, to(21),
       lambda packet: fragment(packet, fragsize=1456))
passes(udp(VIP, bytes(1440)), in_gue, to(22))
long_one = udp("10.1.0.81", bytes(range(147)) * 10, id=79)
passes(long_one, lambda inner: in_gue(inner, 9000, True, long_one), to(22),
       lambda packet: fragment(packet, fragsize=1448))
# Too long, and not to be cut: the sender hears what would have passed, with 548 octets quoted.
for packet, mtu in ((tcp(VIP, 80, "A", bytes(range(241)) * 6, flags="DF"), 1480),
                    (udp(VIP, bytes(1441), flags="DF"), 1468),
                    (tcp(VIP, 81, "A", bytes(1437), flags="DF"), 1476),
                    (tcp("10.1.0.81", 81, "A", bytes(1433), flags="DF"), 1472)):
    send.append(from_client(packet))
    expect.append(to_client(told(packet, packet.dst, type=3, code=4, nexthopmtu=mtu)))
# Too old for another hop.
old = tcp(VIP, 80, "A", ttl=1)
send.append(from_client(old))
expect.append(to_client(told(old, VIP, type=11, code=0)))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["dropped mtu_exceeded 4", "dropped ttl_expired 1"])
