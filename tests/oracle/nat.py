#!/usr/bin/python3
"""The packet path's twin: what the director must make of each frame, worked out from octets in the
plainest form, sharing no code with the product.

It knows a scenario's services from director.cfg and the link from kernel.txt; it draws the real of
a new flow on its own ring, remembers it, rewrites addresses and ports, and computes every checksum
anew from all octets. The product plays the same capture, and what left is compared octet by octet.

usage: nat.py REPLAY SCENARIO_FOLDER [SEED ...]
    for each seed another crowd takes the place of send.pcap; "any" is one that nobody has chosen
"""

import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import maglev

TCP, UDP, ICMP = 6, 17, 1
SYN, ACK, FIN, PSH = 2, 16, 1, 8
DIRECTOR_MAC = bytes.fromhex("027063617000")
ROUTER_MAC = bytes.fromhex("020000000101")
RING_SIZE = 65537


# --- who owns, who serves -------------------------------------------------------------------------


def derived_key(seed, purpose):
    first = maglev.siphash((0, 0), seed.encode())
    second = maglev.siphash((1, 0), seed.encode())
    return maglev.siphash((first, second), purpose), maglev.siphash((second, first), purpose)


def toeplitz(key, octets):
    """Microsoft's definition: the key's window at each set bit, all added without carry."""
    window = int.from_bytes(key, "big")
    bits, result = 8 * len(key), 0
    for place in range(8 * len(octets)):
        if octets[place // 8] >> (7 - place % 8) & 1:
            result ^= window >> (bits - 32 - place) & 0xFFFFFFFF
    return result


def owner_of(client, seed, worker_count):
    """The worker of a client: the low six bits of the hash, read backwards, dealt out in turn."""
    base = derived_key(seed, b"owner")
    key = b"".join(maglev.siphash(base, b"%d" % i).to_bytes(8, "little") for i in range(5))
    bits = int.from_bytes(key, "big") >> 320 - 58 & (1 << 27) - 1  # the bits 31 to 57 of the key
    key = ((bits | 1 | 1 << 26) << 320 - 58).to_bytes(40, "big")
    slot = toeplitz(key, address(client)) % 64
    return int(f"{slot:06b}"[::-1], 2) % worker_count


def folded(a, b):
    product = a * b
    return (product & maglev.WORD) ^ (product >> 64)


def drawn_slot(key, client_word, vip_word):
    low, high = key
    mixed = folded(client_word ^ low, vip_word ^ high)
    draw = folded(mixed ^ 0x9E3779B97F4A7C15, low ^ (client_word + vip_word & maglev.WORD))
    return (draw & 0xFFFFFFFF) * RING_SIZE >> 32


def hashed(key, first, second):
    """The product's hash of two words."""
    low, high = key
    mixed = folded(first ^ low, second ^ high)
    return folded(mixed ^ 0x9E3779B97F4A7C15, low ^ (first + second & maglev.WORD))


def drawn_slot6(key, client, vip, protocol):
    """Of IPv6: endpoints are sixteen octets and a port; the addresses are hashed for themselves."""
    def words(octets):
        return (int.from_bytes(octets[:8], "little"), int.from_bytes(octets[8:], "little"))

    ports = struct.pack(">HH", client[1], vip[1]) + bytes([protocol])
    draw = hashed(key, hashed(key, *words(client[0])) ^ int.from_bytes(ports, "little"),
                  hashed(key, *words(vip[0])))
    return (draw & 0xFFFFFFFF) * RING_SIZE >> 32


def endpoint_word(endpoint, protocol):
    """Address and port as they lie in memory, then the protocol."""
    return int.from_bytes(endpoint[0] + struct.pack(">H", endpoint[1]) + bytes([protocol, 0]),
                          "little")


# --- octets ---------------------------------------------------------------------------------------


def address(text):
    return bytes(map(int, text.split(".")))


def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def with_checksum(octets, place, value):
    return octets[:place] + struct.pack(">H", value) + octets[place + 2:]


def sound_l4(source, destination, protocol, l4):
    """The L4 octets with their checksum computed anew."""
    if protocol == ICMP:
        return with_checksum(l4, 2, checksum(with_checksum(l4, 2, 0)))
    place = 16 if protocol == TCP else 6
    if protocol == UDP and l4[6:8] == b"\0\0":
        return l4
    pseudo = source + destination + struct.pack(">BBH", 0, protocol, len(l4))
    value = checksum(pseudo + with_checksum(l4, place, 0))
    return with_checksum(l4, place, 0xFFFF if protocol == UDP and value == 0 else value)


class Ip:
    """An IPv4 packet taken apart."""

    def __init__(self, octets):
        self.header_length = (octets[0] & 15) * 4
        total = struct.unpack(">H", octets[2:4])[0]
        self.header, self.l4 = octets[:self.header_length], octets[self.header_length:total]
        self.is_cut = len(octets) < total
        self.ttl, self.protocol = octets[8], octets[9]
        self.source, self.destination = octets[12:16], octets[16:20]
        self.sport, self.dport = struct.unpack(">HH", self.l4[:4])

    def sent(self, ttl=None, source=None, destination=None):
        """`source`, `destination`: endpoints that take their places; ICMP has no ports."""
        header, l4 = bytearray(self.header), bytearray(self.l4)
        header[8] = self.ttl if ttl is None else ttl
        for endpoint, at, port_at in ((source, 12, 0), (destination, 16, 2)):
            if endpoint is not None:
                header[at:at + 4] = endpoint[0]
                if self.protocol != ICMP:
                    l4[port_at:port_at + 2] = struct.pack(">H", endpoint[1])
        header = with_checksum(bytes(header), 10, 0)
        header = with_checksum(header, 10, checksum(header))
        if self.is_cut:  # of a quotation: its checksum is not there, or cannot be known
            return header + bytes(l4)
        return header + sound_l4(header[12:16], header[16:20], self.protocol, bytes(l4))


# --- the director ---------------------------------------------------------------------------------


class Director:
    def __init__(self, folder):
        self.services, self.macs, self.sessions = {}, {}, {}
        text = (folder / "director.cfg").read_text()
        self.seed = re.search(r'seed\s*=\s*"(.*?)"', text).group(1)
        self.key = maglev.ring_key(self.seed)
        pattern = r'name = "(\w+)"; vip = "(.*?)"; port = (\d+); protocol = "(\w+)";(.*?)\)'
        for _, vip, port, protocol, rest in re.findall(pattern, text, re.DOTALL):
            reals = re.findall(r'name = "(\w+)"; address = "(.*?)"; port = (\d+)', rest)
            members = [(name, 1, index) for index, (name, _, _) in enumerate(reals)]
            self.services[address(vip), int(port), TCP if protocol == "tcp" else UDP] = {
                "reals": [(address(where), int(at)) for _, where, at in reals],
                "ring": maglev.ring(members, RING_SIZE, self.key)}
        for line in (folder / "kernel.txt").read_text().splitlines():
            if line.startswith("neighbour"):
                _, where, mac = line.split()
                self.macs[address(where)] = bytes.fromhex(mac.replace(":", ""))
            elif line.startswith("address"):
                self.address = address(line.split()[1])

    def real_of(self, client, vip, protocol):
        session = (client, vip, protocol)
        if session not in self.sessions:
            service = self.services[vip + (protocol,)]
            slot = drawn_slot(self.key, endpoint_word(client, protocol), endpoint_word(vip, 0))
            self.sessions[session] = service["reals"][service["ring"][slot]]
        return self.sessions[session]

    def vip_of(self, client, real, protocol):
        for (whose, vip, which), serving in self.sessions.items():
            if (whose, which, serving) == (client, protocol, real):
                return vip
        return None

    def carried(self, frame):
        """What leaves for this frame, or nothing."""
        packet = Ip(frame[14:])
        if packet.ttl <= 1:
            return None if packet.protocol == ICMP else self.too_old(packet)
        if packet.protocol == ICMP:
            return self.error(packet)
        source = (packet.source, packet.sport)
        destination = (packet.destination, packet.dport)
        if destination + (packet.protocol,) in self.services:
            real = self.real_of(source, destination, packet.protocol)
            return self.framed(real[0], packet.sent(packet.ttl - 1, destination=real))
        vip = self.vip_of(destination, source, packet.protocol)
        return vip and self.framed(None, packet.sent(packet.ttl - 1, source=vip))

    def too_old(self, packet):
        """Its sender hears so: a client from the VIP, a real from the director."""
        if (packet.destination, packet.dport, packet.protocol) in self.services:
            source, real = packet.destination, None
        elif self.vip_of((packet.destination, packet.dport), (packet.source, packet.sport),
                         packet.protocol):
            source, real = self.address, packet.source
        else:
            return None
        message = b"\x0b" + bytes(7) + (packet.header + packet.l4)[:548]
        header = struct.pack(">BBHHHBBH", 0x45, 0xC0, 20 + len(message), 0, 0x4000, 64, ICMP, 0)
        header += source + packet.source
        header = with_checksum(header, 10, checksum(header))
        return self.framed(real, header + with_checksum(message, 2, checksum(message)))

    def error(self, packet):
        quoted = Ip(packet.l4[8:])
        sender, receiver = (quoted.source, quoted.sport), (quoted.destination, quoted.dport)
        ends = {}
        if sender + (quoted.protocol,) in self.services:  # an answer did not arrive
            real = self.real_of(receiver, sender, quoted.protocol)
            quotation, ends["destination"] = quoted.sent(source=real), real
        else:  # a request did not arrive
            vip = self.vip_of(sender, receiver, quoted.protocol)
            quotation = quoted.sent(destination=vip)
            if packet.source == receiver[0]:
                ends["source"] = vip
        packet.l4 = packet.l4[:8] + quotation
        return self.framed(ends.get("destination", [None])[0], packet.sent(packet.ttl - 1, **ends))

    def framed(self, real, octets):
        return (self.macs[real] if real else ROUTER_MAC) + DIRECTOR_MAC + b"\x08\0" + octets


# --- a crowd --------------------------------------------------------------------------------------


def packet(protocol, source, destination, l4_rest, ttl=64):
    ports = b"" if protocol == ICMP else struct.pack(">HH", source[1], destination[1])
    l4 = ports + l4_rest
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(l4), random_id(), 0, ttl, protocol, 0)
    header += source[0] + destination[0]
    header = with_checksum(header, 10, checksum(header))
    return header + sound_l4(source[0], destination[0], protocol, l4)


