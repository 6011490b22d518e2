#!/usr/bin/python3
"""The golden captures as seeds: packet_seeds.py PARSE_FOLDER BURST_FOLDER

For the parser each frame is a file, with an octet behind it that says where a second segment begins
(255: nowhere). For the burst each capture is a file of records: length, repairs (see
burst_fuzz.cpp), frame.
"""

import struct
import sys
from pathlib import Path

PACKETS = Path(__file__).resolve().parent.parent / "packets"
REPAIRED, BY_LAN, FROM_REAL, IPV6 = 7, 8, 16, 128
REALS, REALS6 = bytes([10, 1, 2]), bytes.fromhex("20010db8000100000002")


def frames_of(path):
    content, at = path.read_bytes(), 24
    while at < len(content):
        length = struct.unpack("<I", content[at + 8:at + 12])[0]
        yield content[at + 16:at + 16 + length]
        at += 16 + length


def record(frame):
    is_ipv6 = frame[12:14] == b"\x86\xdd"
    from_real = frame[22:32] == REALS6 if is_ipv6 else frame[26:29] == REALS
    repairs = REPAIRED | (BY_LAN | FROM_REAL if from_real else 0) | (IPV6 if is_ipv6 else 0)
    frame = frame[:255]
    return bytes([len(frame), repairs]) + frame


def main():
    parse, burst = map(Path, sys.argv[1:3])
    for folder in (parse, burst):
        folder.mkdir(parents=True, exist_ok=True)
    for capture in sorted(PACKETS.glob("*/send*.pcap")):
        name = f"{capture.parent.name}-{capture.stem}"
        frames = list(frames_of(capture))[:60]
        for number, frame in enumerate(frames):
            (parse / f"{name}-{number}").write_bytes(frame + b"\xff")
        (burst / name).write_bytes(b"".join(map(record, frames)))


if __name__ == "__main__":
    main()
