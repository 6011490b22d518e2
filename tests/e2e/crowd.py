#!/usr/bin/python3
"""Very many connections of one client that never rest: each sends a word again and again and wants
it back. One that breaks, answers wrongly or keeps silent for too long is counted and left.

Started inside the client's namespace by `Crowd` below; reports a line of JSON for each round of all
connections, the first when all are open, and ends at SIGTERM.
"""

import json
import os
import resource
import select
import signal
import socket
import sys
import time

OPENING_AT_ONCE, SENDING_AT_ONCE = 200, 500
PATIENCE_S = 20  # for a word to come back, in which TCP has sent it again several times
WORD_SIZE = 16


class Wires:
    def __init__(self, host, port, count, patience_s):
        self.address, self.count = (host, int(port)), int(count)
        self.patience_s = float(patience_s)  # until all have had a word back
        self.wires, self.broken = [], 0

    def open(self):
        while len(self.wires) + self.broken < self.count:
            batch = [self.connect() for _ in range(min(
                OPENING_AT_ONCE, self.count - len(self.wires) - self.broken))]
            ready = self.wait(batch, select.POLLOUT, lambda wire: not wire.getsockopt(
                socket.SOL_SOCKET, socket.SO_ERROR))
            self.wires += ready
            self.broken += len(batch) - len(ready)

    def connect(self):
        wire = socket.socket()
        wire.setblocking(False)
        wire.connect_ex(self.address)
        return wire

    def round(self):
        kept = []
        for first in range(0, len(self.wires), SENDING_AT_ONCE):
            batch = self.wires[first:first + SENDING_AT_ONCE]
            word = os.urandom(WORD_SIZE)
            sent = [wire for wire in batch if self.send(wire, word)]
            kept += self.wait(sent, select.POLLIN, lambda wire: wire.recv(100) == word)
        self.broken += len(self.wires) - len(kept)
        self.wires, self.patience_s = kept, PATIENCE_S

    @staticmethod
    def send(wire, word):
        try:
            return wire.send(word) == len(word)
        except OSError:
            return False

    def wait(self, wires, event, is_well):
        """Those that were ready in time, and well."""
        poll, waiting, well = select.poll(), {wire.fileno(): wire for wire in wires}, []
        for number in waiting:
            poll.register(number, event)
        deadline = time.monotonic() + self.patience_s
        while waiting and (left := deadline - time.monotonic()) > 0:
            for number, _ in poll.poll(left * 1000):
                poll.unregister(number)
                wire = waiting.pop(number)
                try:
                    well += [wire] if is_well(wire) else []
                except OSError:
                    pass
        return well


def main(host, port, count, patience_s):
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(count) + 100, int(count) + 100))
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    wires, rounds = Wires(host, port, count, patience_s), 0
    wires.open()
    while True:
        print(json.dumps({"rounds": rounds, "alive": len(wires.wires), "broken": wires.broken}),
              flush=True)
        if not running:
            return
        wires.round()
        rounds += 1


class Crowd:
    """A crowd at work. `latest` is its last report, None before it is complete."""

    def __init__(self, node, host, port, count, folder, patience_s=PATIENCE_S):
        self.path = folder / f"crowd-{time.monotonic_ns()}"
        with self.path.open("wb") as output:
            self.program = node.start(sys.executable, __file__, host, str(port), str(count),
                                      str(patience_s), stdout=output)

    def latest(self):
        lines = self.path.read_text().splitlines()
        return json.loads(lines[-1]) if lines else None

    def finish(self):
        self.program.terminate()
        self.program.wait(60)
        return self.latest()


if __name__ == "__main__":
    main(*sys.argv[1:])
