#!/usr/bin/python3
"""Makes every golden capture anew and compares it with the one that is kept: a scenario whose
make.py says something else than its files is a scenario that nobody can read."""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent


def differences(maker):
    with tempfile.TemporaryDirectory() as output:
        made = subprocess.run(["/usr/bin/python3", maker], capture_output=True, text=True,
                              env={**os.environ, "GOLDEN_OUTPUT": output}, timeout=60)
        if made.returncode != 0:
            return [f"{maker.parent.name}/make.py: {made.stderr}"]
        fresh = {path.name: path.read_bytes() for path in Path(output).iterdir()}
    kept = {path.name: path.read_bytes() for pattern in ("*.pcap", "expect.txt")
            for path in maker.parent.glob(pattern)}
    return [f"{maker.parent.name}/{name}: differs from what make.py makes"
            for name in sorted(fresh.keys() | kept.keys()) if fresh.get(name) != kept.get(name)]


def main():
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = sum(pool.map(differences, sorted(HERE.glob("*/make.py"))), [])
    print("\n".join(found) or "every capture is what its make.py makes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
