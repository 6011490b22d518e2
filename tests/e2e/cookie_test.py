"""SYN cookies with real peers: the kernel's TCP as client, nginx and others as reals, whose
connections the director accepts before they know of them; whole streams both ways, also where
segments are lost, and beside a flood of forged SYNs for the very service that they use.
"""

import hashlib
import os
import socket

from flood_test import ESTABLISHED, NEWCOMERS, Flooded
from full_nat_test import LOCAL, LOCAL6
from ipv6_test import OverIpv6, config6
from labkit.director import web_service
from labkit.lab import VIP, VIP6, WEB, WEB6, WEB_PORT, run, wait_until
from labkit.load import Load, failures
from scenario import start_server

RECORDER, MIRROR = 9100, 7007
CONTENT = os.urandom(3_000_000)
UNCHECKED = {"check": {"type": "none"}, "syn_cookies": "always"}


def both_versions(name, port, real_port, names=("web1",), forward="nat"):
    """The second one's name ends in 6."""
    return [web_service(**{"name": name + suffix, "vip": vip, **UNCHECKED, "reals": [
        {"name": real, "address": address[real], "port": real_port, "forward": forward}
        for real in names]}) | {"port": port}
            for suffix, vip, address in (("", VIP, WEB), ("6", VIP6, WEB6))]


class Cookies(OverIpv6):
    @classmethod
    def config(cls):
        services = (both_versions("web", 80, WEB_PORT, tuple(WEB))
                    + both_versions("recorded", 81, RECORDER, ("web2",))
                    + both_versions("mirror", 7, MIRROR)
                    + both_versions("far", 82, WEB_PORT, tuple(WEB), "fullnat"))
        config = config6(services)
        config["ports"][1]["local_addresses"] = [LOCAL, LOCAL6]
        return config

    @classmethod
    def prepare(cls):
        super().prepare()
        for name in WEB:
            (cls.lab.folder / name / "large").write_bytes(CONTENT)
        start_server(cls.lab, "web1", "mirror", MIRROR, "::")
        for address in ("0.0.0.0", "::"):
            start_server(cls.lab, "web2", "record", RECORDER, cls.lab.folder / "recorded", address)

    def figure(self, name):
        return float(self.director.metrics()[f'fulcrum_{name}{{worker="0"}}'])

    def cookies_sent(self):
        return self.director.ask("services")["services"][0]["syn_cookies"]["sent"]

    def connect(self, host, port):
        wire = self.lab.client.call(lambda: socket.create_connection((host, port), 20))
        self.addCleanup(wire.close)
        return wire

    def cross_both_ways(self):
        recorded, target = self.lab.folder / "recorded", self.lab.folder / "fetched"
        for host in (VIP, VIP6):
            for port in (80, 82):
                target.unlink(missing_ok=True)
                url_host = f"[{host}]" if ":" in host else host
                self.lab.client.run("curl", "-sS", "-g", "--max-time", "60", "-o", target,
                                    f"http://{url_host}:{port}/files/large")
                self.assertEqual(hashlib.sha256(target.read_bytes()).digest(),
                                 hashlib.sha256(CONTENT).digest())
            recorded.unlink(missing_ok=True)
            wire = self.connect(host, 81)
            wire.settimeout(60)
            wire.sendall(CONTENT)
            wire.shutdown(socket.SHUT_WR)
            self.assertEqual(wire.recv(1), b"")
            self.assertEqual(recorded.read_bytes(), CONTENT)

    def test_every_connection_is_opened_by_a_cookie_and_spread_over_the_reals(self):
        before = self.figure("syn_cookies_accepted_total")
        self.assertEqual(set(self.fetch_many(60)), set(WEB))
        wait_until(lambda: self.figure("syn_cookies_accepted_total") - before == 60, 10,
                   "not every connection was opened by a cookie")
        self.assertGreaterEqual(self.figure("syn_cookies_sent_total"), 60)

    def test_downloads_and_uploads_are_whole(self):
        self.cross_both_ways()

    def test_a_connection_carries_many_requests(self):
        before = self.cookies_sent()
        load = Load(self.lab.client, VIP, parallel=5, requests=500, keep_alive=True)
        records = load.finish(stop=False)
        self.assertEqual(failures(records), [])
        self.assertEqual(self.cookies_sent() - before, 5)

    def test_who_has_ended_his_stream_still_gets_the_other(self):
        for host in (VIP, VIP6):
            wire = self.connect(host, 7)
            wire.settimeout(20)
            wire.sendall(CONTENT[:40_000])
            wire.shutdown(socket.SHUT_WR)
            mirrored = b""
            while octets := wire.recv(65536):
                mirrored += octets
            self.assertEqual(mirrored, CONTENT[:40_000])

    def test_a_probe_of_an_idle_connection_is_answered(self):
        wire = self.connect(VIP, 81)
        for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1),
                              (socket.TCP_KEEPCNT, 2)):
            wire.setsockopt(socket.IPPROTO_TCP, option, value)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        wire.settimeout(4.5)
        with self.assertRaises(TimeoutError):  # two probes in vain would have ended it
            wire.recv(1)

    @staticmethod
    def ask_once():
        try:
            with socket.create_connection((VIP, 80), 10) as wire:
                wire.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return "served" if wire.recv(10) else "closed"
        except ConnectionError:
            return "refused"

    def test_a_port_where_no_real_listens_is_refused(self):
        self.lab.stop_web("web3")
        try:
            outcomes = {self.lab.client.call(self.ask_once) for _ in range(30)}
            self.assertEqual(outcomes, {"served", "refused"})
        finally:
            self.lab.start_web("web3")

    def test_a_way_that_loses_segments_costs_time_and_no_octet(self):
        run("nft", "add table netdev lossy")
        self.addCleanup(run, "nft", "delete table netdev lossy")
        for device in ("director-eth0", "director-eth1", "client-eth0", "web2-eth0"):
            run("nft", f"add chain netdev lossy {device} "
                f"{{ type filter hook ingress device \"{device}\" priority 0; }}")
            run("nft", f"add rule netdev lossy {device} meta l4proto tcp numgen random mod 100 < 1 "
                "counter drop")
        self.cross_both_ways()
        self.assertNotIn("packets 0 ", run("nft", "list table netdev lossy"))

    def test_a_client_without_timestamps_is_served_in_a_plainer_way(self):
        self.lab.client.sysctl("net/ipv4/tcp_timestamps", 0)
        try:
            self.cross_both_ways()
        finally:
            self.lab.client.sysctl("net/ipv4/tcp_timestamps", 1)

    def test_reals_without_timestamps_cost_one_connection(self):
        for node in self.lab.web.values():
            node.sysctl("net/ipv4/tcp_timestamps", 0)
        try:
            self.lab.client.attempt("curl", "-s", "--max-time", "5", f"http://{VIP}/")
            self.assertIn(self.fetch().strip(), WEB)
            self.assertEqual(len(self.fetch_many(20)), 20)
        finally:
            for node in self.lab.web.values():
                node.sysctl("net/ipv4/tcp_timestamps", 1)


