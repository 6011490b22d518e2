"""What runs, changed while it runs: services and reals come, change and go without a file."""

from labkit.director import director_config, web_service
from labkit.lab import VIP, WEB, WEB_PORT
from labkit.load import Load, failures
from scenario import Scenario


class Edit(Scenario):
    @classmethod
    def config(cls):
        return director_config([web_service(["web1", "web2"])])

    def assert_ctl(self, *words, status=0, says=""):
        answer = self.director.ctl(*words)
        self.assertEqual(answer.returncode, status, answer.stdout + answer.stderr)
        self.assertIn(says, answer.stdout + answer.stderr)

    def test_a_real_is_added_weighed_and_removed_under_load_and_no_connection_is_lost(self):
        load = Load(self.lab.client, VIP, parallel=4, pause=0.02)
        self.assert_ctl("add-real", "web/web3", f"address={WEB['web3']}", f"port={WEB_PORT}",
                        says="1 change is not in the file")
        self.director.wait_state("web3", "up")
        self.assertEqual(set(self.fetch_many(200)), set(WEB))
        self.assert_ctl("weight", "web/web1", "0", says="weight 1 becomes 0")
        self.assertEqual(set(self.fetch_many(100)), {"web2", "web3"})
        self.assert_ctl("remove-real", "web/web3")
        self.assertEqual(set(self.fetch_many(100)), {"web2"})
        self.assert_ctl("weight", "web/web1", "1", says="what runs is what the file says")
        self.assertEqual(set(self.fetch_many(200)), {"web1", "web2"})
        records = load.finish()
        self.assertGreater(len(records), 10)
        self.assertEqual(failures(records), [])

    def test_a_service_is_added_serves_and_goes(self):
        self.assert_ctl("add-service", "side", f"vip={VIP}", "port=8000", "check.type=none",
                        says="warning: service \"side\": it has no reals")
        self.assert_ctl("add-real", "side/web3", f"address={WEB['web3']}", f"port={WEB_PORT}")
        self.assertEqual(self.fetch(host=f"{VIP}:8000").strip(), "web3")
        self.assert_ctl("change-service", "side", "scheduler=rr", "affinity.timeout=10m")
        service = self.director.ask("services")["services"][1]
        self.assertEqual((service["scheduler"], service["affinity"]["timeout_s"]), ("rr", 600))
        self.assert_ctl("change-service", "side", "affinity=")
        self.assertIsNone(self.director.ask("services")["services"][1]["affinity"])
        self.assert_ctl("remove-service", "side")
        self.assertEqual([service["name"] for service in self.director.ask("services")["services"]],
                         ["web"])

    def test_several_checks_are_set_and_taken_away(self):
        pace = ("interval=500ms", "timeout=400ms")
        http = [f"checks.1.{key}" for key in ("type=http", "path=/ping.html", "fall=3", *pace)]
        connect = [f"checks.2.{key}" for key in ("type=connect", f"port={WEB_PORT + 1}", *pace)]
        self.addCleanup(self.assert_ctl, "reload")
        self.assert_ctl("change-service", "web", *http, *connect)
        for name in ("web1", "web2"):
            self.director.wait_state(name, "down")  # nobody listens at the other port
        self.assert_ctl("change-service", "web", "checks=")
        for name in ("web1", "web2"):
            self.director.wait_state(name, "up")

    def test_a_disabled_service_answers_as_if_it_had_no_real_until_it_is_enabled(self):
        self.assert_ctl("disable", "web", says="1 change is not in the file")
        refused = self.lab.client.attempt("curl", "-s", "--max-time", "5", f"http://{VIP}/")
        self.assertEqual(refused.returncode, 7)  # a reset, as from a service without reals
        self.assert_ctl("status", says="service \"web\" is disabled")
        self.assert_ctl("enable", "web", says="what runs is what the file says")
        self.assertEqual(set(self.fetch_many(100)), {"web1", "web2"})

    def test_status_tells_of_edits_and_a_reload_undoes_them(self):
        self.assert_ctl("weight", "web/web1", "5")
        self.assert_ctl("change-timeouts", "udp=1m")
        self.assert_ctl("status", says="note: 3 changes are not in the file")
        self.assert_ctl("reload", says="undone, as the file does not say so: service \"web\": real "
                                       "\"web1\": weight 1 becomes 5")
        self.assertEqual(self.director.ask("status")["not_in_file"], [])
        self.assertEqual(self.director.reals()["web1"]["weight_configured"], 1)

    def test_what_is_saved_outlives_a_reload(self):
        before = self.director.file.read_text()
        self.assert_ctl("weight", "web/web1", "5")
        self.assertIn("weight = 5", self.director.ctl("save", "-").stdout)
        other = self.lab.folder / "other.cfg"
        self.assertEqual(self.director.ask("save", other), {"file": str(other)})
        self.assert_ctl("check", other, says="is valid")
        self.assert_ctl("status", says="note: 1 change is not in the file")
        self.assert_ctl("save", says=f"{self.director.file} says what runs")
        self.assert_ctl("reload", says="nothing has changed")
        self.assertEqual(self.director.reals()["web1"]["weight_configured"], 5)
        self.director.file.write_text(before)
        self.assert_ctl("save", status=1, says="has changed since it was read")
        self.director.ask("reload")

    def test_what_cannot_be_is_refused_in_a_sentence_and_changes_nothing(self):
        epoch = self.director.ask("status")["epoch"]
        self.assert_ctl("weight", "web/wbe1", "5", status=1, says="did you mean \"web1\"?")
        self.assert_ctl("remove-service", "shop", status=1, says="there is no service \"shop\"")
        self.assert_ctl("add-real", "web/web4", "address=10.2.0.0", status=2,
                        says="but names the network 10.2.0.0/24")
        self.assert_ctl("add-real", "web/web4", "adress=10.2.0.14", status=2,
                        says="did you mean \"address\"?")
        self.assert_ctl("change-real", "web/web1", "weight", status=2,
                        says="\"weight\" does not read KEY=VALUE")
        self.assertEqual(self.director.ask("status")["epoch"], epoch)

    def test_counters_begin_at_zero_when_told_to(self):
        self.fetch_many(20)
        self.assertGreater(self.director.ask("services")["services"][0]["sessions_opened"], 0)
        self.assert_ctl("zero", "web")
        self.assertEqual(self.director.ask("services")["services"][0]["sessions_opened"], 0)
        self.assertGreater(int(self.director.metrics()[
            'fulcrum_service_sessions_opened_total{service="web"}']), 0)
