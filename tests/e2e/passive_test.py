"""Clients' connections that fail make the check of their real due at once, where it would be asked
again in ten minutes only.
"""

import json
import socket
import struct
import time

import packets
from ipv6_test import config6, service6
from labkit.director import director_config, http_check, web_service
from labkit.lab import CLIENT, PATIENCE, VIP, VIP6, WEB, wait_until
from labkit.load import Load, by_real
from scenario import Scenario

# Half a second until somebody looks, and a machine that does other things as well; to tell silence,
# a second for the answer, and one for the check's own.
REFUSED_S, SILENT_S = 3 * PATIENCE, 5 * PATIENCE
BLIND_PORT, DEAF_PORT, FORGED_PORT = 81, 82, 83
NOBODY_PORT = 9999  # where no server listens
STRANGERS = range(100, 250)  # last numbers of addresses that nobody has


def rare(**changes):
    return http_check(interval="10m", timeout="1s", fall=1, **changes)


def syn_of(source):
    """A SYN from an address that need not exist."""
    ends = socket.inet_aton(source) + socket.inet_aton(VIP)
    tcp = struct.pack("!HHIIBBHHH", 40000, FORGED_PORT, 1, 0, 5 << 4, packets.SYN, 65535, 0, 0)
    pseudo = ends + struct.pack("!BBH", 0, packets.TCP, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", packets.checksum(pseudo + tcp)) + tcp[18:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, packets.TCP, 0) + ends
    return head + tcp


class Passive(Scenario):
    """Four services: one that heeds failing connections, one that does not, one whose real refuses
    them all and is found sound at another port, and one that nobody uses but who forges.
    """

    @classmethod
    def config(cls):
        # Checks that are asked alike are asked once: so they differ.
        blind = web_service(name="blind", check=rare(path="/files/ping.html", passive=False))
        connect = {"type": "connect", "port": 8080, "interval": "10m"}
        deaf = web_service(("web3",), NOBODY_PORT, name="deaf", check=connect)
        forged = web_service(("web3",), name="forged", check=connect)
        return director_config([web_service(check=rare()), blind | {"port": BLIND_PORT},
                                deaf | {"port": DEAF_PORT}, forged | {"port": FORGED_PORT}])

    def load(self, port=80, **changes):
        load = Load(self.lab.client, VIP, port=port, parallel=12, pause=0.02, **changes)
        self.addCleanup(load.finish)
        return load

    def loads(self):
        """On both services, under way."""
        both = [self.load(), self.load(BLIND_PORT)]
        for load in both:
            wait_until(lambda load=load: by_real(load.records()), 10, "no request is answered")
        return both

    def hastened(self, real, service="web"):
        return self.director.reals(service)[real]["checks_hastened"]

    def down_within(self, real, seconds):
        begun = time.monotonic()
        self.assertLess(self.director.wait_state(real, "down") - begun, seconds)
        self.assertGreaterEqual(self.hastened(real), 1)
        blind = self.director.reals("blind")[real]
        self.assertEqual((blind["state"], blind["checks_hastened"]), ("up", 0))

    def reasons(self, real):
        told = self.director.ctl("--json", "events", "--since", "0", "--no-follow").stdout
        return [event["sentence"] for event in map(json.loads, told.splitlines())
                if event["event"] == "check_hastened" and event["real"] == real]

    def test_a_server_that_ended_is_found_by_the_connections_that_it_refuses(self):
        self.loads()
        self.lab.stop_web("web1")
        self.down_within("web1", REFUSED_S)
        self.assertRegex(self.reasons("web1")[0], r"^check hastened: (\d+) of \1 .* refused$")

    def test_a_server_that_fell_silent_is_found_and_one_that_answers_forged_syns_left_alone(self):
        node = self.lab.web["web2"]
        self.loads()
        self.forge_syns()
        node.run("nft", "add table inet wall; add chain inet wall in "
                 "{ type filter hook input priority 0; }; "
                 "add rule inet wall in tcp dport 8080 drop")
        self.down_within("web2", SILENT_S)
        self.assertRegex(self.reasons("web2")[0], r"^check hastened: (\d+) of \1 .* unanswered$")
        self.assertEqual(self.hastened("web3"), 0)
        self.assertEqual(self.director.reals("forged")["web3"]["sessions_opened"], len(STRANGERS))
        self.assertEqual(self.hastened("web3", "forged"), 0)

    def forge_syns(self):
        def send():
            wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
            with wire:
                for number in STRANGERS:
                    wire.sendto(syn_of(f"{CLIENT.rsplit('.', 1)[0]}.{number}"), (VIP, 0))

        self.lab.client.call(send)

    def test_refused_connections_cost_one_check_a_second_and_take_no_sound_real_down(self):
        self.load(DEAF_PORT)
        first = wait_until(lambda: self.hastened("web3", "deaf"), 10, "no check is hastened")
        begun = time.monotonic()
        wait_until(lambda: self.hastened("web3", "deaf") >= first + 3, 15, "no more are")
        self.assertGreater(time.monotonic() - begun, 2)  # the first of the three soon, or at once
        self.assertEqual(self.director.reals("deaf")["web3"]["state"], "up")
        self.assertEqual(len(self.reasons("web3")), 1)  # told once, as long as it lasts
        page = self.director.metrics()
        self.assertGreaterEqual(
            float(page['fulcrum_checks_hastened_total{service="deaf",real="web3"}']), first + 3)
        self.assertIn("hastened", self.director.ctl("reals").stdout)
        self.assertEqual(set(WEB), set(self.director.reals()))


class PassiveInFullNat(Scenario):
    """The same over IPv6."""
    has_ipv6 = True

    @classmethod
    def config(cls):
        config = config6([service6(forward="fullnat", check=rare())])
        config["ports"][1]["local_addresses"] = ["2001:db8:2::100"]
        return config

    def test_a_server_that_ended_is_found_by_the_connections_that_it_refuses(self):
        load = Load(self.lab.client, VIP6, parallel=12, pause=0.02)
        self.addCleanup(load.finish)
        wait_until(lambda: load.records(), 10, "nobody asks")
        begun = time.monotonic()
        self.lab.stop_web("web1")
        self.assertLess(self.director.wait_state("web1", "down") - begun, REFUSED_S)
        self.assertGreaterEqual(self.director.reals()["web1"]["checks_hastened"], 1)
