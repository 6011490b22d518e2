"""ipvsadm's words against a director: a transcript of a real IPVS line by line, the commands of the
how-tos under traffic, and the refusals beside those of Debian's own ipvsadm."""

import itertools
import random
import re
import unittest
from pathlib import Path

from labkit.director import build_folder, director_config, web_service
from labkit.lab import CLIENT, VIP, WEB, WEB_PORT, run, wait_until
from labkit.load import Load, failures
from scenario import Scenario

HERE = Path(__file__).resolve().parent
PROGRAM = build_folder() / "controlplane/fulcrum-ipvsadm"
THEIRS = Path("/usr/sbin/ipvsadm")
TITLES = ("IP Virtual Server version 1.2.1 (size=4096)\n"
          "Prot LocalAddress:Port Scheduler Flags\n"
          "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n")


def transcript(name):
    """Pairs of a command's words and what was printed, as a real IPVS wrote them down."""
    text = (HERE / name).read_text()
    for part in re.split(r"^\$ ipvsadm ", text, flags=re.M)[1:]:
        words, _, printed = part.partition("\n")
        yield words.split(), printed


def said_by(done):
    """As the transcripts have it: what was printed, complaints, and the status."""
    text = done.stdout + (done.stderr if done.returncode else "")
    return f"{text.replace(str(PROGRAM), 'ipvsadm')}[rc={done.returncode}]\n"


def shape(words, printed):
    """What was printed, with zeros of the same place for what traffic has counted."""
    if "-Lnc" in words or "-c" in words:
        return printed.splitlines()[:2]
    is_counted = "--stats" in words or "--rate" in words
    counts = 3 if words[-1:] == ["--persistent-conn"] else 2

    def without_counts(line):
        if not re.match("(TCP|UDP|FWM|  ->) ", line):
            return line
        if is_counted:
            return line[:33] + re.sub(r" *\d+", lambda m: "0".rjust(len(m[0])), line[33:])
        counted = re.search(rf"(\d+ +){{{counts}}}$", line) if "->" in line else None
        return line if counted is None else line[:counted.start()] + re.sub(
            r"\d+ +", lambda m: "0".ljust(len(m[0])), counted[0])

    lines = [without_counts(line) for line in printed.splitlines()]
    return sorted(lines) if "--nosort" in words else lines  # each boot has an order of its own


class IpvsadmScenario(Scenario):
    def ipvsadm(self, *words, lines=None):
        """The completed command; `lines` is its standard input."""
        return self.lab.director.attempt(PROGRAM, *words, input=lines)

    def say(self, command, lines=None):
        """What `ipvsadm COMMAND` prints; it has to succeed."""
        done = self.ipvsadm(*command.split(), lines=lines)
        self.assertEqual((done.returncode, done.stderr), (0, ""), command)
        return done.stdout

    def assert_refused(self, command, sentence, status=255, lines=None):
        before = self.say("-Sn")
        done = self.ipvsadm(*command.split(), lines=lines)
        self.assertEqual((done.returncode, done.stderr.strip()), (status, sentence), command)
        self.assertEqual(self.say("-Sn"), before)


class IpvsadmTranscript(IpvsadmScenario):
    @classmethod
    def config(cls):
        return director_config([], sessions6=10000)

    def test_a_real_ipvs_is_replayed_byte_for_byte(self):
        replayed = 0
        for words, printed in transcript("ipvsadm-golden.txt"):
            if words[0] == "--start-daemon":
                break  # from here on it is about a daemon that there is not
            done = self.ipvsadm(*words)
            self.assertEqual(said_by(done), printed, " ".join(words))
            replayed += 1
        self.assertEqual(replayed, 42)

    def test_there_is_no_sync_daemon_and_nobody_claims_so(self):
        self.assertEqual(self.say("-Ln --daemon"), "")
        self.assertEqual(self.ipvsadm("--start-daemon", "master").returncode, 255)
        self.assertEqual(self.ipvsadm("--stop-daemon", "backup").stderr, "No daemon is running\n")

    def test_saved_lines_restore_what_was_saved_byte_for_byte(self):
        saved = self.ipvsadm("-S", "-n")
        self.assertIn("thresholds are left out", saved.stderr)
        self.assertIn("-f 7", saved.stdout)
        extended = self.say("-S -n --extended")
        self.assertIn("-x 100 -y 50", extended)
        self.say("-C")
        self.assertEqual(self.say("-Sn"), "")
        self.say("-R", lines=saved.stdout)
        self.assertEqual(self.say("-Sn"), saved.stdout)
        self.say("-C")
        self.say("-R", lines="# as ipvsadm-save wrote it\n\nipvsadm " + extended)
        self.assertEqual(self.say("-S -n --extended"), extended)

    def test_more_lines_than_a_request_holds_are_restored_as_one(self):
        lines = [f"-A -t 10.77.{i // 256}.{i % 256}:80 -s rr\n" for i in range(1, 61)]
        lines += [f"-a -t 10.77.{i // 256}.{i % 256}:80 -r 10.78.{i // 256}.{real}:80 -m -w 1\n"
                  for i in range(1, 61) for real in range(1, 5)]
        self.say("-C")
        self.say("-R", lines="".join(lines))
        self.assertEqual(len(self.say("-Sn").splitlines()), 300)
        self.assert_refused("-R", "line 302: Destination already exists",
                            lines="-C\n" + "".join(lines) + lines[-1])
        self.say("-C")

    def test_listings_of_a_real_ipvs_under_traffic_have_the_same_columns(self):
        self.say("-C")
        for words, printed in transcript("ipvsadm-golden-traffic.txt"):
            if words != ["--version"]:
                self.assertEqual(shape(words, said_by(self.ipvsadm(*words))),
                                 shape(words, printed), " ".join(words))


