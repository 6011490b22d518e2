"""The cluster of config/examples/cluster as it stands there: two directors, two web servers, and
behind a VIP of its own a pair of databases that the web servers ask; nginx and MariaDB. One
director and one web server die at the same instant, and who has a session with the other web
server notices nothing but time.

                    client .10    gateway .1 (the witness)
   ──────┬──────────────┴──────────┴────────┬─────────    203.0.113.0/24, VIP .80
    lb1  │ .2                          lb2  │ .3
   ──────┴──┬────────┬────────┬────────┬────┴─────────    192.168.10.0/24, VIP .50, gateway .1
          web1 .11  web2 .21  db1 .12  db2 .22
"""

import os
import shutil
import signal
import subprocess

from labkit.director import SOCKETS, Director, build_folder, last_cpu
from labkit.lab import ROOT, Lab, wait_until
from labkit.load import Load, by_real, failures
from labkit.pair import state_of
from scenario import Scenario

VIP, GATEWAY, DATABASE = "203.0.113.80", "203.0.113.1", "192.168.10.50"
WEB = {"web1": "192.168.10.11", "web2": "192.168.10.21"}
DATABASES = {"db1": "192.168.10.12", "db2": "192.168.10.22"}
KEY = "/run/pair.key"
# What a laboratory has in other places than the machines that the files are for.
SUBSTITUTES = {
    '"0000:01:00.0"': '"af_packet:eth0"',
    '"0000:01:00.1"': '"af_packet:eth1"',
    "workers = [ 1 ];": f'workers = [ {last_cpu()} ]; memory = "ordinary"; sessions = 100000;',
    '"/dev/hugepages/fulcrum"': '"/run/sessions-%s"',
    '"/etc/fulcrum/pair.key"': f'"{KEY}"',
}


