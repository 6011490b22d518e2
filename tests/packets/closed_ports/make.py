#!/usr/bin/python3
"""Who asks for a port behind which nobody is hears what a host would say, if the file wants it so:
RFC 1122, 3.2.2.1 and RFC 4443, 3.1 for "port unreachable", RFC 9293, 3.10.7.1 for resets.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

from collections import Counter  # noqa: E402

send, expect, fates = [], [], Counter()


def ip(address, **fields):
    return (IPv6(src=CLIENT6, dst=address, **fields) if ":" in address
            else IP(src=CLIENT, dst=address, **fields))


def told6(packet, source):
    octets = bytes(packet)[:1280 - 48]
    return IPv6(src=source, dst=packet.src, hlim=64) / ICMPv6DestUnreach(code=4) / Raw(octets)


def asks(packet, fate):
    send.append(from_client(packet))
    fates[fate] += 1


def is_told(packet, fate):
    asks(packet, fate)
    told_of = (told6(packet, packet.dst) if IPv6 in packet
               else told(packet, packet.dst, type=3, code=3))
    expect.append(to_client(told_of))


def is_reset(packet, fate, **tcp):
    asks(packet, fate)
    back = (IPv6(src=packet.dst, dst=CLIENT6, hlim=64) if IPv6 in packet
            else IP(src=packet.dst, dst=CLIENT, ttl=64, id=0, flags="DF"))
    expect.append(to_client(back / TCP(sport=packet.dport, dport=packet.sport, window=0, **tcp)))


for vip in (VIP, VIP6):
    for port in (80, 8050) if vip == VIP else (80,):
        is_told(ip(vip) / TCP(sport=40000, dport=port, flags="S", seq=5000), "dropped no_real")
    is_told(ip(vip) / UDP(sport=40000, dport=53) / b"a question", "dropped no_real")
    is_reset(ip(vip) / TCP(sport=40000, dport=81, flags="S", seq=5000),
             "dropped no_service_reset", flags="RA", seq=0, ack=5001)
    is_reset(ip(vip) / TCP(sport=40000, dport=81, flags="PA", seq=5001, ack=777) / b"data",
             "dropped no_service_reset", flags="R", seq=777, ack=0)
    is_told(ip(vip) / UDP(sport=40000, dport=54) / b"a question", "dropped no_service_reset")
    is_told(ip(vip) / UDP(sport=40000, dport=54) / bytes(1400), "dropped no_service_reset")
    asks(ip(vip) / TCP(sport=40000, dport=81, flags="R", seq=5001), "dropped no_service_reset")
    asks(ip(vip) / TCP(sport=40000, dport=80, flags="R", seq=5001), "dropped no_session")
is_told(IP(src=CLIENT, dst=VIP, flags="MF", id=7) / UDP(sport=40000, dport=54, len=1008)
        / bytes(792), "dropped no_service_reset")
asks(IP(src=CLIENT, dst=VIP, frag=100, proto=17, id=7) / bytes(208), "dropped no_service_reset")
send.append(Ether(src=ROUTER_MAC, dst="ff:ff:ff:ff:ff:ff")
            / IP(src=CLIENT, dst=VIP) / UDP(sport=40000, dport=54))
fates["dropped no_service_reset"] += 1
for vip in ("10.1.0.82", "2001:db8:1::82"):
    asks(ip(vip) / TCP(sport=40000, dport=81, flags="S"), "dropped no_service_drop")
    asks(ip(vip) / UDP(sport=40000, dport=81) / b"x", "dropped no_service_drop")
asks(ip("10.1.0.81") / TCP(sport=40000, dport=81, flags="S"), "punted rest")
for vip in (VIP, "10.1.0.82"):
    asks(ip(vip) / ICMP(), "punted rest")
asks(ip("2001:db8:1::82") / ICMPv6EchoRequest(), "punted rest")
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [f"{fate} {count}" for fate, count in fates.items()])