class Ipvsadm(IpvsadmScenario):
    """The lab's VIP and reals, first as the file has them, then as ipvsadm makes them."""

    @classmethod
    def config(cls):
        mark = {"mark": 80, "vip": VIP, "port": 81, "protocol": "tcp"}
        return {**director_config([web_service(["web1", "web2"])]), "marks": [mark]}

    def service(self, scheduler="rr", *names):
        """A table of one service on the VIP, by ipvsadm alone."""
        self.say("-C")
        self.say(f"-A -t {VIP}:80 -s {scheduler}")
        for name in names or WEB:
            self.say(f"-a -t {VIP}:80 -r {WEB[name]}:{WEB_PORT} -m -w1")

    def test_what_the_file_says_is_listed_and_what_ipvsadm_cannot_say_is_not_lost_in_silence(self):
        listed = self.say("-Ln")
        self.assertIn(f"TCP  {VIP}:80 maglev\n", listed)
        self.assertIn(f"  -> {WEB['web1']}:{WEB_PORT}".ljust(33) + " Masq    1 ", listed)
        saved = self.ipvsadm("-Sn")
        self.assertIn("# service \"web\" has more than ipvsadm has words for", saved.stderr)
        self.director.ask("drain", "web/web1")
        self.assertIn(f"  -> {WEB['web1']}:{WEB_PORT}".ljust(33) + " Masq    0 ", self.say("-Ln"))
        self.assertEqual(self.ipvsadm("-Sn").stdout, saved.stdout)
        self.director.ask("undrain", "web/web1")

    def test_the_commands_of_the_how_tos_make_a_service_that_serves(self):
        self.service("rr", "web1", "web2")
        self.assertEqual(self.say("-l -n"), TITLES +
                         f"TCP  {VIP}:80 rr\n"
                         "  -> 10.2.0.11:8080               Masq    1      0          0         \n"
                         "  -> 10.2.0.12:8080               Masq    1      0          0         \n")
        self.assertEqual(set(self.fetch_many(20)), {"web1", "web2"})

    def test_adding_what_exists_is_refused_and_changes_nothing(self):
        self.service("rr")
        self.assert_refused(f"-A -t {VIP}:80 -s wlc", "Service already exists")
        self.assert_refused(f"-a -t {VIP}:80 -r {WEB['web1']}:{WEB_PORT} -m",
                            "Destination already exists")

    def test_naming_what_does_not_exist_is_refused(self):
        self.service("rr")
        for command in ("-a", "-e", "-d"):
            self.assert_refused(f"{command} -t {VIP}:99 -r 10.2.0.11:80", "Service not defined")
        for command in ("-D", "-E", "-Z"):
            self.assert_refused(f"{command} -t {VIP}:99", "No such service")
        for command in ("-e", "-d"):
            self.assert_refused(f"{command} -t {VIP}:80 -r 10.2.0.99:80", "No such destination")
        self.assert_refused(f"-Ln -t {VIP}:99", "No such service", status=1)

    def test_editing_without_persistence_ends_it_and_returns_to_wlc(self):
        self.service("rr")
        self.say(f"-E -t {VIP}:80 -s rr -p 600 -M 255.255.255.0")
        self.assertIn(f"TCP  {VIP}:80 rr persistent 600 mask 255.255.255.0\n", self.say("-Ln"))
        self.assertEqual(len(set(self.fetch_many(20))), 1)
        self.say(f"-E -t {VIP}:80")
        self.assertIn(f"TCP  {VIP}:80 wlc\n", self.say("-Ln"))
        self.assertEqual(set(self.fetch_many(30)), set(WEB))

    def test_persistence_without_a_number_is_six_minutes_and_all_ports_need_it(self):
        self.say("-C")
        self.say(f"-A -t {VIP}:0 -p")
        self.assertIn(f"TCP  {VIP}:0 wlc persistent 360\n", self.say("-Ln"))
        self.say("-C")
        self.assert_refused(f"-A -t {VIP}:0", "Zero port specified for non-persistent service", 2)

    def test_a_bad_line_in_the_middle_changes_nothing(self):
        self.service("rr")
        load = Load(self.lab.client, VIP, parallel=4, pause=0.01, keep_alive=True)
        lines = (f"-C\n-A -t {VIP}:8000 -s rr\n", f"-A -t {VIP}:8001 -s rr\n")
        self.assert_refused("-R", "line 3: illegal weight specified", 2,
                            lines=lines[0] + f"-a -t {VIP}:8000 -r 10.2.0.11 -m -w -1\n" + lines[1])
        self.assert_refused("-R", "line 3: Service not defined",
                            lines=lines[0] + f"-a -t {VIP}:9 -r 10.2.0.11 -m\n" + lines[1])
        self.assert_refused("-R", "line 3: nothing but changes of the table can be restored", 2,
                            lines=lines[0] + "-R\n" + lines[1])
        records = load.finish()
        self.assertGreater(len(records), 10)
        self.assertEqual(failures(records), [])

    def test_timeouts_are_set_and_zero_keeps_one(self):
        self.service("rr")
        self.say("--set 7200 30 60")
        self.assertEqual(self.say("-Ln --timeout"), "Timeout (tcp tcpfin udp): 7200 30 60\n")
        self.say("--set 0 40 0")
        self.assertEqual(self.say("-Ln --timeout"), "Timeout (tcp tcpfin udp): 7200 40 60\n")
        self.fetch()
        self.say("--set 900 120 300")

    def test_weights_and_thresholds_out_of_their_range_are_refused(self):
        self.service("rr")
        real = f"-e -t {VIP}:80 -r {WEB['web1']}:{WEB_PORT} -m"
        self.assert_refused(f"{real} -w -1", "illegal weight specified", 2)
        self.assert_refused(f"{real} -x 5 -y 6", "Numerical result out of range")
        self.say(f"{real} -w 65536 -x 6 -y 5")
        self.assertIn("  -> 10.2.0.11:8080               Masq    65536  ", self.say("-Ln"))
        self.assertIn("  -> 10.2.0.11:8080               6          5          0          ",
                      self.say("-Ln --thresholds"))

    def test_counters_and_connections_are_listed_in_their_columns(self):
        self.service("rr", "web1")
        self.say(f"-E -t {VIP}:80 -s rr -p 600")
        load = Load(self.lab.client, VIP, parallel=3, pause=0.01, keep_alive=True)
        columns = r" +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)\n"
        try:
            self.wait_for_rate()
            connections = self.say("-Lnc")
            rate = self.say("-Ln --rate")
            clients = self.say("-Ln --persistent-conn")
        finally:
            load.finish()
        self.assertRegex(rate, r"Prot LocalAddress:Port                 CPS    InPPS   OutPPS"
                               r"    InBPS   OutBPS\n  -> RemoteAddress:Port\n"
                               rf"TCP  {VIP}:80 +" + columns.lstrip(" +"))
        self.assertRegex(clients, r"10\.2\.0\.11:8080               1         1           3      ")
        titles, heads, *rows = connections.splitlines()
        self.assertEqual(titles, "IPVS connection entries")
        self.assertEqual(heads, "pro expire state       source             virtual            "
                                "destination")
        self.assertRegex(rows[0], rf"^TCP \d\d:\d\d  ASSURED     {CLIENT}:0        {VIP}:80       "
                                  r"10\.2\.0\.11:8080$")
        self.assertRegex("\n".join(rows[1:]), rf"(?m)^TCP 1[45]:\d\d  ESTABLISHED {CLIENT}:\d+ +"
                                              rf"{VIP}:80 +10\.2\.0\.11:8080$")
        stats = self.say("-Ln --stats --exact")
        service = re.search(rf"^TCP  {VIP}:80 +" + columns.lstrip(" +"), stats, re.M)
        real = re.search(r"  -> 10\.2\.0\.11:8080 +" + columns.lstrip(" +"), stats)
        self.assertEqual(service.groups(), real.groups())
        self.assertEqual(int(real[1]), self.director.reals(f"tcp-{VIP}-80")[
            "10.2.0.11-8080"]["sessions_opened"])
        self.say("-Z")
        self.assertRegex(self.say("-Ln --stats"), rf"TCP  {VIP}:80 +0 +0 +0 +0 +0\n")

    def wait_for_rate(self):
        wait_until(lambda: not re.search(r":8080 +0 +0 +0 +0 +0\n", self.say("-Ln --rate")), 10,
                   "no rate under traffic")

    def test_a_mark_has_its_packets_before_any_service_of_the_same_vip(self):
        self.say("-C")
        for selector, name in ((f"-t {VIP}:81", "web1"), ("-f 80", "web2")):
            self.say(f"-A {selector} -s rr")
            self.say(f"-a {selector} -r {WEB[name]}:{WEB_PORT} -m")
        self.assertEqual(self.fetch(host=f"{VIP}:81").strip(), "web2")
        self.say("-D -f 80")
        self.assertEqual(self.fetch(host=f"{VIP}:81").strip(), "web1")

    def test_without_a_director_it_says_so(self):
        done = run("env", "FULCRUM_SOCKET=/run/nobody", "sh", "-c",
                   f"{PROGRAM} -L 2>&1; echo [rc=$?]")
        self.assertIn("Can't initialize ipvs: ", done)
        self.assertIn("[rc=2]", done)


