"""What the director says it carried, held against what the web servers' own interfaces saw."""

import collections
import errno
import socket

import packets
from labkit.capture import Capture
from labkit.lab import CLIENT, VIP, WEB, wait_until
from scenario import Scenario

FIELDS = ("in_packets", "in_bytes", "out_packets", "out_bytes", "sessions_opened")


class Counters(Scenario):
    def counts(self):
        return {name: {field: real[field] for field in FIELDS}
                for name, real in self.director.reals().items()}

    def grown(self, before):
        return {name: {field: counts[field] - before[name][field] for field in FIELDS}
                for name, counts in self.counts().items()}

    def test_packets_and_octets_of_each_real_equal_what_its_interface_saw(self):
        before = self.counts()
        service_before = self.service()
        captures = {name: Capture(node, "eth0") for name, node in self.lab.web.items()}
        answered = collections.Counter(self.fetch_many(300))
        seen = {name: traffic_of(capture.stop()) for name, capture in captures.items()}
        grown = self.grown(before)
        for name in WEB:
            self.assertEqual(grown[name], seen[name] | {"sessions_opened": answered[name]})
        service = self.service()
        for field in FIELDS:
            self.assertEqual(service[field] - service_before[field],
                             sum(counts[field] for counts in grown.values()))

    def service(self):
        return self.director.ask("services")["services"][0]

    def test_the_metrics_agree_with_the_listing(self):
        self.fetch_many(50)
        metrics = self.director.metrics()
        for name, counts in self.counts().items():
            for field, count in counts.items():
                line = f'fulcrum_real_{field}_total{{service="web",real="{name}"}}'
                self.assertEqual(metrics.get(line), str(count), line)
        service = self.service()
        for field in FIELDS:
            line = f'fulcrum_service_{field}_total{{service="web"}}'
            self.assertEqual(metrics.get(line), str(service[field]), line)

    def drops(self):
        return {drop["reason"]: drop["packets"] for drop in self.service()["drops"]}

    def test_a_services_drops_are_as_many_as_the_packets_that_its_client_lost(self):
        def connect_with_no_time_to_live():
            with socket.socket() as wire:
                wire.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
                with self.assertRaises(OSError) as failed:  # what our ICMP error makes of it
                    wire.connect((VIP, 80))
                self.assertEqual(failed.exception.errno, errno.EHOSTUNREACH)

        drops_before, before = self.drops(), segments_sent(self.lab.client)
        for _ in range(5):
            self.lab.client.call(connect_with_no_time_to_live)
        lost = segments_sent(self.lab.client) - before
        self.assertGreaterEqual(lost, 5)
        self.assertEqual(self.drops(), drops_before | {"ttl_expired": lost})
        line = 'fulcrum_service_drops_total{service="web",reason="ttl_expired"}'
        # The page is as of a moment ago.
        wait_until(lambda: self.director.metrics().get(line) == str(lost), 5,
                   f"metrics do not come to {lost}")
        table = self.director.ctl("services", "--drops").stdout
        self.assertRegex(table, rf"web +ttl_expired +{lost}  the time to live ran out here")

    def test_health_checks_are_not_counted(self):
        before = self.counts()
        checks = passive_opens(self.lab.web["web1"])
        wait_until(lambda: passive_opens(self.lab.web["web1"]) >= checks + 3, 10, "no checks come")
        self.assertEqual(self.grown(before), {name: dict.fromkeys(FIELDS, 0) for name in WEB})


def segments_sent(node):
    """Those that were sent again are counted by themselves."""
    table = node.run("cat", "/proc/net/snmp").splitlines()
    names, values = (line.split() for line in table if line.startswith("Tcp:"))
    return sum(int(values[names.index(name)]) for name in ("OutSegs", "RetransSegs"))


def passive_opens(node):
    """How many TCP connections the node's kernel has accepted."""
    table = node.run("cat", "/proc/net/snmp").splitlines()
    names, values = (line.split() for line in table if line.startswith("Tcp:"))
    return int(values[names.index("PassiveOpens")])


def traffic_of(frames):
    """The counters of a real, from a capture at its interface."""
    to_real = [packet for packet in packets.incoming(frames) if packet.source == CLIENT]
    from_real = [packet for packet in packets.outgoing(frames) if packet.destination == CLIENT]
    return {"in_packets": len(to_real), "in_bytes": sum(packet.length for packet in to_real),
            "out_packets": len(from_real),
            "out_bytes": sum(packet.length for packet in from_real)}
