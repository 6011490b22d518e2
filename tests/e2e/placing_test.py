"""Who serves a new connection: every scheduler by its name, and the affinity of clients."""

import itertools

from labkit.director import director_config, web_service
from labkit.lab import VIP, WEB, wait_until
from scenario import Scenario

SCHEDULERS = ("maglev", "rr", "wrr", "lc", "wlc", "sed", "nq", "dh", "sh", "mh", "lblc", "lblcr",
              "fo", "ovf", "twos")


class Placing(Scenario):
    def use(self, weights=(1, 1, 1), **changes):
        service = web_service(**changes)
        for real, weight in zip(service["reals"], weights):
            real["weight"] = weight
        self.director.write(director_config([service]))
        self.director.ask("reload")

    def in_turn(self, count):
        """Who answered each of `count` requests, one after the other."""
        return self.lab.client.run("curl", "-sS", "--max-time", "20", "-H", "Connection: close",
                                   f"http://{VIP}/[1-{count}]").split()

    def test_every_scheduler_can_be_chosen_and_serves(self):
        for scheduler in SCHEDULERS:
            with self.subTest(scheduler):
                self.use(weights=(3, 2, 1), scheduler=scheduler)
                shown = self.director.ask("services")["services"][0]
                self.assertEqual(shown["scheduler"], scheduler)
                self.assertLessEqual(set(self.in_turn(6)), set(WEB))

    def test_round_robin_alternates(self):
        self.use(scheduler="rr")
        answers = self.in_turn(30)
        names = list(WEB)
        first = names.index(answers[0])
        expected = itertools.islice(itertools.cycle(names), first, first + 30)
        self.assertEqual(answers, list(expected))

    def test_a_client_stays_with_its_real_as_long_as_the_service_says(self):
        self.use(scheduler="rr", affinity={"timeout": "1h"})
        [real] = set(self.in_turn(20))
        [client] = self.director.ask("affinity", "--service", "web")["clients"]
        self.assertEqual((client["real"], client["confirmed"]), (real, True))
        self.assertIn("/32", client["client"])
        wait_until(lambda: self.director.ask("affinity")["clients"][0]["sessions"] == 0, 5,
                   "closed connections still count")
        self.assertIn(real, self.director.ctl("affinity").stdout)
        self.director.ask("drain", f"web/{real}")
        self.assertEqual(set(self.in_turn(10)), {real})
        self.use(scheduler="rr", affinity={"timeout": "1h", "on_drain": "move"})
        others = set(self.in_turn(10))
        self.assertEqual(len(others), 1)
        self.assertNotEqual(others, {real})
        self.director.ask("undrain", f"web/{real}")

    def test_a_single_worker_takes_a_shorter_prefix_than_at_start(self):
        self.use(affinity={"prefix": 24})
        self.fetch_many(1)
        [client] = self.director.ask("affinity", "--service", "web")["clients"]
        self.assertIn("/24", client["client"])
