#!/usr/bin/python3
"""Datagrams both ways: of no octet, odd and even, without a checksum, and with one that comes out
as zero.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

def zero_sum_payload(source, destination, sport, dport):
    """Two octets with which the datagram's checksum is ffff, because 0000 would mean none."""
    packet = IP(src=source, dst=destination) / UDP(sport=sport, dport=dport) / b"\0\0"
    return UDP(bytes(packet)[20:]).chksum.to_bytes(2, "big")


send, expect = [], []
for payload in (b"", b"q", b"even", bytes(1400)):
    send.append(from_client(IP(src=CLIENT, dst=VIP) / UDP(sport=5000, dport=53) / payload))
    expect.append(to_real(12, IP(src=CLIENT, dst=real(12), ttl=63)
                          / UDP(sport=5000, dport=5353) / payload))
    send.append(from_real(12, IP(src=real(12), dst=CLIENT) / UDP(sport=5353, dport=5000) / payload))
    expect.append(to_client(IP(src=VIP, dst=CLIENT, ttl=63)
                            / UDP(sport=53, dport=5000) / payload))

send.append(from_client(IP(src=CLIENT, dst=VIP) / UDP(sport=5000, dport=53, chksum=0) / b"none"))
expect.append(to_real(12, IP(src=CLIENT, dst=real(12), ttl=63)
                      / UDP(sport=5000, dport=5353, chksum=0) / b"none"))

zero = zero_sum_payload(CLIENT, real(12), 5000, 5353)
send.append(from_client(IP(src=CLIENT, dst=VIP) / UDP(sport=5000, dport=53) / zero))
expect.append(to_real(12, IP(src=CLIENT, dst=real(12), ttl=63)
                      / UDP(sport=5000, dport=5353, chksum=0xFFFF) / zero))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [])
