"""Two directors, one of them active: who it is, how the addresses come to it, and what clients
notice when it dies, leaves, or is cut off.
"""

import os
import signal
import subprocess
import time

from labkit.director import Director, web_service
from labkit.lab import PATIENCE, VIP, VIP6, Lab, end, wait_until
from labkit.load import Load, failures
from labkit.pair import (GATEWAY, GATEWAY6, addresses_on, mac_of, pair_config, state_of, status_of,
                         wait_role)
from ipv6_test import service6
from scenario import Scenario

ARP_BURST_LEAST = 5


class Pair(Scenario):
    """What the scenarios of two directors have in common; none of its own tests."""

    group_keys = ({}, {})  # of each director

    @classmethod
    def services(cls):
        return [web_service()]

    @classmethod
    def config_of(cls, place):
        return pair_config(place, cls.services(), cls.group_keys[place], ipv6=cls.has_ipv6)

    @classmethod
    def setUpClass(cls):
        cls.director = None
        cls.lab = Lab(ipv6=cls.has_ipv6, directors=2)
        cls.prepare()
        cls.pair = [Director(cls.lab, cls.config_of(place), place) for place in (0, 1)]
        cls.director = cls.pair[0]
        for director in cls.pair:
            director.start()
        for director in cls.pair:
            director.wait_all_up()
        wait_role(cls.pair[0], "active")
        wait_role(cls.pair[1], "standby")

    @classmethod
    def tearDownClass(cls):
        for director in getattr(cls, "pair", []):
            if director.program and director.program.poll() is None:
                director.stop()
        cls.lab.close()

    def expect_one_active(self, place, seconds=10):
        wait_role(self.pair[place], "active", seconds)
        wait_role(self.pair[1 - place], "standby", seconds)

    def neighbour_of_client(self, address=VIP):
        words = self.lab.client.ip("neighbour", "show", address).split()
        return words[words.index("lladdr") + 1] if "lladdr" in words else None

    def hear(self, expression):
        """tcpdump on the client's link; a list of lines once it is ended by `heard`."""
        path = self.lab.folder / f"heard-{time.monotonic_ns()}"
        with path.open("wb") as output:
            program = self.lab.client.start("tcpdump", "-lntteni", "eth0", expression,
                                            stdout=output, stderr=subprocess.PIPE)
        program.stderr.readline()  # it listens
        program.heard = path
        return program

    def heard(self, program):
        return program.heard.read_text().splitlines()

    def kill(self, place):
        os.kill(self.pair[place].program.pid, signal.SIGKILL)
        self.pair[place].program.wait()
        return time.monotonic()


