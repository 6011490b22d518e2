#!/usr/bin/python3
"""Fragments to a service are dropped by name; those for us and past us are the kernel's."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

def datagram(source, destination, **ip):
    return IP(src=source, dst=destination, **ip) / UDP(sport=5000, dport=53) / bytes(64)


send = [from_client(datagram(CLIENT, VIP, flags="MF")),
        from_client(IP(src=CLIENT, dst=VIP, frag=9, proto=17) / bytes(64)),
        from_client(IP(src=CLIENT, dst=VIP, frag=9, flags="MF", proto=6) / bytes(64)),
        from_client(datagram(CLIENT, "10.1.0.2", flags="MF")),
        from_client(IP(src=CLIENT, dst="10.1.0.2", frag=9, proto=17) / bytes(64)),
        # Towards a real: of its own traffic, as far as anybody can tell.
        from_client(IP(src=FAR_ROUTER, dst=real(12), frag=9, proto=17) / bytes(64)),
        from_client(datagram(CLIENT, VIP, flags="DF"))]  # whole
expect = [to_real(12, IP(src=CLIENT, dst=real(12), ttl=63, flags="DF")
                  / UDP(sport=5000, dport=5353) / bytes(64))]
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["dropped fragment 3", "punted rest 2", "punted transit 1"])
