#!/usr/bin/python3
"""Fragments of IPv6 follow the first one of their datagram, both ways, in any order, and through
whatever it went; those for us and past us are the kernel's. What covers octets twice is refused,
and a packet in a single piece is none of them.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

DIRECTOR = "10.1.0.2"
DIRECTOR6 = "2001:db8:1::2"
MASK = (1 << 64) - 1
SEED = 0x9E3779B97F4A7C15
OCTETS = bytes(range(256)) * 4
numbers = iter(range(100, 200))
send, expect, fates = [], [], []


def datagram(source, destination, payload=OCTETS, sport=5000, dport=53, hlim=64):
    return IPv6(src=source, dst=destination, hlim=hlim) / UDP(sport=sport, dport=dport) / payload


def pieces(packet, number, size=304):
    """The checksum is that of the whole."""
    whole = bytes(packet)[40:]
    cuts = range(0, len(whole), size)
    return [IPv6(src=packet.src, dst=packet.dst, hlim=packet.hlim)
            / IPv6ExtHdrFragment(nh=packet.nh, offset=at // 8, m=int(at != cuts[-1]), id=number)
            / Raw(whole[at:at + size]) for at in cuts]


def by_nat(packet):
    """What the real gets of it, whole."""
    return datagram(packet.src, real6(12), packet[UDP].load, packet.sport, 5353, 63)


def request(packet, order):
    number = next(numbers)
    above, below = pieces(packet, number), pieces(by_nat(packet), number)
    send.extend(from_client(above[n]) for n in order)
    return [to_real(12, below[n]) for n in order]


def word(octets):
    return int.from_bytes(octets, "little")


def folded(left, right):
    product = (left & MASK) * (right & MASK)
    return product & MASK ^ product >> 64


def label_of(packet):
    """Of a piece: the ports have no part in it, because most pieces do not know them."""
    source, destination = bytes(packet)[8:24], bytes(packet)[24:40]
    addresses = folded(word(source[:8]) ^ word(destination[8:]),
                       word(source[8:]) ^ word(destination[:8]) ^ SEED)
    mixed = folded(addresses ^ SEED, 17 + 1)
    return (mixed ^ mixed >> 32) & 0xFFFFF


# What comes long before its first fragment waits, and follows it: that comes last of all.
early = datagram(CLIENT6, VIP6)
early_number = next(numbers)
send.extend(from_client(pieces(early, early_number)[n]) for n in (3, 1))
# Requests by NAT, in order and out of it.
for order in ((0, 1, 2, 3), (0, 3, 2, 1), (0, 2, 1, 3), (3, 1, 0, 2)):
    expect += request(datagram(CLIENT6, VIP6), order)
# The real's answer in pieces.
answer = datagram(real6(12), CLIENT6, OCTETS, 5353, 5000)
above = datagram(VIP6, CLIENT6, OCTETS, 53, 5000, 63)
send.extend(from_real(12, piece) for piece in pieces(answer, 7))
expect += [to_client(piece) for piece in pieces(above, 7)]
# A TCP segment in pieces; the first has to hold the whole TCP header.
segment = IPv6(src=CLIENT6, dst=VIP6) / TCP(sport=40000, dport=80, flags="PA") / OCTETS
below = (IPv6(src=CLIENT6, dst=real6(11), hlim=63) / TCP(sport=40000, dport=8080, flags="PA")
         / OCTETS)
send.extend(from_client(piece) for piece in pieces(segment, 8))
expect += [to_real(11, piece) for piece in pieces(below, 8)]
send.append(from_client(pieces(segment, 9, 16)[0]))
fates.append("dropped l4_truncated")
# In one piece, with a fragment header all the same (RFC 6946), among pieces of that number.
number = next(numbers)
alone = IPv6(src=CLIENT6, dst=VIP6) / IPv6ExtHdrFragment(id=number) / UDP(sport=5000, dport=53)
there = (IPv6(src=CLIENT6, dst=real6(12), hlim=63) / IPv6ExtHdrFragment(id=number)
         / UDP(sport=5000, dport=5353))
whole, whole_below = datagram(CLIENT6, VIP6), by_nat(datagram(CLIENT6, VIP6))
send += [from_client(pieces(whole, number)[0]), from_client(alone / b"alone"),
         *[from_client(piece) for piece in pieces(whole, number)[1:]]]
expect += [to_real(12, pieces(whole_below, number)[0]), to_real(12, there / b"alone"),
           *[to_real(12, piece) for piece in pieces(whole_below, number)[1:]]]
# By direct routing and through tunnels.
beside = datagram(CLIENT6, DIRECT_VIP6)
send.extend(from_client(piece) for piece in pieces(beside, 10))
beside.hlim = 63
expect += [to_real(13, piece) for piece in pieces(beside, 10)]
for vip, outer in (("2001:db8:1::91", lambda piece: IPv6(
        src=DIRECTOR6, dst=real6(14), nh=41, hlim=63, fl=label_of(piece)) / piece),
                   ("2001:db8:1::92", lambda piece: IP(
        src=DIRECTOR, dst=real(14), proto=41, ttl=63, id=0, flags="DF") / piece)):
    far = datagram(CLIENT6, vip)
    send.extend(from_client(piece) for piece in pieces(far, 11))
    far.hlim = 63
    expect += [to_real(14, outer(piece)) for piece in pieces(far, 11)]
# Too long for the tunnel: the first piece's sender hears of it, nobody cuts a packet of IPv6.
far = datagram(CLIENT6, "2001:db8:1::91", bytes(2000))
cut = pieces(far, 12, 1440)
send.extend(from_client(piece) for piece in cut)
expect.append(to_client(told6(cut[0], "2001:db8:1::91", ICMPv6PacketTooBig(mtu=1460))))
fates.append("dropped mtu_exceeded")
last = IPv6(bytes(cut[1]))
last.hlim = 63
expect.append(to_real(14, IPv6(src=DIRECTOR6, dst=real6(14), nh=41, hlim=63, fl=label_of(last))
                      / last))
# What covers octets that have gone before is refused: a copy, and a part of two others.
copied, number = datagram(CLIENT6, VIP6), next(numbers)
cut, cut_below = pieces(copied, number), pieces(by_nat(copied), number)
send.extend(from_client(cut[n]) for n in (0, 1, 1, 0, 2, 3))
expect += [to_real(12, cut_below[n]) for n in (0, 1, 2, 3)]
spoilt, number = datagram(CLIENT6, VIP6), next(numbers)
cut, cut_below = pieces(spoilt, number), pieces(by_nat(spoilt), number)
overlap, covering = cut[2].copy(), cut[2].copy()
overlap[IPv6ExtHdrFragment].offset -= 1
covering[IPv6ExtHdrFragment].offset -= 1
covering[Raw].load += bytes(16)
send.extend(from_client(packet) for packet in (cut[0], cut[1], overlap, cut[3], covering, cut[2]))
expect += [to_real(12, cut_below[n]) for n in (0, 1, 3, 2)]
fates += ["dropped fragment_overlap"] * 4
# No fragments at all: nothing in it, cut unevenly, beyond the largest packet, from nobody's link.
for offset, more, octets, source in ((9, 0, b"", CLIENT6), (9, 1, bytes(63), CLIENT6),
                                     (8190, 0, bytes(64), CLIENT6), (9, 0, bytes(64), "fe80::7")):
    send.append(from_client(IPv6(src=source, dst=VIP6)
                            / IPv6ExtHdrFragment(nh=17, offset=offset, m=more, id=13)
                            / Raw(octets)))
fates += ["dropped fragment_bounds"] * 3 + ["dropped ipv6_source"]
# For ourselves, past us, to a port of the VIP that is no service, and of a real's own traffic.
send += [from_client(pieces(datagram(CLIENT6, DIRECTOR6), 14)[n]) for n in (0, 3)]
send.append(from_client(pieces(datagram(FAR_ROUTER6, real6(12)), 15)[1]))
send.extend(from_client(piece) for piece in pieces(datagram(CLIENT6, VIP6, dport=99), 16))
send.extend(from_real(12, piece)
            for piece in pieces(datagram(real6(12), FAR_ROUTER6, sport=99), 17))
fates += ["punted rest"] * 6 + ["punted transit"] * 5
while len(send) % 64:  # the next burst begins
    whole = datagram(CLIENT6, VIP6, bytes(64))
    send.append(from_client(whole))
    expect.append(to_real(12, by_nat(whole)))
send.extend(from_client(pieces(early, early_number)[n]) for n in (0, 2))
expect += [to_real(12, pieces(by_nat(early), early_number)[n]) for n in (0, 2, 3, 1)]
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [f"{fate} {fates.count(fate)}" for fate in set(fates)])
