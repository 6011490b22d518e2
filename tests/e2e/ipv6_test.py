"""IPv6 with real peers: the kernel's stack as client and as real server, nginx behind a VIP."""

import hashlib
import os
import socket

from labkit.director import director_config, http_check, web_service
from labkit.lab import CLIENT6, VIP6, WEB6, WEB_PORT, wait_until
from scenario import Scenario, start_server


def config6(services):
    config = director_config(services)
    config["ports"][0]["addresses"].append("2001:db8:1::2/64")
    config["ports"][1]["addresses"].append("2001:db8:2::1/64")
    return config


def service6(port=WEB_PORT, forward="nat", **changes):
    reals = [{"name": name, "address": address, "port": port, "forward": forward}
             for name, address in WEB6.items()]
    return web_service(**{"vip": VIP6, "reals": reals, **changes})


# tracepath takes a fresh port a probe.
TRACED_PORTS = range(44444, 44460)


def traced_service(port, forward):
    """Of datagrams, at a port where nobody listens on the real."""
    traced = service6(port=port, forward=forward, protocol="udp", name=f"traced{port}",
                      check={"type": "none"})
    return traced | {"port": port, "reals": traced["reals"][:1]}


ECHO_PORT = 53


def echo_service(forward, name="web1"):
    real = {"name": name, "address": WEB6[name], "port": ECHO_PORT, "forward": forward}
    return service6(protocol="udp", name="echo", check={"type": "none"}, reals=[real]) | {
        "port": ECHO_PORT}


