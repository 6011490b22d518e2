#!/usr/bin/python3
"""What one CPU carries by NAT to 6 reals and to 60: throughput.py FLOWS_PCAP WORKER_REPLAY

The whole worker with its driver replays 10,000 established flows for a second each. Every packet
has to leave, and every real has to get some. The rate is printed in packets and in bits a second,
beside what a 10G port carries of such frames; how high it is judges nothing here, where other
programs run at the same time (bench/README.md has the figures of a calm machine).
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

FLOWS = 10_000
WIRE_BITS = (64 + 20) * 8  # of the smallest frame, with its preamble and the gap behind it
LINE_RATE_MPPS = 10_000 / WIRE_BITS


def replay(worker_replay, capture, reals):
    done = subprocess.run([worker_replay, capture, "nat", "established", str(FLOWS + 8_192), "1",
                           "1", str(FLOWS), "--reals", str(reals), "--ordinary-memory"],
                          capture_output=True, text=True, timeout=60)
    words = dict(re.findall(r"(\w+) ([\d.]+)", done.stdout))
    if done.returncode != 0 or "mpps" not in words:
        sys.exit(f"worker_replay: {done.stdout}{done.stderr}")
    return float(words["mpps"]), int(words["reals"]), int(words["dropped"])


def main():
    flows_pcap, worker_replay = sys.argv[1:3]
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "flows.pcap"
        subprocess.run([sys.executable, flows_pcap, capture, str(FLOWS)], check=True)
        for reals in (6, 60):
            rate, served, dropped = replay(worker_replay, capture, reals)
            print(f"{reals} reals: {rate:.2f} M packets a second of {LINE_RATE_MPPS:.2f}, "
                  f"{rate * WIRE_BITS / 1000:.2f} Gbit/s of 10.00, on one CPU")
            if served != reals:
                faults.append(f"{served} of {reals} reals got packets")
            if dropped:
                faults.append(f"{dropped} packets to {reals} reals were dropped")
    sys.exit("\n".join(faults) or 0)


if __name__ == "__main__":
    main()
