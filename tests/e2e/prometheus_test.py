"""A real Prometheus scrapes the director, by the rules and the dashboard that are shipped; and one
that has to log in, within TLS.
"""

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


class Scraped(Scenario):
    """Prometheus runs beside the director, and scrapes it as `how` says."""
    how = ""

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
            f"{cls.how}"
            "    static_configs: [ { targets: ['127.0.0.1:9464'] } ]\n")
        with (folder / "log").open("wb") as log:
            cls.lab.director.start(
                "prometheus", f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{PORT}",
                stdout=log, stderr=log)
        ready = ("curl", "-sf", "--max-time", "2", f"http://127.0.0.1:{PORT}/-/ready")
        wait_until(lambda: cls.lab.director.attempt(*ready).returncode == 0, 20,
                   "Prometheus is not ready")

    def query(self, expression):
        def ask():
            url = f"http://127.0.0.1:{PORT}/api/v1/query?" + urllib.parse.urlencode(
                {"query": expression})
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)["data"]["result"]
        return self.lab.director.call(ask)


class Prometheus(Scraped):
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


class GuardedMetrics(Scraped):
    """Within TLS, for who logs in."""

    @classmethod
    def prepare(cls):
        super().prepare()
        folder = cls.lab.folder
        cls.certificate, cls.key = folder / "metrics.pem", folder / "metrics.key"
        cls.logins = folder / "metrics.logins"
        cls.lab.director.run(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            "/CN=lb1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", cls.key, "-out", cls.certificate)
        cls.logins.write_text("prometheus:sesam\n")
        for secret in (cls.key, cls.logins):
            secret.chmod(0o600)
        cls.how = ("    scheme: https\n"
                   f"    tls_config: {{ ca_file: {cls.certificate} }}\n"
                   "    basic_auth: { username: prometheus, password: sesam }\n")

    @classmethod
    def config(cls):
        config = super().config()
        config["metrics"].update(certificate=str(cls.certificate), key=str(cls.key),
                                 logins=str(cls.logins))
        return config

    def ask(self, *options, scheme="https"):
        return self.lab.director.attempt(
            "curl", "-sS", "--max-time", "5", "-o", "/dev/null", "-w", "%{http_code}", *options,
            f"{scheme}://127.0.0.1:9464/metrics")

    def test_it_scrapes_every_real_within_tls(self):
        wait_until(lambda: len(self.query("fulcrum_real_up == 1")) == len(WEB), 20,
                   "Prometheus does not see the reals")
        self.assertEqual(self.query('up{job="fulcrum"}')[0]["value"][1], "1")

    def test_nobody_else_is_told_anything(self):
        trusting = ("--cacert", self.certificate)
        self.assertEqual(self.ask(*trusting, "-u", "prometheus:sesam").stdout, "200")
        self.assertEqual(self.ask(*trusting).stdout, "401")
        self.assertEqual(self.ask(*trusting, "-u", "prometheus:wrong").stdout, "401")
        self.assertIn("certificate", self.ask("-u", "prometheus:sesam").stderr)
        self.assertNotEqual(self.ask("-u", "prometheus:sesam", scheme="http").returncode, 0)
