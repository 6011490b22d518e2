"""A real Prometheus scrapes the director, by the rules and the dashboard that are shipped."""

import json
import re
import urllib.parse
import urllib.request
from pathlib import Path

from labkit.director import build_folder
from labkit.lab import WEB, wait_until
from scenario import Scenario

MONITORING = Path(__file__).resolve().parents[2] / "config/monitoring"
PORT = 9090


class Prometheus(Scenario):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.lab.director.run(build_folder() / "controlplane/fulcrumctl", "pair-key",
                             cls.lab.folder / "pair.key")

    @classmethod
    def config(cls):
        # With a peer, which need not be there for its metrics to be.
        return super().config() | {"pair": {
            "peer": "lb2", "key": str(cls.lab.folder / "pair.key"),
            "links": [{"local": "127.0.0.1:8849", "peer": "127.0.0.1:8850"}]}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.lab.folder / "prometheus"
        folder.mkdir()
        rules = (MONITORING / "alerts.yml").read_text()
        (folder / "alerts.yml").write_text(rules.replace("for: 1m", "for: 1s"))
        (folder / "prometheus.yml").write_text(
            "global: { scrape_interval: 1s, evaluation_interval: 1s }\n"
            "rule_files: [alerts.yml]\n"
            "scrape_configs:\n"
            "  - job_name: fulcrum\n"
            "    static_configs: [ { targets: ['127.0.0.1:9464'] } ]\n")
        with (folder / "log").open("wb") as log:
            cls.lab.director.start(
                "prometheus", f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{PORT}",
                stdout=log, stderr=log)
        wait_until(cls.is_ready, 30, "Prometheus does not become ready")

    @classmethod
    def is_ready(cls):
        """It listens before it answers."""
        def ask():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/-/ready", timeout=5):
                    return True
            except OSError:
                return False
        return cls.lab.director.call(ask)

    def query(self, expression):
        def ask():
            url = f"http://127.0.0.1:{PORT}/api/v1/query?" + urllib.parse.urlencode(
                {"query": expression})
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)["data"]["result"]
        return self.lab.director.call(ask)

    def test_it_scrapes_every_real(self):
        wait_until(lambda: len(self.query("fulcrum_real_up == 1")) == len(WEB), 20,
                   "Prometheus does not see the reals")
        reals = {series["metric"]["real"] for series in self.query("fulcrum_real_up")}
        self.assertEqual(reals, set(WEB))
        self.assertEqual(self.query('up{job="fulcrum"}')[0]["value"][1], "1")

    def test_an_alert_tells_of_a_real_that_goes_down_and_is_silent_when_it_is_back(self):
        firing = 'ALERTS{alertname="FulcrumRealDown", alertstate="firing"}'
        self.assertEqual(self.query(firing), [])
        self.lab.stop_web("web2")
        wait_until(lambda: [series["metric"]["real"] for series in self.query(firing)] == ["web2"],
                   30, "no alert")
        self.lab.start_web("web2")
        wait_until(lambda: self.query(firing) == [], 30, "the alert does not end")

    def test_rules_and_dashboard_name_nothing_that_the_director_does_not_tell(self):
        self.fetch_many(30)
        told = {name.split("{")[0] for name in self.director.metrics()}
        for file in ("alerts.yml", "grafana.json"):
            named = set(re.findall(r"\bfulcrum_[a-z0-9_]+", (MONITORING / file).read_text()))
            self.assertGreater(len(named), 5)
            self.assertEqual(named - told, set(), file)
