"""Beyond a pair: four directors announce one VIP by BGP, with what `fulcrumctl export` prints for
BIRD, and a router spreads the connections over them. Flows that come to another director than
before reach their real nevertheless, as all directors draw the same rings."""

import os
import signal
import time

from crowd import Crowd
from labkit.ecmp import VIP, VIP6, Ecmp, direct_service, direct_services, exported
from labkit.lab import Lab, wait_until
from labkit.load import Load, failures
from scenario import Scenario, start_server

COUNT, PORT = 400, 7


class Ecmp4(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.director = None
        cls.lab = Lab(router=True, ipv6=True, directors=4)
        cls.lab.start_web(port=80)
        for name in cls.lab.web:
            start_server(cls.lab, name, "mirror", PORT)
        echo = direct_service(name="echo", port=PORT, check={"type": "none"})
        for real in echo["reals"]:
            real["port"] = PORT
        cls.ecmp = Ecmp(cls.lab, [*direct_services(), echo])
        cls.all = range(4)

    @classmethod
    def tearDownClass(cls):
        cls.ecmp.close()
        cls.lab.close()

    def setUp(self):
        for director in self.ecmp.directors:
            director.wait_all_up()
        self.ecmp.wait_ways(self.all)

    def packets(self, service):
        return [sum(real["in_packets"] for real in director.reals(service).values())
                for director in self.ecmp.directors]

    def open_crowd(self):
        crowd = Crowd(self.lab.client, VIP, PORT, COUNT, self.lab.folder)
        self.addCleanup(lambda: crowd.program.poll() is not None or crowd.program.kill())
        wait_until(crowd.latest, 60, "the connections do not open")
        self.assertEqual(crowd.latest()["alive"], COUNT)
        return crowd

    def expect_all_go_on(self, crowd):
        rounds = crowd.latest()["rounds"]
        wait_until(lambda: crowd.latest()["rounds"] >= rounds + 3, 60, "they stand still")
        report = crowd.finish()
        self.assertEqual((report["alive"], report["broken"]), (COUNT, 0))

    def test_connections_are_spread_over_all_directors(self):
        self.fetch_many(80, host=VIP)
        for packets in self.packets("web"):
            self.assertGreater(packets, 0)
        self.ecmp.wait_ways(self.all, VIP6)
        self.fetch_many(80, host=f"[{VIP6}]")
        for packets in self.packets("web6"):
            self.assertGreater(packets, 0)

    def test_connections_of_a_director_that_is_killed_go_on_at_their_reals(self):
        crowd = self.open_crowd()
        victim = self.ecmp.directors[1]
        self.assertGreater(self.packets("echo")[1], 0)
        killed = time.monotonic()
        os.kill(victim.program.pid, signal.SIGKILL)
        victim.program.wait()
        self.ecmp.wait_ways({0, 2, 3})
        print(f"ecmp: without it after {1000 * (time.monotonic() - killed):.0f} ms", flush=True)
        self.expect_all_go_on(crowd)
        victim.start()
        self.ecmp.wait_ways(self.all)

    def test_a_director_that_stands_by_is_led_to_no_more_and_nobody_notices(self):
        crowd = self.open_crowd()
        load = Load(self.lab.client, VIP, parallel=4, pause=0.01)
        leaver = self.ecmp.directors[2]
        self.assertEqual(leaver.ctl("standby").returncode, 0)
        self.ecmp.wait_ways({0, 1, 3})
        self.assertEqual(self.fetch_many(20, host=VIP).__len__(), 20)
        self.assertEqual(leaver.ctl("takeover").returncode, 0)
        self.ecmp.wait_ways(self.all)
        self.expect_all_go_on(crowd)
        self.assertEqual(failures(load.finish()), [])

    def test_what_frr_would_be_told_names_the_same(self):
        text = exported(self.ecmp.directors[0], "frr")
        for line in (f"permit {VIP}/32", f"permit {VIP6}/128", "router bgp 65001",
                     "neighbor 10.1.0.254 remote-as 65000"):
            self.assertIn(line, text)
