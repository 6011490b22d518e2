#!/usr/bin/python3
"""Packets of either IP version travel to reals of either, within another packet. The outer header
has the inner one's class, hop limit and, over IPv6, a label that is its flow's.
"""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403
from scapy.layers.l2 import GRE  # noqa: E402

DIRECTOR = "10.1.0.2"
DIRECTOR6 = "2001:db8:1::2"
FAR_REAL6 = "2001:db8:fe::80"
MASK = (1 << 64) - 1
SEED = 0x9E3779B97F4A7C15
numbers = iter(range(1000))


def word(octets):
    return int.from_bytes(octets, "little")


def folded(left, right):
    product = (left & MASK) * (right & MASK)
    return product & MASK ^ product >> 64


def flow_hash(inner):
    """The same for all packets of a flow: of it come GUE's source port and IPv6's flow label."""
    octets = bytes(inner)
    is_v6 = IPv6 in inner
    l4 = inner[TCP] if TCP in inner else inner[UDP]
    ports = ((6 if TCP in inner else 17) | word(struct.pack(">H", l4.sport)) << 32
             | word(struct.pack(">H", l4.dport)) << 16)
    if is_v6:
        source, destination = octets[8:24], octets[24:40]
        addresses = folded(word(source[:8]) ^ word(destination[8:]),
                           word(source[8:]) ^ word(destination[:8]) ^ SEED)
    else:
        addresses = word(octets[12:16]) << 32 | word(octets[16:20])
    mixed = folded(addresses ^ SEED, ports + 1)
    return (mixed ^ mixed >> 32) & 0xFFFFFFFF


def outer_header(inner, destination, protocol):
    tos = inner.tc if IPv6 in inner else inner.tos
    hops = inner.hlim if IPv6 in inner else inner.ttl
    if ":" in destination:
        return IPv6(src=DIRECTOR6, dst=destination, hlim=hops, tc=tos, nh=protocol,
                    fl=flow_hash(inner) & 0xFFFFF)
    next(numbers)  # IPv6 within: none of them may be fragmented
    return IP(src=DIRECTOR, dst=destination, ttl=hops, tos=tos, flags="DF", id=0, proto=protocol)


def in_ipip(inner, destination):
    return outer_header(inner, destination, 41 if IPv6 in inner else 4) / inner


def in_gue(inner, destination, dport=6080, has_checksum=False):
    udp = UDP(sport=49152 + (flow_hash(inner) & 16383), dport=dport)
    if not has_checksum:
        udp.chksum = 0
    gue = bytes([0, 41 if IPv6 in inner else 4, 0, 0])
    whole = outer_header(inner, destination, 17) / udp / Raw(gue + bytes(inner))
    return whole


def in_gre(inner, destination, **options):
    return outer_header(inner, destination, 47) / GRE(
        proto=0x86DD if IPv6 in inner else 0x0800, **options) / inner


send, expect = [], []


def passes(packet, wrap, number):
    send.append(from_client(packet))
    aged = packet.__class__(bytes(packet))
    if IPv6 in aged:
        aged.hlim -= 1
    else:
        aged.ttl -= 1
        del aged.chksum
    wrapped = wrap(packet.__class__(bytes(aged)))
    expect.append(to_client(wrapped) if number is None else to_real(number, wrapped))


def tcp(vip, port, marks="S", payload=b"", sport=40000, options=(), **ip):
    head = (IPv6(src=CLIENT6, dst=vip, **ip) if ":" in vip
            else IP(src=CLIENT, dst=vip, flags="DF", **ip))
    return head / TCP(sport=sport, dport=port, flags=marks, seq=1000,
                      options=list(options)) / payload


def udp(vip, payload, sport=5000, **ip):
    head = (IPv6(src=CLIENT6, dst=vip, **ip) if ":" in vip
            else IP(src=CLIENT, dst=vip, flags="DF", **ip))
    return head / UDP(sport=sport, dport=53) / payload


def ipip_to(address):
    return lambda inner: in_ipip(inner, address)


def gue_to(address, **options):
    return lambda inner: in_gue(inner, address, **options)


def gre_to(address, **options):
    return lambda inner: in_gre(inner, address, **options)


