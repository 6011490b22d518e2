#!/usr/bin/python3
"""HTTP load, and a line of JSON about every single request: when it began and ended, which real
answered (X-Real), and what went wrong if anything did. `--keep-alive` sends all requests of a
connection one after the other; without it each request opens a connection of its own.

Started inside the client's namespace by `Load` below; ends after `--requests`, after `--seconds`,
or at SIGTERM, when every request that has begun has had its end.
"""

import argparse
import asyncio
import collections
import itertools
import json
import signal
import sys
import time

from dataclasses import dataclass

REQUEST_TIMEOUT_S = 5
READY = "ready"  # the first line: from here on a SIGTERM is a wish to end, with a report


@dataclass
class Options:
    host: str
    port: int
    path: str
    parallel: int
    requests: int
    seconds: float
    pause: float
    keep_alive: bool
    sources: list


class Generator:
    def __init__(self, options):
        self.options = options
        self.left = options.requests or sys.maxsize
        self.deadline = time.monotonic() + (options.seconds or 1e9)
        self.stopped = False
        self.sources = itertools.cycle(options.sources or [None])

    async def run(self):
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: setattr(self, "stopped", True))
        print(READY, flush=True)
        await asyncio.gather(*(self.stream() for _ in range(self.options.parallel)))

    def has_more(self):
        if self.stopped or self.left <= 0 or time.monotonic() > self.deadline:
            return False
        self.left -= 1
        return True

    async def stream(self):
        """One request after the other, as one of many clients would send them."""
        connection = None
        while self.has_more():
            record = {"start": time.monotonic(), "real": None, "error": None}
            try:
                async with asyncio.timeout(REQUEST_TIMEOUT_S):
                    if connection is None:
                        connection = await self.connect()
                    record["real"] = await self.exchange(*connection)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                record["error"] = f"{type(error).__name__} {error}".strip()
            record["end"] = time.monotonic()
            print(json.dumps(record), flush=True)
            if connection and (record["error"] or not self.options.keep_alive):
                connection[1].close()
                connection = None
            await asyncio.sleep(self.options.pause)
        if connection:
            connection[1].close()

    async def connect(self):
        source = next(self.sources)
        return await asyncio.open_connection(self.options.host, self.options.port,
                                             local_addr=(source, 0) if source else None)

    async def exchange(self, reader, writer):
        ending = "keep-alive" if self.options.keep_alive else "close"
        writer.write(f"GET {self.options.path} HTTP/1.1\r\nHost: {self.options.host}\r\n"
                     f"Connection: {ending}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = head[0].split(" ", 2)[1]
        fields = {name.lower(): value.strip() for name, _, value in
                  (line.partition(":") for line in head[1:] if line)}
        await reader.readexactly(int(fields["content-length"]))
        if status != "200":
            raise ValueError(f"status {status}")
        return fields.get("x-real")


class Load:
    """A generator at work in a node. `finish` gives its records; they share time.monotonic()."""

    def __init__(self, node, host, *, port=80, path="/", parallel=8, requests=0, seconds=0, pause=0,
                 keep_alive=False, sources=(), folder="/run"):
        self.path = f"{folder}/load-{time.monotonic_ns()}.jsonl"
        command = [sys.executable, __file__, host, str(port), path, "--parallel", str(parallel),
                   "--requests", str(requests), "--seconds", str(seconds), "--pause", str(pause),
                   "--sources", *sources]
        with open(self.path, "wb") as output:
            self.program = node.start(*command, *(["--keep-alive"] if keep_alive else []),
                                      stdout=output)
        while not self._lines():
            if self.program.poll() is not None:
                raise RuntimeError("the load generator did not start")
            time.sleep(0.01)

    def _lines(self):
        with open(self.path) as lines:
            return [line for line in lines if line.endswith("\n")]

    def records(self):
        """What is known so far."""
        return [json.loads(line) for line in self._lines()[1:]]

    def finish(self, stop=True, seconds=120):
        if stop and self.program.poll() is None:
            self.program.terminate()
        if self.program.wait(seconds) != 0:
            raise RuntimeError(f"the load generator ended with {self.program.returncode}")
        return self.records()


def by_real(records):
    """How many requests each real answered, by its name."""
    return collections.Counter(record["real"] for record in records if not record["error"])


def failures(records, since=0.0):
    """The failed requests that began at or after `since`."""
    return [record for record in records if record["error"] and record["start"] >= since]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--pause", type=float, default=0)
    parser.add_argument("--keep-alive", action="store_true")
    parser.add_argument("--sources", nargs="*", help="addresses of the client, used in turn")
    asyncio.run(Generator(Options(**vars(parser.parse_args()))).run())


if __name__ == "__main__":
    main()
