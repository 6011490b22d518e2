#!/usr/bin/python3
"""MAC addresses and TTL change, and nothing else; what the VIP is to the real is its own matter.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

send, expect = [], []
for sport in (40000, 40001):
    for tcp in (dict(flags="S", seq=1), dict(flags="A", seq=2), dict(flags="PA", seq=2),
                dict(flags="FA", seq=9), dict(flags="R", seq=10)):
        payload = b"GET / HTTP/1.0" if tcp["flags"] == "PA" else b""
        packet = IP(src=CLIENT, dst="10.1.0.90", tos=0x10, id=77, flags="DF")
        segment = TCP(sport=sport, dport=80, **tcp) / payload
        send.append(from_client(packet / segment))
        packet = packet.copy()
        packet.ttl = 63
        expect.append(to_real(13, packet / segment))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [])
