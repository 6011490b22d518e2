"""Files that come to run by themselves, plans, returns, and a reload that does harm."""

import time

from labkit.director import director_config, web_service
from labkit.lab import VIP, WEB, wait_until
from labkit.load import Load, failures
from scenario import Scenario

WATCH_S = 1


class Autoreload(Scenario):
    @classmethod
    def variant(cls, names=tuple(WEB), **changes):
        config = director_config([web_service(names, **changes)])
        config["reload"] = {"watch": f"{WATCH_S}s", "rollback_within": "30s"}
        return config

    @classmethod
    def config(cls):
        return cls.variant()

    def settle(self, names=tuple(WEB), **changes):
        self.director.write(self.variant(names, **changes))
        self.director.ask("reload")
        wait_until(lambda: [real["state"] for real in self.director.reals().values()
                            if real["state"] != "removed"] == ["up"] * len(names), 15,
                   f"not all of {names} are up")

    def test_a_changed_file_runs_within_an_interval_and_loses_no_connection(self):
        short = Load(self.lab.client, VIP, parallel=4, pause=0.01)
        long = Load(self.lab.client, VIP, parallel=8, pause=0.02, keep_alive=True)
        for names in (("web1", "web2"), ("web1", "web2", "web3"), ("web2", "web3")):
            self.director.write(self.variant(names))
            wait_until(lambda names=names: self.live() == set(names), 10 * WATCH_S,
                       f"the file with {names} does not run")
        records = short.finish() + long.finish()
        self.assertGreater(len(records), 200)
        self.assertEqual(failures(records), [])

    def live(self):
        return {name for name, real in self.director.reals().items() if real["state"] != "removed"}

    def test_an_invalid_file_is_told_by_status_until_it_is_mended(self):
        self.settle()
        good = self.director.file.read_text()
        self.director.write(good.replace("port = 80;", "port = 800000;", 1))
        wait_until(lambda: self.director.ctl("status").returncode == 1, 10 * WATCH_S,
                   "status does not mind the invalid file")
        self.assertIn("800000 is not an integer", self.director.ctl("status").stdout)
        self.assertEqual(self.live(), set(WEB))
        self.director.write(good)
        wait_until(lambda: self.director.ctl("status").returncode == 0, 10 * WATCH_S,
                   "status minds the mended file")

    def test_a_plan_tells_what_would_change_and_changes_nothing(self):
        self.settle()
        epoch = self.director.ask("status")["epoch"]
        other = self.lab.folder / "other.cfg"
        other.write_text(self.director.file.read_text().replace('name = "web3"', 'name = "web9"'))
        plan = self.director.ctl("plan", str(other))
        self.assertEqual(plan.returncode, 0, plan.stderr)
        self.assertIn("web9", plan.stdout)
        self.assertIn("slots moved", plan.stdout)
        self.assertEqual(self.director.ask("status")["epoch"], epoch)
        self.assertEqual(self.live(), set(WEB))

    def test_a_rollback_brings_the_configuration_before_back(self):
        self.settle()
        self.settle(("web1",))
        kept = self.director.ask("history")["configurations"]
        answer = self.director.ask("rollback")
        self.assertEqual(self.live(), set(WEB))
        self.assertNotEqual(answer["not_in_file"], [])
        history = self.director.ask("history")["configurations"]
        self.assertEqual(history[-1]["origin"], f"a return to {kept[-2]['number']}")
        self.assertIn(history[-1]["origin"], self.director.ctl("history").stdout)

    def test_a_reload_that_costs_a_service_every_real_is_taken_back_by_itself(self):
        self.settle()
        self.director.write(self.variant(check={"type": "http", "expect": "what nobody says",
                                                "interval": "500ms", "timeout": "400ms"}))
        self.director.ask("reload")
        wait_until(lambda: "was taken back" in self.director.ctl("status").stdout, 20,
                   f"nothing was taken back\n{self.director.log_tail()}")
        self.director.wait_all_up()
        deadline = time.monotonic() + 2 * WATCH_S
        while time.monotonic() < deadline:  # the file, which has not changed since, stays away
            self.assertEqual(set(self.fetch_many(30)), set(WEB))
