#!/usr/bin/python3
"""Every frame that an interface of the lab sent and received, with what tcpdump does not tell: its
direction, and whether its checksums are complete or left to an offload. A ring shared with the
kernel (PACKET_RX_RING) so that nothing is missed unseen: a loss is counted and is an error.
"""

import mmap
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass

FRAME_SIZE = 2048
FRAME_COUNT = 32768
SOL_PACKET = 263
PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION, TPACKET_V2 = 5, 6, 10, 1
STATUS_USER, STATUS_CHECKSUM_NOT_READY = 1, 8
PACKET_OUTGOING = 4
RECORD = struct.Struct("!QBIH")  # time ns, flags, length on the wire, octets kept


@dataclass
class Frame:
    time_s: float
    is_incoming: bool
    is_checksum_complete: bool
    length: int
    octets: bytes


def capture(interface):
    """Runs until SIGTERM, then writes the records to standard output."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    wire.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
    block_size = 64 * FRAME_SIZE
    wire.setsockopt(SOL_PACKET, PACKET_RX_RING,
                    struct.pack("IIII", block_size, FRAME_COUNT // 64, FRAME_SIZE, FRAME_COUNT))
    ring = mmap.mmap(wire.fileno(), FRAME_SIZE * FRAME_COUNT)
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    wire.bind((interface, 3))  # ETH_P_ALL
    sys.stderr.write("ready\n")
    sys.stderr.flush()
    records, slot = [], 0
    while True:
        record = take(ring, slot * FRAME_SIZE)
        if record:
            records.append(record)
            slot = (slot + 1) % FRAME_COUNT
        elif running:
            time.sleep(0.002)
        else:
            break
    lost = struct.unpack("II", wire.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
    sys.stdout.buffer.write(b"".join(records))
    return f"{lost} frames were lost" if lost else 0


def take(ring, base):
    """The record of the frame in this slot, and the slot back to the kernel; None while empty."""
    status, length, kept, mac_offset = struct.unpack_from("IIIH", ring, base)
    if not status & STATUS_USER:
        return None
    seconds, nanoseconds = struct.unpack_from("II", ring, base + 16)
    is_outgoing = ring[base + 32 + 10] == PACKET_OUTGOING
    flags = is_outgoing | bool(status & STATUS_CHECKSUM_NOT_READY) << 1
    octets = ring[base + mac_offset:base + mac_offset + kept]
    struct.pack_into("I", ring, base, 0)
    return RECORD.pack(seconds * 1_000_000_000 + nanoseconds, flags, length, kept) + octets


class Capture:
    """A capture at work on an interface of a node. `stop` gives its frames."""

    def __init__(self, node, interface, folder="/run"):
        self.path = f"{folder}/capture-{time.monotonic_ns()}"
        with open(self.path, "wb") as output, open(self.path + ".err", "wb") as errors:
            self.program = node.start(sys.executable, __file__, interface, stdout=output,
                                      stderr=errors)
        while not self._said():
            if self.program.poll() is not None:
                raise RuntimeError(f"capture on {interface} of {node.name} did not start")
            time.sleep(0.01)

    def _said(self):
        with open(self.path + ".err") as errors:
            return errors.read()

    def stop(self):
        time.sleep(0.05)  # what is still on its way through the lab's bridges
        self.program.terminate()
        if self.program.wait(20) != 0:
            raise RuntimeError(f"capture: {self._said()}")
        with open(self.path, "rb") as records:
            return list(frames(records.read()))


def frames(image):
    offset = 0
    while offset < len(image):
        time_ns, flags, length, kept = RECORD.unpack_from(image, offset)
        offset += RECORD.size
        yield Frame(time_ns / 1e9, not flags & 1, not flags & 2, length,
                    image[offset:offset + kept])
        offset += kept


if __name__ == "__main__":
    sys.exit(capture(sys.argv[1]))
