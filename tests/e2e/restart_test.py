"""The director is killed, ended, upgraded to another file or another size: connections go on."""

import signal
from pathlib import Path

from crowd import Crowd
from labkit.director import director_config, last_cpu, web_service
from labkit.lab import PATIENCE, VIP, wait_until
from scenario import Scenario, start_server

FILE = "/run/fulcrum/sessions"
COUNT = 400
PORT = 7


def config(names=("web1", "web2", "web3"), workers=None, **director):
    # In turn, so that no ring could tell a packet in mid-course where its connection is.
    crowded = web_service(names, port=PORT, name="echo") | {
        "port": PORT, "scheduler": "rr", "check": {"type": "tcp"}}
    services = [crowded, web_service(scheduler="rr", affinity={"timeout": "5m"})]
    return director_config(services, workers, session_file=FILE, **director)


class Restart(Scenario):
    @classmethod
    def config(cls):
        return config()

    @classmethod
    def prepare(cls):
        cls.lab.start_web()
        for name in cls.lab.web:
            start_server(cls.lab, name, "mirror", PORT)

    def setUp(self):
        self.restart(config())
        self.crowd = Crowd(self.lab.client, VIP, PORT, COUNT, self.lab.folder)
        self.addCleanup(lambda: self.crowd.program.poll() is not None or self.crowd.program.kill())
        self.wait_rounds(1)
        self.assertEqual(self.crowd.latest()["alive"], COUNT)

    def wait_rounds(self, more):
        latest = self.crowd.latest()
        goal = more + (latest["rounds"] if latest else 0)
        wait_until(lambda: (self.crowd.latest() or {"rounds": -1})["rounds"] >= goal, 60,
                   "the connections stand still")

    def restart(self, changed, how=signal.SIGKILL):
        if self.director.program.poll() is None:
            self.director.program.send_signal(how)
        self.director.program.wait(10)
        self.director.write(changed)
        self.director.start()
        self.director.wait_state("web1", "up", service="echo")

    def assert_all_go_on(self):
        self.wait_rounds(3)
        report = self.crowd.finish()
        self.assertEqual((report["alive"], report["broken"]), (COUNT, 0), self.director.log_tail())

    def live(self):
        return {name: real["sessions"] for name, real in self.director.reals("echo").items()}

    def test_after_a_kill_every_connection_goes_on_at_its_server(self):
        before = self.live()
        real = self.fetch()
        self.restart(config())
        self.assertIn("are taken up", self.director.log.read_text())
        self.assertEqual(self.live(), before)
        # The client's affinity has outlived the process, too.
        self.assertEqual({self.fetch() for _ in range(10)}, {real})
        self.assert_all_go_on()

    def test_after_an_orderly_end_too(self):
        self.restart(config(), signal.SIGTERM)
        self.assert_all_go_on()

    def test_a_file_that_names_fewer_servers_lets_the_connections_of_the_others_end_in_peace(self):
        before = self.live()
        self.restart(config(names=("web1", "web3")))
        self.assertEqual(self.live(), before)
        self.assertEqual(self.director.reals("echo")["web2"]["state"], "removed")
        self.assert_all_go_on()

    def test_tables_of_another_size_and_for_more_workers_are_filled_anew(self):
        before = self.live()
        self.restart(config(workers=[0, last_cpu()], sessions=50_000))
        wait_until(lambda: self.live() == before, 5, f"not all are there: {self.live()}")
        self.assert_all_go_on()

    def test_what_is_damaged_is_refused_with_a_sentence_and_newcomers_are_served(self):
        self.crowd.finish()
        for damage in ("the names", "the sessions"):
            with self.subTest(damage):
                self.director.program.kill()
                self.director.program.wait(10)
                path = "/run/fulcrum/indexes" if damage == "the names" else FILE
                with open(path, "r+b") as file:
                    file.write(b"x" * 16)
                self.restart(config())
                self.assertIn("are not taken up", self.director.log_tail())
                self.assertEqual(sum(self.live().values()), 0)
                self.assertIn(self.fetch().strip(), self.lab.web)


class SeveralStarts(Scenario):
    """With checks as they are by default, where one failure is enough, and sessions of a failed
    server ended by resets: the first answers that come after a start must count."""

    begins_unknown = True
    STARTS = 4

    @classmethod
    def config(cls):
        patience = f"{900 * PATIENCE}ms"
        hasty = web_service(port=PORT, name="echo", scheduler="rr", on_failure="reset") | {
            "port": PORT, "check": {"type": "connect", "interval": patience, "timeout": patience}}
        return director_config([hasty], session_file=FILE)

    @classmethod
    def prepare(cls):
        for name in cls.lab.web:
            start_server(cls.lab, name, "mirror", PORT)

    @classmethod
    def setUpClass(cls):
        Path(FILE).unlink(missing_ok=True)
        super().setUpClass()

    def wait_all_up(self):
        self.director.wait_all_up(service="echo")

    def assert_first_answers_have_counted(self):
        def probes():
            return [int(count) for name, count in self.director.metrics().items()
                    if name.startswith("fulcrum_checks_total")]
        wait_until(lambda: len(probes()) == 3 and min(probes()) > 0, 10, "no check has told")
        self.wait_all_up()
        lost = [(name, count) for name, count in self.director.metrics().items()
                if 'reason="no_route"' in name and count != "0"]
        self.assertEqual(lost, [])
        self.assertNotIn(" is down", self.director.log.read_text())

    def test_the_first_verdicts_are_up_and_all_connections_go_on(self):
        self.assert_first_answers_have_counted()
        crowd = Crowd(self.lab.client, VIP, PORT, 200, self.lab.folder)
        self.addCleanup(lambda: crowd.program.poll() is not None or crowd.program.kill())
        wait_until(crowd.latest, 60, "the connections are not open")
        for _ in range(self.STARTS):
            self.director.program.kill()
            self.director.program.wait(10)
            rounds = crowd.latest()["rounds"]
            self.director.start()
            self.assert_first_answers_have_counted()
            wait_until(lambda seen=rounds: crowd.latest()["rounds"] > seen + 2, 60,
                       "the connections stand still")
        report = crowd.finish()
        self.assertEqual((report["alive"], report["broken"]), (200, 0), self.director.log_tail())
