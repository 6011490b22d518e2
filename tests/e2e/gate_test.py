"""Who is let in and how often, with real clients: lists that a reload swaps, one of a million
prefixes, and rates of new connections and of datagrams."""

import socket
import time

from labkit.director import director_config, web_service
from labkit.lab import CLIENT, VIP, WEB
from scenario import Scenario, start_server

ECHO_PORT, ECHO_VIP_PORT = 7007, 7
CLIENT_NETWORK = CLIENT.rsplit(".", 1)[0] + ".0/24"
RATE = 20


class Gate(Scenario):
    @classmethod
    def services(cls, **changes):
        echo = {"name": "echo", "vip": VIP, "port": ECHO_VIP_PORT, "protocol": "udp",
                "reals": [{"name": "web1", "address": WEB["web1"], "port": ECHO_PORT}]}
        echo |= changes.pop("echo", {})
        return [web_service(**changes), echo]

    @classmethod
    def config(cls):
        start_server(cls.lab, "web1", "echo", ECHO_PORT, "web1")
        return director_config(cls.services())

    def reload(self, **changes):
        self.director.write(director_config(self.services(**changes)))
        began = time.monotonic()
        self.director.ask("reload")
        return time.monotonic() - began

    def connect(self, timeout=0.4):
        return self.lab.client.call(lambda: socket.create_connection((VIP, 80), timeout=timeout))

    def assert_refused(self):
        """A SYN of a denied client is dropped in silence."""
        with self.assertRaises(socket.timeout):
            self.connect()

    def drops(self, service="web"):
        listed = {each["name"]: each for each in self.director.ask("services")["services"]}
        return {drop["reason"]: drop["packets"] for drop in listed[service]["drops"]}

    def answer_on(self, wire):
        wire.sendall(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
        wire.settimeout(5)
        return wire.recv(4096)

    def test_a_reload_denies_a_client_new_connections_and_leaves_it_those_it_has(self):
        wire = self.connect(timeout=5)
        self.addCleanup(wire.close)
        self.assertIn(b"200 OK", self.answer_on(wire))
        self.reload(deny=[CLIENT_NETWORK])
        self.assert_refused()
        self.assertIn(b"200 OK", self.answer_on(wire))
        self.assertGreaterEqual(self.drops()["denied"], 1)
        self.reload()
        self.assertIn(self.fetch("/").strip(), WEB)

    def test_the_longest_prefix_decides_and_who_is_not_allowed_is_denied(self):
        self.reload(deny=[CLIENT_NETWORK], allow=[f"{CLIENT}/32"])
        self.assertIn(self.fetch("/").strip(), WEB)
        self.reload(allow=["192.0.2.0/24"])
        self.assert_refused()
        self.reload()

    def test_a_million_prefixes_of_both_ip_versions_are_taken_from_a_file(self):
        path = self.lab.folder / "deny.txt"
        with path.open("w") as file:
            for number in range(500_000):
                file.write(f"{20 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.0/25\n")
            for number in range(499_999):
                file.write(f"2001:db8:{number >> 16:x}:{number & 65535:x}::/64\n")
        seconds = self.reload(deny_file="deny.txt")
        self.assertLess(seconds, 30)
        self.assertEqual(self.director.ask("services")["services"][0]["deny"], 999_999)
        self.assertIn(self.fetch("/").strip(), WEB)
        with path.open("a") as file:
            file.write(f"{CLIENT}  # the millionth\n")
        self.reload(deny_file="deny.txt")
        self.assert_refused()
        with path.open("a") as file:
            file.write("one too many\n")
        refused = self.director.ctl("reload")
        self.assertEqual(refused.returncode, 2)
        self.assertIn('deny.txt:1000001: "one too many" is not an address', refused.stderr)
        self.assert_refused()
        self.reload()
        self.assertIn(self.fetch("/").strip(), WEB)

    def test_a_client_opens_as_many_connections_in_a_second_as_it_may(self):
        self.reload(limits={"client_sessions_per_s": RATE})
        began, opened = time.monotonic(), 0
        for _ in range(3 * RATE):
            try:
                self.connect(timeout=0.05).close()
                opened += 1
            except socket.timeout:
                pass
        # A second's worth at once, and the rate from then on: SYNs sent again come too late.
        most = RATE + (time.monotonic() - began) * RATE + 1
        self.assertGreaterEqual(opened, RATE)
        self.assertLessEqual(opened, most)
        self.assertGreater(self.drops()["client_limited"], 0)
        self.reload()

    def test_a_service_passes_on_as_many_datagrams_in_a_second_as_it_may(self):
        self.reload(echo={"limits": {"packets_per_s": RATE}})
        wire = self.lab.client.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.addCleanup(wire.close)
        wire.settimeout(0.5)
        sent, began = 10 * RATE, time.monotonic()
        for number in range(sent):
            wire.sendto(str(number).encode(), (VIP, ECHO_VIP_PORT))
        seconds, answered = time.monotonic() - began, 0
        try:
            while wire.recv(100):
                answered += 1
        except socket.timeout:
            pass
        self.assertGreaterEqual(answered, RATE)
        self.assertLessEqual(answered, RATE + seconds * RATE + 1)
        self.assertEqual(self.drops("echo")["service_limited"], sent - answered)
        line = 'fulcrum_service_drops_total{service="echo",reason="service_limited"}'
        self.assertEqual(self.director.metrics()[line], str(sent - answered))
        self.reload()
