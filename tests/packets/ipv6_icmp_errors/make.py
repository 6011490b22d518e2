#!/usr/bin/python3
"""ICMPv6 errors reach whom they concern, with a quotation that he knows."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

TCP_ABOVE = IPv6(src=VIP6, dst=CLIENT6, hlim=60) / TCP(sport=80, dport=40000, seq=5) / b"lost"
TCP_BELOW = (IPv6(src=real6(11), dst=CLIENT6, hlim=60) / TCP(sport=8080, dport=40000, seq=5)
             / b"lost")
UDP_ABOVE = IPv6(src=VIP6, dst=CLIENT6, hlim=60) / UDP(sport=53, dport=5000) / b"lost"
UDP_BELOW = IPv6(src=real6(12), dst=CLIENT6, hlim=60) / UDP(sport=5353, dport=5000) / b"lost"
ASKED_BELOW = IPv6(src=CLIENT6, dst=real6(11)) / TCP(sport=40000, dport=8080, seq=5) / b"question"
ASKED_ABOVE = IPv6(src=CLIENT6, dst=VIP6) / TCP(sport=40000, dport=80, seq=5) / b"question"
DATAGRAM_BELOW = IPv6(src=CLIENT6, dst=real6(12)) / UDP(sport=5000, dport=5353) / b"question"
DATAGRAM_ABOVE = IPv6(src=CLIENT6, dst=VIP6) / UDP(sport=5000, dport=53) / b"question"
PADDING = IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))])
INNER_ROUTER = "2001:db8:1:0:2::fe"

send = [from_client(IPv6(src=CLIENT6, dst=VIP6) / TCP(sport=40000, dport=80, flags="S")),
        from_client(IPv6(src=CLIENT6, dst=VIP6) / UDP(sport=5000, dport=53) / b"q"),
        from_client(IPv6(src=CLIENT6, dst=DIRECT_VIP6) / TCP(sport=40000, dport=80, flags="S"))]
expect = [to_real(11, IPv6(src=CLIENT6, dst=real6(11), hlim=63)
                  / TCP(sport=40000, dport=8080, flags="S")),
          to_real(12, IPv6(src=CLIENT6, dst=real6(12), hlim=63)
                  / UDP(sport=5000, dport=5353) / b"q"),
          to_real(13, IPv6(src=CLIENT6, dst=DIRECT_VIP6, hlim=63)
                  / TCP(sport=40000, dport=80, flags="S"))]


def quoted(packet, l4_octets):
    return Raw(bytes(packet)[:40 + l4_octets])


# What a real sent did not arrive: the real must hear it, about itself.
for icmp, above, below, number, octets in (
        (ICMPv6PacketTooBig(mtu=1400), TCP_ABOVE, TCP_BELOW, 11, 8),
        (ICMPv6PacketTooBig(mtu=1280), TCP_ABOVE, TCP_BELOW, 11, 24),
        (ICMPv6TimeExceeded(), TCP_ABOVE, TCP_BELOW, 11, 20),
        (ICMPv6DestUnreach(code=4), UDP_ABOVE, UDP_BELOW, 12, 8),
        (ICMPv6DestUnreach(code=4), UDP_ABOVE, UDP_BELOW, 12, 12)):
    send.append(from_client(IPv6(src=FAR_ROUTER6, dst=VIP6) / icmp / quoted(above, octets)))
    expect.append(to_real(number, IPv6(src=FAR_ROUTER6, dst=real6(number), hlim=63) / icmp
                          / quoted(below, octets)))
# With extension headers before the quoted TCP header.
send.append(from_client(
    IPv6(src=FAR_ROUTER6, dst=VIP6) / ICMPv6PacketTooBig(mtu=1300)
    / Raw(bytes(IPv6(src=VIP6, dst=CLIENT6) / PADDING / TCP(sport=80, dport=40000) / b"12"))))
expect.append(to_real(
    11, IPv6(src=FAR_ROUTER6, dst=real6(11), hlim=63) / ICMPv6PacketTooBig(mtu=1300)
    / Raw(bytes(IPv6(src=real6(11), dst=CLIENT6) / PADDING / TCP(sport=8080, dport=40000)
                / b"12"))))
# By direct routing the real knows itself by the VIP.
direct = IPv6(src=DIRECT_VIP6, dst=CLIENT6, hlim=60) / TCP(sport=80, dport=40000)
error = ICMPv6PacketTooBig(mtu=1400) / quoted(direct, 8)
send.append(from_client(IPv6(src=FAR_ROUTER6, dst=DIRECT_VIP6) / error))
expect.append(to_real(13, IPv6(src=FAR_ROUTER6, dst=DIRECT_VIP6, hlim=63) / error))
# What a client sent did not arrive. The real must not show; a router on the way stays itself.
for icmp, below, above, sender, shown, octets in (
        (ICMPv6DestUnreach(code=4), DATAGRAM_BELOW, DATAGRAM_ABOVE, real6(12), VIP6, 8),
        (ICMPv6DestUnreach(code=4), DATAGRAM_BELOW, DATAGRAM_ABOVE, real6(12), VIP6, 16),
        (ICMPv6DestUnreach(code=1), ASKED_BELOW, ASKED_ABOVE, real6(11), VIP6, 28),
        (ICMPv6DestUnreach(code=3), ASKED_BELOW, ASKED_ABOVE, INNER_ROUTER, INNER_ROUTER, 8),
        (ICMPv6TimeExceeded(), DATAGRAM_BELOW, DATAGRAM_ABOVE, INNER_ROUTER, INNER_ROUTER, 16)):
    send.append(from_real(11, IPv6(src=sender, dst=CLIENT6) / icmp / quoted(below, octets)))
    expect.append(to_client(IPv6(src=shown, dst=CLIENT6, hlim=63) / icmp / quoted(above, octets)))
# About a flow that nobody knows.
stranger = IPv6(src=VIP6, dst=CLIENT6) / TCP(sport=80, dport=41111)
send.append(from_client(IPv6(src=FAR_ROUTER6, dst=VIP6) / ICMPv6PacketTooBig(mtu=1400)
                        / quoted(stranger, 8)))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["dropped no_session 1"])
