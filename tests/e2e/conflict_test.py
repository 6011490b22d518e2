"""Somebody else answers for the VIP: a real that direct routing has given the address, and that
has not been told to keep it to itself.
"""

import json

from ipv6_test import OverIpv6, config6, service6
from labkit.director import http_check, web_service
from labkit.lab import VIP, VIP6, wait_until

CLAIM_S_MAX = 60


class Conflict(OverIpv6):
    has_router = True

    @classmethod
    def config(cls):
        return config6([web_service(port=80, forward="direct", check=http_check()),
                        service6(port=80, forward="direct", name="web6")])

    @classmethod
    def prepare(cls):
        cls.lab.start_web(port=80)
        for name in ("web1", "web2"):
            cls.lab.hold_vip(name)
        cls.lab.web["web3"].ip("address", "add", f"{VIP}/32", "dev", "lo")

    def claims(self, node, address):
        link = self.lab.web[node].ip("-o", "link", "show", "eth0")
        mac = link.split("link/ether ")[1].split()[0]
        self.answer = self.director.ctl("status", "--json")
        return [problem for problem in json.loads(self.answer.stdout)["problems"]
                if mac in problem and f" {address}," in problem]

    def test_a_real_that_answers_arp_for_the_vip_is_told_with_its_mac_address(self):
        wait_until(lambda: self.claims("web3", VIP), CLAIM_S_MAX, "nobody noticed it")
        self.assertNotEqual(self.answer.returncode, 0)
        self.assertEqual([self.claims(name, VIP) for name in ("web1", "web2")], [[], []])

    def test_and_one_that_advertises_the_vip_over_ipv6(self):
        self.assertEqual(self.claims("web2", VIP6), [])
        self.lab.web["web2"].ip("address", "add", f"{VIP6}/128", "dev", "eth0", "nodad")
        wait_until(lambda: self.claims("web2", VIP6), CLAIM_S_MAX, "nobody noticed it")