def random_id():
    return DRAW.randrange(1 << 16)


def segment(flags, payload=b""):
    return struct.pack(">IIBBHHH", DRAW.randrange(1 << 32), DRAW.randrange(1 << 32), 0x50, flags,
                       DRAW.randrange(1 << 16), 0, 0) + payload


def datagram(payload=b"", has_checksum=True):
    return struct.pack(">HH", 8 + len(payload), 1 if has_checksum else 0) + payload


def octets():
    return DRAW.randbytes(DRAW.choice((0, 1, 2, 7, 64, 333)))


def life_of_flow(director, client, service):
    """The frames of one flow, in order."""
    vip, protocol = service[:2], service[2]
    real = director.real_of(client, vip, protocol)
    is_tcp = protocol == TCP
    for turn in range(DRAW.randrange(2, 8)):
        flags = SYN if turn == 0 else DRAW.choice((ACK, ACK | PSH))
        there = segment(flags, octets()) if is_tcp else datagram(octets(), DRAW.random() < 0.9)
        back = segment(flags | ACK, octets()) if is_tcp else datagram(octets())
        yield packet(protocol, client, vip, there, ttl=DRAW.randrange(1 if turn else 2, 256))
        yield packet(protocol, real, client, back, ttl=DRAW.randrange(1, 256))
        if DRAW.random() < 0.3:
            yield error_about(packet(protocol, vip, client, back), (address("192.0.2.1"), 0), vip)
        if DRAW.random() < 0.3:
            who = DRAW.choice((real, (address("10.1.2.254"), 0)))
            yield error_about(packet(protocol, client, real, there), who, client)


