"""What the reals themselves want from elsewhere: their gateway is the director, whose kernel
carries it, by its own routes and rules, between the twins.
"""

import socket

from labkit.director import director_config, web_service
from labkit.lab import CLIENT, WEB, wait_until
from scenario import Scenario

PORT = 7000
DIRECTOR = "10.1.0.2"


class Transit(Scenario):
    @classmethod
    def config(cls):
        return director_config([web_service()])

    @classmethod
    def prepare(cls):
        cls.lab.start_web()
        # Nobody on the client's side knows the reals' network.
        cls.lab.client.ip("route", "delete", "10.2.0.0/16")
        cls.lab.director.sysctl("net/ipv4/ip_forward", 0)
        cls.lab.director.run("nft", "-f", "-", input="""
            table ip outbound {
                chain postrouting {
                    type nat hook postrouting priority srcnat
                    oifname wan ip saddr 10.2.0.0/24 masquerade
                }
            }""")

    def listener(self):
        wire = self.lab.client.call(socket.socket)
        self.addCleanup(wire.close)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wire.bind((CLIENT, PORT))
        wire.listen()
        wire.settimeout(5)
        return wire

    def call(self, timeout_s):
        wire = self.lab.web["web1"].call(socket.socket)
        self.addCleanup(wire.close)
        wire.settimeout(timeout_s)
        wire.connect((CLIENT, PORT))
        return wire

    def test_status_says_when_a_real_calls_out_and_the_kernel_does_not_forward(self):
        self.assertEqual(self.director.ctl("status").returncode, 0)
        with self.assertRaises(TimeoutError):
            self.call(1)
        wait_until(lambda: "net.ipv4.ip_forward=1" in self.director.ctl("status").stdout, 5,
                   "status has no note")
        self.assertEqual(set(self.fetch_many(30)), set(WEB))

    def test_a_real_calls_a_host_on_the_clients_network_by_the_kernels_masquerading(self):
        self.lab.director.sysctl("net/ipv4/ip_forward", 1)
        self.assertEqual(self.director.ctl("status").returncode, 0)
        listener = self.listener()
        calling = self.call(5)
        called, peer = listener.accept()
        self.addCleanup(called.close)
        self.assertEqual(peer[0], DIRECTOR)
        octets = bytes(range(256)) * 512
        calling.sendall(octets)
        arrived = b""
        called.settimeout(5)
        while len(arrived) < len(octets):
            arrived += called.recv(65536)
        self.assertEqual(arrived, octets)
        called.sendall(b"heard")
        self.assertEqual(calling.recv(16), b"heard")

    def test_meanwhile_clients_are_served_by_nat(self):
        self.assertEqual(set(self.fetch_many(30)), set(WEB))
