"""When a director may take over: a fence that has to succeed, a witness, what is tracked, and an
active one that hangs.
"""

import contextlib
import ctypes
import os
import time

from labkit.lab import CLIENT, VIP, wait_until
from labkit.pair import addresses_on, mac_of, pair_config, state_of, status_of, wait_role
from roles_test import Pair

FENCE = """#!/bin/sh
cat >>{folder}/fenced
case $(cat {folder}/verdict) in
    wait) while [ "$(cat {folder}/verdict)" = wait ]; do sleep 0.05; done ;;
    fail) echo out of reach; exit 1 ;;
    kill) kill -9 $(cat {folder}/victim) ;;
esac
"""
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def problems_of(director):
    return status_of(director)["problems"]


class FencedRoles(Pair):
    @classmethod
    def config_of(cls, place):
        script = cls.lab.folder / "fence"
        script.write_text(FENCE.format(folder=cls.lab.folder))
        script.chmod(0o755)
        cls.decree("succeed")
        fence = {"style": "fence-agent", "command": str(script), "node": f"lb{2 - place}",
                 "options": ["ip=192.0.2.9"], "retry": "1s"}
        return pair_config(place, cls.services(), {"fence": fence})

    @classmethod
    def decree(cls, verdict):
        (cls.lab.folder / "verdict").write_text(verdict)

    def calls(self, node):
        path = self.lab.folder / "fenced"
        return path.read_text().count(f"nodename={node}\n") if path.exists() else 0

    def test_nobody_takes_over_from_the_silent_before_the_fence_has_succeeded(self):
        before = self.calls("lb1")
        self.decree("wait")
        self.kill(0)
        wait_until(lambda: self.calls("lb1") > before, 10, "the fence was not called")
        self.assertEqual(state_of(self.pair[1]), "suspecting")
        self.assertNotIn(VIP, addresses_on(self.pair[1], "wan"))
        self.decree("succeed")
        wait_role(self.pair[1], "active")
        self.assertEqual(self.fetch()[:3], "web")

    def test_a_fence_that_fails_is_tried_again_until_an_operator_confirms(self):
        self.pair[0].start()
        wait_role(self.pair[0], "standby")
        self.pair[0].wait_all_up()
        self.decree("fail")
        before = self.calls("lb2")
        self.kill(1)
        wait_until(lambda: self.calls("lb2") >= before + 2, 10, "it is not tried again")
        self.assertEqual(state_of(self.pair[0]), "suspecting")
        self.assertNotIn(VIP, addresses_on(self.pair[0], "wan"))
        self.assertTrue(any("the fence has failed" in problem and "out of reach" in problem
                            for problem in problems_of(self.pair[0])), problems_of(self.pair[0]))
        answer = self.pair[0].ctl("fence-confirm", "front")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        wait_role(self.pair[0], "active")
        self.assertEqual(self.pair[0].ctl("fence-confirm", "front").returncode, 1)

    def test_who_hands_over_in_order_is_not_fenced(self):
        self.decree("succeed")
        self.pair[1].start()
        wait_role(self.pair[1], "standby")
        self.pair[1].wait_all_up()
        before = self.calls("lb1")
        self.assertEqual(self.pair[0].ctl("standby").returncode, 0)
        self.expect_one_active(1)
        self.assertEqual(self.calls("lb1"), before)

    def test_of_two_that_cannot_hear_each_other_the_fence_leaves_one(self):
        (self.lab.folder / "victim").write_text(str(self.pair[1].program.pid))
        self.decree("kill")
        with self.lab.isolated("wan", "lan"):  # all others are reached by both
            wait_until(lambda: self.pair[1].program.poll() is not None, 10, "both live")
            wait_role(self.pair[0], "active")
            self.assertEqual(len(self.fetch_many(10)), 10)


