"""Clients of one network are one client: those of a /24, and those of a /64, share a server."""

from ipv6_test import OverIpv6, config6, service6
from labkit.director import web_service
from labkit.lab import CLIENT, CLIENT6, VIP, VIP6

NETWORKS = range(1, 11)
HOSTS = (1, 77, 254)


def address4(network, host):
    return f"10.3.{network}.{host}"


def address6(network, host):
    return f"2001:db8:3:{network:x}::{host:x}"


class Neighbours(OverIpv6):
    @classmethod
    def config(cls):
        affinity = {"timeout": "5m", "prefix": "255.255.255.0", "prefix6": 64}
        return config6([web_service(name="web4", affinity=affinity),
                        service6(name="web", affinity=affinity)])

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab.director.ip("route", "add", "10.3.0.0/16", "via", CLIENT)
        cls.lab.director.ip("-6", "route", "add", "2001:db8:3::/48", "via", CLIENT6)
        for network in NETWORKS:
            for host in HOSTS:
                cls.lab.client.ip("address", "add", f"{address4(network, host)}/32", "dev", "lo")
                cls.lab.client.ip("address", "add", f"{address6(network, host)}/128", "dev", "lo",
                                  "nodad")

    def servers(self, vip, address_of):
        """Per network, who served its hosts."""
        return {network: {self.fetch("/", "-g", "--interface", address_of(network, host),
                                     host=vip).strip() for host in HOSTS}
                for network in NETWORKS}

    def all_share_within_a_network_and_spread_over_networks(self, served):
        self.assertEqual({network: len(names) for network, names in served.items()},
                         dict.fromkeys(NETWORKS, 1))
        self.assertGreater(len(set.union(*served.values())), 1)

    def test_clients_of_a_24_share_a_server(self):
        self.all_share_within_a_network_and_spread_over_networks(self.servers(VIP, address4))

    def test_clients_of_a_64_share_a_server(self):
        self.all_share_within_a_network_and_spread_over_networks(
            self.servers(f"[{VIP6}]", address6))