# Words for made-up command lines: those that belong together, and those that do not.
PARTS = ("-A", "-E", "-D", "-a", "-e", "-d", "-L", "-Z", "-S", "-C", "-t 10.0.0.1:80",
         "-u 10.0.0.1:53", "-f 7", "--sctp-service [2001:db8::1]:99", "-r 10.0.0.2",
         "-r 10.0.0.2:8080", "-s rr", "-s sh", "-p", "-p 60", "-M 255.255.255.0", "-o", "-m", "-g",
         "-i", "-w 3", "-w -1", "-x 5", "-y 6", "-b sh-port", "-n", "-c", "--stats", "--rate",
         "--timeout", "--daemon", "--exact", "--nosort", "--tun-type gue", "--tun-port 6080",
         "--tun-csum", "--tun-nocsum", "-6", "--pe", "stray", "--bogus", "-Ln", "-w3",
         "--set 1 2 3", "--list", "--weight=5", "--stats=1", "-p=9", "-h", "--",
         "--mcast-ttl 0", "--syncid 7")
# Of the kernel that is not there, or of the director.
BEYOND_THE_LINE = ("Operation not supported", "cannot open file", "Can't initialize ipvs",
                   "No daemon is running", "there is no connection sync daemon")


@unittest.skipUnless(THEIRS.exists(), "Debian's ipvsadm is not installed")
class IpvsadmRefusals(IpvsadmScenario):
    """What is wrong with a command line is said as Debian's ipvsadm says it, with its status."""

    @classmethod
    def config(cls):
        return director_config([])

    @classmethod
    def prepare(cls):
        cls.stand_in = cls.lab.folder / "ipvs.so"
        run("cc", "-shared", "-fPIC", "-o", cls.stand_in, HERE / "ipvs_without_kernel.c", "-ldl")

    def outcomes(self, program, lines):
        """Status and complaint for each line; None where there is nothing wrong with it."""
        script = self.lab.folder / "lines.sh"
        script.write_text("set -f\n" + "".join(
            f"{program} {line} </dev/null 2>&1 >/dev/null; echo \"[rc=$?]\"\n" for line in lines))
        said = run("bash", script).replace(str(THEIRS), "ipvsadm").replace(str(PROGRAM), "ipvsadm")
        for text, status in re.findall(r"(.*?)\[rc=(\d+)\]\n", said, re.S):
            is_taken = int(status) in (0, 139) or any(words in text for words in BEYOND_THE_LINE)
            yield None if is_taken else (int(status), text)

    def assert_alike(self, lines):
        theirs = self.lab.folder / "ipvsadm-of-debian"
        theirs.write_text(f"#!/bin/sh\nLD_PRELOAD={self.stand_in} exec {THEIRS} \"$@\"\n")
        ours = self.lab.folder / "ipvsadm-of-ours"
        ours.write_text(f"#!/bin/sh\nFULCRUM_SOCKET=/run/nobody exec {PROGRAM} \"$@\"\n")
        for program in theirs, ours:
            program.chmod(0o755)
        judged = list(itertools.zip_longest(lines, self.outcomes(theirs, lines),
                                            self.outcomes(ours, lines)))
        self.assertGreater(sum(wanted is not None for _, wanted, _ in judged), 50)
        for line, wanted, said in judged:
            self.assertEqual(said, wanted, line)

    def test_written_command_lines_are_judged_alike(self):
        self.assert_alike((HERE / "ipvsadm-lines.txt").read_text().splitlines())

    def test_made_up_command_lines_are_judged_alike(self):
        chance = random.Random(7)
        lines = []
        for _ in range(400):
            verb = [chance.choice(PARTS[:10])] if chance.random() < 0.9 else []
            lines.append(" ".join(verb + chance.sample(PARTS, chance.randint(0, 4))))
        self.assert_alike(lines)
