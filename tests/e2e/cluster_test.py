"""Two directors with all that makes them a pair: the election, the addresses that float, and the
sessions, health and drains that the other one is told of. Whatever dies, connections go on.
"""

import json
import os
import signal
import time
from pathlib import Path

from crowd import Crowd
from labkit.director import build_folder, web_service
from labkit.lab import VIP, LabError, run, wait_until
from labkit.load import Load, failures
from labkit.pair import pair_config, state_of
from roles_test import Pair
from scenario import start_server

COUNT, PORT, PEER_PORT = 2000, 7, 8849
KEY = "/run/pair.key"


class Cluster(Pair):
    @classmethod
    def services(cls):
        # In turn, so that no ring could tell where a connection is.
        echo = web_service(port=PORT, name="echo") | {
            "port": PORT, "scheduler": "rr", "check": {"type": "tcp"}}
        return [echo, web_service(scheduler="rr", affinity={"timeout": "5m"})]

    @classmethod
    def config_of(cls, place):
        own, other = place + 2, 3 - place
        links = [{"local": f"10.{net}.0.{own}:{PEER_PORT}",
                  "peer": f"10.{net}.0.{other}:{PEER_PORT}"} for net in (2, 1)]
        return pair_config(place, cls.services(), pair={
            "peer": f"lb{2 - place}", "key": KEY, "links": links})

    @classmethod
    def prepare(cls):
        Path(KEY).unlink(missing_ok=True)
        run(build_folder() / "controlplane/fulcrumctl", "pair-key", KEY)
        cls.lab.start_web()
        cls.mirrors = {name: start_server(cls.lab, name, "mirror", PORT) for name in cls.lab.web}

    def setUp(self):
        for director in self.pair:
            if director.program.poll() is not None:
                director.start()
        self.wait_ready()
        if state_of(self.pair[0]) != "active":
            self.assertEqual(self.pair[1].ctl("standby").returncode, 0)
        self.expect_one_active(0)

    def wait_ready(self):
        wait_until(lambda: all(director.ask("peer")["ready"] for director in self.pair), 20,
                   f"not both are ready:\n{self.pair[0].log_tail()}\n{self.pair[1].log_tail()}")

    def live(self, place, service="echo"):
        return {name: real["sessions_active"]
                for name, real in self.pair[place].reals(service).items()}

    def open_crowd(self, count=COUNT):
        crowd = Crowd(self.lab.client, VIP, PORT, count, self.lab.folder)
        self.addCleanup(lambda: crowd.program.poll() is not None or crowd.program.kill())
        wait_until(crowd.latest, 60, "the connections do not open")
        self.assertEqual(crowd.latest()["alive"], count)
        return crowd

    def wait_told(self):
        try:
            wait_until(lambda: self.live(0) == self.live(1), 10, "they differ")
        except LabError as error:
            told = [director.ctl("peer").stdout for director in self.pair]
            raise LabError("\n".join([f"{error}: {self.live(0)}, {self.live(1)}", *told])) from None

    def expect_all_go_on(self, crowd, count=COUNT):
        rounds = crowd.latest()["rounds"]
        wait_until(lambda: crowd.latest()["rounds"] >= rounds + 3, 60, "they stand still")
        report = crowd.finish()
        self.assertEqual((report["alive"], report["broken"]), (count, 0),
                         self.pair[1].log_tail())

    def test_after_a_kill_every_connection_goes_on_at_its_server(self):
        real = self.fetch()
        crowd = self.open_crowd()
        self.wait_told()
        before = self.live(1)
        killed = self.kill(0)
        self.expect_one_more(killed)
        self.assertEqual(self.live(1), before)
        # The client's affinity has gone over, too.
        self.assertEqual({self.fetch() for _ in range(6)}, {real})
        self.expect_all_go_on(crowd)

    def expect_one_more(self, since):
        wait_until(lambda: state_of(self.pair[1]) == "active", 10, "the other one stands by")
        print(f"cluster: active after {1000 * (time.monotonic() - since):.0f} ms", flush=True)

    def test_connections_that_have_only_just_opened_go_on_too(self):
        crowd = self.open_crowd(200)
        time.sleep(0.2)  # what is promised: within 100 ms the other one knows
        self.kill(0)
        self.expect_one_more(time.monotonic())
        self.expect_all_go_on(crowd, 200)

    def test_who_comes_back_is_told_of_all_before_it_may_take_over_and_nobody_notices(self):
        crowd = self.open_crowd()
        self.wait_told()
        self.kill(0)
        self.expect_one_more(time.monotonic())
        self.pair[0].start()
        self.wait_ready()
        self.wait_told()
        load = Load(self.lab.client, VIP, parallel=4, pause=0.01)
        self.assertEqual(self.pair[1].ctl("standby").returncode, 0)
        self.expect_one_active(0)
        self.expect_all_go_on(crowd)
        records = load.finish()
        self.assertEqual(failures(records), [])

    def test_both_are_replaced_one_after_the_other_and_nobody_notices(self):
        """A rolling upgrade: each in its turn stands by, ends, and starts anew."""
        crowd = self.open_crowd()
        load = Load(self.lab.client, VIP, parallel=4, pause=0.01)
        for leaver in (0, 1):
            self.assertEqual(self.pair[leaver].ctl("standby").returncode, 0)
            self.expect_one_active(1 - leaver)
            time.sleep(0.5)  # what is under way to the old one's address still arrives
            self.pair[leaver].stop()
            self.pair[leaver].start()
            self.wait_ready()
        self.expect_all_go_on(crowd)
        self.assertEqual(failures(load.finish()), [])

    def test_a_director_and_a_server_that_die_together_cost_time_alone(self):
        crowd = self.open_crowd()
        self.wait_told()
        lost = self.live(0)["web2"]
        browser = Load(self.lab.client, VIP, parallel=2, pause=0.02)
        mirror = self.mirrors["web2"]
        os.kill(mirror.pid, signal.SIGKILL)
        self.lab.stop_web("web2")
        self.kill(0)
        self.expect_one_more(time.monotonic())
        self.pair[1].wait_state("web2", "down", service="web")
        quiet = time.monotonic()
        wait_until(lambda: crowd.latest()["broken"] >= lost, 60, "nobody misses the server")
        rounds = crowd.latest()["rounds"]
        wait_until(lambda: crowd.latest()["rounds"] >= rounds + 3, 60, "they stand still")
        report = crowd.finish()
        self.assertEqual((report["alive"], report["broken"]), (COUNT - lost, lost))
        time.sleep(0.5)
        records = browser.finish()
        self.assertEqual(failures(records, since=quiet), [])
        self.lab.start_web("web2")
        type(self).mirrors["web2"] = start_server(self.lab, "web2", "mirror", PORT)
        self.pair[1].wait_all_up()

    def test_at_a_takeover_health_and_drains_are_as_they_were(self):
        self.lab.stop_web("web3")
        self.pair[0].wait_state("web3", "down")
        self.pair[0].ask("drain", "web/web1")
        self.pair[1].wait_state("web1", "drained")
        self.kill(0)
        self.expect_one_more(time.monotonic())
        states = {name: real["state"] for name, real in self.pair[1].reals().items()}
        self.assertEqual(states, {"web1": "drained", "web2": "up", "web3": "down"})
        self.pair[1].ask("undrain", "web/web1")
        self.lab.start_web("web3")
        self.pair[1].wait_all_up()

    def test_the_secret_is_nowhere_in_what_the_director_tells(self):
        key = open(KEY).read().strip()
        told = self.pair[0].log.read_text() + json.dumps(self.pair[0].ask("peer"))
        self.assertNotIn(key, told)
