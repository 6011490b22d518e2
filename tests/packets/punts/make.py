#!/usr/bin/python3
"""What is the kernel's goes there in its class, and nothing of it leaves by the port."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

from collections import Counter  # noqa: E402

OURS = "10.1.0.2"
send, fates = [], Counter()


def punt(punt_class, frame):
    send.append(frame)
    fates[f"punted {punt_class}"] += 1


def to_all(packet):
    return Ether(src=ROUTER_MAC, dst="ff:ff:ff:ff:ff:ff") / packet


punt("link", to_all(ARP(op=1, psrc=ROUTER, pdst=OURS)))
punt("link", to_all(ARP(op=1, psrc=ROUTER, pdst=VIP)))
punt("link", from_client(ARP(op=2, psrc=ROUTER, pdst=OURS)))
punt("link", Ether(src=ROUTER_MAC, dst="33:33:00:00:00:01")
     / IPv6(src="fe80::1", dst="ff02::1", hlim=255) / ICMPv6ND_NS(tgt="fe80::2"))
punt("keepalive", Ether(src=ROUTER_MAC, dst="01:00:5e:00:00:12")
     / IP(src=ROUTER, dst="224.0.0.18", ttl=255, proto=112) / bytes(20))
punt("check", from_real(11, IP(src=real(11), dst=OURS) / TCP(sport=8080, dport=50000, flags="SA")))
punt("check", from_real(11, IP(src=real(11), dst=OURS) / ICMP(type=0)))
punt("routing", from_client(IP(src=ROUTER, dst=OURS) / TCP(sport=50000, dport=179, flags="S")))
punt("routing", from_client(IP(src=ROUTER, dst=OURS) / TCP(sport=179, dport=50000, flags="A")))
punt("routing", from_client(IP(src=CLIENT, dst=OURS) / TCP(sport=50000, dport=22, flags="S")))
punt("routing", from_client(IP(src=ROUTER, dst=OURS, ttl=255) / UDP(sport=49152, dport=3784)))
punt("rest", from_client(IP(src=CLIENT, dst=OURS) / ICMP()))
punt("rest", from_client(IP(src=CLIENT, dst=VIP) / ICMP()))
punt("rest", from_client(IP(src=CLIENT, dst=VIP) / TCP(sport=50000, dport=443, flags="S")))
punt("rest", from_client(IP(src=CLIENT, dst=OURS) / TCP(sport=50000, dport=9464, flags="S")))
punt("rest", to_all(IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67)))
punt("transit", from_real(11, IP(src=real(11), dst="203.0.113.53") / UDP(sport=33333, dport=53)))
punt("transit", from_client(IP(src="203.0.113.53", dst=real(11)) / UDP(sport=53, dport=33333)))
punt("transit", from_real(11, IP(src=real(11), dst=CLIENT) / TCP(sport=22, dport=50000)))
send.append(from_client(IP(src=CLIENT, dst="203.0.113.99") / TCP(sport=50000, dport=80)))
fates["dropped destination"] += 1
write("send.pcap", send)
write("expect.pcap", [])
write_text("expect.txt", [f"{fate} {count}" for fate, count in fates.items()])
