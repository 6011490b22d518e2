#!/usr/bin/python3
"""One hop left is none for who forwards; two are one."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

send, expect = [], []
for ttl in (0, 1, 2):
    for vip, dport, number, target, below in ((VIP, 80, 11, real(11), 8080),
                                              ("10.1.0.90", 80, 13, "10.1.0.90", 80)):
        send.append(from_client(IP(src=CLIENT, dst=vip, ttl=ttl)
                                / TCP(sport=40000, dport=dport, flags="S")))
        if ttl == 2:
            expect.append(to_real(number, IP(src=CLIENT, dst=target, ttl=1)
                                  / TCP(sport=40000, dport=below, flags="S")))
send.append(from_real(11, IP(src=real(11), dst=CLIENT, ttl=1)
                      / TCP(sport=8080, dport=40000, flags="SA")))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["dropped ttl_expired 5"])
