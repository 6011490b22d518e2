"""Two directors, of which one is killed: the other one goes on with its connections."""

import json
import signal

from crowd import Crowd
from labkit.director import director_config, web_service
from labkit.lab import VIP, Lab, wait_until
from scenario import Scenario, start_server
from two_directors import TwoDirectors

COUNT = 1000
PORT = 7


def config(name, names=("web1", "web2", "web3")):
    # In turn, so that no ring could tell where a connection is.
    unchecked = {"check": {"type": "none"}, "scheduler": "rr"}
    echo = web_service(names, port=PORT, name="echo") | {"port": PORT} | unchecked
    web = web_service(affinity={"timeout": "5m"}) | unchecked
    return director_config([echo, web], name=name)


class Pair(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.director = None
        cls.lab = Lab()
        cls.lab.start_web()
        for name in cls.lab.web:
            start_server(cls.lab, name, "mirror", PORT)
        cls.two = TwoDirectors(cls.lab, config)
        cls.a, cls.b = cls.two.a.start(), cls.two.b.start()

    @classmethod
    def tearDownClass(cls):
        for director in (cls.a, cls.b):
            if director.program:
                director.stop()
        cls.lab.close()

    def peer(self, director):
        return director.ask("peer")

    def problems(self, director):
        # Its exit status tells of them, too.
        return json.loads(director.ctl("status", "--json").stdout)["problems"]

    def live(self, director, service="echo"):
        return {name: real["sessions"] for name, real in director.reals(service).items()}

    def wait_alike(self, seconds=10):
        wait_until(lambda: self.live(self.a) == self.live(self.b), seconds,
                   f"{self.live(self.a)} and {self.live(self.b)}\n{self.b.log_tail()}")

    def start_crowd(self, count=COUNT):
        crowd = Crowd(self.lab.client, VIP, PORT, count, self.lab.folder)
        self.addCleanup(lambda: crowd.program.poll() is not None or crowd.program.kill())
        wait_until(crowd.latest, 60, "the connections do not open")
        self.assertEqual(crowd.latest()["alive"], count)
        return crowd

    def wait_rounds(self, crowd, more):
        goal = crowd.latest()["rounds"] + more
        wait_until(lambda: crowd.latest()["rounds"] >= goal, 60, "the connections stand still")

    def test_they_greet_each_other_and_are_ready(self):
        for director, name in ((self.a, "b"), (self.b, "a")):
            wait_until(lambda: self.peer(director)["state"] == "up", 10, director.log_tail())
            wait_until(lambda: self.peer(director)["ready"], 10, director.log_tail())
            wait_until(lambda: self.peer(director)["same_configuration"], 10, "the same file")
            self.assertEqual(self.peer(director)["name"], name)
            self.assertEqual(self.peer(director)["problems"], [])
            self.assertIn(f"peer {name}: up", director.ctl("status").stdout)
            self.assertEqual(director.metrics()["fulcrum_peer_up"], "1")

    def test_a_director_that_joins_is_told_of_all_connections(self):
        crowd = self.start_crowd()
        self.wait_alike()
        self.assertEqual(sum(self.live(self.b).values()), COUNT)
        self.b.program.send_signal(signal.SIGKILL)
        self.b.program.wait(10)
        self.b.start()
        wait_until(lambda: self.peer(self.b)["ready"], 10, self.b.log_tail())
        self.assertEqual(self.live(self.b), self.live(self.a))
        self.assertEqual(self.peer(self.b)["transfers"]["received"], 1)
        crowd.finish()

    def test_a_cut_cable_is_told_of_and_what_happened_meanwhile_comes_after(self):
        wait_until(lambda: self.peer(self.a)["state"] == "up", 10, self.a.log_tail())
        self.two.cut_cable(True)
        wait_until(lambda: self.peer(self.a)["state"] == "down", 10, "the cable is cut")
        self.assertIn('pair: the director "b" does not answer: what is opened now is not known to '
                      "it", self.problems(self.a))
        crowd = self.start_crowd(100)
        self.two.cut_cable(False)
        wait_until(lambda: self.peer(self.a)["state"] == "up", 10, self.a.log_tail())
        self.wait_alike()
        crowd.finish()

    def test_a_configuration_that_differs_is_told_of(self):
        self.b.write(self.b_config(("web1", "web2")))
        self.assertEqual(self.b.ctl("reload").returncode, 0)
        wait_until(lambda: not self.peer(self.a)["same_configuration"], 10, "another file")
        wait_until(lambda: self.a.metrics()["fulcrum_peer_configuration_differs"] == "1", 10,
                   "a metric of it")
        self.b.write(self.b_config())
        self.assertEqual(self.b.ctl("reload").returncode, 0)
        wait_until(lambda: self.peer(self.a)["same_configuration"], 10, "the same file")

    def b_config(self, names=("web1", "web2", "web3")):
        return self.two.paired_b(config("b", names))

    def test_connections_go_on_at_their_servers_when_the_first_is_killed(self):
        crowd = self.start_crowd()
        real = self.fetch()
        self.wait_rounds(crowd, 1)
        self.wait_alike()
        # A real that takes no new connections keeps those that it has, and is drained at both.
        self.assertEqual(self.a.ctl("drain", "echo/web2").returncode, 0)
        self.b.wait_state("web2", "drained", service="echo")
        before = self.live(self.b)
        self.a.program.send_signal(signal.SIGKILL)
        self.a.program.wait(10)
        self.two.plug_in_other()
        self.wait_rounds(crowd, 3)
        self.assertEqual(self.live(self.b), before)
        report = crowd.finish()
        self.assertEqual((report["alive"], report["broken"]), (COUNT, 0), self.b.log_tail())
        # A client's affinity has come over, too.
        self.assertEqual({self.fetch() for _ in range(10)}, {real})
        wait_until(lambda: self.peer(self.b)["state"] == "down", 10, "the peer is gone")
        refused = self.peer(self.b)["refused"]
        self.assertEqual({reason: count for reason, count in refused.items()
                          if count and reason != "kept"}, {}, json.dumps(self.peer(self.b)))
