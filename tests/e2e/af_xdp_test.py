"""The same director on AF_XDP ports. A veth interface has one channel to offer: one worker."""

import packets
from labkit.capture import Capture
from labkit.director import director_config, web_service
from labkit.lab import WEB
from scenario import Scenario
from tunnel_test import may_load_programs


class AfXdp(Scenario):
    @classmethod
    def config(cls):
        config = director_config([web_service()])
        if may_load_programs():
            for port in config["ports"]:
                port["device"] = port["device"].replace("af_packet", "af_xdp")
        return config

    def setUp(self):
        if not may_load_programs():
            self.skipTest("only the machine's root may load AF_XDP's program")

    def test_every_real_serves_and_every_checksum_is_right(self):
        at_client = Capture(self.lab.client, "eth0")
        self.assertEqual(set(self.fetch_many(100)), set(WEB))
        received = packets.incoming(at_client.stop())
        self.assertGreater(len(received), 300)
        self.assertEqual(packets.problems(received), [])

    def test_a_large_answer_arrives_octet_for_octet(self):
        content = bytes(range(256)) * 8192
        for name in WEB:
            (self.lab.folder / name / "large").write_bytes(content)
        target = self.lab.folder / "fetched"
        self.fetch("/files/large", "-o", target)
        self.assertEqual(target.read_bytes(), content)
