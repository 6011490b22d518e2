"""Direct routing: the director changes the MAC addresses and the TTL, and never sees the answer."""

import packets
from labkit.capture import Capture
from labkit.director import director_config, http_check, web_service
from labkit.lab import CLIENT, VIP, WEB
from scenario import Scenario

CLIENT_TTL = 64


class DirectRouting(Scenario):
    has_router = True

    @classmethod
    def config(cls):
        return director_config([web_service(port=80, forward="direct", check=http_check())])

    @classmethod
    def prepare(cls):
        cls.lab.start_web(port=80)
        for name in WEB:
            cls.lab.hold_vip(name)

    def mac(self, node, interface):
        return node.ip("-o", "link", "show", interface).split("link/ether ")[1].split()[0]

    def test_the_frame_to_the_real_differs_in_macs_and_ttl_alone(self):
        captures = {name: Capture(node, "eth0") for name, node in self.lab.web.items()}
        at_client = Capture(self.lab.client, "eth0")
        bodies = self.fetch_many(60)
        sent = {(packet.source_port, packet.sequence, packet.flags, packet.payload)
                for packet in packets.outgoing(at_client.stop())}
        self.assertEqual(set(bodies), set(WEB))
        for name, capture in captures.items():
            received = [packet for packet in packets.incoming(capture.stop())
                        if packet.source == CLIENT]
            self.assertGreater(len(received), 10)
            self.assertEqual({packet.destination_mac for packet in received},
                             {self.mac(self.lab.web[name], "eth0")})
            self.assertEqual({packet.source_mac for packet in received},
                             {self.mac(self.lab.director, "eth1")})
            self.assertEqual({(packet.destination, packet.destination_port, packet.ttl)
                              for packet in received}, {(VIP, 80, CLIENT_TTL - 1)})
            self.assertLessEqual({(packet.source_port, packet.sequence, packet.flags,
                                   packet.payload) for packet in received}, sent)
            self.assertEqual(packets.problems(received), [])

    def test_the_answer_does_not_pass_the_director(self):
        captures = [Capture(self.lab.director, interface) for interface in ("eth0", "eth1")]
        at_client = Capture(self.lab.client, "eth0")
        self.fetch_many(30)
        answers = [packet for packet in packets.incoming(at_client.stop()) if packet.source == VIP]
        self.assertGreater(len(answers), 90)
        seen = [packet for capture in captures for packet in packets.incoming(capture.stop())]
        self.assertGreater(len([packet for packet in seen if packet.source == CLIENT]), 90)
        self.assertEqual([packet for packet in seen if packet.source == VIP], [])

    def test_what_a_real_sent_is_not_available_rather_than_zero(self):
        self.fetch_many(10)
        for real in self.director.reals().values():
            self.assertIsNone(real["out_packets"])
            self.assertIsNone(real["out_bytes"])
            self.assertGreater(real["in_packets"], 0)
        self.assertIn("n/a", self.director.ctl("reals").stdout)

    def test_a_routers_error_about_an_answer_reaches_the_real_that_sent_it(self):
        self.downloads_adapt_to_the_router()
