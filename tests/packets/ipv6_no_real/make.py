#!/usr/bin/python3
"""A service with nobody behind it tells its clients so, over IPv6 as well."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

send, expect = [], []


def asks(payload=b"", *headers, **tcp):
    packet = IPv6(src=CLIENT6, dst=VIP6)
    for header in headers:
        packet = packet / header
    send.append(from_client(packet / TCP(sport=40000, dport=80, **tcp) / payload))


def hears(**tcp):
    expect.append(to_client(IPv6(src=VIP6, dst=CLIENT6, hlim=64)
                            / TCP(sport=80, dport=40000, window=0, **tcp)))


asks(flags="S", seq=5000)
hears(flags="RA", seq=0, ack=5001)
asks(b"", IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(12))]), flags="S", seq=0xFFFFFFFF,
     options=[("MSS", 1440), ("Timestamp", (1, 0))])
hears(flags="RA", seq=0, ack=0)
asks(b"fast open", flags="S", seq=5000)
hears(flags="RA", seq=0, ack=5010)
asks(b"data", flags="PA", seq=5001, ack=777)
hears(flags="R", seq=777, ack=0)
asks(flags="R", seq=5001)  # nobody answers a reset
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["dropped no_real 4", "dropped no_session 1"])
