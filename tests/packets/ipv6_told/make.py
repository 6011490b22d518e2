#!/usr/bin/python3
"""A hop limit that ends here, and packets longer than the link they have to go by: their senders
are told, a client in the name of the VIP, a real in the director's own.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

DIRECTOR6 = "2001:db8:1::2"
send, expect, fates = [], [], []


def is_told(packet, vip, icmp, reason):
    send.append(from_client(packet))
    expect.append(to_client(told6(packet, vip, icmp)))
    fates.append(reason)


def tcp(vip=VIP6, length=0, flags="S", **ip):
    return (IPv6(src=CLIENT6, dst=vip, **ip) / TCP(sport=40000, dport=80, flags=flags)
            / bytes(length))


for hops in (0, 1):
    for vip in (VIP6, DIRECT_VIP6):
        is_told(tcp(vip, hlim=hops), vip, ICMPv6TimeExceeded(), "ttl_expired")
send.append(from_client(tcp(hlim=2)))
expect.append(to_real(11, IPv6(src=CLIENT6, dst=real6(11), hlim=1)
                      / TCP(sport=40000, dport=8080, flags="S")))
# 1500 octets may pass, one more may not; 1232 of it are quoted, extension headers among them.
send.append(from_client(tcp(length=1440, flags="A")))
expect.append(to_real(11, IPv6(src=CLIENT6, dst=real6(11), hlim=63)
                      / TCP(sport=40000, dport=8080, flags="A") / bytes(1440)))
is_told(tcp(length=1441, flags="A"), VIP6, ICMPv6PacketTooBig(mtu=1500), "mtu_exceeded")
is_told(tcp(DIRECT_VIP6, length=1441), DIRECT_VIP6, ICMPv6PacketTooBig(mtu=1500), "mtu_exceeded")
is_told(IPv6(src=CLIENT6, dst=VIP6) / UDP(sport=5000, dport=53) / bytes(1453), VIP6,
        ICMPv6PacketTooBig(mtu=1500), "mtu_exceeded")
is_told(IPv6(src=CLIENT6, dst=VIP6) / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))])
        / UDP(sport=5000, dport=53) / bytes(1445), VIP6, ICMPv6PacketTooBig(mtu=1500),
        "mtu_exceeded")
# A real is told in our own name.
for reply, icmp, reason in (
        (IPv6(src=real6(11), dst=CLIENT6, hlim=1) / TCP(sport=8080, dport=40000, flags="SA"),
         ICMPv6TimeExceeded(), "ttl_expired"),
        (IPv6(src=real6(11), dst=CLIENT6) / TCP(sport=8080, dport=40000, flags="A") / bytes(1441),
         ICMPv6PacketTooBig(mtu=1500), "mtu_exceeded")):
    send.append(from_real(11, reply))
    expect.append(to_real(11, told6(reply, DIRECTOR6, icmp)))
    fates.append(reason)
# An error about an error is never sent, nor one about what came to a group's MAC address.
quoted = bytes(IPv6(src=VIP6, dst=CLIENT6) / TCP(sport=80, dport=40000))[:60]
send.append(from_client(IPv6(src=FAR_ROUTER6, dst=VIP6, hlim=1) / ICMPv6DestUnreach() / quoted))
send.append(Ether(src=ROUTER_MAC, dst="33:33:00:00:00:80") / tcp(hlim=1))
fates += ["ttl_expired", "destination"]
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [f"dropped {reason} {fates.count(reason)}" for reason in set(fates)])