def error_about(lost, sender, receiver):
    quotation = lost[:28] if lost[9] == TCP and DRAW.random() < 0.5 else lost
    message = struct.pack(">BBHI", DRAW.choice((3, 11)), 0, 0, DRAW.randrange(1 << 16))
    return packet(ICMP, sender, receiver, message + quotation)


DRAW = random.Random()


def crowd(folder, seed, flow_count=300):
    DRAW.seed(seed)
    director = Director(folder)
    clients = [(address(f"198.51.{DRAW.randrange(256)}.{DRAW.randrange(1, 255)}"),
                DRAW.randrange(1024, 65536)) for _ in range(flow_count)]
    lives = [life_of_flow(director, client, DRAW.choice(list(director.services)))
             for client in dict.fromkeys(clients)]
    while lives:
        life = DRAW.choice(lives)
        try:
            octets_of_packet = next(life)
            yield DIRECTOR_MAC + ROUTER_MAC + b"\x08\0" + octets_of_packet
        except StopIteration:
            lives.remove(life)


# --- captures, and the comparison -----------------------------------------------------------------


def read_pcap(path):
    content, at, frames = path.read_bytes(), 24, []
    while at < len(content):
        length = struct.unpack("<I", content[at + 8:at + 12])[0]
        frames.append(content[at + 16:at + 16 + length])
        at += 16 + length
    return frames


def write_pcap(path, frames):
    content = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for second, frame in enumerate(frames):
        content += struct.pack("<IIII", second, 0, len(frame), len(frame)) + frame
    path.write_bytes(content)


def judge(replay, folder, what):
    """Plays the scenario and compares; the number of differences."""
    with tempfile.TemporaryDirectory() as output:
        played = subprocess.run([replay, folder, output], capture_output=True, text=True,
                                timeout=60)
        if not (Path(output) / "out.pcap").exists():
            print(f"{what}: the product did not play it\n{played.stdout}{played.stderr}")
            return 1
        actual = read_pcap(Path(output) / "out.pcap")
    director = Director(folder)
    expected = list(filter(None, map(director.carried, read_pcap(folder / "send.pcap"))))
    differences = [n for n, pair in enumerate(zip(expected, actual)) if pair[0] != pair[1]]
    for number in differences[:3]:
        print(f"{what}: frame {number + 1} differs\n  expected {expected[number].hex(' ')}\n"
              f"  actual   {actual[number].hex(' ')}")
    if len(expected) != len(actual):
        print(f"{what}: expected {len(expected)} frames, saw {len(actual)}")
        return len(differences) + 1
    print(f"{what}: {len(expected)} frames, {len(director.sessions)} sessions, "
          f"{len(differences)} differences")
    return len(differences)


def main():
    replay, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    differences = judge(replay, folder, "send.pcap")
    for seed in sys.argv[3:]:
        seed = str(random.randrange(1 << 32)) if seed == "any" else seed
        with tempfile.TemporaryDirectory() as another:
            shutil.copytree(folder, another, dirs_exist_ok=True)
            write_pcap(Path(another) / "send.pcap", list(crowd(folder, seed)))
            differences += judge(replay, Path(another), f"seed {seed}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
