#!/usr/bin/python3
"""The ports lie behind the options, up to forty octets of them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

send, expect = [], []
for length in (4, 20, 40):
    options = b"\x01" * length  # no operation
    send.append(from_client(IP(src=CLIENT, dst=VIP, options=[options])
                            / TCP(sport=40000, dport=80, flags="S") / b"x"))
    expect.append(to_real(11, IP(src=CLIENT, dst=real(11), ttl=63, options=[options])
                          / TCP(sport=40000, dport=8080, flags="S") / b"x"))
    send.append(from_real(11, IP(src=real(11), dst=CLIENT, options=[options])
                          / TCP(sport=8080, dport=40000, flags="SA") / b"y"))
    expect.append(to_client(IP(src=VIP, dst=CLIENT, ttl=63, options=[options])
                            / TCP(sport=80, dport=40000, flags="SA") / b"y"))
# Padding behind the packet is no part of it.
short = bytes(from_client(IP(src=CLIENT, dst=VIP) / TCP(sport=40000, dport=80, flags="A")))
after = bytes(to_real(11, IP(src=CLIENT, dst=real(11), ttl=63)
                      / TCP(sport=40000, dport=8080, flags="A")))
send.append(short + b"\xee" * 6)
expect.append(after + b"\xee" * 6)
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [])
