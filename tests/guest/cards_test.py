"""Network cards that a driver in user space owns, with four queues and four workers: to whose queue
a client's packets come. The same datagrams go by cards that can be told and by cards that cannot.
"""

import socket

import cards
from labkit.director import director_config, web_service
from labkit.lab import VIP, WEB, wait_until
from labkit.load import Load, by_real, failures
from scenario import Scenario, start_server

WORKERS = [0, 1, 2, 3]
SOURCES = [f"10.1.0.{number}" for number in range(100, 164)]
SINK_PORT, DATAGRAMS_EACH = 9, 8


class OnCards(Scenario):
    kind = "card"

    @classmethod
    def config(cls):
        sink = web_service(["web1"], port=SINK_PORT, name="sink", protocol="udp",
                           check={"type": "none"})
        config = director_config([web_service(), sink | {"port": SINK_PORT}], workers=WORKERS)
        return cards.on_cards(config, cls.kind)

    @classmethod
    def prepare(cls):
        cards.plug(cls.lab)
        for source in SOURCES:
            cls.lab.client.ip("address", "add", f"{source}/24", "dev", "eth0")
        cls.lab.start_web()
        # Nothing comes back from there, from which a device could learn whose flow is whose.
        start_server(cls.lab, "web1", "sink", SINK_PORT)

    def count(self, name):
        """A counter's sum over all workers, as of now."""
        metrics = self.director.metrics()
        return sum(int(value) for line, value in metrics.items()
                   if line.startswith(f"fulcrum_{name}_packets_total{{worker="))

    def send_datagrams(self):
        """Each from a port of its own, so that each is a flow; the share that was handed over."""
        before, handed_over = self.sunk(), self.count("handed_over")
        for source in SOURCES:
            for _ in range(DATAGRAMS_EACH):
                wire = self.lab.client.call(
                    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                with wire:
                    wire.bind((source, 0))
                    wire.sendto(b"into the sink", (VIP, SINK_PORT))
        sent = len(SOURCES) * DATAGRAMS_EACH
        wait_until(lambda: self.sunk() - before >= sent, 10, "not every datagram has arrived")
        return (self.count("handed_over") - handed_over) / sent

    def sunk(self):
        return self.director.reals("sink")["web1"]["in_packets"]

    def queue_by(self):
        return {port["name"]: (port["receive_queues"], port["queue_by"])
                for port in self.director.ask("status")["ports"]}


class CardsThatAreTold(OnCards):
    def test_they_say_that_they_choose_by_the_client(self):
        self.assertEqual(self.queue_by(), {"wan": (4, "client"), "lan": (4, "client")})

    def test_no_packet_of_many_clients_is_handed_over(self):
        self.assertEqual(self.send_datagrams(), 0)
        load = Load(self.lab.client, VIP, sources=SOURCES, requests=400, parallel=4)
        records = load.finish(stop=False)
        self.assertEqual(failures(records), [])
        self.assertEqual(set(by_real(records)), set(WEB))
        self.assertEqual(self.count("handed_over"), 0)

    def test_and_every_worker_has_its_share_of_them(self):
        metrics = self.director.metrics()
        received = [int(metrics[f'fulcrum_received_packets_total{{worker="{worker}"}}'])
                    for worker in WORKERS]
        self.assertGreater(min(received), sum(received) / 4 / 3, received)


class CardsThatCannotBeTold(OnCards):
    kind = "plain"

    def test_they_say_so(self):
        self.assertEqual(self.queue_by(), {"wan": (4, "device"), "lan": (4, "device")})

    def test_three_of_four_packets_come_to_another_worker_and_arrive_all_the_same(self):
        share = self.send_datagrams()
        self.assertGreater(share, 0.65)
        self.assertLess(share, 0.85)
