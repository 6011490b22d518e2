"""What scenarios with a real server have in common: the server runs on one of the laboratory's web
servers, in a folder of its own, and is found sound, wrongly asked, hung, and gone.
"""

import os
import signal

from labkit.director import director_config, web_service
from labkit.lab import end, wait_until
from scenario import Scenario

NAME = "mail.example.net"


def certify(home):
    """The files of a certificate that nobody vouches for, and its key."""
    return ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-keyout", home / "key.pem", "-out", home / "certificate.pem", "-subj", f"/CN={NAME}",
            "-addext", f"subjectAltName=DNS:{NAME}"]


class RealServer(Scenario):
    port = 0
    check = {}
    wrong = {}  # changes of the check that no sound server takes
    refusal = ""  # what is said then

    @classmethod
    def config(cls):
        pace = {"interval": "1s", "timeout": "1s", "port": cls.port}
        wrong = web_service(("web1",), name="wrong", check={**cls.check, **cls.wrong, **pace})
        return director_config([web_service(("web1",), check={**cls.check, **pace}),
                                wrong | {"port": 81}])

    @classmethod
    def prepare(cls):
        cls.node = cls.lab.web["web1"]
        cls.home = cls.lab.folder / "server"
        cls.home.mkdir()
        cls.lab.folder.chmod(0o755)
        cls.set_up_server()
        cls.program = cls.start_server()

    @classmethod
    def set_up_server(cls):
        """What has to stand before the server starts."""

    @classmethod
    def serve(cls, *words):
        with (cls.home / "log").open("ab") as log:
            return cls.node.start(*words, stdout=log, stderr=log)

    def sentence(self, service="web"):
        return self.director.reals(service)["web1"]["check"]


def is_up_and_refuses(test):
    test.director.wait_state("web1", "up", 30)
    test.director.wait_state("web1", "down", service="wrong")
    wait_until(lambda: test.refusal in test.sentence("wrong"), 10, f"{test.refusal} is not said")


def is_down_while_it_hangs(test):
    os.kill(test.program.pid, signal.SIGSTOP)
    test.director.wait_state("web1", "down")
    wait_until(lambda: "within 1000 ms" in test.sentence(), 10, "the timeout is not said")
    os.kill(test.program.pid, signal.SIGCONT)
    test.director.wait_state("web1", "up")


def is_down_when_it_has_ended(test):
    end(test.program)
    test.director.wait_state("web1", "down")
    wait_until(lambda: "refused" in test.sentence(), 10, "the refusal is not said")


def judged(scenario):
    """Gives the scenario the tests that all have in common, but for those of its own."""
    for name, test in {"test_it_is_up_and_a_wrong_question_is_refused": is_up_and_refuses,
                       "test_it_is_down_while_it_hangs_and_up_again": is_down_while_it_hangs,
                       "test_it_is_down_when_it_has_ended": is_down_when_it_has_ended}.items():
        if name not in vars(scenario):
            setattr(scenario, name, test)
    return scenario
