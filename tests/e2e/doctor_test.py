"""The doctor names what is wrong in a network of the usual mistakes, and what to do about it."""

import json
import socket

from labkit.director import director_config, web_service
from labkit.lab import VIP, wait_until
from scenario import Scenario


class Doctor(Scenario):
    """NAT to reals whose gateway is another router, so that their answers pass the director by."""

    has_router = True

    @classmethod
    def config(cls):
        lost = web_service(["web1"], name="lost", check={"type": "none"}) | {"port": 81}
        lost["reals"][0]["address"] = "10.2.0.99"  # nobody's
        return director_config([web_service(), lost])

    def findings(self, subject):
        answer = self.director.ctl("doctor", "--json")
        self.status = answer.returncode
        return [finding for finding in json.loads(answer.stdout)["findings"]
                if finding["subject"] == subject]

    def knock(self, count):
        def begin():
            for _ in range(count):
                wire = socket.socket()
                self.addCleanup(wire.close)
                wire.setblocking(False)
                wire.connect_ex((VIP, 80))
        self.lab.client.call(begin)

    def test_answers_that_pass_the_director_by_are_told_with_the_remedy(self):
        self.assertEqual(self.findings("real web/web1"), [])
        self.knock(200)
        wait_until(lambda: self.findings("real web/web1"), 10, "nobody misses the answers")
        finding = self.findings("real web/web1")[0]
        self.assertEqual(finding["verdict"], "bad")
        self.assertIn("none came back", finding["sentence"])
        self.assertIn("gateway", finding["remedy"])
        self.assertEqual(self.status, 1)
        self.assertIn("-> make the director its gateway", self.director.ctl("doctor").stdout)

    def test_a_real_that_nobody_answers_for_is_told(self):
        finding = self.findings("real lost/web1")[0]
        self.assertEqual(finding["verdict"], "bad")
        self.assertIn("MAC address", finding["sentence"])