# Who is reached how: VIP, real, tunnel.
BY_TCP = (
    ("2001:db8:1::80", 80, 21, ipip_to(real6(21))),  # 6 in 6
    ("10.1.0.80", 80, 21, ipip_to(real6(21))),       # 4 in 6
    ("2001:db8:1::81", 80, 21, ipip_to(real(21))),   # 6 in 4
    ("2001:db8:1::80", 81, 23, gre_to(real6(23))),
    ("10.1.0.80", 81, 23, gre_to(real6(23))),
    ("2001:db8:1::82", 81, 23, gre_to(real(23))),
    ("2001:db8:1::81", 81, 23, gre_to(real6(23), chksum_present=1)),
    ("2001:db8:1::83", 80, None, ipip_to(FAR_REAL6)),
    ("10.1.0.83", 80, None, ipip_to(FAR_REAL6)),
)
BY_UDP = (
    ("2001:db8:1::80", 22, gue_to(real6(22))),
    ("10.1.0.80", 22, gue_to(real6(22))),
    ("2001:db8:1::81", 22, gue_to(real6(22), dport=9000, has_checksum=True)),
    ("10.1.0.81", 22, gue_to(real6(22), dport=9000, has_checksum=True)),
    ("2001:db8:1::82", 22, gue_to(real(22), has_checksum=True)),
)
for sport in (40000, 40001):
    for marks, payload in (("S", b""), ("A", b""), ("PA", b"GET / HTTP/1.0"), ("FA", b"")):
        for vip, port, number, wrap in BY_TCP:
            passes(tcp(vip, port, marks, payload, sport), wrap, number)
for payload in (b"odd", b"even", bytes(range(256)) * 5):
    for vip, number, wrap in BY_UDP:
        passes(udp(vip, payload), wrap, number)
# Every class and congestion mark, other hop limits, labels of the client's own, a next header that
# is not the last one.
for tos in (0xB8, 0x01, 0x02, 0x03):
    for vip, number, wrap in BY_UDP:
        mark = {"tc": tos, "hlim": 9, "fl": 0xABCDE} if ":" in vip else {"tos": tos, "ttl": 9}
        passes(udp(vip, b"marked", **mark), wrap, number)
optional = (IPv6(src=CLIENT6, dst=VIP6) / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))])
            / TCP(sport=40000, dport=80, flags="A", seq=1000))
passes(optional, ipip_to(real6(21)), 21)
# As long as it may be: 1460 octets fit within IPv6, 1480 within IPv4, 1448 within GUE over IPv6.
passes(tcp("2001:db8:1::80", 80, "A", bytes(1400)), ipip_to(real6(21)), 21)
passes(tcp("10.1.0.80", 80, "A", bytes(1420)), ipip_to(real6(21)), 21)
passes(tcp("2001:db8:1::81", 80, "A", bytes(1420)), ipip_to(real(21)), 21)
passes(udp("2001:db8:1::81", bytes(1400)), gue_to(real6(22), dport=9000, has_checksum=True), 22)
# Handshakes ask for what the tunnel leaves: 1460 less 60 or 40, 1480 less 60.
for vip, number, wrap, left in (("2001:db8:1::80", 21, ipip_to(real6(21)), 1400),
                                ("10.1.0.80", 21, ipip_to(real6(21)), 1420),
                                ("2001:db8:1::81", 21, ipip_to(real(21)), 1420)):
    for asked in (65535, left, 1000):
        sport = 30000 + asked % 10000
        held = tcp(vip, 80, "S", sport=sport, options=[("MSS", min(asked, left))])
        passes(held, wrap, number)
        send[-1] = from_client(tcp(vip, 80, "S", sport=sport, options=[("MSS", asked)]))
# Longer, and the sender hears what would have passed.
long_ones = ((tcp("2001:db8:1::80", 80, "A", bytes(1401)), 1460),
             (tcp("10.1.0.80", 80, "A", bytes(1421)), 1460),
             (tcp("2001:db8:1::81", 80, "A", bytes(1421)), 1480),
             (udp("2001:db8:1::81", bytes(1401)), 1448),
             (tcp("2001:db8:1::81", 81, "A", bytes(1393)), 1452))
for packet, mtu in long_ones:
    send.append(from_client(packet))
    expect.append(to_client(
        told6(packet, packet.dst, ICMPv6PacketTooBig(mtu=mtu)) if IPv6 in packet
        else told(packet, packet.dst, type=3, code=4, nexthopmtu=mtu)))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [f"dropped mtu_exceeded {len(long_ones)}"])
