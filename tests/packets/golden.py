"""What the makers of golden packets share: who is who on the wire, and how captures are written.

One port carries everything. Clients live behind the router; the reals are on the link.

    client 198.51.100.7 ── router 10.1.0.1 ──┬── director 10.1.0.2, VIPs 10.1.0.80 to 10.1.0.99
                                             └── reals 10.1.2.N, 02:aa:00:00:00:N

The same places have IPv6 addresses: the client 2001:db8:ff::7, the VIPs 2001:db8:1::80 and more,
the reals 2001:db8:1:0:2::N; the router is fe80::1.

Scapy computes every length and checksum here, so what is expected shares no code with the product.
"""

import os
import struct
import sys
from pathlib import Path

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, TCPerror, UDPerror  # noqa: F401
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6ND_NS,  # noqa: F401
                                ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6,  # noqa: F401
                                IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,  # noqa: F401
                                IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN)  # noqa: F401
from scapy.layers.l2 import ARP, Dot1Q, Ether  # noqa: F401
from scapy.packet import Padding, Raw  # noqa: F401

FOLDER = Path(sys.argv[0]).resolve().parent  # the scenario's
OUTPUT = Path(os.environ.get("GOLDEN_OUTPUT", FOLDER))
DIRECTOR_MAC = "02:70:63:61:70:00"  # what net_pcap gives its first device
ROUTER_MAC = "02:00:00:00:01:01"
CLIENT = "198.51.100.7"
VIP = "10.1.0.80"
ROUTER = "10.1.0.1"
FAR_ROUTER = "192.0.2.1"
CLIENT6 = "2001:db8:ff::7"
VIP6 = "2001:db8:1::80"
DIRECT_VIP6 = "2001:db8:1::90"
FAR_ROUTER6 = "2001:db8:fe::1"


def real(number):
    return f"10.1.2.{number}"


def real6(number):
    return f"2001:db8:1:0:2::{number:x}"


def real_mac(number):
    return f"02:aa:00:00:00:{number:02x}"


def from_client(packet):
    return Ether(src=ROUTER_MAC, dst=DIRECTOR_MAC) / packet


def from_real(number, packet):
    return Ether(src=real_mac(number), dst=DIRECTOR_MAC) / packet


def to_client(packet):
    return Ether(src=DIRECTOR_MAC, dst=ROUTER_MAC) / packet


def to_real(number, packet):
    return Ether(src=DIRECTOR_MAC, dst=real_mac(number)) / packet


def told(packet, source, **icmp):
    """The ICMP error that the director sends about a packet: its quotation and its own header."""
    octets = bytes(packet)[:548]
    return (IP(src=source, dst=packet.src, tos=0xC0, flags="DF", id=0, ttl=64)
            / ICMP(**icmp) / Raw(octets))


def told6(packet, source, icmp):
    """The same of IPv6."""
    return IPv6(src=source, dst=packet.src, hlim=64, nh=58) / icmp / Raw(bytes(packet)[:1232])


def write(name, frames):
    """A capture beside the scenario's make.py. Frame n is of second n: equal frames, equal file."""
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for second, frame in enumerate(map(bytes, frames)):
        octets += struct.pack("<IIII", second, 0, len(frame), len(frame)) + frame
    (OUTPUT / name).write_bytes(octets)


def write_text(name, lines):
    (OUTPUT / name).write_text("".join(f"{line}\n" for line in sorted(lines)))
