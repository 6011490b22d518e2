"""Frames of nine thousand octets from end to end: ports and links with a greater MTU."""

import hashlib
import os

from ipv6_test import OverIpv6, config6, service6
from labkit.capture import Capture
from labkit.director import web_service
from labkit.lab import VIP6, WEB, run

MTU = 9000
ETHERNET = 14


class JumboFrames(OverIpv6):
    @classmethod
    def config(cls):
        config = config6([service6(), web_service(name="web4")])
        for port in config["ports"]:
            port["mtu"] = MTU
        return config

    @classmethod
    def prepare(cls):
        for bridge in ("wan", "lan"):
            run("ip", "link", "set", f"br-{bridge}", "mtu", str(MTU))
        for plug in cls.lab.plugs:
            run("ip", "link", "set", plug, "mtu", str(MTU))
        for node in (cls.lab.client, *cls.lab.web.values()):
            node.ip("link", "set", "eth0", "mtu", str(MTU))
        super().prepare()
        body = os.urandom(3_000_000)
        cls.digest = hashlib.sha256(body).hexdigest()
        for name in WEB:
            (cls.lab.folder / name / "large").write_bytes(body)

    def download(self, **host):
        """A large body; the longest frame that the client got of it."""
        capture = Capture(self.lab.client, "eth0")
        fetched = self.lab.folder / "fetched"
        self.fetch("/files/large", "-g", "-o", fetched, **host)
        frames = [frame for frame in capture.stop() if frame.is_incoming]
        self.assertEqual(hashlib.sha256(fetched.read_bytes()).hexdigest(), self.digest)
        return max(frame.length for frame in frames)

    def test_the_ports_and_their_twins_have_the_mtu_that_the_file_says(self):
        for interface in ("eth0", "eth1", "wan", "lan"):
            self.assertIn(f"mtu {MTU}", self.lab.director.ip("link", "show", interface))

    def test_a_large_body_travels_in_frames_of_9000_octets(self):
        self.assertEqual(self.download(), MTU + ETHERNET)

    def test_so_does_one_over_ipv6(self):
        self.assertEqual(self.download(host=f"[{VIP6}]"), MTU + ETHERNET)

    def test_the_kernel_answers_echoes_that_fill_such_a_frame(self):
        self.lab.client.run("ping", "-c", "1", "-W", "5", "-M", "do", "-s", str(MTU - 28),
                            "10.1.0.2")