class CookieFlood(Flooded):
    flooded_vip = VIP
    cookies = "auto"

    @classmethod
    def has_reached_the_table(cls):
        return cls.figure("syn_cookies_sent_total") > cls.slots()

    def test_new_connections_to_the_flooded_service_succeed_and_old_ones_go_on(self):
        established = Load(self.lab.client, VIP, parallel=ESTABLISHED, pause=0.05, keep_alive=True)
        wait_until(lambda: len(established.records()) >= ESTABLISHED, 30,
                   "the connections are not established")
        sent, evicted = self.figure("syn_cookies_sent_total"), self.figure("sessions_evicted_total")
        accepted = self.figure("syn_cookies_accepted_total")
        newcomers = Load(self.lab.client, VIP, parallel=4, requests=NEWCOMERS, pause=0.01)
        records = newcomers.finish(stop=False)
        wait_until(lambda: self.figure("syn_cookies_sent_total") - sent > 10 * self.slots(), 60,
                   "the flood is not ten times the table")
        self.assertEqual(len(records), NEWCOMERS)
        self.assertLess(len(failures(records)), NEWCOMERS / 100, failures(records)[:3])
        self.assertEqual(failures(established.finish()), [])
        self.assertGreater(self.figure("syn_cookies_accepted_total") - accepted, NEWCOMERS / 2)
        # Nobody had to make room for the flood.
        self.assertLess(self.figure("sessions_evicted_total") - evicted, self.slots())

    def test_the_operator_sees_that_cookies_are_in_use(self):
        status = self.director.ask("status")
        self.assertTrue(any("SYN cookies" in note for note in status["notes"]), status["notes"])
        web = self.director.ask("services")["services"][0]
        self.assertGreater(web["syn_cookies"]["sent"], 0)
        self.assertIn("cookies", self.director.ctl("services").stdout)