class OverIpv6(Scenario):
    has_ipv6 = True

    def exchange_8_kb(self, name):
        """A datagram in pieces to a real that echoes, and its answer in pieces."""
        wire = self.lab.client.call(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        self.addCleanup(wire.close)
        wire.connect((VIP6, ECHO_PORT))
        wire.settimeout(1)
        sent = bytes(range(250)) * 32
        for _ in range(5):  # what is too long for the way may cost the first ones
            wire.send(sent)
            try:
                answer = wire.recv(65535)
                break
            except OSError:  # in vain, or told what would have passed
                continue
        self.lab.client.ip("-6", "route", "flush", "cache")
        self.assertEqual(answer, f"{name} {CLIENT6}:{wire.getsockname()[1]} ".encode() + sent)

    def tracepath6(self):
        """What tracepath says of the way to the VIP, beginning anew."""
        self.lab.client.ip("-6", "route", "flush", "cache")
        path = self.lab.client.run("tracepath", "-6", "-n", "-m", "5", "-p", str(TRACED_PORTS[0]),
                                   VIP6)
        self.lab.client.ip("-6", "route", "flush", "cache")
        return path

    def fetch6(self, path="/", *options):
        return self.fetch(path, "-g", *options, host=f"[{VIP6}]")

    def fetch_many6(self, count):
        return self.lab.client.run("curl", "-sSgZ", "--parallel-max", "8", "--max-time", "20",
                                   "-H", "Connection: close",
                                   *[f"http://[{VIP6}]/?{n}" for n in range(count)]).split()


class Ipv6Nat(OverIpv6):
    @classmethod
    def config(cls):
        traced = [traced_service(port, "nat") for port in TRACED_PORTS]
        return config6([service6(), web_service(name="web4"), echo_service("nat"), *traced])

    @classmethod
    def prepare(cls):
        super().prepare()
        body = os.urandom(3_000_000)
        cls.digest = hashlib.sha256(body).hexdigest()
        for name in WEB6:
            (cls.lab.folder / name / "large").write_bytes(body)
        start_server(cls.lab, "web1", "echo", ECHO_PORT, "web1", "::")

    def test_every_real_serves_and_sees_the_client_as_it_is(self):
        self.assertEqual(set(self.fetch_many6(60)), set(WEB6))
        where, who, host = self.fetch6("/where").split()
        self.assertIn(where, {f"{address}:{WEB_PORT}" for address in WEB6.values()}
                      | {f"[{address}]:{WEB_PORT}" for address in WEB6.values()})
        self.assertEqual((who, host), (CLIENT6, f"[{VIP6}]"))

    def test_a_large_body_arrives_whole(self):
        fetched = self.lab.folder / "fetched"
        self.fetch6("/files/large", "-o", fetched, "--max-time", "30")
        self.assertEqual(hashlib.sha256(fetched.read_bytes()).hexdigest(), self.digest)

    def test_explain_foretells_who_serves_a_connection_of_ipv6(self):
        for port in range(5000, 5006):
            told = self.director.ask("explain", "tcp", f"[{CLIENT6}]:{port}", f"[{VIP6}]:80")
            self.assertTrue(told["opens_session"])
            self.assertEqual(self.fetch6("/", "--local-port", str(port)).strip(),
                             told["real"]["name"])

    def test_both_ip_versions_are_served_side_by_side(self):
        self.assertEqual(set(self.fetch_many(60)), set(WEB6))
        self.assertEqual(set(self.fetch_many6(60)), set(WEB6))

    def test_sessions_are_listed_by_client(self):
        self.fetch6()
        mine = self.director.ask("sessions", "--client", CLIENT6)["sessions"]
        self.assertGreater(len(mine), 0)
        self.assertEqual({session["vip"] for session in mine}, {f"[{VIP6}]:80"})
        self.assertTrue(all(session["client"].startswith(f"[{CLIENT6}]:") for session in mine))
        nobody = self.director.ask("sessions", "--client", "2001:db8:1::99")
        self.assertEqual(nobody["sessions"], [])
        self.assertIn(f"[{VIP6}]:80", self.director.ctl("services").stdout)

    def test_a_datagram_of_8_kb_and_its_answer_cross_in_pieces(self):
        self.exchange_8_kb("web1")

    def test_tracepath_meets_the_vip_and_finds_the_mtu_behind_it(self):
        path = self.tracepath6()
        self.assertIn("pmtu 1500", path.splitlines()[-1], path)
        self.assertIn("reached", path)
        self.lab.director.ip("link", "set", "lan", "mtu", "1400")
        self.addCleanup(self.lab.director.ip, "link", "set", "lan", "mtu", "1500")
        wait_until(lambda: "pmtu 1400" in self.tracepath6().splitlines()[-1], 10,
                   "the narrow link is not found")
        # Every hop that is told of is the VIP: of routers behind it nothing shows.
        hops = {line.split()[1] for line in path.splitlines()[:-1] if "no reply" not in line}
        self.assertLessEqual(hops, {VIP6, "[LOCALHOST]"}, path)

    def test_the_kernel_answers_echoes_for_vip_and_port(self):
        for address in (VIP6, "2001:db8:1::2"):
            self.lab.client.run("ping", "-6", "-c", "1", "-W", "5", address)

    def test_the_vip_is_never_a_source_of_the_directors_own(self):
        shown = self.lab.director.ip("-6", "-o", "address", "show", "dev", "wan")
        vip = next(line for line in shown.splitlines() if f"{VIP6}/128" in line)
        self.assertIn("deprecated", vip)
        self.assertIn("noprefixroute", vip)
        self.assertIn("nodad", vip)

    def test_the_raw_device_does_not_speak_ipv6(self):
        self.assertEqual(self.lab.director.ip("-6", "address", "show", "dev", "eth0"), "")

    def test_a_real_that_dies_gets_nothing_more_and_returns(self):
        self.lab.stop_web("web2")
        self.director.wait_state("web2", "down")
        self.assertEqual(set(self.fetch_many6(40)), {"web1", "web3"})
        self.lab.start_web("web2")
        self.director.wait_all_up()
        wait_until(lambda: "web2" in self.fetch_many6(20), 10, "web2 gets nothing")


class Ipv6Direct(OverIpv6):
    has_router = True

    @classmethod
    def config(cls):
        return config6([service6(port=80, forward="direct", check=http_check()),
                        echo_service("direct")])

    @classmethod
    def prepare(cls):
        cls.lab.start_web(port=80)
        for name in WEB6:
            cls.lab.hold_vip(name)
        start_server(cls.lab, "web1", "echo", ECHO_PORT, "web1", VIP6)

    def test_a_datagram_of_8_kb_reaches_the_real_in_pieces(self):
        self.exchange_8_kb("web1")

    def test_the_real_answers_under_the_vip_by_its_own_way(self):
        self.assertEqual(set(self.fetch_many6(60)), set(WEB6))
        where, who, _ = self.fetch6("/where").split()
        self.assertIn(where, (f"{VIP6}:80", f"[{VIP6}]:80"))
        self.assertEqual(who, CLIENT6)
        for real in self.director.reals().values():
            self.assertGreater(real["in_packets"], 0)
            self.assertIsNone(real["out_packets"])
