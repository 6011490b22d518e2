"""The director as a real of its own: the page that says sorry when all others are down, and a real
beside others. Its programs listen as any program of the host does.
"""

import subprocess

from ipv6_test import OverIpv6, config6, service6
from labkit.director import web_service
from labkit.lab import CLIENT, VIP, WEB

SORRY_PORT, OTHER_PORT = 8081, 8082
DIRECTOR = "10.1.0.2"


class LocalReal(OverIpv6):
    @classmethod
    def config(cls):
        sorry = {"address": "127.0.0.1", "port": SORRY_PORT}
        beside = web_service(["web1"], name="beside", check={"type": "none"}) | {"port": 82}
        beside["reals"].append({"name": "here", "address": "10.2.0.1", "port": SORRY_PORT})
        return config6([web_service(fallback=sorry), beside,
                        service6(name="web6",
                                 fallback={"address": "::1", "port": OTHER_PORT})])

    @classmethod
    def prepare(cls):
        super().prepare()
        folder = cls.lab.folder / "sorry"
        folder.mkdir()
        (folder / "index.html").write_text("sorry\n")
        (folder / "large").write_bytes(bytes(range(250)) * 4000)
        for port, address in ((SORRY_PORT, "0.0.0.0"), (OTHER_PORT, "::")):
            cls.lab.director.start("/usr/bin/python3", "-m", "http.server", str(port), "--bind",
                                   address, "--directory", folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
            cls.lab.wait_listening(cls.lab.director, port)

    def test_a_real_on_the_director_serves_beside_others(self):
        met = {self.fetch(host=f"{VIP}:82").strip() for _ in range(40)}
        self.assertEqual(met, {"web1", "sorry"})

    def test_the_fallback_on_the_director_serves_when_nobody_else_does(self):
        self.assertEqual(set(self.fetch_many(20)), set(WEB))
        for name in WEB:
            self.lab.stop_web(name)
        try:
            for name in WEB:
                self.director.wait_state(name, "down")
                self.director.wait_state(name, "down", service="web6")
            for fetch in (self.fetch, self.fetch6):
                self.assertEqual({fetch("/index.html") for _ in range(10)}, {"sorry\n"})
            target = self.lab.folder / "fetched"
            self.fetch("/large", "-o", target)
            self.assertEqual(target.read_bytes(), bytes(range(250)) * 4000)
            sessions = self.director.ask("sessions", "--client", CLIENT)["sessions"]
            self.assertIn("fallback", {session["real"] for session in sessions})
        finally:
            self.lab.start_web()
            self.director.wait_all_up()
            self.director.wait_all_up(service="web6")

    def test_the_directors_own_address_answers_for_itself(self):
        self.assertEqual(self.fetch(host=f"{DIRECTOR}:{SORRY_PORT}").strip(), "sorry")
