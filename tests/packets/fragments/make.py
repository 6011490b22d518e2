#!/usr/bin/python3
"""Fragments follow the first one of their datagram, both ways, in any order, and through whatever
it went; those for us and past us are the kernel's. What covers octets twice is refused.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403
from scapy.layers.inet import fragment  # noqa: E402

DIRECTOR = "10.1.0.2"
OCTETS = bytes(range(256)) * 4
numbers = iter(range(100, 200))
send, expect = [], []


def datagram(source, destination, payload=OCTETS, sport=5000, dport=53, number=None, **ip):
    number = next(numbers) if number is None else number
    return (IP(src=source, dst=destination, id=number, **ip) / UDP(sport=sport, dport=dport)
            / payload)


def pieces(packet, size=304):
    """Cut by Scapy: the checksum is that of the whole."""
    return fragment(IP(bytes(packet)), fragsize=size)


def by_nat(packet):
    """What the real gets of it, whole."""
    return IP(src=packet.src, dst=real(12), id=packet.id, ttl=63) / UDP(
        sport=packet.sport, dport=5353) / packet.load


def request(packet, order):
    cut = pieces(packet)
    send.extend(from_client(cut[n]) for n in order)
    return [to_real(12, pieces(by_nat(packet))[n]) for n in order]


# What comes long before its first fragment waits, and follows it: that comes last of all.
early = datagram(CLIENT, VIP)
send.extend(from_client(pieces(early)[n]) for n in (3, 1))
# Requests by NAT, in order and out of it.
expect += request(datagram(CLIENT, VIP), (0, 1, 2, 3))
expect += request(datagram(CLIENT, VIP), (0, 3, 2, 1))
expect += request(datagram(CLIENT, VIP), (0, 2, 1, 3))
expect += request(datagram(CLIENT, VIP), (3, 1, 0, 2))
# Without a checksum, and the real's own answer in pieces.
unsummed = datagram(CLIENT, VIP)
unsummed.chksum = 0
send.extend(from_client(piece) for piece in pieces(unsummed))
below = by_nat(unsummed)
below.chksum = 0
expect += [to_real(12, piece) for piece in pieces(below)]
answer = IP(src=real(12), dst=CLIENT, id=7, ttl=64) / UDP(sport=5353, dport=5000) / OCTETS
above = IP(src=VIP, dst=CLIENT, id=7, ttl=63) / UDP(sport=53, dport=5000) / OCTETS
send.extend(from_real(12, piece) for piece in pieces(answer))
expect += [to_client(piece) for piece in pieces(above)]
# A TCP segment in pieces; the first has to hold the whole TCP header.
segment = IP(src=CLIENT, dst=VIP, id=8) / TCP(sport=40000, dport=80, flags="PA") / OCTETS
there = (IP(src=CLIENT, dst=real(11), id=8, ttl=63)
         / TCP(sport=40000, dport=8080, flags="PA") / OCTETS)
send.extend(from_client(piece) for piece in pieces(segment))
expect += [to_real(11, piece) for piece in pieces(there)]
send.append(from_client(pieces(IP(src=CLIENT, dst=VIP, id=9)
                               / TCP(sport=40000, dport=80, flags="PA"), 16)[0]))
# By direct routing and through a tunnel.
beside = datagram(CLIENT, "10.1.0.90")
send.extend(from_client(piece) for piece in pieces(beside))
beside.ttl = 63
expect += [to_real(13, piece) for piece in pieces(beside)]
far = datagram(CLIENT, "10.1.0.91", bytes(2000))
send.extend(from_client(piece) for piece in pieces(far, 1480))
far.ttl = 63
outer = iter(range(100))
expect += [to_real(14, IP(src=DIRECTOR, dst=real(14), proto=4, ttl=63, id=next(outer)) / piece)
           for whole in pieces(far, 1480)
           # 1480 octets are what the tunnel leaves: the first piece becomes two.
           for piece in (fragment(whole, fragsize=1456) if len(whole) > 1480 else [whole])]
# What covers octets that have gone before is refused: a copy, and a part of two others.
copied = datagram(CLIENT, VIP)
cut, cut_below = pieces(copied), pieces(by_nat(copied))
send.extend(from_client(cut[n]) for n in (0, 1, 1, 0, 2, 3))
expect += [to_real(12, cut_below[n]) for n in (0, 1, 2, 3)]
spoilt = datagram(CLIENT, VIP)
cut, cut_below = pieces(spoilt), pieces(by_nat(spoilt))
overlap, covering = cut[2].copy(), cut[2].copy()
overlap.frag -= 1
covering.frag -= 1
covering.load += bytes(16)
send.extend(from_client(packet) for packet in (cut[0], cut[1], overlap, cut[3], covering, cut[2]))
expect += [to_real(12, cut_below[n]) for n in (0, 1, 3, 2)]
# No fragments at all: nothing in it, cut unevenly, beyond the largest packet.
for packet in (IP(src=CLIENT, dst=VIP, id=10, frag=9, proto=17),
               IP(src=CLIENT, dst=VIP, id=10, flags="MF", proto=17) / bytes(63),
               IP(src=CLIENT, dst=VIP, id=10, frag=8189, proto=17) / bytes(64)):
    send.append(from_client(packet))
# For ourselves, past us, to a port of the VIP that is no service, and of a real's own traffic.
send += [from_client(datagram(CLIENT, DIRECTOR, bytes(64), flags="MF")),
         from_client(IP(src=CLIENT, dst=DIRECTOR, frag=9, proto=17) / bytes(64)),
         from_client(IP(src=FAR_ROUTER, dst=real(12), frag=9, proto=17) / bytes(64))]
send.extend(from_client(piece) for piece in pieces(datagram(CLIENT, VIP, dport=99)))
send.extend(from_real(12, piece) for piece in pieces(datagram(real(12), FAR_ROUTER, sport=99)))
whole = datagram(CLIENT, VIP, bytes(64), flags="DF")
send.append(from_client(whole))
below = by_nat(whole)
below.flags = "DF"
expect.append(to_real(12, below))
while len(send) % 64:  # the next burst begins
    whole = datagram(CLIENT, VIP, bytes(64))
    send.append(from_client(whole))
    expect.append(to_real(12, by_nat(whole)))
send.extend(from_client(pieces(early)[n]) for n in (0, 2))
expect += [to_real(12, pieces(by_nat(early))[n]) for n in (0, 2, 3, 1)]
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["dropped fragment_bounds 3", "dropped fragment_overlap 4",
                          "dropped l4_truncated 1", "punted rest 6", "punted transit 5"])
