#!/usr/bin/python3
"""One hop left is none for who forwards, and its sender is told; two are one. A client is told in
the name of the VIP, a real in the director's own.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

send, expect = [], []
for ttl in (0, 1, 2):
    for vip, dport, number, target, below in ((VIP, 80, 11, real(11), 8080),
                                              ("10.1.0.90", 80, 13, "10.1.0.90", 80)):
        packet = IP(src=CLIENT, dst=vip, ttl=ttl) / TCP(sport=40000, dport=dport, flags="S")
        send.append(from_client(packet))
        if ttl < 2:
            expect.append(to_client(told(packet, vip, type=11, code=0)))
        else:
            expect.append(to_real(number, IP(src=CLIENT, dst=target, ttl=1)
                                  / TCP(sport=40000, dport=below, flags="S")))
reply = IP(src=real(11), dst=CLIENT, ttl=1) / TCP(sport=8080, dport=40000, flags="SA")
send.append(from_real(11, reply))
expect.append(to_real(11, told(reply, "10.1.0.2", type=11, code=0)))
# An error about an error is never sent.
quoted = bytes(IP(src=VIP, dst=CLIENT) / TCP(sport=80, dport=40000))[:28]
send.append(from_client(IP(src=FAR_ROUTER, dst=VIP, ttl=1) / ICMP(type=3, code=1) / quoted))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["dropped ttl_expired 6"])
