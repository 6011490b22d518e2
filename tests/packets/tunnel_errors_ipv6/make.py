#!/usr/bin/python3
"""A router between the director and a tunnel's real objects to an outer packet, of IPv6 or around
IPv6. The client whose packet travelled within is told in the name of the VIP and by its own IP
version.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403
from scapy.layers.l2 import GRE  # noqa: E402

DIRECTOR = "10.1.0.2"
DIRECTOR6 = "2001:db8:1::2"
VIP4 = "10.1.0.80"
send, expect, fates = [], [], []


def within(vip, dport=80, l4=TCP):
    """A client's packet as it travelled: a hop older."""
    if ":" in vip:
        return IPv6(src=CLIENT6, dst=vip, hlim=63) / l4(sport=40000, dport=dport) / bytes(1200)
    return (IP(src=CLIENT, dst=vip, ttl=63, flags="DF", id=5) / l4(sport=40000, dport=dport)
            / bytes(1200))


def outer(destination, protocol):
    if ":" in destination:
        return IPv6(src=DIRECTOR6, dst=destination, hlim=62, nh=protocol)
    return IP(src=DIRECTOR, dst=destination, ttl=62, flags="DF", id=0, proto=protocol)


def gue(inner_protocol, dport=6080):
    return UDP(sport=50000, dport=dport, chksum=0) / bytes([0, inner_protocol, 0, 0])


def objects(packet, octets, icmp):
    """From a router on the way, quoting so many octets."""
    quotation = bytes(packet)[:octets]
    if IPv6 in packet and packet.version == 6:
        send.append(from_client(IPv6(src=FAR_ROUTER6, dst=DIRECTOR6, nh=58) / icmp
                                / Raw(quotation)))
    else:
        send.append(from_client(IP(src=FAR_ROUTER, dst=DIRECTOR) / icmp / Raw(quotation)))


def tells(vip, quotation, trouble, mtu=0):
    if ":" in vip:
        icmp = ICMPv6PacketTooBig(mtu=mtu) if trouble == "long" else ICMPv6DestUnreach(code=3)
        message = IPv6(src=vip, dst=CLIENT6, hlim=64, nh=58) / icmp / Raw(quotation[:1232])
    else:
        icmp = (ICMP(type=3, code=4, nexthopmtu=mtu) if trouble == "long"
                else ICMP(type=3, code=1))
        message = (IP(src=vip, dst=CLIENT, tos=0xC0, flags="DF", id=0) / icmp
                   / Raw(quotation[:548]))
    expect.append(to_client(message))


def too_long(packet, mtu):
    return (ICMPv6PacketTooBig(mtu=mtu) if packet.version == 6
            else ICMP(type=3, code=4, nexthopmtu=mtu))


def other_troubles(packet):
    if packet.version == 6:
        return (ICMPv6DestUnreach(code=0), ICMPv6TimeExceeded())
    return (ICMP(type=3, code=0), ICMP(type=11, code=0))


CASES = (  # the packet on its way, the VIP within, octets around it, of the inner headers
    (outer(real6(21), 41) / within(VIP6), VIP6, 40, 48),
    (outer(real6(21), 4) / within(VIP4), VIP4, 40, 28),
    (outer(real(21), 41) / within("2001:db8:1::81"), "2001:db8:1::81", 20, 48),
    (outer(real6(22), 17) / gue(41) / within(VIP6, 53, UDP), VIP6, 52, 48),
    (outer(real6(22), 17) / gue(4) / within(VIP4, 53, UDP), VIP4, 52, 28),
    (outer(real6(22), 17) / gue(41, 9000) / within("2001:db8:1::81", 53, UDP), "2001:db8:1::81",
     52, 48),
    (outer(real6(23), 47) / GRE(proto=0x86DD) / within(VIP6, 81), VIP6, 44, 48),
    (outer(real6(23), 47) / GRE(proto=0x86DD, chksum_present=1) / within("2001:db8:1::81", 81),
     "2001:db8:1::81", 48, 48),
    (outer(real(23), 47) / GRE(proto=0x86DD) / within("2001:db8:1::82", 81), "2001:db8:1::82", 24,
     48),
)
for packet, vip, header, inner_headers in CASES:
    octets = bytes(packet)
    # As much as an error may quote, and as little as may be of any use.
    for quoted in (1232 if packet.version == 6 else 548, header + inner_headers):
        objects(packet, quoted, too_long(packet, 1400))
        tells(vip, octets[header:quoted], "long", 1400 - header)
        for icmp in other_troubles(packet):
            objects(packet, quoted, icmp)
            tells(vip, octets[header:quoted], "other")
    for quoted in (header, header + inner_headers - 1):
        objects(packet, quoted, too_long(packet, 1400))
        fates.append("dropped tunnel_error")
    # Less than IPv6 asks of every way is told to nobody of IPv6 as it is said.
    objects(packet, header + 60, too_long(packet, 1279))
    if packet.version == 6:
        fates.append("dropped tunnel_error")
    else:
        tells(vip, octets[header:header + 60], "long", 1280)
# About a client of no VIP, about an error, and about somebody else's tunnels.
objects(outer(real6(21), 41) / within("2001:db8:1::99"), 200, too_long(CASES[0][0], 1400))
objects(outer(real6(21), 41) / IPv6(src=CLIENT6, dst=VIP6, nh=58) / ICMPv6DestUnreach()
        / bytes(100), 200, too_long(CASES[0][0], 1400))
fates += ["dropped tunnel_error"] * 2
objects(outer("2001:db8:fe::99", 41) / within(VIP6), 200, too_long(CASES[0][0], 1400))
objects(outer(real6(22), 17) / gue(41, 6081) / within(VIP6), 200, too_long(CASES[0][0], 1400))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [f"dropped tunnel_error {len(fates)}", "punted check 1", "punted rest 1"])
