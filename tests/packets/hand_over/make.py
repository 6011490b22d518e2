#!/usr/bin/python3
"""Two queues, two workers: whichever queue a packet comes by, the worker of its client sends it
out. Who owns whom is worked out by tests/oracle/nat.py.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

sys.path.insert(0, str(FOLDER.parent.parent / "oracle"))
from nat import owner_of  # noqa: E402

send = ([], [])
at_home, adopted = ([], []), ([], [])  # by worker; strangers come by mailbox, after its own queue


def arrives(queue, client, frame, leaves_as):
    send[queue].append(frame)
    owner = owner_of(client, seed="golden", worker_count=2)
    (at_home if owner == queue else adopted)[owner].append(leaves_as)


for number in range(30):
    client = f"198.51.100.{number}"
    arrives(number % 2, client,
            from_client(IP(src=client, dst=VIP) / TCP(sport=40000, dport=80, flags="S")),
            to_real(11, IP(src=client, dst=real(11), ttl=63)
                    / TCP(sport=40000, dport=8080, flags="S")))
    arrives(number // 2 % 2, client,
            from_real(11, IP(src=real(11), dst=client) / TCP(sport=8080, dport=40000, flags="SA")),
            to_client(IP(src=VIP, dst=client, ttl=63) / TCP(sport=80, dport=40000, flags="SA")))
for worker in (0, 1):
    write(f"send.{worker}.pcap", send[worker])
    write(f"expect.{worker}.pcap", at_home[worker] + adopted[worker])
write_text("expect.txt", [])
