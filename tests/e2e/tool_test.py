"""fulcrumctl as hands use it: completed by the shell, repeated, and at a glance."""

import signal
import subprocess

from labkit.director import SOCKET, build_folder
from labkit.lab import wait_until
from scenario import Scenario


class Tool(Scenario):
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