class ExampleCluster(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.director = None
        cls.lab = Lab(directors=2)
        cls.build_networks()
        cls.lab.start_web(*WEB)
        cls.databases = [cls.start_database(name) for name in DATABASES]
        cls.lab.client.run(build_folder() / "controlplane/fulcrumctl", "pair-key", KEY)
        shutil.copy(ROOT / "config/examples/cluster/services.inc", cls.lab.folder)
        cls.pair = [Director(cls.lab, cls.text_of(place), place) for place in (0, 1)]
        for director in cls.pair:
            director.start()

    @classmethod
    def tearDownClass(cls):
        for director in cls.pair:
            if director.program.poll() is None:
                director.stop()
        cls.lab.close()

    @classmethod
    def build_networks(cls):
        lab = cls.lab
        lab.client.ip("address", "add", "203.0.113.10/24", "dev", "eth0")
        lab.client.run("ethtool", "-K", "eth0", "tso", "off")
        lab.add_host("gateway", f"{GATEWAY}/24")
        for name, address in WEB.items():
            lab.web[name].ip("address", "flush", "dev", "eth0")
            lab.web[name].ip("address", "add", f"{address}/24", "dev", "eth0")
            lab.web[name].ip("route", "add", "default", "via", "192.168.10.1")
        cls.data_nodes = {}
        for name, address in DATABASES.items():
            cls.data_nodes[name] = lab._node(name)
            lab._plug(cls.data_nodes[name], "lan", "eth0", f"{address}/24")

    @classmethod
    def text_of(cls, place):
        name = f"lb{place + 1}"
        text = (ROOT / f"config/examples/cluster/{name}.cfg").read_text()
        for theirs, ours in SUBSTITUTES.items():
            assert theirs in text, f"{name}.cfg does not say {theirs}"
            text = text.replace(theirs, ours % name if "%s" in ours else ours)
        return text + f'control = {{ socket = "{SOCKETS[place]}"; }};\n'

    @classmethod
    def start_database(cls, name):
        home = cls.lab.folder / name
        home.mkdir()
        cls.lab.folder.chmod(0o755)
        shutil.chown(home, "mysql")
        node = cls.data_nodes[name]
        node.run("mariadb-install-db", "--no-defaults", f"--datadir={home}/data", "--user=mysql",
                 "--skip-test-db", "--auth-root-authentication-method=normal")
        (home / "init").write_text("CREATE USER web@'%' IDENTIFIED BY 'sesam';\n"
                                   "CREATE DATABASE shop;\n"
                                   "CREATE TABLE shop.own (name TEXT);\n"
                                   f"INSERT INTO shop.own VALUES ('{name}');\n"
                                   "GRANT SELECT ON shop.* TO web@'%';\n")
        with (home / "log").open("ab") as log:
            program = node.start("mariadbd", "--no-defaults", f"--datadir={home}/data",
                                 "--user=mysql", f"--socket={home}/socket", "--port=3306",
                                 f"--init-file={home}/init", "--skip-name-resolve",
                                 stdout=log, stderr=log)
        cls.lab.wait_listening(node, 3306)
        return program

    def setUp(self):
        for director in self.pair:
            if director.program.poll() is not None:
                director.start()
        for director in self.pair:
            director.wait_all_up(30)
            director.wait_all_up(30, service="db")
            wait_until(lambda: director.ask("peer")["ready"], 20, director.log_tail())
        if state_of(self.pair[0], "cluster") != "active":
            self.assertEqual(self.pair[1].ctl("standby").returncode, 0)
        wait_until(lambda: state_of(self.pair[0], "cluster") == "active", 10, "lb1 stands by")

    def connect_to_database(self, name):
        """As a web server's pool does: one connection that stays."""
        return self.lab.web[name].start(
            "mariadb", "--no-defaults", "-h", DATABASE, "-u", "web", "-psesam", "-N",
            "--unbuffered", "--skip-ssl", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @staticmethod
    def query(connection):
        """Which database answers, and under which number it knows the connection."""
        connection.stdin.write("SELECT name, CONNECTION_ID() FROM shop.own;\n")
        connection.stdin.flush()
        return connection.stdout.readline().split()

    def test_a_session_outlives_the_director_and_the_other_web_server(self):
        own = self.fetch(host=VIP).strip()
        other = next(name for name in WEB if name != own)
        pool = self.connect_to_database(own)
        before = self.query(pool)
        self.assertEqual(before[0], "db1")
        browser = Load(self.lab.client, VIP, parallel=1, pause=0.02)
        wait_until(lambda: len(browser.records()) > 50, 20, "nobody browses")
        told = lambda place: self.pair[place].reals("db")["db1"]["sessions_active"]  # noqa: E731
        wait_until(lambda: told(1) == told(0), 10, "the other director is not told")

        os.kill(self.pair[0].program.pid, signal.SIGKILL)
        os.kill(self.lab.nginx[other].pid, signal.SIGKILL)
        self.lab.set_link(f"{other}-eth0", "down")
        self.pair[0].program.wait()
        self.lab.nginx.pop(other).wait()

        wait_until(lambda: state_of(self.pair[1], "cluster") == "active", 10, "lb2 stands by")
        self.assertEqual(self.query(pool), before, "the same connection, to the same database")
        after = len(browser.records())
        wait_until(lambda: len(browser.records()) > after + 100, 30, "nobody browses any more")
        records = browser.finish()
        self.assertEqual(failures(records), [])
        self.assertEqual(set(by_real(records)), {own})
        longest = max(record["end"] - record["start"] for record in records)
        print(f"cluster: the longest page took {1000 * longest:.0f} ms", flush=True)
        # Whose server is dead comes to the other one as soon as that is known.
        self.pair[1].wait_state(other, "down", 20)
        self.assertEqual(self.fetch(host=VIP).strip(), own)
        pool.stdin.close()
        self.lab.set_link(f"{other}-eth0", "up")
        self.lab.start_web(other)

    def test_the_second_database_takes_over_from_the_first_and_gives_back(self):
        pool = self.connect_to_database("web1")
        self.assertEqual(self.query(pool)[0], "db1")
        os.kill(self.databases[0].pid, signal.SIGSTOP)
        try:
            self.pair[0].wait_state("db1", "down", 20, service="db")
            anew = self.connect_to_database("web1")
            self.assertEqual(self.query(anew)[0], "db2")
            anew.stdin.close()
        finally:
            os.kill(self.databases[0].pid, signal.SIGCONT)
        self.pair[0].wait_state("db1", "up", 20, service="db")
        self.assertEqual(self.query(pool)[0], "db1")
        pool.stdin.close()
