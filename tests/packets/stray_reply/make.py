#!/usr/bin/python3
"""A real that serves one service speaks in its name even without a session; of one with two nobody
can tell, and the kernel gets it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

send = [from_real(11, IP(src=real(11), dst=CLIENT)
                  / TCP(sport=8080, dport=40000, flags="A") / b"late"),
        from_real(12, IP(src=real(12), dst=CLIENT)
                  / TCP(sport=8443, dport=40000, flags="A") / b"late")]
expect = [to_client(IP(src=VIP, dst=CLIENT, ttl=63)
                    / TCP(sport=80, dport=40000, flags="A") / b"late")]
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", ["punted transit 1"])
