"""Mass hosting: five thousand services with ten servers each beside one that is in use."""

import sys
import time

from labkit.capture import Capture
from labkit.director import director_config, web_service
from labkit.lab import PATIENCE, VIP, WEB
from labkit.load import Load, failures
from reload_test import resets
from scenario import Scenario

SERVICES, REALS = 5000, 10
SCRAPE_S_MAX = 10  # Prometheus's own scrape_timeout, unless it is told otherwise
RING_SIZE = 4099  # four hundred slots for each of ten servers


def hosted(number, generation):
    """Its servers have names of their own, so its ring is like no other's."""
    reals = [{"name": f"g{generation}s{number}r{real}", "port": 80,
              "address": f"10.2.{1 + number // 100}.{1 + number % 100 + 100 * (real % 2)}",
              "weight": 1 + real} for real in range(REALS)]
    for real, server in enumerate(reals):
        server["port"] = 8000 + real
    return {"name": f"site{number}", "vip": VIP, "port": 10000 + number,
            "ring_size": RING_SIZE, "reals": reals,
            "check": {"type": "none"}}


def config(generation):
    services = [hosted(number, generation) for number in range(SERVICES)]
    return director_config([web_service()] + services)


class Scale(Scenario):
    @classmethod
    def config(cls):
        return config(0)

    def test_all_of_them_change_under_load_and_nobody_else_notices(self):
        at_client = Capture(self.lab.client, "eth0")
        load = Load(self.lab.client, VIP, parallel=4, pause=0.01)
        told = []
        for what, changed in (("new servers for all 5,000", config(1)),
                              ("one weight of 50,000", self.one_weight(config(1)))):
            self.director.write(changed)
            began = time.monotonic()
            answer = self.director.ask("reload")
            told.append(f"{what}: {time.monotonic() - began:.2f} s")
        records = load.finish()
        self.assertEqual(len(answer["changes"]), 1, answer["changes"][:3])
        self.assertEqual(failures(records), [])
        self.assertGreater(len(records), 100)
        self.assertEqual(resets(at_client.stop()), [])
        self.assertEqual(len(self.director.ask("services")["services"]), SERVICES + 1)
        print("scale: " + "; ".join(told), file=sys.stderr)

    def test_their_metrics_are_told_before_prometheus_gives_up(self):
        page = self.lab.folder / "page"
        times = [float(self.lab.director.run(
            "curl", "-sS", "--max-time", "25", "-o", page, "-w", "%{time_total}",
            "http://127.0.0.1:9464/metrics")) for _ in range(3)]
        self.assertLess(max(times), SCRAPE_S_MAX * PATIENCE)
        lines = page.read_text().splitlines()
        told = sum(line.startswith("fulcrum_real_sessions_opened_total{") for line in lines)
        self.assertEqual(told, SERVICES * REALS + len(WEB))
        print(f"scale: metrics of {SERVICES * REALS} servers: {max(times):.2f} s, "
              f"{page.stat().st_size >> 20} MiB", file=sys.stderr)

    @staticmethod
    def one_weight(changed):
        changed["services"][-1]["reals"][0]["weight"] = 7
        return changed
