"""Checks that take reals out of service and bring them back, and how long that takes."""

import time

from labkit.director import director_config, http_check, web_service
from labkit.lab import VIP, WEB, wait_until
from labkit.load import Load, by_real, failures
from scenario import Scenario, start_server

# A single failure takes a real down here, so a good server needs the time to answer even when its
# processor is busy elsewhere.
INTERVAL_S, TIMEOUT_S = 2, 2
SLACK_S = 1.0  # two cores shared by every program of the laboratory
SILENT_PORT = 9000
SILENT_COUNT = 1000


def strict_service():
    return web_service(check=http_check(interval=f"{INTERVAL_S}s", timeout=f"{TIMEOUT_S}s", fall=1))


class Health(Scenario):
    @classmethod
    def config(cls):
        return director_config([strict_service()])

    def test_a_page_without_the_expected_text_takes_the_real_down_and_with_it_brings_it_back(self):
        begun = time.monotonic()
        self.lab.write_ping("web1", "Goodbye World\n")
        self.director.wait_state("web1", "down")
        self.assertLess(time.monotonic() - begun, INTERVAL_S + TIMEOUT_S + SLACK_S)
        self.assertEqual(set(self.fetch_many(100)), {"web2", "web3"})
        begun = time.monotonic()
        self.lab.write_ping("web1", "Hello World\n")
        self.director.wait_state("web1", "up")
        self.assertLess(time.monotonic() - begun, INTERVAL_S + TIMEOUT_S + SLACK_S)
        self.assertEqual(set(self.fetch_many(200)), set(WEB))

    def test_a_stopped_server_is_listed_with_weight_0_and_restarted_with_weight_1(self):
        self.lab.stop_web("web2")
        self.director.wait_state("web2", "down")
        real = self.director.reals()["web2"]
        self.assertEqual((real["weight"], real["weight_configured"]), (0, 1))
        self.assertIn("web2", self.director.ctl("reals").stdout)
        self.lab.start_web("web2")
        self.director.wait_state("web2", "up")
        self.assertEqual(self.director.reals()["web2"]["weight"], 1)

    def test_no_request_fails_after_a_stopped_server_was_detected(self):
        load = Load(self.lab.client, VIP, parallel=8, pause=0.005)
        wait_until(lambda: len(by_real(load.records())) == len(WEB), 10, "not every real answers")
        self.lab.stop_web("web3")
        detected = self.director.wait_state("web3", "down")
        wait_until(lambda: len([record for record in load.records()
                                if record["start"] > detected]) > 500, 30, "the load is stuck")
        self.lab.start_web("web3")
        returned = self.director.wait_state("web3", "up")
        wait_until(lambda: any(record["real"] == "web3" and record["start"] > returned
                               for record in load.records()), 10, "web3 gets nothing again")
        records = load.finish()
        self.assertEqual(failures(records, since=detected), [])
        self.assertNotEqual(failures(records), [])  # it was under load when it stopped

    def test_a_wrong_text_is_named_by_the_check(self):
        self.lab.write_ping("web1", "Goodbye World\n")
        self.director.wait_state("web1", "down")
        self.assertIn("Hello World", self.director.reals()["web1"]["check"])
        self.lab.write_ping("web1", "Hello World\n")
        self.director.wait_state("web1", "up")


class SilentReals(Scenario):
    """A thousand reals that accept and never answer, checked beside three good ones."""

    @classmethod
    def config(cls):
        reals = [{"name": f"silent{number}", "address": cls.address(number), "port": SILENT_PORT,
                  "weight": 1, "forward": "nat"} for number in range(SILENT_COUNT)]
        silent = web_service(name="silent", check=http_check(interval="2s", timeout="1s"),
                             reals=reals) | {"port": 90}
        return director_config([strict_service(), silent])

    @staticmethod
    def address(number):
        return f"10.2.{16 + number // 250}.{1 + number % 250}"

    @classmethod
    def prepare(cls):
        cls.lab.start_web()
        # One host answers for all of 10.2.16.0/20.
        cls.lab.web["web3"].ip("route", "add", "local", "10.2.16.0/20", "dev", "lo")
        start_server(cls.lab, "web3", "silent", SILENT_PORT)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab.director.ip("route", "add", "10.2.16.0/20", "via", WEB["web3"], "dev", "lan")

    def silent_states(self):
        return {real["state"] for real in self.director.reals("silent").values()}

    def test_they_are_down_after_the_timeout_and_delay_no_other_check(self):
        wait_until(lambda: self.silent_states() == {"down"}, 15, "silent reals are not down")
        for _ in range(2):
            self.lab.stop_web("web1")
            begun = time.monotonic()
            self.director.wait_state("web1", "down")
            self.assertLess(time.monotonic() - begun, INTERVAL_S + TIMEOUT_S + 2 * SLACK_S)
            self.lab.start_web("web1")
            begun = time.monotonic()
            self.director.wait_state("web1", "up")
            self.assertLess(time.monotonic() - begun, INTERVAL_S + TIMEOUT_S + 2 * SLACK_S)
        self.assertEqual(set(self.fetch_many(200)), set(WEB))

    def test_a_check_without_an_answer_says_how_long_it_waited(self):
        wait_until(lambda: self.silent_states() == {"down"}, 15, "silent reals are not down")
        self.assertIn("1000 ms", self.director.reals("silent")["silent0"]["check"])


class SeveralChecks(Scenario):
    """A page and a connection have to be sound; web2 is asked for the latter alone."""

    @classmethod
    def config(cls):
        service = web_service()
        del service["check"]
        pace = {"interval": f"{INTERVAL_S}s", "timeout": f"{TIMEOUT_S}s"}
        service["checks"] = [{"type": "connect", **pace}, http_check(**pace, fall=1)]
        service["reals"][1]["check"] = {"type": "connect", **pace}
        return director_config([service])

    def test_a_real_is_up_while_it_passes_all_of_its_checks(self):
        self.lab.write_ping("web1", "Goodbye World\n")
        self.lab.write_ping("web2", "Goodbye World\n")
        self.director.wait_state("web1", "down")
        said = self.director.reals()["web1"]["check"]
        self.assertTrue(said.startswith(("http: ", "connect: ")), said)
        self.assertEqual(self.director.reals()["web2"]["state"], "up")
        self.lab.stop_web("web2")
        self.director.wait_state("web2", "down")
        self.lab.start_web("web2")
        self.lab.write_ping("web1", "Hello World\n")
        for name in WEB:
            self.director.wait_state(name, "up")
