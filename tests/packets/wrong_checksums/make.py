#!/usr/bin/python3
"""An L4 checksum that is off by some amount on arrival is off by the same amount when it leaves.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

def sound_checksum(layer, source, destination, sport, dport, payload):
    packet = IP(src=source, dst=destination) / layer(sport=sport, dport=dport) / payload
    return layer(bytes(packet)[20:]).chksum


def off_by(checksum, error):
    total = checksum + error  # in ones' complement
    return (total & 0xFFFF) + (total >> 16)


send, expect = [], []
for error in (1, 0x100, 0x1234, 0x7FFF):
    for layer, above, below, number in ((TCP, 80, 8080, 11), (UDP, 53, 5353, 12)):
        payload = b"damaged on its way"
        wrong = off_by(sound_checksum(layer, CLIENT, VIP, 40000, above, payload), error)
        still = off_by(sound_checksum(layer, CLIENT, real(number), 40000, below, payload), error)
        send.append(from_client(IP(src=CLIENT, dst=VIP)
                                / layer(sport=40000, dport=above, chksum=wrong) / payload))
        expect.append(to_real(number, IP(src=CLIENT, dst=real(number), ttl=63)
                              / layer(sport=40000, dport=below, chksum=still) / payload))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [])
