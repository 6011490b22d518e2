#!/usr/bin/python3
"""What comes with a tag is of that VLAN, and what leaves for one has its tag: from VLAN to VLAN,
and from a VLAN to hosts without one. A tag's priority is the sender's affair, and not passed on. A
service is served in its own VLAN alone, and what is in no VLAN of ours is not for us.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

VISITOR, GUEST = "02:20:00:00:00:07", "02:21:00:00:00:07"
TAGGED_REAL = "02:30:00:00:00:0b"
send = []
expect = {None: [], 20: [], 21: [], 30: []}  # what leaves in one turn leaves port by port


def comes(source, vlan, packet, **tag):
    send.append(Ether(src=source, dst=DIRECTOR_MAC) / Dot1Q(vlan=vlan, **tag) / packet)


def leaves(destination, vlan, packet):
    expect[vlan].append(Ether(src=DIRECTOR_MAC, dst=destination) / Dot1Q(vlan=vlan) / packet)


# From VLAN 20 to VLAN 30 and back, in both IP versions.
comes(VISITOR, 20, IP(src="10.20.0.7", dst="10.20.0.80") / TCP(sport=4000, dport=80, flags="S"))
leaves(TAGGED_REAL, 30, IP(src="10.20.0.7", dst="10.30.0.11", ttl=63)
       / TCP(sport=4000, dport=8080, flags="S"))
comes(TAGGED_REAL, 30, IP(src="10.30.0.11", dst="10.20.0.7")
      / TCP(sport=8080, dport=4000, flags="SA", seq=7, ack=1), prio=5)
leaves(VISITOR, 20, IP(src="10.20.0.80", dst="10.20.0.7", ttl=63)
       / TCP(sport=80, dport=4000, flags="SA", seq=7, ack=1))
comes(VISITOR, 20, IPv6(src="2001:db8:20::7", dst="2001:db8:20::80")
      / TCP(sport=4006, dport=80, flags="S"))
leaves(TAGGED_REAL, 30, IPv6(src="2001:db8:20::7", dst="2001:db8:30::11", hlim=63)
       / TCP(sport=4006, dport=8080, flags="S"))
comes(TAGGED_REAL, 30, IPv6(src="2001:db8:30::11", dst="2001:db8:20::7")
      / TCP(sport=8080, dport=4006, flags="SA", seq=7, ack=1))
leaves(VISITOR, 20, IPv6(src="2001:db8:20::80", dst="2001:db8:20::7", hlim=63)
       / TCP(sport=80, dport=4006, flags="SA", seq=7, ack=1))

# From VLAN 21 to a real without one, and back.
comes(GUEST, 21, IP(src="10.21.0.7", dst="10.21.0.80") / TCP(sport=4001, dport=80, flags="S"))
expect[None].append(to_real(12, IP(src="10.21.0.7", dst=real(12), ttl=63)
                            / TCP(sport=4001, dport=8080, flags="S")))
send.append(from_real(12, IP(src=real(12), dst="10.21.0.7")
                      / TCP(sport=8080, dport=4001, flags="SA", seq=7, ack=1)))
leaves(GUEST, 21, IP(src="10.21.0.80", dst="10.21.0.7", ttl=63)
       / TCP(sport=80, dport=4001, flags="SA", seq=7, ack=1))

# A frame with a tag may be four octets longer than one without.
comes(VISITOR, 20, IP(src="10.20.0.7", dst="10.20.0.80", flags="DF")
      / TCP(sport=4000, dport=80, flags="A", seq=1, ack=8) / Raw(bytes(1460)))
leaves(TAGGED_REAL, 30, IP(src="10.20.0.7", dst="10.30.0.11", flags="DF", ttl=63)
       / TCP(sport=4000, dport=8080, flags="A", seq=1, ack=8) / Raw(bytes(1460)))

# Another VLAN's service; without a tag; a VLAN that is nobody's; a tag within a tag.
comes(VISITOR, 20, IP(src="10.20.0.7", dst="10.21.0.80") / TCP(sport=4002, dport=80, flags="S"))
send.append(Ether(src=VISITOR, dst=DIRECTOR_MAC) / IP(src="10.20.0.7", dst="10.20.0.80")
            / TCP(sport=4003, dport=80, flags="S"))
comes(VISITOR, 99, IP(src="10.20.0.7", dst="10.20.0.80") / TCP(sport=4004, dport=80, flags="S"))
comes(VISITOR, 20, Dot1Q(vlan=30) / IP(src="10.20.0.7", dst="10.20.0.80")
      / TCP(sport=4005, dport=80, flags="S"))

write("send.pcap", send)
write("expect.pcap", sum(expect.values(), []))
write_text("expect.txt", ["dropped no_service_drop 2", "dropped vlan 2"])
