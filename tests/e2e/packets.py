"""Frames as a reader of RFC 791, 792, 768 and 793 sees them: independent of the product's own
parser, and strict, so that a test can ask whether every checksum of a frame is right.
"""

import socket
import struct
from dataclasses import dataclass, field

TCP, UDP, ICMP = 6, 17, 1
FIN, SYN, RST, ACK = 1, 2, 4, 16
ICMP_ECHO_REPLY, ICMP_UNREACHABLE, ICMP_ECHO = 0, 3, 8


def checksum(octets):
    """The Internet checksum of RFC 1071; over a sound packet, its own field included, it is 0."""
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@dataclass
class Packet:
    destination_mac: str
    source_mac: str
    source: str
    destination: str
    protocol: int
    ttl: int
    length: int
    identification: int = 0
    source_port: int = 0
    destination_port: int = 0
    flags: int = 0
    sequence: int = 0
    icmp_type: int = 0
    payload: bytes = b""
    quoted: "Packet | None" = None
    problems: list = field(default_factory=list)  # checksums that are wrong


def mac_text(octets):
    return ":".join(f"{octet:02x}" for octet in octets)


def dissect(octets):
    """The IPv4 packet in an Ethernet frame, or None if there is none."""
    if len(octets) < 34 or octets[12:14] != b"\x08\x00":
        return None
    packet = dissect_ip(octets[14:])
    packet.destination_mac, packet.source_mac = mac_text(octets[:6]), mac_text(octets[6:12])
    return packet


def dissect_ip(octets, is_quoted=False):
    header_length = (octets[0] & 15) * 4
    length = struct.unpack_from("!H", octets, 2)[0]
    source, destination = octets[12:16], octets[16:20]
    packet = Packet("", "", socket.inet_ntoa(source), socket.inet_ntoa(destination), octets[9],
                    octets[8], length, struct.unpack_from("!H", octets, 4)[0])
    if checksum(octets[:header_length]) != 0:
        packet.problems.append("IPv4 header checksum")
    segment = octets[header_length:] if is_quoted else octets[header_length:length]
    pseudo = source + destination + struct.pack("!BBH", 0, octets[9], len(segment))
    if packet.protocol in (TCP, UDP):
        _dissect_ports(packet, segment, None if is_quoted else pseudo)
    elif packet.protocol == ICMP:
        _dissect_icmp(packet, segment)
    return packet


def _dissect_ports(packet, segment, pseudo):
    """`pseudo` is None for what an ICMP error quotes: the quotation may be cut off."""
    packet.source_port, packet.destination_port = struct.unpack_from("!HH", segment)
    if packet.protocol == TCP and len(segment) >= 20:
        packet.sequence, packet.flags = struct.unpack_from("!I", segment, 4)[0], segment[13]
        packet.payload = segment[(segment[12] >> 4) * 4:]
    elif packet.protocol == UDP:
        packet.payload = segment[8:]
    is_unsummed = packet.protocol == UDP and segment[6:8] == b"\0\0"
    if pseudo is not None and not is_unsummed and checksum(pseudo + segment) != 0:
        packet.problems.append("TCP checksum" if packet.protocol == TCP else "UDP checksum")


def _dissect_icmp(packet, segment):
    packet.icmp_type = segment[0]
    if checksum(segment) != 0:
        packet.problems.append("ICMP checksum")
    if packet.icmp_type in (3, 11, 12):
        packet.quoted = dissect_ip(segment[8:], is_quoted=True)
        packet.problems += [f"quoted {problem}" for problem in packet.quoted.problems]
        _check_quoted_datagram(packet, segment[8:])


def _check_quoted_datagram(packet, quotation):
    """A small UDP datagram is quoted whole, so its checksum can be tried as well."""
    header_length = (quotation[0] & 15) * 4
    whole = struct.unpack_from("!H", quotation, 2)[0]
    if packet.quoted.protocol != UDP or len(quotation) < whole:
        return
    datagram = quotation[header_length:whole]
    pseudo = quotation[12:20] + struct.pack("!BBH", 0, UDP, len(datagram))
    if datagram[6:8] != b"\0\0" and checksum(pseudo + datagram) != 0:
        packet.problems.append("quoted UDP checksum")


def incoming(frames):
    """The IPv4 packets that the captured interface received."""
    return [packet for packet in (dissect(frame.octets) for frame in frames if frame.is_incoming)
            if packet]


def outgoing(frames):
    return [packet for packet in (dissect(frame.octets) for frame in frames
                                  if not frame.is_incoming) if packet]


def problems(packets):
    return [f"{packet.source} > {packet.destination}: {problem}"
            for packet in packets for problem in packet.problems]
