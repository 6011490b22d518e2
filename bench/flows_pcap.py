#!/usr/bin/python3
"""Writes a pcap of N flows in random order, one 60-octet TCP frame each, for replay.

    flows_pcap.py FILE FLOWS [--syn] [--seed S]

Clients are 10.64.0.0/10 addresses with random ports, the destination is the VIP of
bench/replay_scene.h. Without Scapy, which would take minutes for a million frames.
"""
import argparse
import random
import struct


def ones_complement(words: bytes) -> int:
    total = sum(struct.unpack(f">{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(client: int, port: int, flags: int) -> bytes:
    vip = bytes([10, 1, 0, 80])
    source = struct.pack(">I", client)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0x4000, 64, 6, 0)
    checksum = ones_complement(head + source + vip)
    ip = head[:10] + struct.pack(">H", checksum) + source + vip
    tcp = struct.pack(">HHIIBBHHH", port, 80, 1, 1 if flags & 0x10 else 0, 0x50, flags, 8192, 0, 0)
    pseudo = source + vip + struct.pack(">BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack(">H", ones_complement(pseudo + tcp)) + tcp[18:]
    ethernet = bytes.fromhex("020000000001" "020000000101" "0800")
    return (ethernet + ip + tcp).ljust(60, b"\0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("flows", type=int)
    parser.add_argument("--syn", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    flags = 0x02 if arguments.syn else 0x10
    seen = set()
    with open(arguments.file, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        while len(seen) < arguments.flows:
            client = (0x0A400000 | chance.getrandbits(22), chance.randrange(1024, 65536))
            if client in seen:
                continue
            seen.add(client)
            data = frame(client[0], client[1], flags)
            out.write(struct.pack("<IIII", 0, 0, len(data), len(data)) + data)


if __name__ == "__main__":
    main()
