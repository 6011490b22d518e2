"""Clients in the reals' own network, and reals as clients of their own VIP. What such a client gets
from a real would reach it past the director; so the director presents it under a local address.
"""

import packets
from ipv6_test import OverIpv6, config6, service6
from labkit.capture import Capture
from labkit.director import web_service
from labkit.lab import CLIENT, CLIENT6, VIP, VIP6, WEB, WEB6, WEB_PORT

LOCAL, LOCAL6 = "10.2.0.100", "2001:db8:2::100"


class Hairpin(OverIpv6):
    @classmethod
    def config(cls):
        config = config6([web_service(), service6(name="web6")])
        config["ports"][1]["local_addresses"] = [LOCAL, LOCAL6]
        return config

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.director.wait_all_up(service="web6")

    def fetch_from(self, name, host, count=30):
        """Which reals answered the real `name`, and as whom they saw it."""
        node = self.lab.web[name]
        urls = [f"http://{host}/?{number}" for number in range(count)]
        bodies = node.run("curl", "-sSgZ", "--max-time", "20", "-H", "Connection: close", *urls)
        where = node.run("curl", "-sSg", "--max-time", "5", f"http://{host}/where")
        return set(bodies.split()), where.split()[1]

    def test_each_real_reaches_all_reals_itself_included_by_the_vip(self):
        for name in WEB:
            self.assertEqual(self.fetch_from(name, VIP), (set(WEB), LOCAL))

    def test_over_ipv6_too(self):
        for name in WEB:
            self.assertEqual(self.fetch_from(name, f"[{VIP6}]"), (set(WEB), LOCAL6))

    def test_clients_from_elsewhere_are_seen_as_they_are(self):
        self.assertEqual(self.fetch("/where").split()[1], CLIENT)
        self.assertEqual(self.fetch6("/where").split()[1], CLIENT6)

    def test_a_real_that_meets_itself_sees_true_checksums(self):
        node = self.lab.web["web2"]
        at_real = Capture(node, "eth0")
        self.fetch_from("web2", VIP)
        received = [packet for packet in packets.incoming(at_real.stop())
                    if packet.protocol == packets.TCP and packet.source in (VIP, LOCAL)]
        self.assertEqual({packet.source for packet in received}, {VIP, LOCAL})
        self.assertEqual(packets.problems(received), [])

    def test_sessions_say_which_of_them_are_presented_under_a_local_address(self):
        self.fetch_from("web1", VIP)
        self.fetch()
        for client, locals_wanted in ((WEB["web1"], {LOCAL}), (CLIENT, {None})):
            sessions = self.director.ask("sessions", "--client", client)["sessions"]
            self.assertGreater(len(sessions), 0)
            self.assertEqual({session["local"] and session["local"].split(":")[0]
                              for session in sessions}, locals_wanted)
