"""Beginning and end: what the director takes from the kernel and gives back, and how it refuses."""

import collections
import contextlib
import re
import signal
import subprocess
import time

import packets
from labkit.capture import Capture
from labkit.director import Director, config_text, director_config, last_cpu, web_service
from labkit.lab import CLIENT, VIP, WEB, end, run
from labkit.load import Load, failures
from scenario import Scenario

DEVICES = ("eth0", "eth1")
NOTICE = re.compile(r"[-0-9T:]+Z \S+ notice ")  # what a start says while all is well


def device_state(node):
    """What an af_packet port's owner may have changed: offloads, flags, IPv6, filters."""
    state = {"nft": node.run("nft", "list", "ruleset")}
    for device in DEVICES:
        state[device, "offloads"] = node.run("ethtool", "-k", device)
        state[device, "link"] = re.sub(r"state \w+", "", node.ip("-d", "link", "show", device))
        state[device, "ipv6"] = node.run("cat", f"/proc/sys/net/ipv6/conf/{device}/disable_ipv6")
        state[device, "addresses"] = node.ip("-br", "address", "show", device)
    return state


class GivingBack(Scenario):
    @classmethod
    def prepare(cls):
        super().prepare()
        for device in DEVICES:  # settings that are not the kernel's defaults
            cls.lab.director.run("ethtool", "-K", device, "gro", "on", "tso", "off")
        cls.found = device_state(cls.lab.director)

    def setUp(self):
        if self.director.program.poll() is not None:
            self.director.start()
            self.director.wait_all_up()

    def test_sigterm_returns_the_ports_as_they_were_found(self):
        self.assertNotEqual(device_state(self.lab.director), self.found)
        self.fetch_many(20)
        self.assertEqual(self.director.stop(), 0)
        self.assertEqual(device_state(self.lab.director), self.found)

    def test_sigterm_under_load_ends_within_two_seconds_with_status_0(self):
        load = Load(self.lab.client, VIP, parallel=4, pause=0.005)
        self.fetch_many(50)
        self.director.program.send_signal(signal.SIGTERM)
        self.assertEqual(self.director.program.wait(2), 0)
        load.program.kill()

    def test_after_a_kill_the_next_start_serves_and_returns_the_ports_as_first_found(self):
        self.director.program.kill()
        self.director.program.wait()
        self.setUp()
        self.assertEqual(set(self.fetch_many(100)), set(WEB))
        self.assertEqual(self.director.stop(), 0)
        self.assertEqual(device_state(self.lab.director), self.found)