class WitnessedRoles(Pair):
    group_keys = ({"witness": CLIENT},) * 2

    def test_who_is_cut_off_gives_up_and_the_other_takes_over(self):
        for interface in ("eth0", "eth1"):
            self.lab.unplug(self.pair[0].node, interface)
        try:
            wait_until(lambda: VIP not in addresses_on(self.pair[0], "wan"), 5,
                       "it goes on alone")
            wait_role(self.pair[1], "active")
            self.assertIn(state_of(self.pair[0]), ("standby", "suspecting"))
            self.assertEqual(len(self.fetch_many(10)), 10)
            time_out = time.monotonic() + 1.5
            while time.monotonic() < time_out:
                self.assertNotIn(VIP, addresses_on(self.pair[0], "wan"))
        finally:
            for interface, bridge in (("eth0", "wan"), ("eth1", "lan")):
                self.lab.plug_again(self.pair[0].node, interface, bridge)
        self.expect_one_active(1)

    def test_a_silent_witness_alone_changes_nothing(self):
        self.lab.client.ip("link", "set", "eth0", "down")
        try:
            time_out = time.monotonic() + 1.5
            while time.monotonic() < time_out:
                self.assertIn(VIP, addresses_on(self.pair[1], "wan"))
            self.expect_one_active(1)
        finally:
            self.lab.client.ip("link", "set", "eth0", "up")

    def test_who_does_not_reach_the_witness_does_not_take_over(self):
        self.lab.client.ip("link", "set", "eth0", "down")
        try:
            self.kill(1)
            wait_role(self.pair[0], "suspecting")
            time_out = time.monotonic() + 1
            while time.monotonic() < time_out:
                self.assertNotIn(VIP, addresses_on(self.pair[0], "wan"))
        finally:
            self.lab.client.ip("link", "set", "eth0", "up")
        wait_role(self.pair[0], "active")


class TrackedRoles(Pair):
    @classmethod
    def config_of(cls, place):
        well = cls.lab.folder / f"well{place}"
        well.touch()
        check = {"command": ["/usr/bin/test", "-e", str(well)], "interval": "100ms", "fall": 2}
        return pair_config(place, cls.services(), {
            "track": [{"port": "wan"}, check, {"route": CLIENT, "weight": 20}]})

    def test_loss_of_the_uplink_is_a_failover(self):
        plug = f"{self.pair[0].node.name}-eth0"
        self.lab.set_link(plug, "down")
        try:
            wait_role(self.pair[1], "active")
            self.assertEqual(state_of(self.pair[0]), "fault")
            self.assertTrue(any('the link of port "wan" is lost' in problem
                                for problem in problems_of(self.pair[0])))
        finally:
            self.lab.set_link(plug, "up")
        self.expect_one_active(1)

    def test_so_is_a_program_that_says_so(self):
        (self.lab.folder / "well1").unlink()
        wait_role(self.pair[0], "active")
        self.assertEqual(state_of(self.pair[1]), "fault")
        (self.lab.folder / "well1").touch()
        self.expect_one_active(0)


@contextlib.contextmanager
def frozen_thread(thread):
    """Stops one thread of a program, and no other, as if it hung."""
    if libc.ptrace(PTRACE_SEIZE, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    libc.ptrace(PTRACE_INTERRUPT, thread, None, None)
    os.waitpid(thread, 0x40000000)  # __WALL
    try:
        yield
    finally:
        libc.ptrace(PTRACE_DETACH, thread, None, None)


class HungRoles(Pair):
    def test_who_hangs_is_given_up_and_answers_for_nothing_meanwhile(self):
        ping = ("ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", VIP)
        hung = mac_of(self.pair[0], "wan")
        with frozen_thread(self.pair[0].program.pid):  # the control thread
            wait_role(self.pair[1], "active")
            self.assertEqual(len(self.fetch_many(10)), 10)
            self.lab.client.ip("neighbour", "replace", VIP, "lladdr", hung, "dev", "eth0")
            try:
                self.assertIn("100% packet loss", self.lab.client.attempt(*ping).stdout)
            finally:
                self.lab.client.ip("neighbour", "delete", VIP, "dev", "eth0")
        self.expect_one_active(1)
        self.assertNotIn(VIP, addresses_on(self.pair[0], "wan"))
        self.assertIn("stood still for too long", self.pair[0].log.read_text())

    def test_a_worker_that_stands_still_makes_its_director_give_up(self):
        self.assertEqual(self.pair[1].ctl("standby").returncode, 0)
        self.expect_one_active(0)
        worker = self.pair[0].worker_thread()
        with frozen_thread(worker):
            wait_role(self.pair[1], "active")
            wait_role(self.pair[0], "fault")
        self.expect_one_active(1)