class Roles(Pair):
    def test_one_is_active_and_holds_all_that_floats(self):
        for twin, address in (("wan", VIP), ("lan", GATEWAY)):
            self.assertIn(address, addresses_on(self.pair[0], twin))
            self.assertNotIn(address, addresses_on(self.pair[1], twin))
        self.assertEqual(len(self.fetch_many(30)), 30)

    def test_a_ping_to_the_vip_is_answered_by_the_active_one_alone(self):
        ping = ("ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", VIP)
        self.lab.client.run(*ping)
        self.assertEqual(self.neighbour_of_client(), mac_of(self.pair[0], "wan"))
        other = mac_of(self.pair[1], "wan")
        self.lab.client.ip("neighbour", "replace", VIP, "lladdr", other, "dev", "eth0")
        try:
            self.assertIn("100% packet loss", self.lab.client.attempt(*ping).stdout)
        finally:
            self.lab.client.ip("neighbour", "delete", VIP, "dev", "eth0")

    def test_who_claims_an_address_is_answered_by_another_announcement(self):
        thief = self.lab.add_host("thief", "10.1.0.66/24")
        thief.ip("address", "add", f"{VIP}/32", "dev", "eth0")
        heard = self.hear(f"arp host {VIP} and ether src {mac_of(self.pair[0], 'wan')}")
        self.addCleanup(thief.ip, "link", "set", "eth0", "down")
        # Asks in the name of the VIP; the answer goes to whose it is.
        thief.attempt("ping", "-c", "1", "-W", "1", "-I", VIP, "10.1.0.2")
        wait_until(lambda: sum(f"Reply {VIP} is-at" in line for line in self.heard(heard)) >=
                   ARP_BURST_LEAST, 10, "the address is not defended")
        end(heard)

    def test_one_lost_path_is_an_alarm_and_no_failover(self):
        self.lab.unplug(self.pair[1].node, "eth1")
        try:
            wait_until(lambda: any('the path over "lan" is lost' in problem for problem in
                                   status_of(self.pair[1])["problems"]), 10, "there is no alarm")
            self.expect_one_active(0)
            self.assertEqual(self.pair[1].ctl("status").returncode, 1)
        finally:
            self.lab.plug_again(self.pair[1].node, "eth1", "lan")
        wait_until(lambda: not any("is lost" in problem for problem in
                                   status_of(self.pair[1])["problems"]), 10, "the alarm stays")

    def test_loss_of_all_paths_is_a_failover_and_one_remains_when_they_are_back(self):
        for interface in ("eth0", "eth1"):
            self.lab.unplug(self.pair[0].node, interface)
        try:
            wait_role(self.pair[1], "active")
            self.assertEqual(len(self.fetch_many(10)), 10)
        finally:
            for interface, bridge in (("eth0", "wan"), ("eth1", "lan")):
                self.lab.plug_again(self.pair[0].node, interface, bridge)
        self.expect_one_active(0)
        self.assertEqual(len(self.fetch_many(30)), 30)

    def test_the_other_serves_when_the_active_one_is_killed(self):
        load = Load(self.lab.client, VIP, parallel=4, pause=0.005, folder=self.lab.folder)
        wait_until(lambda: len(load.records()) > 50, 10, "no load")
        killed = self.kill(0)
        wait_role(self.pair[1], "active")
        wait_until(lambda: sum(not record["error"] and record["start"] > killed
                               for record in load.records()) > 100, 10, "nobody serves")
        records = load.finish()
        good = sorted(record["end"] for record in records if not record["error"])
        outage = max(after - before for before, after in zip(good, good[1:]))
        print(f"        killed at 250 ms an advert: {outage * 1000:.0f} ms without an answer, "
              f"{len(failures(records))} of {len(records)} requests failed")
        self.assertLess(outage, 3.6 * PATIENCE)

    def test_who_comes_back_leaves_the_other_active(self):
        self.pair[0].start()
        wait_role(self.pair[0], "standby")
        time_up = time.monotonic() + 2
        wait_until(lambda: time.monotonic() > time_up or state_of(self.pair[0]) != "standby", 5, "")
        self.expect_one_active(1)
        for twin, address in (("wan", VIP), ("lan", GATEWAY)):
            self.assertNotIn(address, addresses_on(self.pair[0], twin))
            self.assertIn(address, addresses_on(self.pair[1], twin))
        self.pair[0].wait_all_up()

    def test_a_standby_command_hands_over_without_a_lost_connection(self):
        loads = [Load(self.lab.client, VIP, parallel=4, pause=0.01, keep_alive=keep_alive,
                      folder=self.lab.folder) for keep_alive in (False, True)]
        wait_until(lambda: all(len(load.records()) > 50 for load in loads), 10, "no load")
        answer = self.pair[1].ctl("standby")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.expect_one_active(0)
        handed = time.monotonic()
        wait_until(lambda: all(load.records()[-1]["start"] > handed + 1 for load in loads), 10,
                   "no load after the handover")
        for load in loads:
            records = load.finish()
            self.assertEqual(failures(records), [], f"of {len(records)}")

    def test_a_takeover_command_fetches_it_back_whatever_the_priorities(self):
        answer = self.pair[1].ctl("takeover", "front")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.expect_one_active(1)
        refused = self.pair[0].ctl("standby", "front")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is not active here but standby", refused.stderr)

    def test_such_a_command_holds_against_one_that_preempts(self):
        self.pair[0].write(pair_config(0, self.services(), {"preempt": True}))
        self.assertEqual(self.pair[0].ctl("reload").returncode, 0)
        heard = 'fulcrum_group_adverts_heard_total{group="front"}'
        before = int(self.pair[0].metrics()[heard])
        # On two paths; with three intervals it would have had the time.
        wait_until(lambda: int(self.pair[0].metrics()[heard]) > before + 12, 20, "no adverts")
        self.expect_one_active(1)
        self.assertEqual(self.pair[1].ctl("standby").returncode, 0)
        self.expect_one_active(0)

    def test_with_preempt_the_greater_priority_takes_over_by_itself(self):
        self.assertEqual(self.pair[0].stop(), 0)
        wait_role(self.pair[1], "active")
        loads = [Load(self.lab.client, VIP, parallel=4, pause=0.01, keep_alive=keep_alive,
                      folder=self.lab.folder) for keep_alive in (False, True)]
        wait_until(lambda: all(load.records() for load in loads), 10, "no load")
        self.pair[0].start()
        self.expect_one_active(0)
        handed = time.monotonic()
        wait_until(lambda: all(load.records()[-1]["start"] > handed + 1 for load in loads), 10,
                   "no load after the handover")
        for load in loads:
            self.assertEqual(failures(load.finish()), [])

    def test_an_orderly_stop_hands_over_within_the_skew(self):
        load = Load(self.lab.client, VIP, parallel=4, pause=0.01, folder=self.lab.folder)
        wait_until(lambda: len(load.records()) > 50, 10, "no load")
        self.assertEqual(self.pair[0].stop(), 0)
        wait_role(self.pair[1], "active")
        stopped = time.monotonic()
        wait_until(lambda: load.records()[-1]["start"] > stopped + 0.5, 10, "no load any more")
        self.assertEqual(failures(load.finish()), [])
        self.pair[0].start()
        wait_role(self.pair[0], "active")

    def test_metrics_tell_of_it(self):
        page = self.pair[0].metrics()
        self.assertEqual(page['fulcrum_group_active{group="front"}'], "1")
        self.assertEqual(self.pair[1].metrics()['fulcrum_group_active{group="front"}'], "0")
        sent = 'fulcrum_group_adverts_sent_total{group="front"}'
        wait_until(lambda: int(self.pair[0].metrics()[sent]) > 3, 10, "no adverts are counted")


