#!/usr/bin/python3
"""Handshakes ask for no larger segments than the service or its tunnel allows, whichever side asks
and wherever among the options it stands; nothing else changes, and a SYN that is silent stays so.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

FAR_VIP = "10.1.0.81"
send, expect = [], []


def ports(sport, dport, marks, options):
    return TCP(sport=sport, dport=dport, flags=marks, seq=7, options=options)


def options(mss, odd=False):
    """As Linux has them, or with the size at an odd place."""
    if mss is None:
        return [("WScale", 7)]
    before = [("NOP", None)] if odd else []
    return before + [("MSS", mss), ("WScale", 7), ("Timestamp", (1, 0))]


for sport, asked, granted, odd in ((40000, 1460, 1300, False), (40001, 1460, 1300, True),
                                   (40002, 1301, 1300, True), (40003, 1300, 1300, False),
                                   (40004, 536, 536, False), (40005, None, None, False),
                                   (40006, 65535, 1300, False)):
    for _ in range(2):  # and as a retransmission
        send.append(from_client(IP(src=CLIENT, dst=VIP)
                                / ports(sport, 80, "S", options(asked, odd))))
        expect.append(to_real(11, IP(src=CLIENT, dst=real(11), ttl=63)
                              / ports(sport, 8080, "S", options(granted, odd))))
        send.append(from_real(11, IP(src=real(11), dst=CLIENT)
                              / ports(8080, sport, "SA", options(asked, odd))))
        expect.append(to_client(IP(src=VIP, dst=CLIENT, ttl=63)
                                / ports(80, sport, "SA", options(granted, odd))))
    # What is no handshake is not looked into.
    send.append(from_client(IP(src=CLIENT, dst=VIP) / ports(sport, 80, "A", options(asked, odd))))
    expect.append(to_real(11, IP(src=CLIENT, dst=real(11), ttl=63)
                          / ports(sport, 8080, "A", options(asked, odd))))
# Options that are none end the walk: a length of nothing, and one beyond the header.
for sport, nonsense in ((40010, b"\x05\x00\x02\x04\x05\xb4\x00\x00"),
                        (40011, b"\x05\x20\x02\x04\x05\xb4\x00\x00")):
    syn = ports(sport, 80, "S", []) / b""
    syn.dataofs = 7
    send.append(from_client(IP(src=CLIENT, dst=VIP) / syn / nonsense))
    below = syn.copy()
    below.dport = 8080
    expect.append(to_real(11, IP(src=CLIENT, dst=real(11), ttl=63) / below / nonsense))
# 1,500 octets less 20 of the tunnel leave segments of 1,440.
for asked, granted in ((1460, 1440), (1400, 1400)):
    send.append(from_client(IP(src=CLIENT, dst=FAR_VIP, flags="DF")
                            / ports(41000, 80, "S", options(asked))))
    expect.append(to_real(13, IP(src="10.1.0.2", dst=real(13), proto=4, ttl=63, flags="DF", id=0)
                          / IP(src=CLIENT, dst=FAR_VIP, ttl=63, flags="DF")
                          / ports(41000, 80, "S", options(granted))))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [])
