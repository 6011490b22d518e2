#!/usr/bin/python3
"""IPv6 by NAT: a connection, datagrams, and extension headers, which are carried along."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

send, expect = [], []


def client_says(l4_above, l4_below, number, *headers, vip=VIP6, **ip):
    above = IPv6(src=CLIENT6, dst=vip, **ip)
    below = IPv6(src=CLIENT6, dst=real6(number), hlim=63, **ip)
    for header in headers:
        above, below = above / header, below / header
    send.append(from_client(above / l4_above))
    expect.append(to_real(number, below / l4_below))


def real_says(l4_below, l4_above, number):
    send.append(from_real(number, IPv6(src=real6(number), dst=CLIENT6) / l4_below))
    expect.append(to_client(IPv6(src=VIP6, dst=CLIENT6, hlim=63) / l4_above))


def tcp(payload=b"", *headers, **fields):
    client_says(TCP(sport=40000, dport=80, **fields) / payload,
                TCP(sport=40000, dport=8080, **fields) / payload, 11, *headers)


def answer(payload=b"", **fields):
    real_says(TCP(sport=8080, dport=40000, **fields) / payload,
              TCP(sport=80, dport=40000, **fields) / payload, 11)


tcp(flags="S", seq=1000, options=[("MSS", 1440), ("SAckOK", b""), ("WScale", 7)])
answer(flags="SA", seq=9000, ack=1001, options=[("MSS", 1440), ("WScale", 9)])
tcp(flags="A", seq=1001, ack=9001)
tcp(b"GET / HTTP/1.1\r\n\r\n", flags="PA", seq=1001, ack=9001)
answer(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(range(256)) * 5, flags="PA", seq=9001, ack=1019)
answer(b"odd", flags="PA", seq=10300, ack=1019)
# Extension headers stay where they are.
tcp(b"", IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]), flags="A", seq=1019, ack=10303)
tcp(b"x", IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(12))]), IPv6ExtHdrRouting(segleft=0),
    flags="PA", seq=1019, ack=10303)
tcp(b"whole", IPv6ExtHdrFragment(offset=0, m=0, id=7), flags="PA", seq=1020, ack=10303)
tcp(b"", *[IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))])] * 4, flags="A", seq=1025, ack=10303)
answer(flags="FA", seq=10303, ack=1025)
tcp(flags="FA", seq=1025, ack=10304)
tcp(flags="S", seq=77000)  # the same port again, at once
answer(flags="RA", seq=0, ack=77001)
for question, said in ((b"q", b"a"), (b"", b""), (b"odd", b"even")):
    client_says(UDP(sport=5000, dport=53) / question, UDP(sport=5000, dport=5353) / question, 12,
                tc=0xB8, fl=0xABCDE)
    real_says(UDP(sport=5353, dport=5000) / said, UDP(sport=53, dport=5000) / said, 12)
# A checksum that was wrong before stays wrong.
broken = TCP(sport=40000, dport=80, flags="A", seq=77001, chksum=0x1234) / b"broken"
send.append(from_client(IPv6(src=CLIENT6, dst=VIP6) / broken))
sound_above = TCP(bytes(IPv6(bytes(IPv6(src=CLIENT6, dst=VIP6) / TCP(
    sport=40000, dport=80, flags="A", seq=77001) / b"broken"))[TCP]))
sound_below = TCP(bytes(IPv6(bytes(IPv6(src=CLIENT6, dst=real6(11)) / TCP(
    sport=40000, dport=8080, flags="A", seq=77001) / b"broken"))[TCP]))


def folded(total):
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


# In one's complement: as far from the sound one as it was.
wrong = folded(0x1234 + (sound_above.chksum ^ 0xFFFF) + sound_below.chksum)
expect.append(to_real(11, IPv6(src=CLIENT6, dst=real6(11), hlim=63) / TCP(
    sport=40000, dport=8080, flags="A", seq=77001, chksum=wrong) / b"broken"))
# Nobody routes further what has no hop left.
old = IPv6(src=CLIENT6, dst=VIP6, hlim=1) / TCP(sport=40000, dport=80, flags="A")
send.append(from_client(old))
expect.append(to_client(told6(old, VIP6, ICMPv6TimeExceeded())))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["dropped ttl_expired 1"])