class RolesOverIpv6(Pair):
    has_ipv6 = True
    group_keys = ({"paths": [{"port": "wan", "ipv6": True}, {"port": "lan"}]},) * 2

    @classmethod
    def services(cls):
        return [web_service(), service6(name="web6")]

    def test_the_link_is_told_again_and_again_where_the_addresses_are(self):
        self.fetch()
        self.fetch(host=f"[{VIP6}]")
        self.lab.web["web1"].run("ping", "-c", "1", GATEWAY)
        heard = self.hear("arp or icmp6")
        new = mac_of(self.pair[1], "wan")
        killed = self.kill(0)
        wait_role(self.pair[1], "active")
        told = {VIP: f"{new} > ff:ff:ff:ff:ff:ff", VIP6: f"{new} > 33:33:00:00:00:01"}

        def times(address):
            return [float(line.split()[0]) for line in self.heard(heard)
                    if told[address] in line and
                    (f"tell {address}," in line or f"{address} is-at" in line
                     or f"tgt is {address}," in line)]

        for address in told:
            wait_until(lambda: len(times(address)) >= ARP_BURST_LEAST, 5, "it is not told")
            first = times(address)[0]
            wait_until(lambda: times(address)[-1] > first + 0.9, 5, "it is told once only")
        wait_until(lambda: self.neighbour_of_client() == new, 1, "the old MAC address stays")
        wait_until(lambda: self.neighbour_of_client(VIP6) == new, 1, "the old one of IPv6 stays")
        self.assertLess(time.monotonic() - killed, 30)
        end(heard)

    def test_addresses_of_both_versions_move_together(self):
        self.assertLessEqual({VIP, VIP6}, addresses_on(self.pair[1], "wan"))
        self.assertLessEqual({GATEWAY, GATEWAY6}, addresses_on(self.pair[1], "lan"))
        self.assertEqual(self.fetch(host=f"[{VIP6}]")[:3], "web")
        self.assertEqual(self.fetch()[:3], "web")


HOOK = """#!/bin/sh
echo "$FULCRUM_GROUP $FULCRUM_FROM $FULCRUM_TO $FULCRUM_ADDRESSES" >>{file}
"""


