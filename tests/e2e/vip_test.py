"""What a VIP says where nobody serves: at ports that no service has, for services without reals.
The client is the kernel's stack, and what it makes of the answers is what a program would see.
"""

import socket

from ipv6_test import OverIpv6, config6, service6
from labkit.director import http_check, web_service
from labkit.lab import CLIENT, VIP, VIP6, wait_until

QUIET_VIP, QUIET_VIP6, KERNELS_VIP = "10.1.0.81", "2001:db8:1::81", "10.1.0.82"
CLOSED_PORT, DEAD_PORT, LOST_PORT = 7, 8077, 88
WAIT_S = 1


class ClosedPorts(OverIpv6):
    @classmethod
    def config(cls):
        dead = {"check": http_check(port=DEAD_PORT), "no_real": "unreachable"}
        lost = {"port": LOST_PORT,
                "listen": [{"port": LOST_PORT, "protocol": "udp"}]}
        config = config6([
            web_service(), service6(name="web6"),
            web_service(name="lost", **dead) | lost,
            service6(name="lost6", **dead) | lost,
            web_service(name="quiet", vip=QUIET_VIP), service6(name="quiet6", vip=QUIET_VIP6),
            web_service(name="kernels", vip=KERNELS_VIP),
        ])
        config["vips"] = [{"address": VIP, "other": "reset"}, {"address": VIP6, "other": "reset"},
                          {"address": QUIET_VIP, "other": "drop"},
                          {"address": QUIET_VIP6, "other": "drop"}]
        return config

    def connect(self, address, port):
        self.lab.client.call(lambda: socket.create_connection((address, port), WAIT_S)).close()

    def ask(self, address, port):
        """Sends a datagram, and waits for whatever comes back."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.lab.client.call(lambda: socket.socket(family, socket.SOCK_DGRAM)) as asking:
            asking.settimeout(WAIT_S)
            asking.connect((address, port))
            asking.send(b"who is there?")
            return asking.recv(100)

    def expect_of(self, error, *addresses, port=CLOSED_PORT):
        for address in addresses:
            for call in (self.connect, self.ask):
                with self.subTest(address=address, call=call.__name__), self.assertRaises(error):
                    call(address, port)

    def drops(self, reason):
        return sum(int(value) for line, value in self.director.metrics().items()
                   if line.startswith("fulcrum_dropped_packets_total") and f'"{reason}"' in line)

    def wait_for_drops(self, reason, count):
        # The page is as of a moment ago.
        wait_until(lambda: self.drops(reason) == count, 5, f"{count} are not dropped as {reason}")

    def test_a_closed_port_refuses_if_the_file_says_so(self):
        before = self.drops("no_service_reset")
        self.expect_of(ConnectionRefusedError, VIP, VIP6)
        self.wait_for_drops("no_service_reset", before + 4)

    def test_or_is_silent(self):
        self.expect_of(TimeoutError, QUIET_VIP, QUIET_VIP6)
        self.assertGreaterEqual(self.drops("no_service_drop"), 4)

    def test_or_is_the_kernels_by_default(self):
        self.expect_of(ConnectionRefusedError, KERNELS_VIP)

    def test_services_without_reals_are_unreachable_if_the_file_says_so(self):
        for service in ("lost", "lost6"):
            for name in self.lab.web:
                self.director.wait_state(name, "down", service=service)
        before = self.drops("no_real")
        self.expect_of(ConnectionRefusedError, VIP, VIP6, port=LOST_PORT)
        self.wait_for_drops("no_real", before + 4)

    def test_the_services_themselves_and_echoes_are_not_concerned(self):
        for vip in (VIP, QUIET_VIP, VIP6, QUIET_VIP6):
            host = f"[{vip}]" if ":" in vip else vip
            self.assertIn(self.fetch("/", "-g", host=host).strip(), set(self.lab.web))
            self.lab.client.run("ping", "-c", "1", "-W", "5", vip)

    def test_explain_says_what_becomes_of_them(self):
        for vip, reason in ((VIP, "no_service_reset"), (QUIET_VIP, "no_service_drop")):
            said = self.director.ask("explain", "tcp", f"{CLIENT}:40000", f"{vip}:{CLOSED_PORT}")
            self.assertEqual((said["verdict"], said["reason"]), ("drop", reason))

    def test_a_reload_changes_the_policy(self):
        changed = self.config()
        changed["vips"][2]["other"] = "reset"
        self.director.write(changed)
        self.assertIn(f"vip {QUIET_VIP}: other drop becomes reset",
                      self.director.ctl("reload").stdout)
        self.expect_of(ConnectionRefusedError, QUIET_VIP)
