"""The smallest machine that the director is for: one processor, 500 MB, virtio cards. The client
and the web servers live in it too, so the director has less than that.
"""

import hashlib
import os
from pathlib import Path

import cards
from labkit.director import director_config, web_service
from labkit.lab import WEB
from scenario import Scenario

MEMORY_KB_MAX = 500 * 1024
SESSIONS = 1_000_000  # as without the key


def figures(path):
    """The lines "Name: 12 kB" of a file in /proc."""
    words = [line.split() for line in Path(path).read_text().splitlines()]
    return {line[0].rstrip(":"): int(line[1]) for line in words if line[-1] == "kB"}


class SmallMachine(Scenario):
    @classmethod
    def config(cls):
        config = director_config([web_service()], workers=[0], sessions=SESSIONS)
        return cards.on_cards(config, "card", memory="ordinary")

    @classmethod
    def prepare(cls):
        cards.plug(cls.lab)
        cls.lab.start_web()
        body = os.urandom(3_000_000)
        cls.digest = hashlib.sha256(body).hexdigest()
        for name in WEB:
            (cls.lab.folder / name / "large").write_bytes(body)

    def test_one_processor_and_500_mb_are_enough_to_serve(self):
        self.assertEqual(os.cpu_count(), 1)
        self.assertLess(figures("/proc/meminfo")["MemTotal"], MEMORY_KB_MAX)
        self.assertEqual(set(self.fetch_many(30)), set(WEB))
        fetched = self.lab.folder / "fetched"
        for _ in range(6):
            self.fetch("/files/large", "-o", fetched, "--max-time", "60")
            self.assertEqual(hashlib.sha256(fetched.read_bytes()).hexdigest(), self.digest)

    def test_and_the_program_takes_no_more_than_it_says(self):
        parts = {part["what"]: part["bytes"] / 1024 for part in
                 self.director.ask("status")["memory"]}
        said_kb = sum(parts.values())
        used_kb = figures(f"/proc/{self.director.outer_pid()}/status")["VmHWM"]
        for what, size_kb in (parts | {"sum": said_kb, "used": used_kb}).items():
            print(f"memory: {size_kb / 1024:6.1f} MiB {what}", flush=True)
        self.assertLess(used_kb, said_kb)
        self.assertLess(said_kb, MEMORY_KB_MAX)
