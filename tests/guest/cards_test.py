"""Network cards that a driver in user space owns, with four queues and four workers: to whose queue
a client's packets come. The same datagrams go by cards that can be told and by cards that cannot.
"""

import socket

import cards
from ipv6_test import config6, service6
from labkit.director import director_config, web_service
from labkit.lab import CLIENT6, VIP, VIP6, WEB, wait_until
from labkit.load import Load, by_real, failures
from scenario import Scenario, start_server

WORKERS = [0, 1, 2, 3]
CLIENTS = range(100, 164)
SINK = {"port": 9, "name": "sink", "protocol": "udp", "check": {"type": "none"}}
DATAGRAMS_EACH = 8


class OnCards(Scenario):
    kind, vip, any_address = "card", VIP, "0.0.0.0"
    sources = [f"10.1.0.{number}" for number in CLIENTS]

    @classmethod
    def config(cls):
        sink = web_service(["web1"], **SINK) | {"port": SINK["port"]}
        config = director_config([web_service(), sink], workers=WORKERS)
        return cards.on_cards(config, cls.kind)

    @classmethod
    def prepare(cls):
        cards.plug(cls.lab)
        cls.add_sources()
        cls.lab.start_web()
        # Nothing comes back from there, from which a device could learn whose flow is whose.
        start_server(cls.lab, "web1", "sink", SINK["port"], cls.any_address)

    @classmethod
    def add_sources(cls):
        cls.lab.client.run("ip", "-batch", "-", input="".join(
            f"address add {source}/24 dev eth0\n" for source in cls.sources))

    def count(self, name):
        """A counter's sum over all workers, as of now."""
        metrics = self.director.metrics()
        return sum(int(value) for line, value in metrics.items()
                   if line.startswith(f"fulcrum_{name}_packets_total{{worker="))

    def datagram_from(self, source):
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as wire:
            wire.bind((source, 0))
            wire.sendto(b"into the sink", (self.vip, SINK["port"]))

    def send_datagrams(self):
        """Each from a port of its own, so that each is a flow; the share that was handed over."""
        before, handed_over = self.sunk(), self.count("handed_over")
        for source in self.sources:
            for _ in range(DATAGRAMS_EACH):
                self.lab.client.call(lambda: self.datagram_from(source))
        sent = len(self.sources) * DATAGRAMS_EACH
        wait_until(lambda: self.sunk() - before >= sent, 10, "not every datagram has arrived")
        return (self.count("handed_over") - handed_over) / sent

    def sunk(self):
        return self.director.reals("sink")["web1"]["in_packets"]

    def queue_by(self):
        return {port["name"]: (port["receive_queues"], port["queue_by"])
                for port in self.director.ask("status")["ports"]}

    def nothing_of_many_clients_is_handed_over(self):
        self.assertEqual(self.send_datagrams(), 0)
        load = Load(self.lab.client, self.vip, sources=self.sources, requests=200, parallel=4)
        records = load.finish(stop=False)
        self.assertEqual(failures(records), [])
        self.assertEqual(set(by_real(records)), set(WEB))
        self.assertEqual(self.count("handed_over"), 0)

    def every_worker_has_its_share(self):
        metrics = self.director.metrics()
        received = [int(metrics[f'fulcrum_received_packets_total{{worker="{worker}"}}'])
                    for worker in WORKERS]
        self.assertGreater(min(received), sum(received) / 4 / 3, received)


class CardsThatAreTold(OnCards):
    def test_they_say_that_they_choose_by_the_client(self):
        self.assertEqual(self.queue_by(), {"wan": (4, "client"), "lan": (4, "client")})

    def test_no_packet_of_many_clients_is_handed_over(self):
        self.nothing_of_many_clients_is_handed_over()

    def test_and_every_worker_has_its_share_of_them(self):
        self.every_worker_has_its_share()


class CardsThatAreToldOfIpv6(OnCards):
    """Clients of as many networks, because all of a /64 are one worker's."""
    has_ipv6 = True
    vip, any_address = VIP6, "::"
    sources = [f"2001:db8:3:{number:x}::1" for number in CLIENTS]

    @classmethod
    def config(cls):
        sink = service6(**SINK)
        sink |= {"port": SINK["port"], "reals": sink["reals"][:1]}
        config = config6([service6(), sink])
        config["director"]["workers"] = WORKERS
        return cards.on_cards(config, cls.kind)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab.director.ip("-6", "route", "add", "2001:db8:3::/48", "via", CLIENT6)

    @classmethod
    def add_sources(cls):
        cls.lab.client.run("ip", "-batch", "-", input="".join(
            f"address add {source}/128 dev lo nodad\n" for source in cls.sources))

    def test_no_packet_of_many_clients_is_handed_over(self):
        self.nothing_of_many_clients_is_handed_over()

    def test_and_every_worker_has_its_share_of_them(self):
        self.every_worker_has_its_share()


class CardsThatCannotBeTold(OnCards):
    kind = "plain"

    def test_they_say_so(self):
        self.assertEqual(self.queue_by(), {"wan": (4, "device"), "lan": (4, "device")})

    def test_three_of_four_packets_come_to_another_worker_and_arrive_all_the_same(self):
        share = self.send_datagrams()
        self.assertGreater(share, 0.65)
        self.assertLess(share, 0.85)
