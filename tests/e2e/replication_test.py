"""Two directors that have one configuration: what changes at the active one is at the other one,
in its file as well, or refused there with a reason."""

import os
import signal

from cluster_test import Cluster
from labkit.director import web_service
from labkit.lab import WEB, wait_until
from labkit.pair import pair_config, state_of, status_of
from roles_test import Pair

LOCAL = "10.2.0.60"


class Replication(Pair):
    @classmethod
    def config_of(cls, place, services=None):
        paired = Cluster.config_of(place)["pair"] | {"replicate_config": True}
        return pair_config(place, services or [web_service()], pair=paired)

    prepare = classmethod(Cluster.prepare.__func__)
    wait_ready = Cluster.wait_ready

    def setUp(self):
        self.wait_ready()
        if state_of(self.pair[0]) != "active":
            self.assertEqual(self.pair[1].ctl("standby").returncode, 0)
        self.expect_one_active(0)
        self.load([web_service()])
        for place in (0, 1):
            self.wait_reals(place, set(WEB))
        self.wait_alike()

    def wait_reals(self, place, names, service="web"):
        wait_until(lambda: set(self.pair[place].reals(service)) == names, 10,
                   f"lb{place + 1} has others:\n{self.pair[place].log_tail()}")

    def load(self, services, place=0):
        director = self.pair[place]
        director.write(self.config_of(place, services))
        answer = director.ctl("reload")
        self.assertEqual(answer.returncode, 0, answer.stderr)

    def peer(self, place):
        return self.pair[place].ask("peer")

    def problems(self, place):
        return status_of(self.pair[place])["problems"]

    def wait_alike(self):
        wait_until(lambda: all(self.peer(place)["same_configuration"] and
                               self.peer(place)["replication"]["peers_version"] ==
                               self.peer(place)["replication"]["version"] for place in (0, 1)),
                   10, f"they differ: {self.pair[0].ctl('peer').stdout}"
                       f"{self.pair[1].ctl('peer').stdout}\n{self.pair[1].log_tail()}")

    def test_a_change_of_the_active_ones_file_is_in_the_others_too(self):
        self.load([web_service(("web1", "web3"), name="site")])
        self.wait_reals(1, {"web1", "web3"}, "site")
        self.wait_alike()
        told = self.peer(0)["replication"]["told"]
        self.assertEqual(told["state"], "applied")
        # Checks have moved it on since.
        self.assertIn(told["epoch"], range(2, status_of(self.pair[1])["epoch"] + 1))
        self.assertIn(f"lb2 applied this director's of {told['version']}",
                      self.pair[0].ctl("peer").stdout)
        # What is its own has stayed, and a new start begins with all of it.
        os.kill(self.pair[1].program.pid, signal.SIGKILL)
        self.pair[1].program.wait()
        self.pair[1].start()
        self.assertEqual(status_of(self.pair[1])["name"], "lb2")
        self.assertEqual(set(self.pair[1].reals("site")), {"web1", "web3"})
        self.wait_alike()
        self.assertEqual(self.peer(0)["replication"]["told"]["state"], "none")

    def test_so_is_an_edit_and_a_return_to_what_was_before(self):
        self.assertEqual(self.pair[0].ctl("weight", "web/web2", "7").returncode, 0)
        wait_until(lambda: self.pair[1].reals()["web2"]["weight"] == 7, 10, "it is not there")
        self.wait_alike()
        self.assertIn("weight = 7", self.pair[1].file.read_text())
        self.assertEqual(status_of(self.pair[1])["not_in_file"], [])
        self.assertEqual(self.pair[0].ctl("rollback").returncode, 0)
        wait_until(lambda: self.pair[1].reals()["web2"]["weight"] == 1, 10, "it is still there")
        self.wait_alike()
        origins = [past["origin"] for past in self.pair[1].ask("history")["configurations"]]
        self.assertEqual(origins[-2:], ['the director "lb1"'] * 2)

    def test_what_the_other_cannot_serve_is_refused_with_the_reason(self):
        before = self.pair[1].file.read_text()
        hidden = web_service(forward="fullnat")
        config = self.config_of(0, [hidden])
        config["ports"][1]["local_addresses"] = [LOCAL]
        self.pair[0].write(config)
        self.assertEqual(self.pair[0].ctl("reload").returncode, 0)
        wait_until(lambda: self.peer(0)["replication"]["told"]["state"] == "refused", 10,
                   self.pair[0].ctl("peer").stdout)
        reason = self.peer(0)["replication"]["told"]["reasons"][0]
        self.assertIn('service "web"', reason)
        self.assertIn("local_addresses", reason)
        wait_until(lambda: any('the director "lb2" refuses the configuration' in problem
                               for problem in self.problems(0)), 10, "there is no alarm")
        wait_until(lambda: any('of the director "lb1" was refused here' in problem
                               for problem in self.problems(1)), 10, "there is none there")
        refused = 'fulcrum_peer_configurations_sent_total{outcome="refused"}'
        self.assertEqual(self.pair[0].metrics()[refused], "1")
        self.assertEqual(self.pair[1].file.read_text(), before)
        self.assertEqual(self.pair[1].reals()["web1"]["forward"], "nat")

    def test_who_was_away_while_the_other_one_changed_learns_of_it(self):
        self.kill(0)
        self.expect_active(1)
        self.load([web_service(("web2",))], place=1)
        self.pair[0].start()
        self.wait_ready()
        self.wait_reals(0, {"web2"})
        self.wait_alike()
        self.assertEqual(status_of(self.pair[0])["name"], "lb1")

    def expect_active(self, place):
        wait_until(lambda: state_of(self.pair[place]) == "active", 10, "it stands by")