class Kernel(Scenario):
    """The kernel sees every frame of an af_packet port too, and must keep silent about it."""

    def test_with_ip_forward_on_no_client_sees_a_reset_or_a_duplicate(self):
        self.lab.director.sysctl("net/ipv4/ip_forward", 1)
        capture = Capture(self.lab.client, "eth0")
        records = Load(self.lab.client, VIP, parallel=8, requests=2000).finish(stop=False)
        received = packets.incoming(capture.stop())
        self.assertEqual(failures(records), [])
        tcp = [packet for packet in received if packet.protocol == packets.TCP]
        self.assertGreater(len(tcp), 6000)
        self.assertEqual([packet for packet in tcp if packet.flags & packets.RST], [])
        self.assertEqual({packet.source for packet in received}, {VIP})
        # A retransmission has an identification of its own, a copy has the original's. (Linux gives
        # 0 to what it sends without a socket: those say nothing.)
        copies = collections.Counter((packet.destination_port, packet.sequence, packet.flags,
                                      packet.identification) for packet in tcp
                                     if packet.identification)
        self.assertEqual([key for key, count in copies.items() if count > 1], [])

    def test_a_flushed_rule_set_is_put_back_as_soon_as_it_is_missed(self):
        node = self.lab.director
        began = time.monotonic()
        for _ in range(20):  # found by asking once a second, these would take ten seconds
            node.run("nft", "flush", "ruleset")
            while "fulcrum_eth0" not in node.run("nft", "list", "tables"):
                self.assertLess(time.monotonic() - began, 8, "the chain is missed too late")

    def test_an_idle_director_leaves_the_processor_alone(self):
        before = self.cpu_s()
        time.sleep(3)  # the time over which an idle director is watched
        self.assertLess(self.cpu_s() - before, 1.0)

    def cpu_s(self):
        # The director's PID as the whole machine counts it: /proc is the machine's.
        outer = self.director.outer_pid()
        with open(f"/proc/{outer}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100


class TwoWorkers(Scenario):
    CLIENTS = [f"10.1.0.{number}" for number in range(100, 140)]

    @classmethod
    def config(cls):
        cpus = [0, last_cpu()] if last_cpu() > 0 else [0]
        return director_config([web_service()], workers=cpus)

    @classmethod
    def prepare(cls):
        super().prepare()
        for address in cls.CLIENTS:
            cls.lab.client.ip("address", "add", f"{address}/24", "dev", "eth0")

    def test_many_clients_are_served_whichever_worker_receives_them(self):
        if last_cpu() == 0:
            self.skipTest("one processor only: two workers would share it")
        records = Load(self.lab.client, VIP, parallel=8, requests=2000,
                       sources=self.CLIENTS).finish(stop=False)
        self.assertEqual(failures(records), [])
        workers = self.director.ask("status")["workers"]
        self.assertEqual(len(workers), 2)
        sessions = self.director.ask("sessions", "--limit", "5000")["sessions"]
        owners = collections.defaultdict(set)
        for session in sessions:
            owners[session["client"].rsplit(":", 1)[0]].add(session["worker"])
        self.assertTrue(all(len(workers) == 1 for workers in owners.values()), owners)
        self.assertEqual(len({worker for workers in owners.values() for worker in workers}), 2)


class Refusals(Scenario):
    """Starts that must not succeed: one sentence, the right status, and never an EAL dump."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.director.stop()

    def attempt(self, config):
        director = Director(self.lab, config)
        return self.lab.director.attempt(*director.command(), timeout=20)

    def assert_one_sentence(self, answer, status, *words):
        self.assertEqual(answer.returncode, status, answer.stderr)
        lines = [line for line in answer.stderr.splitlines() if not NOTICE.match(line)]
        self.assertEqual(len(lines), 1, answer.stderr)
        for word in words:
            self.assertIn(word, lines[0])
        self.assertNotIn("EAL", answer.stdout + answer.stderr)

    def test_a_missing_port_is_one_sentence_and_status_1(self):
        config = self.config()
        config["ports"][1]["device"] = "af_packet:eth7"
        self.assert_one_sentence(self.attempt(config), 1, "eth7")

    def test_more_workers_than_an_af_xdp_port_has_channels_is_one_sentence_and_status_1(self):
        config = self.config()
        config["director"]["workers"] = [0, 1]
        config["ports"][0]["device"] = "af_xdp:eth0"
        self.assert_one_sentence(self.attempt(config), 1, "AF_XDP", "eth0", "ethtool -L")

    def test_a_shortage_of_memory_is_one_sentence_with_the_missing_mebibytes(self):
        with self.machine_with("MemAvailable:     50000 kB\n"):
            self.assert_one_sentence(self.attempt(self.config()), 1, "MiB")

    def test_hugepages_that_are_not_there_are_one_sentence_and_status_1(self):
        config = self.config()
        config["director"]["memory"] = "hugepages"
        with self.machine_with("MemAvailable:  50000000 kB\nHugePages_Total: 0\n"
                               "HugePages_Free: 0\nHugepagesize: 2048 kB\n"):
            self.assert_one_sentence(self.attempt(config), 1, "MiB", "hugepages")

    @contextlib.contextmanager
    def machine_with(self, meminfo):
        """In this laboratory's own view of /proc, the machine has that much memory."""
        told = self.lab.folder / "meminfo"
        told.write_text(meminfo)
        run("mount", "--bind", told, "/proc/meminfo")
        try:
            yield
        finally:
            run("umount", "/proc/meminfo")

    def test_a_broken_file_names_every_problem_and_ends_with_status_2(self):
        config = self.config()
        config["services"][0]["reals"][0]["weight"] = -1
        config["services"][0]["prot"] = "tcp"
        answer = self.attempt(config)
        self.assertEqual(answer.returncode, 2)
        self.assertEqual(len(re.findall(r"director\.cfg:\d+: ", answer.stderr)), 2, answer.stderr)

    def test_a_file_that_does_not_exist_is_status_2(self):
        director = Director(self.lab, self.config())
        director.file.unlink()
        answer = self.lab.director.attempt(*director.command(), timeout=20)
        self.assertEqual(answer.returncode, 2)
        self.assertIn("director.cfg", answer.stderr)

    def test_check_judges_a_file_without_a_running_director(self):
        director = Director(self.lab, self.config())
        self.assertEqual(director.ctl("check", director.file).returncode, 0)
        director.write(config_text(self.config()).replace("maglev", "magic"))
        answer = director.ctl("check", director.file)
        self.assertEqual(answer.returncode, 2)
        self.assertIn("magic", answer.stderr + answer.stdout)

    def test_a_command_without_a_running_director_is_status_3(self):
        director = Director(self.lab, self.config())
        self.assertEqual(director.ctl("status").returncode, 3)

    def test_a_command_that_does_not_exist_is_named_with_status_2(self):
        answer = Director(self.lab, self.config()).ctl("evict")
        self.assertEqual(answer.returncode, 2)
        self.assertIn('no command "evict"', answer.stderr)

    def test_a_second_director_on_the_same_socket_is_refused(self):
        first = Director(self.lab, self.config())
        first.start()
        self.addCleanup(end, first.program)
        config = director_config([web_service()])
        config["ports"] = [{"name": "other", "device": "vdev:net_null0",
                            "addresses": ["10.9.0.1/24"]}]
        second = Director(self.lab, config)
        answer = subprocess.run(second.command(), capture_output=True, text=True, timeout=20,
                                preexec_fn=self.lab.director.enter)
        self.assertEqual(answer.returncode, 1)
        self.assertEqual(first.ctl("version").returncode, 0)


class Twin(Scenario):
    """The kernel's own traffic still passes through a port that the director owns."""

    def test_the_directors_own_address_answers_and_may_be_connected_to(self):
        web = self.lab.director.start("/usr/bin/python3", "-m", "http.server", "8888",
                                      "--directory", "/run/fulcrum", stderr=subprocess.DEVNULL)
        self.addCleanup(end, web)
        self.lab.wait_listening(self.lab.director, 8888)
        self.assertIn("control.sock", self.fetch(":8888/", host="10.1.0.2"))

    def test_a_real_reaches_the_client_through_the_kernel(self):
        self.lab.director.sysctl("net/ipv4/ip_forward", 1)
        web = self.lab.client.start("/usr/bin/python3", "-m", "http.server", "8888",
                                    "--directory", "/run/fulcrum", stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
        self.addCleanup(end, web)
        self.lab.wait_listening(self.lab.client, 8888)
        page = self.lab.web["web1"].run("curl", "-sS", "--max-time", "5", f"http://{CLIENT}:8888/")
        self.assertIn("control.sock", page)
