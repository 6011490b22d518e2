#!/usr/bin/python3
"""Somebody on the reals' side could not take what the client sent: the client must hear it, about
the VIP.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

TCP_BELOW = (IP(src=CLIENT, dst=real(11), ttl=60)
             / TCP(sport=40000, dport=8080, seq=5) / b"lost request")
TCP_ABOVE = IP(src=CLIENT, dst=VIP, ttl=60) / TCP(sport=40000, dport=80, seq=5) / b"lost request"
UDP_BELOW = IP(src=CLIENT, dst=real(12), ttl=60) / UDP(sport=5000, dport=5353) / b"lost"
UDP_ABOVE = IP(src=CLIENT, dst=VIP, ttl=60) / UDP(sport=5000, dport=53) / b"lost"
INNER_ROUTER = "10.1.2.254"


def quoted(packet, l4_octets):
    """As it lay on the wire, cut: the IPv4 header and so many octets."""
    return bytes(packet)[:20 + l4_octets]


send = [from_client(IP(src=CLIENT, dst=VIP) / TCP(sport=40000, dport=80, flags="S")),
        from_client(IP(src=CLIENT, dst=VIP) / UDP(sport=5000, dport=53) / b"q")]
expect = [to_real(11, IP(src=CLIENT, dst=real(11), ttl=63)
                  / TCP(sport=40000, dport=8080, flags="S")),
          to_real(12, IP(src=CLIENT, dst=real(12), ttl=63) / UDP(sport=5000, dport=5353) / b"q")]
PORT_CLOSED, HOST_GONE = dict(type=3, code=3), dict(type=3, code=1)
for icmp, below, above, sender, shown, octets in (
        # The real must not show: its error comes from the VIP.
        (PORT_CLOSED, UDP_BELOW, UDP_ABOVE, real(12), VIP, 8),
        (PORT_CLOSED, UDP_BELOW, UDP_ABOVE, real(12), VIP, 12),
        (PORT_CLOSED, TCP_BELOW, TCP_ABOVE, real(11), VIP, 8),
        (PORT_CLOSED, TCP_BELOW, TCP_ABOVE, real(11), VIP, 32),
        # A router on the way stays itself.
        (HOST_GONE, TCP_BELOW, TCP_ABOVE, INNER_ROUTER, INNER_ROUTER, 8),
        (dict(type=11, code=0), UDP_BELOW, UDP_ABOVE, INNER_ROUTER, INNER_ROUTER, 8)):
    send.append(from_real(11, IP(src=sender, dst=CLIENT) / ICMP(**icmp) / quoted(below, octets)))
    expect.append(to_client(IP(src=shown, dst=CLIENT, ttl=63) / ICMP(**icmp)
                            / quoted(above, octets)))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [])
