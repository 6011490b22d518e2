#!/usr/bin/python3
"""Sound packets with one lie each: every one is dropped by the name of its lie, and none leaves.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

from collections import Counter  # noqa: E402

send, reasons = [], Counter()


def lie(reason, frame):
    send.append(bytes(frame))
    reasons[reason] += 1


def syn(ip=None, tcp=None):
    return from_client(IP(src=CLIENT, dst=VIP, **(ip or {}))
                       / TCP(**{"sport": 40000, "dport": 80, "flags": "S", **(tcp or {})}) / b"abc")


def datagram(**udp):
    ports = {"sport": 40000, "dport": 53}
    return from_client(IP(src=CLIENT, dst=VIP) / UDP(**{**ports, **udp}) / b"abc")


whole = bytes(syn())
for length in range(1, 14):
    lie("frame_truncated", whole[:length])
for length in (14, 20, 33):
    lie("ipv4_truncated", whole[:length])
for length in (34, 40, len(whole) - 1):
    lie("ipv4_total_length", whole[:length])
for version in (0, 5, 6, 15):
    lie("ipv4_version", syn(ip=dict(version=version)))
for words in range(5):
    lie("ipv4_header_length", syn(ip=dict(ihl=words)))
lie("ipv4_total_length", syn(ip=dict(len=19)))
lie("ipv4_total_length", syn(ip=dict(len=44)))
lie("ipv4_total_length", syn(ip=dict(len=65535)))
for checksum in (0, 0x1234, 0xFFFF):
    lie("ipv4_checksum", syn(ip=dict(chksum=checksum)))
for source in ("224.0.0.1", "255.255.255.255", "127.0.0.1", "0.0.0.0"):
    packet = syn()
    packet[IP].src = source
    lie("ipv4_source", packet)
lie("l4_truncated", syn(ip=dict(len=20)))
lie("l4_truncated", syn(ip=dict(len=39)))
for words in (0, 4, 6, 15):
    lie("l4_header_length", syn(tcp=dict(dataofs=words)))
lie("l4_port_zero", syn(tcp=dict(sport=0)))
lie("l4_port_zero", syn(tcp=dict(dport=0)))
for flags in (0, "P", "U", "SF", "SR", "FR", "SFR", "SFRPAU"):
    lie("tcp_flags", syn(tcp=dict(flags=flags)))
for length in (0, 7, 12, 65535):
    lie("l4_length", datagram(len=length))
lie("l4_port_zero", datagram(sport=0))
error = from_client(IP(src=FAR_ROUTER, dst=VIP) / ICMP(type=3, code=1))
for quotation in (b"", b"E" * 19, bytes(IP(src=VIP, dst=CLIENT) / TCP(sport=80))[:27],
                  b"\x60" + bytes(40),
                  b"\x4f" + bytes(IP(src=VIP, dst=CLIENT) / TCP(sport=80))[1:28]):
    lie("icmp_quotation", error / quotation)
lie("ethertype", Ether(src=ROUTER_MAC, dst=DIRECTOR_MAC, type=0x88CC) / bytes(50))
# A length in its place: IEEE 802.3.
lie("ethertype", Ether(src=ROUTER_MAC, dst=DIRECTOR_MAC, type=46) / bytes(46))
lie("vlan", Ether(src=ROUTER_MAC, dst=DIRECTOR_MAC) / Dot1Q(vlan=7) / syn()[IP])
other = syn()
other[Ether].dst = "02:00:00:00:00:99"
lie("destination", other)
broadcast = syn()
broadcast[Ether].dst = "ff:ff:ff:ff:ff:ff"
lie("destination", broadcast)
for flags in ("R", "RA", "SA"):
    lie("no_session", syn(tcp=dict(flags=flags)))
write("send.pcap", send)
write("expect.pcap", [])
write_text("expect.txt", [f"dropped {reason} {count}" for reason, count in reasons.items()])
