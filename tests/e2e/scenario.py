"""What end-to-end tests have in common: a laboratory, web servers, and a running director.

A scenario is a class; its tests are methods that begin with `test_`, each a sentence. The tests of
a class share the laboratory and run in the order in which they are written.
"""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from labkit import director as directors  # noqa: E402
from labkit.lab import CLIENT, Lab, wait_until  # noqa: E402


class Scenario(unittest.TestCase):
    has_router = False
    begins_unknown = False  # nothing is remembered of reals, so their first verdicts are news
    has_ipv6 = False
    maxDiff = 2000

    @classmethod
    def config(cls):
        return directors.director_config([directors.web_service()])

    @classmethod
    def prepare(cls):
        """What has to stand before the director starts."""
        cls.lab.start_web()

    @classmethod
    def setUpClass(cls):
        cls.director = None
        if cls.begins_unknown:
            Path("/run/fulcrum/health").unlink(missing_ok=True)
        cls.lab = Lab(router=cls.has_router, ipv6=cls.has_ipv6)
        cls.prepare()
        cls.director = directors.Director(cls.lab, cls.config())
        cls.director.start()
        cls.director.wait_all_up()

    @classmethod
    def tearDownClass(cls):
        if cls.director and cls.director.program:
            cls.director.stop()
        cls.lab.close()

    def fetch(self, path="/", *options, host=directors.VIP):
        """The body that curl gets through the director."""
        return self.lab.client.run("curl", "-sS", "--max-time", "5", *options,
                                   f"http://{host}{path}")

    def downloads_adapt_to_the_router(self):
        """A router between the reals and the client carries less than they send, and says so to the
        VIP: the director has to find the real that it concerns, whose kernel then sends less."""
        router, content = self.lab.nodes["router"], bytes(range(250)) * 1000
        router.sysctl("net/ipv4/icmp_ratelimit", 0)
        for name in self.lab.web:
            (self.lab.folder / name / "large").write_bytes(content)
        router.ip("link", "set", "eth0", "mtu", "1300")
        target, met = self.lab.folder / "fetched", set()
        try:
            for _ in range(30):
                met.add(self.fetch("/files/large", "-o", target, "-w", "%header{X-Real}"))
                self.assertEqual(target.read_bytes(), content)
        finally:
            router.ip("link", "set", "eth0", "mtu", "1500")
        self.assertEqual(met, set(self.lab.web))
        for node in self.lab.web.values():
            self.assertIn("mtu 1300", node.ip("route", "get", CLIENT))

    def fetch_many(self, count, *options, host=directors.VIP):
        """Which real answered each of `count` requests, every one on a connection of its own."""
        bodies = self.lab.client.run("curl", "-sSZ", "--parallel-max", "8", "--max-time", "20",
                                     "-H", "Connection: close", *options,
                                     f"http://{host}/[1-{count}]")
        return bodies.split()


def start_server(lab, name, kind, port, *words):
    """Starts one of servers.py on a web server's node, and waits until it listens."""
    node = lab.web[name]
    script = Path(__file__).resolve().parent / "servers.py"
    program = node.start(sys.executable, script, kind, str(port), *map(str, words))
    protocol = "u" if kind in ("echo", "sink") else "t"
    wait_until(lambda: node.run("ss", f"-Hl{protocol}n", f"sport = :{port}"), 10,
               f"{kind} server on {name} does not listen")
    return program