class RolesInACloud(Pair):
    """No multicast: paths name the peer, and a program moves the addresses."""

    @classmethod
    def config_of(cls, place):
        other = 3 - place
        paths = [{"port": "wan", "peer": f"10.1.0.{other}"},
                 {"port": "lan", "peer": f"10.2.0.{other}", "source": f"10.2.0.{place + 2}"}]
        hook = cls.lab.folder / f"hook{place}"
        hook.write_text(HOOK.format(file=f"{hook}.out"))
        hook.chmod(0o755)
        return pair_config(place, cls.services(), {"paths": paths}, hook={"program": str(hook)})

    def told(self, place):
        path = self.lab.folder / f"hook{place}.out"
        return path.read_text().splitlines() if path.exists() else []

    def test_adverts_reach_the_peer_and_the_hook_moves_the_addresses(self):
        line = f"front standby active {VIP}, {GATEWAY}"
        wait_until(lambda: line in self.told(0), 5, "the hook was not called")
        self.assertNotIn(line, self.told(1))
        heard = self.hear("ip proto 112 and host 224.0.0.18")
        self.kill(0)
        wait_role(self.pair[1], "active")
        wait_until(lambda: line in self.told(1), 5, "the hook was not called")
        self.assertEqual(self.heard(heard), [])
        end(heard)
        self.assertEqual(len(self.fetch_many(10)), 10)


KEEPALIVED = """
global_defs {{ router_id peer }}
vrrp_instance A {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {priority}
    version {version}
    advert_int {advert}
    virtual_ipaddress {{ {vip}/32 }}
}}
"""


class WithKeepalived(Scenario):
    """A director and keepalived in one election. None of its own tests."""

    version, advert = 3, "100ms"

    @classmethod
    def group(cls, **keys):
        return {"version": cls.version, "advert": cls.advert, "addresses": [], "preempt": True,
                "paths": [{"port": "wan"}], **keys}

    @classmethod
    def config(cls):
        config = pair_config(0, [web_service()], cls.group())
        config["ports"][1]["addresses"] = [f"{GATEWAY}/24"]
        return config

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.peer = cls.lab.add_host("peer", "10.1.0.3/24")

    def start_peer(self, priority):
        seconds = float(self.advert.removesuffix("ms")) / 1000
        path = self.lab.folder / "peer.conf"
        path.write_text(KEEPALIVED.format(priority=priority, version=self.version, vip=VIP,
                                          advert=f"{seconds:g}"))
        log = (self.lab.folder / "keepalived.log").open("ab")
        pids = [str(self.lab.folder / f"keepalived-{time.monotonic_ns()}{name}.pid")
                for name in ("", "-vrrp")]
        return self.peer.start("keepalived", "-n", "-P", "-l", "-f", path, "-p", pids[0], "-r",
                               pids[1], stdout=log, stderr=log)

    def peer_holds_vip(self):
        return VIP in self.peer.ip("-o", "address", "show", "dev", "eth0")

    def settle(self, state, is_peers):
        wait_until(lambda: state_of(self.director) == state and self.peer_holds_vip() == is_peers,
                   20, f"we are {state_of(self.director)}:\n"
                   + (self.lab.folder / "keepalived.log").read_text()[-1500:])

    def elect(self):
        """Both ways: who is greater is active, who leaves says so, who returns preempts."""
        wait_role(self.director, "active")
        lesser = self.start_peer(100)
        wait_until(lambda: "Entering BACKUP" in (self.lab.folder / "keepalived.log").read_text(),
                   10, "keepalived does not run")
        self.settle("active", False)
        self.director.stop()
        wait_until(self.peer_holds_vip, 2, "keepalived has not heard our priority 0")
        self.director.start()
        self.settle("active", False)
        end(lesser)
        greater = self.start_peer(200)
        self.settle("standby", True)
        begun = time.monotonic()
        end(greater)
        wait_role(self.director, "active", 2)
        left = [line for line in self.director.log.read_text().splitlines()
                if "the active director has left" in line]
        self.assertNotEqual(left, [])
        self.assertLess(time.monotonic() - begun, 8)
        owner = self.start_peer(255)
        self.settle("standby", True)
        refused = self.director.ctl("takeover")
        self.assertEqual(refused.returncode, 1)
        end(owner)
        self.settle("active", False)


class RolesWithKeepalivedOfVersionThree(WithKeepalived):
    def test_the_election_works_in_both_directions(self):
        self.elect()


class RolesWithKeepalivedOfVersionTwo(WithKeepalived):
    version, advert = 2, "1000ms"

    def test_the_election_works_in_both_directions(self):
        self.elect()
