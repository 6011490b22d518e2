"""The file of a director that somebody else wrote for another program, imported and at work: in the
network of the how-to that it comes from. Its VIP is 192.168.1.20, its gateway inside 192.168.22.2.
"""

import subprocess

from labkit.director import build_folder
from labkit.lab import ROOT, wait_until
from scenario import Scenario

HOW_TO_VIP = "192.168.1.20"
REALS = {"192.168.22.4": "web1", "192.168.22.5": "web2"}


def imported(name, *words):
    """What `fulcrumctl import` makes of a file of tests/import, and what it says beside it."""
    return subprocess.run([build_folder() / "controlplane/fulcrumctl", "import",
                           ROOT / "tests/import" / name, *words],
                          capture_output=True, text=True, timeout=30)


class HowTo(Scenario):
    @classmethod
    def config(cls):
        text = imported("howto.cf", "--port", "wan af_packet:eth0 192.168.1.2/24",
                        "--port", "lan af_packet:eth1 192.168.22.2/24").stdout
        # The laboratory has no hugepages, which the file cannot know.
        return text.replace("director = {", 'director = { memory = "ordinary"; sessions = 100000;')

    @classmethod
    def prepare(cls):
        cls.lab.client.ip("address", "add", "192.168.1.10/24", "dev", "eth0")
        for address, name in REALS.items():
            node = cls.lab.web[name]
            node.ip("address", "add", f"{address}/24", "dev", "eth0")
            node.ip("route", "replace", "default", "via", "192.168.22.2")
        cls.lab.start_web(*REALS.values(), port=80)
        folder = cls.lab.folder / "sorry"
        folder.mkdir()
        (folder / "index.html").write_text("sorry\n")
        cls.lab.director.start("/usr/bin/python3", "-m", "http.server", "80", "--bind", "0.0.0.0",
                               "--directory", folder, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        cls.lab.wait_listening(cls.lab.director, 80)

    @classmethod
    def wait_all_up(cls):
        cls.director.wait_all_up(seconds=20, service=f"{HOW_TO_VIP}-80")

    def wait_state(self, address, state):
        self.director.wait_state(address, state, seconds=20, service=f"{HOW_TO_VIP}-80")

    def answers(self, count):
        return {self.fetch(host=HOW_TO_VIP).strip() for _ in range(count)}

    def test_both_servers_of_the_how_to_answer(self):
        # The fallback serves until workers have heard of the first checks.
        wait_until(lambda: self.answers(20) == set(REALS.values()), 10, "not both of them answer")

    def test_a_server_whose_page_is_wrong_gets_weight_0_and_returns_with_its_weight(self):
        self.lab.write_ping("web1", "Goodbye World\n")
        self.wait_state("192.168.22.4", "down")
        real = self.director.reals(f"{HOW_TO_VIP}-80")["192.168.22.4"]
        self.assertEqual((real["weight"], real["weight_configured"]), (0, 1))
        self.assertEqual(self.answers(10), {"web2"})
        self.lab.write_ping("web1", "Hello World\n")
        self.wait_state("192.168.22.4", "up")
        self.assertEqual(self.answers(20), set(REALS.values()))

    def test_without_any_server_the_fallback_on_the_director_answers(self):
        for address, name in REALS.items():
            self.lab.write_ping(name, "Goodbye World\n")
            self.wait_state(address, "down")
        self.assertEqual(self.fetch("/index.html", host=HOW_TO_VIP), "sorry\n")
        for name in REALS.values():
            self.lab.write_ping(name, "Hello World\n")
        self.wait_all_up()
        wait_until(lambda: self.fetch(host=HOW_TO_VIP).strip() in REALS.values(), 5,
                   "the fallback still answers")

    def test_what_it_does_not_say_is_told_with_its_line(self):
        result = imported("howto.cf")
        self.assertEqual(result.returncode, 1)
        self.assertIn('howto.cf:4: lost: "logfile="var/log/ldirectord.log""', result.stderr)
        self.assertIn("howto.cf:6: ", result.stderr)
