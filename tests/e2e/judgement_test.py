"""What follows from checks and from the operator's files: reals that leave the list, reals in
maintenance, weights that a program advises.
"""

import os

from labkit.director import director_config, web_service
from labkit.lab import WEB, wait_until
from scenario import Scenario

PROGRAM = """#!/bin/sh
read code < "$1/$2" && exit "$code"
"""


class Judgement(Scenario):
    @classmethod
    def config(cls):
        folder = cls.lab.folder / "maintenance"
        folder.mkdir()
        return director_config([web_service(quiescent=False)], maintenance=str(folder))

    def names(self):
        return set(self.director.reals())

    def test_a_real_that_fails_leaves_the_list_and_returns_to_it(self):
        self.lab.stop_web("web2")
        wait_until(lambda: self.names() == set(WEB) - {"web2"}, 15, "web2 is listed")
        self.assertEqual(set(self.fetch_many(100)), set(WEB) - {"web2"})
        self.lab.start_web("web2")
        wait_until(lambda: self.names() == set(WEB), 15, "web2 is not listed")
        self.assertEqual(self.director.reals()["web2"]["weight"], 1)

    def test_a_file_in_the_maintenance_folder_drains_a_real_until_it_goes(self):
        note = self.lab.folder / "maintenance" / WEB["web3"]
        note.touch()
        self.director.wait_state("web3", "drained")
        drain = self.director.reals()["web3"]["drain"]
        self.assertIn("sessions_at_start", drain)
        self.assertEqual(set(self.fetch_many(100)), set(WEB) - {"web3"})
        note.unlink()
        self.director.wait_state("web3", "up")
        self.assertEqual(set(self.fetch_many(200)), set(WEB))

    def test_what_is_drained_by_command_does_not_return_with_the_file(self):
        note = self.lab.folder / "maintenance" / "web1"
        self.director.ctl("drain", "web/web1")
        note.touch()
        self.director.wait_state("web1", "drained")
        note.unlink()
        (self.lab.folder / "maintenance" / "web2").touch()
        self.director.wait_state("web2", "drained")
        self.assertEqual(self.director.reals()["web1"]["state"], "drained")
        (self.lab.folder / "maintenance" / "web2").unlink()
        self.director.ctl("undrain", "web/web1")
        self.director.wait_all_up()


class Programs(Scenario):
    """A program of the operator's says how much a real can take."""

    @classmethod
    def config(cls):
        script = cls.lab.folder / "load"
        script.write_text(PROGRAM)
        script.chmod(0o755)
        for address in WEB.values():
            cls.advise(address, 12)
        check = {"type": "program", "exit_weight": True, "interval": "500ms", "timeout": "500ms",
                 "fall": 3, "command": [str(script), str(cls.lab.folder), "%h"]}
        return director_config([web_service(check=check)])

    @classmethod
    def advise(cls, address, code):
        fresh = cls.lab.folder / "advice"
        fresh.write_text(f"{code}\n")
        os.rename(fresh, cls.lab.folder / address)

    def wait_weight(self, name, weight):
        wait_until(lambda: self.director.reals()[name]["weight"] == weight, 15,
                   f"the weight of {name} is not {weight}")

    def test_an_exit_of_42_is_a_weight_of_40(self):
        for name in WEB:
            self.wait_weight(name, 10)
        self.advise(WEB["web1"], 42)
        self.wait_weight("web1", 40)
        shares = self.fetch_many(300)
        self.assertGreater(shares.count("web1"), 300 * 0.5)  # 40 of 60

    def test_an_exit_of_1_is_down_and_one_of_0_is_the_weight_of_the_file(self):
        self.advise(WEB["web2"], 1)
        self.director.wait_state("web2", "down")
        self.assertIn("ended with 1", self.director.reals()["web2"]["check"])
        self.advise(WEB["web2"], 0)
        self.director.wait_state("web2", "up")
        self.wait_weight("web2", 1)
