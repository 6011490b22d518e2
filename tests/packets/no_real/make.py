#!/usr/bin/python3
"""A client is told at once that nobody can serve it: RFC 9293, 3.10.7.1, from the packet's own
numbers.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

send, expect = [], []


def asks(payload=b"", **tcp):
    send.append(from_client(IP(src=CLIENT, dst=VIP) / TCP(sport=40000, dport=80, **tcp) / payload))


def hears(**tcp):
    expect.append(to_client(IP(src=VIP, dst=CLIENT, ttl=64, id=0, flags="DF")
                            / TCP(sport=80, dport=40000, window=0, **tcp)))


asks(flags="S", seq=5000)
hears(flags="RA", seq=0, ack=5001)
asks(flags="S", seq=0xFFFFFFFF, options=[("MSS", 1460), ("Timestamp", (1, 0))])
hears(flags="RA", seq=0, ack=0)
asks(b"fast open", flags="S", seq=5000)
hears(flags="RA", seq=0, ack=5010)
asks(flags="A", seq=5001, ack=777)
hears(flags="R", seq=777, ack=0)
asks(b"data", flags="PA", seq=5001, ack=777)
hears(flags="R", seq=777, ack=0)
asks(flags="FA", seq=5001, ack=777)
hears(flags="R", seq=777, ack=0)
asks(b"end", flags="F", seq=5001)
hears(flags="RA", seq=0, ack=5005)
asks(flags="R", seq=5001)  # nobody answers a reset
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["dropped no_real 7", "dropped no_session 1"])
