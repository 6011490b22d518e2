#!/usr/bin/python3
"""IPv6 by direct routing: MAC addresses and hop limit change, nothing else."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

send, expect = [], []
for sport in (40000, 40001):
    for tcp in (dict(flags="S", seq=1), dict(flags="A", seq=2), dict(flags="PA", seq=2),
                dict(flags="FA", seq=9), dict(flags="R", seq=10)):
        payload = b"GET / HTTP/1.0" if tcp["flags"] == "PA" else b""
        segment = TCP(sport=sport, dport=80, **tcp) / payload
        packet = dict(src=CLIENT6, dst=DIRECT_VIP6, tc=0x10, fl=77)
        send.append(from_client(IPv6(**packet) / segment))
        expect.append(to_real(13, IPv6(**packet, hlim=63) / segment))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [])
