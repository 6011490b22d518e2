"""Clients of one network are one client: those of a /24, and those of a /64, share a server. And
whatever a client asks of the listeners that a mark brings together, one server hears it.
"""

import socket

from ipv6_test import OverIpv6, config6, service6
from labkit.director import director_config, http_check, web_service
from labkit.lab import CLIENT, CLIENT6, VIP, VIP6, WEB, WEB_PORT
from scenario import Scenario, start_server

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


class Marked(Scenario):
    """Ports 80 and 443 of TCP and 53 of UDP are one service to a firewall mark. Its reals are taken
    in turn, so that without affinity no two sessions of a client would meet."""

    @classmethod
    def config(cls):
        reals = [{"name": name, "address": address} for name, address in WEB.items()]
        marked = {"name": "web", "mark": 7, "scheduler": "rr", "affinity": {"timeout": "5m"},
                  "check": http_check(port=WEB_PORT), "reals": reals}
        rules = [{"mark": 7, "vip": VIP, "protocol": protocol, "port": port}
                 for protocol, port in (("tcp", 80), ("tcp", 443), ("udp", 53))]
        return {**director_config([marked]), "marks": rules}

    @classmethod
    def prepare(cls):
        super().prepare()
        for name in cls.lab.web:
            for port in (80, 443):
                start_server(cls.lab, name, "answer", port, name)
            start_server(cls.lab, name, "echo", 53, name)

    def datagram(self, address):
        with self.lab.client.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as wire:
            wire.settimeout(5)
            wire.bind((address, 0))
            wire.sendto(b"?", (VIP, 53))
            return wire.recv(100).split()[0].decode()

    def servers(self, address):
        """Who serves this client at each of the ports, asked for twice."""
        return {server for _ in range(2) for server in (
            self.fetch("/", "--interface", address),
            self.fetch("/", "--interface", address, host=f"{VIP}:443"),
            self.datagram(address))}

    def test_a_client_has_one_server_at_all_ports_and_protocols_of_a_mark(self):
        clients = [f"10.1.0.{host}" for host in range(100, 106)]
        for client in clients:
            self.lab.client.ip("address", "add", f"{client}/32", "dev", "eth0")
        served = {client: self.servers(client) for client in clients}
        self.assertEqual({client: len(servers) for client, servers in served.items()},
                         dict.fromkeys(clients, 1))
        self.assertEqual(set.union(*served.values()), set(WEB))
