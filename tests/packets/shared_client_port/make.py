#!/usr/bin/python3
"""The second of two sessions whose replies nobody could tell apart is refused, and takes its turn
when the first is over.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

send, expect = [], []


def client_says(vip, forwarded=True, **tcp):
    send.append(from_client(IP(src=CLIENT, dst=vip) / TCP(sport=40000, dport=80, **tcp)))
    if forwarded:
        expect.append(to_real(11, IP(src=CLIENT, dst=real(11), ttl=63)
                              / TCP(sport=40000, dport=8080, **tcp)))


def real_says(vip, **tcp):
    send.append(from_real(11, IP(src=real(11), dst=CLIENT) / TCP(sport=8080, dport=40000, **tcp)))
    expect.append(to_client(IP(src=vip, dst=CLIENT, ttl=63) / TCP(sport=80, dport=40000, **tcp)))


client_says(VIP, flags="S", seq=1)
real_says(VIP, flags="SA", seq=100, ack=2)
client_says(VIP, flags="A", seq=2, ack=101)
client_says("10.1.0.81", forwarded=False, flags="S", seq=1000)
client_says(VIP, flags="FA", seq=2, ack=101)
real_says(VIP, flags="FA", seq=101, ack=3)
client_says("10.1.0.81", flags="S", seq=2000)
real_says("10.1.0.81", flags="SA", seq=500, ack=2001)
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["dropped client_port_in_use 1"])
