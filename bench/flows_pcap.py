#!/usr/bin/python3
"""Writes a pcap of N flows in random order, one 60-octet TCP frame each, for replay.

    flows_pcap.py FILE FLOWS [--syn] [--replies] [--services N] [--seed S]

Clients are 10.64.0.0/10 addresses with random ports, the destination is the VIP of
bench/replay_scene.h, or with --services one of so many VIPs from there on. With --replies, of every
two flows one is seen in its reply, coming from one of the scene's NAT reals. Without Scapy, which
would take minutes for a million frames.
"""
import argparse
import random
import struct

VIP = 0x0A010050  # 10.1.0.80
FIRST_REAL, REAL_COUNT = 0x0A021001, 100  # 10.2.16.1
SYN, ACK = 0x02, 0x10


def ones_complement(words: bytes) -> int:
    total = sum(struct.unpack(f">{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(source: tuple[int, int], destination: tuple[int, int], flags: int) -> bytes:
    addresses = struct.pack(">II", source[0], destination[0])
    head = struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0x4000, 64, 6, 0)
    ip = head[:10] + struct.pack(">H", ones_complement(head + addresses)) + addresses
    tcp = struct.pack(">HHIIBBHHH", source[1], destination[1], 1, 1 if flags & ACK else 0, 0x50,
                      flags, 8192, 0, 0)
    pseudo = addresses + struct.pack(">BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack(">H", ones_complement(pseudo + tcp)) + tcp[18:]
    ethernet = bytes.fromhex("020000000001" "020000000101" "0800")
    return (ethernet + ip + tcp).ljust(60, b"\0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("flows", type=int)
    parser.add_argument("--syn", action="store_true")
    parser.add_argument("--replies", action="store_true")
    parser.add_argument("--services", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    flags = SYN if arguments.syn else ACK
    seen = set()
    with open(arguments.file, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        while len(seen) < arguments.flows:
            client = (0x0A400000 | chance.getrandbits(22), chance.randrange(1024, 65536))
            if client in seen:
                continue
            seen.add(client)
            if arguments.replies and chance.getrandbits(1):
                real = (FIRST_REAL + chance.randrange(REAL_COUNT), 8080)
                octets = frame(real, client, flags)
            else:
                vip = (VIP + chance.randrange(arguments.services), 80)
                octets = frame(client, vip, flags)
            out.write(struct.pack("<IIII", 0, 0, len(octets), len(octets)) + octets)


if __name__ == "__main__":
    main()
