#!/usr/bin/python3
"""One service on many ports and VIPs: the real of a range hears the port that the client used, and
each answer comes back from the VIP and port that were asked.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

send, expect = [], []


def exchange(l4, vip, vip_port, where, real_port, sport, **fields):
    """A request and its answer."""
    send.append(from_client(IP(src=CLIENT, dst=vip) / l4(sport=sport, dport=vip_port, **fields)))
    expect.append(to_real(where, IP(src=CLIENT, dst=real(where), ttl=63)
                          / l4(sport=sport, dport=real_port, **fields)))
    back = {"flags": "SA", "seq": 7, "ack": 1} if l4 is TCP else {}
    send.append(from_real(where, IP(src=real(where), dst=CLIENT)
                          / l4(sport=real_port, dport=sport, **back)))
    expect.append(to_client(IP(src=vip, dst=CLIENT, ttl=63)
                            / l4(sport=vip_port, dport=sport, **back)))


for port in (8000, 8042, 8099):
    exchange(TCP, VIP, port, 11, port, 40000, flags="S")
for port in (7999, 8100):
    send.append(from_client(IP(src=CLIENT, dst=VIP) / TCP(sport=40000, dport=port, flags="S")))
for number in range(88, 92):
    exchange(TCP, f"10.1.0.{number}", 443, 12, 8443, 41000 + number, flags="S")
    exchange(UDP, f"10.1.0.{number}", 443, 12, 8443, 41000 + number)

# Without a session, what a real sends from a port of its range, and what one behind several VIPs
# sends, may be its own affair.
send.append(from_real(11, IP(src=real(11), dst=CLIENT) / TCP(sport=8050, dport=50000, flags="A")))
send.append(from_real(12, IP(src=real(12), dst=CLIENT) / TCP(sport=8443, dport=50000, flags="A")))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["punted rest 2", "punted transit 2"])
