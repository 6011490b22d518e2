#!/usr/bin/python3
"""Somebody on the client's side could not take what the real sent: the real must hear it, about
itself.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

TCP_ABOVE = IP(src=VIP, dst=CLIENT, ttl=60) / TCP(sport=80, dport=40000, seq=5) / b"lost answer"
TCP_BELOW = (IP(src=real(11), dst=CLIENT, ttl=60)
             / TCP(sport=8080, dport=40000, seq=5) / b"lost answer")
UDP_ABOVE = IP(src=VIP, dst=CLIENT, ttl=60) / UDP(sport=53, dport=5000) / b"lost"
UDP_BELOW = IP(src=real(12), dst=CLIENT, ttl=60) / UDP(sport=5353, dport=5000) / b"lost"


def quoted(packet, l4_octets):
    """As it lay on the wire, cut: the IPv4 header and so many octets."""
    return bytes(packet)[:20 + l4_octets]


send = [from_client(IP(src=CLIENT, dst=VIP) / TCP(sport=40000, dport=80, flags="S")),
        from_client(IP(src=CLIENT, dst=VIP) / UDP(sport=5000, dport=53) / b"q"),
        from_client(IP(src=CLIENT, dst="10.1.0.90") / TCP(sport=40000, dport=80, flags="S"))]
expect = [to_real(11, IP(src=CLIENT, dst=real(11), ttl=63)
                  / TCP(sport=40000, dport=8080, flags="S")),
          to_real(12, IP(src=CLIENT, dst=real(12), ttl=63) / UDP(sport=5000, dport=5353) / b"q"),
          to_real(13, IP(src=CLIENT, dst="10.1.0.90", ttl=63)
                  / TCP(sport=40000, dport=80, flags="S"))]
TOO_BIG = dict(type=3, code=4, nexthopmtu=1400)
for icmp, above, below, number, octets in (
        (TOO_BIG, TCP_ABOVE, TCP_BELOW, 11, 8),  # all that RFC 792 promises: no TCP checksum
        (TOO_BIG, TCP_ABOVE, TCP_BELOW, 11, 31),
        (dict(type=11, code=0), TCP_ABOVE, TCP_BELOW, 11, 20),
        (dict(type=3, code=3), UDP_ABOVE, UDP_BELOW, 12, 8),
        (dict(type=3, code=3), UDP_ABOVE, UDP_BELOW, 12, 12),
        (dict(type=12, code=0), UDP_ABOVE, UDP_BELOW, 12, 8)):
    send.append(from_client(IP(src=FAR_ROUTER, dst=VIP) / ICMP(**icmp) / quoted(above, octets)))
    expect.append(to_real(number, IP(src=FAR_ROUTER, dst=real(number), ttl=63) / ICMP(**icmp)
                          / quoted(below, octets)))
# By direct routing the real knows itself by the VIP.
direct = IP(src="10.1.0.90", dst=CLIENT, ttl=60) / TCP(sport=80, dport=40000)
error = ICMP(**TOO_BIG) / quoted(direct, 8)
send.append(from_client(IP(src=FAR_ROUTER, dst="10.1.0.90") / error))
expect.append(to_real(13, IP(src=FAR_ROUTER, dst="10.1.0.90", ttl=63) / error))
# About a flow that nobody knows.
stranger = IP(src=VIP, dst=CLIENT) / TCP(sport=80, dport=41111)
send.append(from_client(IP(src=FAR_ROUTER, dst=VIP) / ICMP(**TOO_BIG) / quoted(stranger, 8)))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["dropped no_session 1"])
