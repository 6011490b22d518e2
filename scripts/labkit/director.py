"""fulcrumd inside the laboratory: its configuration, start and end, and fulcrumctl to ask it."""

import json
import os
import time
from pathlib import Path

from labkit.lab import PATIENCE, ROOT, VIP, WEB, WEB_PORT, LabError, end, wait_until

SOCKET = "/run/fulcrum/control.sock"
SOCKETS = (SOCKET, *(f"/run/fulcrum{place}/control.sock" for place in (2, 3, 4)))


def config_text(value, depth=0):
    """A Python value in the notation of the configuration file: dicts, lists of dicts, scalars."""
    pad = "    " * depth
    if isinstance(value, dict):
        lines = [f"{pad}{key} = {config_text(part, depth + 1).strip()};"
                 for key, part in value.items()]
        body = "\n".join(lines)
        return body if depth == 0 else "{\n" + body + "\n" + "    " * (depth - 1) + "}"
    if isinstance(value, list):
        inner = ",\n".join("    " * depth + config_text(part, depth + 1).strip() for part in value)
        is_array = value and not isinstance(value[0], dict)
        opening, closing = ("[", "]") if is_array else ("(", ")")
        return f"{opening}\n{inner}\n{'    ' * (depth - 1)}{closing}"
    return json.dumps(value)


def last_cpu():
    return max(os.sched_getaffinity(0))


def director_config(services, workers=None, **director):
    return {
        "director": {"name": "lb1", "workers": workers or [last_cpu()], "sessions": 100000,
                     "memory": "ordinary", **director},
        "ports": [
            {"name": "wan", "device": "af_packet:eth0", "addresses": ["10.1.0.2/24"]},
            {"name": "lan", "device": "af_packet:eth1", "addresses": ["10.2.0.1/24"]},
        ],
        "services": services,
        "metrics": {"listen": "127.0.0.1:9464"},
        "control": {"socket": SOCKET},
    }


def http_check(**changes):
    # Three failures in a row: on a busy machine a check may find no processor in time.
    patience = f"{500 * PATIENCE}ms"
    return {"type": "http", "path": "/ping.html", "expect": "Hello World", "interval": patience,
            "timeout": patience, "fall": 3, **changes}


def web_service(names=tuple(WEB), port=WEB_PORT, forward="nat", **changes):
    reals = [{"name": name, "address": WEB[name], "port": port, "weight": 1, "forward": forward}
             for name in names]
    return {"name": "web", "vip": VIP, "port": 80, "protocol": "tcp", "scheduler": "maglev",
            "check": http_check(), "reals": reals, **changes}


def build_folder():
    return Path(os.environ.get("FULCRUM_BUILD", ROOT / "build")).resolve()


class Director:
    """fulcrumd in the lab's director namespace, and fulcrumctl to talk to it."""

    def __init__(self, lab, config, place=0):
        self.lab = lab
        self.node = lab.directors[place]
        suffix = str(place + 1) if place else ""
        self.socket = SOCKETS[place]
        self.file = lab.folder / f"director{suffix}.cfg"
        self.log = lab.folder / f"fulcrumd{suffix}.log"
        self.write(config)
        self.program = None

    def write(self, config):
        text = config if isinstance(config, str) else config_text(config) + "\n"
        self.file.write_text(text)

    def command(self):
        return [build_folder() / "controlplane/fulcrumd", "--config", self.file]

    def start(self, ready_s=20):
        """Starts the program and waits until its command socket answers."""
        with self.log.open("ab") as log:
            self.program = self.node.start(*self.command(), stdout=log, stderr=log)
        wait_until(self._answers_or_ended, ready_s, f"fulcrumd does not answer:\n{self.log_tail()}")
        if self.program.poll() is not None:
            raise LabError(f"fulcrumd ended with {self.program.returncode}:\n{self.log_tail()}")
        return self

    def _answers_or_ended(self):
        return self.program.poll() is not None or self.ctl("version").returncode == 0

    def stop(self):
        return end(self.program)

    def outer_pid(self):
        """The program's PID as /proc has it: that is mounted for the machine, not for the lab."""
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                words = status.read_text().split("NSpid:")[1].split("\n")[0].split()
                is_ours = os.readlink(status.parent / "ns/pid") == os.readlink("/proc/self/ns/pid")
            except OSError:
                continue  # gone meanwhile, or not ours to read
            if is_ours and int(words[-1]) == self.program.pid:
                return int(words[0])
        raise LabError("fulcrumd is not running")

    def worker_thread(self):
        """The number of its first worker's thread, as this PID namespace has it: that is pinned."""
        for status in sorted(Path(f"/proc/{self.outer_pid()}/task").glob("*/status")):
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
            if lines["Cpus_allowed_list"].strip().isdigit():
                return int(lines["NSpid"].split()[-1])
        raise LabError("fulcrumd has no worker")

    def log_tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def ctl(self, *words):
        """fulcrumctl WORDS; returns the completed process."""
        return self.node.attempt(build_folder() / "controlplane/fulcrumctl",
                                 "--socket", self.socket, *words)

    def ask(self, *words):
        """The result of `fulcrumctl WORDS --json`, which has to succeed."""
        answer = self.ctl(*words, "--json")
        if answer.returncode != 0:
            raise LabError(f"fulcrumctl {' '.join(words)}: {answer.stderr.strip()}")
        return json.loads(answer.stdout)

    def reals(self, service="web"):
        return {real["name"]: real for real in self.ask("reals")["reals"]
                if real["service"] == service}

    def wait_state(self, name, state, seconds=10, service="web"):
        """Waits until a real is in `state`; returns the moment at which that was seen."""
        wait_until(lambda: self.reals(service)[name]["state"] == state, seconds,
                   f"{service}/{name} is not {state}")
        return time.monotonic()

    def wait_all_up(self, seconds=15, service="web"):
        wait_until(lambda: all(real["state"] == "up" for real in self.reals(service).values()),
                   seconds, f"not every real of {service} is up:\n{self.log_tail()}")
        return self

    def metrics(self):
        """The lines of the metrics page, by name with labels."""
        page = self.node.run("curl", "-sS", "--max-time", "5", "http://127.0.0.1:9464/metrics")
        return dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
