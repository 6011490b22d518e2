"""What people and programs hear of a real's changes: mail, the hook, and the log as programs read
it.
"""

import json

from labkit.director import director_config, web_service
from labkit.lab import VIP, WEB, wait_until
from scenario import Scenario, start_server

MAIL_PORT = 2525


class Telling(Scenario):
    begins_unknown = True

    @classmethod
    def config(cls):
        cls.hook_file, cls.log_file = cls.lab.folder / "told", cls.lab.folder / "fulcrum.log"
        program = cls.lab.folder / "hook"
        program.write_text("#!/bin/sh\n"
                           "echo $FULCRUM_SERVICE ${FULCRUM_REAL:-$FULCRUM_EVENT} "
                           "$FULCRUM_FROM $FULCRUM_TO "
                           f"$FULCRUM_REALS_UP $FULCRUM_REALS >> {cls.hook_file}\n")
        program.chmod(0o755)
        return director_config([web_service()]) | {
            "log": {"to": "file", "file": str(cls.log_file), "form": "json"},
            "mail": {"server": f"{WEB['web3']}:{MAIL_PORT}", "from": "lb1@example.net",
                     "to": ["ops@example.net"], "when": ["running"], "repeat": "2s",
                     "gather": "1s"},
            "hook": {"program": str(program)}}

    @classmethod
    def prepare(cls):
        cls.lab.start_web()
        cls.mail_file = cls.lab.folder / "mail"
        start_server(cls.lab, "web3", "mail", MAIL_PORT, cls.mail_file)

    def mail(self):
        return self.mail_file.read_text() if self.mail_file.exists() else ""

    def test_a_change_is_told_by_mail_once_and_again_while_it_lasts(self):
        self.assertEqual(self.mail(), "")  # of first verdicts nobody asked to hear
        self.lab.stop_web("web1")
        self.director.wait_state("web1", "down")
        wait_until(lambda: "still down" in self.mail(), 15, "no reminder comes")
        text = self.mail()
        self.assertIn("MAIL FROM:<lb1@example.net>", text)
        self.assertIn("RCPT TO:<ops@example.net>", text)
        self.assertEqual(text.count("Subject: [lb1] web/web1 is down"), 1)
        self.assertIn(f'service "web" ({VIP}:80/tcp): real "web1" ({WEB["web1"]}:8080): '
                      "up becomes down: ", text)
        self.lab.start_web("web1")
        self.director.wait_state("web1", "up")
        wait_until(lambda: "Subject: [lb1] web/web1 is up" in self.mail(), 15, "no mail comes")

    def test_the_hook_hears_of_each_change_in_its_order(self):
        self.director.ctl("drain", "web/web2")
        self.director.ctl("undrain", "web/web2")
        wait_until(lambda: "drained up" in self.hook_file.read_text(), 10, "the hook is not called")
        lines = self.hook_file.read_text().splitlines()
        self.assertTrue(any(line.startswith("web quorum_up unknown up") for line in lines), lines)
        told = [line for line in lines if line.split()[1] in WEB]
        firsts = {}
        for line in told:
            firsts.setdefault(line.split()[1], line.split()[2])
        self.assertEqual(firsts, dict.fromkeys(WEB, "unknown"))
        self.assertIn("web web2 up drained 2 3", told)
        self.assertIn("web web2 drained up 3 3", told)

    def test_the_log_names_time_node_service_real_and_reason_apart(self):
        lines = [json.loads(line) for line in self.log_file.read_text().splitlines()]
        first = next(line for line in lines
                     if line.get("real") == "web2" and line.get("state") == "up")
        self.assertEqual({key: first[key] for key in ("node", "area", "service", "state")},
                         {"node": "lb1", "area": "health", "service": "web", "state": "up"})
        self.assertEqual(first["reason"], "HTTP 200")
        self.assertRegex(first["time"], r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
