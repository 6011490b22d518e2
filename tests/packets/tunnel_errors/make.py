#!/usr/bin/python3
"""A router between the director and a tunnel's real objects to an outer packet. Where it quotes
enough, the client whose packet travelled within is told in the name of the VIP.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403
from scapy.layers.l2 import GRE  # noqa: E402

DIRECTOR = "10.1.0.2"
SECOND_VIP = "10.1.0.81"
send, expect, fates = [], [], []


def within(vip, l4):
    """A client's packet as it travelled: a hop older."""
    return IP(src=CLIENT, dst=vip, ttl=63, flags="DF", id=5) / l4


def outer(number, l4, inner, **ip):
    return IP(src=DIRECTOR, dst=real(number), ttl=62, flags="DF", id=0, **ip) / l4 / inner


TCP_WITHIN = within(VIP, TCP(sport=40000, dport=80, flags="A") / bytes(1000))
UDP_WITHIN = within(VIP, UDP(sport=5000, dport=53) / bytes(1000))
IPIP = outer(21, b"", TCP_WITHIN, proto=4)
GUE = outer(22, UDP(sport=50000, dport=6080, chksum=0) / b"\0\4\0\0", UDP_WITHIN)
GUE_ELSEWHERE = outer(22, UDP(sport=50000, dport=9000) / b"\0\4\0\0",
                      within(SECOND_VIP, UDP(sport=5000, dport=53) / bytes(1000)))
GRE_PLAIN = outer(23, GRE(proto=0x0800), within(VIP, TCP(sport=40000, dport=81) / bytes(1000)),
                  proto=47)
GRE_SUMMED = outer(23, GRE(proto=0x0800, chksum_present=1),
                   within(SECOND_VIP, TCP(sport=40000, dport=81) / bytes(1000)), proto=47)


def objects(packet, octets, **icmp):
    """From a router on the way, quoting so many octets."""
    send.append(from_client(IP(src=FAR_ROUTER, dst=DIRECTOR) / ICMP(**icmp)
                            / bytes(packet)[:octets]))


def tells(vip, quotation, **icmp):
    expect.append(to_client(IP(src=vip, dst=CLIENT, tos=0xC0, flags="DF", id=0) / ICMP(**icmp)
                            / Raw(quotation[:548])))


for packet, vip, header in ((IPIP, VIP, 20), (GUE, VIP, 32), (GUE_ELSEWHERE, SECOND_VIP, 32),
                            (GRE_PLAIN, VIP, 24), (GRE_SUMMED, SECOND_VIP, 28)):
    octets = bytes(packet)
    # All of it, as routers do today (RFC 1812), and as little as may be of any use.
    for quoted in (len(octets), header + 28):
        objects(packet, quoted, type=3, code=4, nexthopmtu=1000)
        tells(vip, octets[header:quoted], type=3, code=4, nexthopmtu=1000 - header)
        # Trouble on the way is none of the client's business, but that there is some.
        objects(packet, quoted, type=3, code=0)
        tells(vip, octets[header:quoted], type=3, code=1)
        objects(packet, quoted, type=11, code=0)
        tells(vip, octets[header:quoted], type=3, code=1)
    # Too little: the old eight octets, and one less than would do.
    for quoted in (28, header + 27):
        objects(packet, quoted, type=3, code=4, nexthopmtu=1000)
        fates.append("dropped tunnel_error")
# From before RFC 1191, without a size; with one that no path has; about a client of no VIP.
objects(IPIP, 100, type=3, code=4, nexthopmtu=0)
objects(IPIP, 100, type=3, code=4, nexthopmtu=575)
stranger = outer(21, b"", IP(src=CLIENT, dst="10.1.0.99") / TCP() / bytes(100), proto=4)
objects(stranger, 100, type=3, code=4, nexthopmtu=1000)
fates += ["dropped tunnel_error"] * 3
# No tunnel of ours: the kernel's, be it about a check of a real or about somebody else's tunnel.
objects(IP(src=DIRECTOR, dst=real(21)) / TCP(sport=5, dport=80), 28, type=3, code=1)
objects(IP(src=DIRECTOR, dst=real(22)) / UDP(sport=5, dport=6081), 28, type=3, code=3)
objects(IP(src=DIRECTOR, dst="192.0.2.99", proto=4) / TCP_WITHIN, 48, type=3, code=1)
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [f"dropped tunnel_error {len(fates)}", "punted check 2", "punted rest 1"])
