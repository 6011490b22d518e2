#!/usr/bin/python3
"""A whole connection: handshake, request, answer, both FINs, and what comes after."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

ABOVE = dict(sport=40000, dport=80)  # as the client sees it
BELOW = dict(sport=40000, dport=8080)  # as the real sees it
BACK_BELOW = dict(sport=8080, dport=40000)
BACK_ABOVE = dict(sport=80, dport=40000)
send, expect = [], []


def client_says(payload=b"", **tcp):
    send.append(from_client(IP(src=CLIENT, dst=VIP) / TCP(**ABOVE, **tcp) / payload))
    expect.append(to_real(11, IP(src=CLIENT, dst=real(11), ttl=63) / TCP(**BELOW, **tcp) / payload))


def real_says(payload=b"", **tcp):
    send.append(from_real(11, IP(src=real(11), dst=CLIENT) / TCP(**BACK_BELOW, **tcp) / payload))
    expect.append(to_client(IP(src=VIP, dst=CLIENT, ttl=63) / TCP(**BACK_ABOVE, **tcp) / payload))


client_says(flags="S", seq=1000, options=[("MSS", 1460), ("SAckOK", b""), ("WScale", 7)])
real_says(flags="SA", seq=9000, ack=1001, options=[("MSS", 1460), ("WScale", 9)])
client_says(flags="A", seq=1001, ack=9001)
client_says(b"GET / HTTP/1.1\r\nHost: www.example.net\r\n\r\n", flags="PA", seq=1001, ack=9001)
real_says(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(range(256)) * 5, flags="PA", seq=9001, ack=1040)
real_says(b"odd", flags="PA", seq=10300, ack=1040)
real_says(flags="FA", seq=10303, ack=1040)
client_says(flags="FA", seq=1040, ack=10304)
real_says(flags="A", seq=10304, ack=1041)
client_says(flags="S", seq=77000)  # the same port again, at once
real_says(flags="RA", seq=0, ack=77001)
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [])
