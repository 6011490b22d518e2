"""fulcrumctl as hands use it: completed by the shell, repeated, and at a glance."""

import json
import signal
import subprocess

from labkit.director import SOCKET, build_folder
from labkit.lab import wait_until
from scenario import Scenario


class Tool(Scenario):
    begins_unknown = True

    def program(self):
        return build_folder() / "controlplane/fulcrumctl"

    def offered(self, *words):
        """What bash offers for the last of the words, by the script that the tool prints."""
        quoted = " ".join(f"'{word}'" for word in words)
        script = (f"fulcrumctl() {{ {self.program()} \"$@\"; }}\n"
                  f"export FULCRUM_SOCKET={SOCKET}\n"
                  "source <(fulcrumctl completion bash)\n"
                  f"COMP_WORDS=(fulcrumctl {quoted}); COMP_CWORD={len(words)}\n"
                  "_fulcrumctl; printf '%s\\n' \"${COMPREPLY[@]}\"\n")
        return self.lab.director.run("bash", "-c", script).split()

    def test_the_shell_completes_commands_options_and_names_of_the_running_director(self):
        self.assertEqual(self.offered("dra"), ["drain"])
        self.assertEqual(self.offered("drain", "web/web"), ["web/web1", "web/web2", "web/web3"])
        self.assertEqual(self.offered("reals", "w"), ["web"])
        self.assertEqual(self.offered("sessions", "--service", ""), ["web"])
        self.assertEqual(self.offered("drain", "web/web1", "--dea"), ["--deadline"])
        self.assertEqual(self.offered("drain", "nobody"), [])

    def test_a_command_is_repeated_until_it_is_interrupted(self):
        command = [self.program(), "--socket", SOCKET, "--every", "1", "version"]
        with (self.lab.folder / "repeated").open("wb") as output:
            program = self.lab.director.start(*command, stdout=output)
        wait_until(lambda: len((self.lab.folder / "repeated").read_text().splitlines()) >= 3, 10,
                   "it is not repeated")
        program.send_signal(signal.SIGINT)
        self.assertEqual(program.wait(5), -signal.SIGINT)

    def test_top_tells_what_flows_by_service_and_real(self):
        self.fetch_many(300)
        command = [self.program(), "--socket", SOCKET, "top"]
        program = self.lab.director.start(*command, stdout=subprocess.PIPE, text=True)
        lines = [program.stdout.readline().split() for _ in range(5)]
        program.send_signal(signal.SIGINT)
        program.wait(5)
        self.assertEqual(lines[0][:3], ["SERVICE,", "REAL", "SESSIONS"])
        self.assertEqual(lines[1][0], "web")
        self.assertEqual({line[0] for line in lines[2:]}, {"web1", "web2", "web3"})

    def events(self, *options):
        return self.lab.director.start(self.program(), "--socket", SOCKET, "--json", "events",
                                       *options, stdout=subprocess.PIPE, text=True)

    def test_events_are_told_as_they_happen_until_interrupted(self):
        kept, _ = self.events("--since", "0", "--no-follow").communicate(timeout=10)
        latest = json.loads(kept.splitlines()[-1])["number"]
        program = self.events("--since", str(latest))
        self.director.ctl("drain", "web/web1")
        self.director.ctl("undrain", "web/web1")
        lines = [json.loads(program.stdout.readline()) for _ in range(2)]
        program.send_signal(signal.SIGINT)
        self.assertEqual(program.wait(5), 0)
        self.assertEqual([(line["event"], line["service"], line["real"]) for line in lines],
                         [("real_drained", "web", "web1"), ("real_undrained", "web", "web1")])

    def test_and_those_that_are_kept_can_be_read_later(self):
        self.director.ctl("reload")
        program = self.events("--since", "0", "--no-follow")
        output, _ = program.communicate(timeout=10)
        events = [json.loads(line) for line in output.splitlines()]
        self.assertEqual([event["number"] for event in events], list(range(1, len(events) + 1)))
        self.assertEqual({event["real"] for event in events if event["event"] == "real_up"},
                         {"web1", "web2", "web3"})
        self.assertEqual(events[-1]["event"], "reload_applied")
