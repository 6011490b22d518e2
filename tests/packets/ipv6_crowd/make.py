#!/usr/bin/python3
"""Many clients of IPv6: which real each gets is drawn here once more, by tests/oracle."""

import random
import sys
from ipaddress import IPv6Address
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

sys.path.insert(0, str(FOLDER.parent.parent / "oracle"))
import maglev  # noqa: E402
import nat  # noqa: E402

KEY = maglev.ring_key("golden")
SERVICES = {  # by port: name, number and port of the reals
    80: (nat.TCP, [("web1", 11, 8080), ("web2", 12, 8080), ("web3", 13, 8080)]),
    53: (nat.UDP, [("ns1", 11, 5353), ("ns2", 13, 5353)])}
RINGS = {port: maglev.ring([(name, 1, index) for index, (name, _, _) in enumerate(reals)],
                           nat.RING_SIZE, KEY) for port, (_, reals) in SERVICES.items()}
draw = random.Random(6)
send, expect = [], []
for _ in range(150):
    client = str(IPv6Address(0x20010DB8 << 96 | draw.randrange(1 << 90)))
    sport, dport = draw.randrange(1024, 65536), draw.choice((80, 53))
    protocol, reals = SERVICES[dport]
    slot = nat.drawn_slot6(KEY, (IPv6Address(client).packed, sport),
                           (IPv6Address(VIP6).packed, dport), protocol)
    _, number, port = reals[RINGS[dport][slot]]

    def l4(to):
        return TCP(sport=sport, dport=to, flags="S") if protocol == nat.TCP \
            else UDP(sport=sport, dport=to) / b"question"

    send.append(from_client(IPv6(src=client, dst=VIP6) / l4(dport)))
    expect.append(to_real(number, IPv6(src=client, dst=real6(number), hlim=63) / l4(port)))
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [])
