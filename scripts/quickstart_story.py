#!/usr/bin/python3
"""The quickstart's story, told with the real program and real web servers: requests are spread, a
web server dies under load and nobody notices after its detection, it returns, another is drained,
and the operator looks at it all. Each chapter says what it saw, or raises a sentence.
"""

import argparse
import collections
import sys
import time

from labkit import shell
from labkit.director import Director, director_config, web_service
from labkit.lab import CLIENT, VIP, WEB, Lab, LabError, isolate, wait_until
from labkit.load import Load, by_real, failures

STORY_S_MAX = 240
REQUEST_COUNT = 3000
CALM_REQUEST_COUNT = 1000  # requests after detection, none of which may fail
METRICS_SHOWN = ("fulcrum_build_info", "fulcrum_real_up", "fulcrum_real_sessions_opened_total",
                 "fulcrum_service_in_bytes_total", "fulcrum_service_out_bytes_total")


class Story:
    def __init__(self, lab):
        self.lab = lab
        self.director = Director(lab, director_config([web_service()]))

    def tell(self):
        self.begin()
        self.spread()
        self.lose_and_regain("web2")
        self.drain("web3")
        self.look()

    def begin(self):
        chapter(f"One client ({CLIENT}), one fulcrumd, three nginx: http://{VIP}:80/ by NAT to "
                "port 8080")
        self.lab.start_web()
        begun = time.monotonic()
        self.director.start()
        self.director.wait_all_up()
        print(f"fulcrumd serves, and its checks found {', '.join(WEB)} up, "
              f"{time.monotonic() - begun:.1f} s after its start")
        answer = self.lab.client.run("curl", "-sS", "--max-time", "5", f"http://{VIP}/")
        print(f"curl http://{VIP}/ says: {answer.strip()}")

    def spread(self):
        chapter(f"{REQUEST_COUNT} requests with curl, each on a connection of its own")
        before = self.sessions_opened()
        bodies = self.lab.client.run(
            "curl", "-sSZ", "--parallel-immediate", "--parallel-max", "16", "--max-time", "60",
            "-H", "Connection: close", f"http://{VIP}/[1-{REQUEST_COUNT}]")
        answered = collections.Counter(bodies.split())
        opened = {name: count - before[name] for name, count in self.sessions_opened().items()}
        print(f"{'real':8}{'address':18}{'requests':>10}{'share':>8}{'director counted':>20}")
        for name, address in WEB.items():
            print(f"{name:8}{address + ':8080':18}{answered[name]:10}"
                  f"{answered[name] / REQUEST_COUNT:8.1%}{opened[name]:20}")
        demand(answered.total() == REQUEST_COUNT, "some of curl's requests got no answer")
        demand(all(answered[name] > REQUEST_COUNT / 6 for name in WEB), "the spread is not even")
        demand(dict(answered) == opened, "the director counted otherwise than the web servers")

    def sessions_opened(self):
        return {name: real["sessions_opened"] for name, real in self.director.reals().items()}

    def lose_and_regain(self, name):
        chapter(f"{name} stops under load, and returns")
        load = Load(self.lab.client, VIP, parallel=8, pause=0.005)
        wait_until(lambda: by_real(load.records())[name] > 20, 20, f"{name} gets no requests")
        stopped = time.monotonic()
        self.lab.stop_web(name)
        detected = self.director.wait_state(name, "down")
        print(f"{name} stopped; its check saw it {detected - stopped:.2f} s later: "
              f"{self.director.reals()[name]['check']}")
        wait_until(lambda: count_since(load, detected) > CALM_REQUEST_COUNT, 30,
                   "too few requests after the detection")
        self.lab.start_web(name)
        returned = self.director.wait_state(name, "up")
        wait_until(lambda: by_real(since(load.records(), returned))[name] > 20, 20,
                   f"{name} gets no requests again")
        records = load.finish()
        early = len(failures(records)) - len(failures(records, since=detected))
        print(f"of {len(records)} requests {early} failed before the detection and "
              f"{len(failures(records, since=detected))} after it; {name} is back with "
              f"{by_real(since(records, returned))[name]} requests")
        demand(not failures(records, since=detected), "requests failed after the detection")

    def drain(self, name):
        chapter(f"{name} is drained: its sessions live on, new ones go elsewhere")
        load = Load(self.lab.client, VIP, parallel=12, pause=0.01, keep_alive=True)
        wait_until(lambda: by_real(load.records())[name] > 5, 20, f"{name} has no connection")
        print(self.ctl("drain", f"web/{name}").strip())
        drained = time.monotonic()
        fresh = collections.Counter(self.lab.client.run(
            "curl", "-sSZ", "--max-time", "20", "-H", "Connection: close",
            f"http://{VIP}/[1-300]").split())
        wait_until(lambda: count_since(load, drained) > 100, 20, "the old connections are stuck")
        records = load.finish()
        old = by_real(since(records, drained))[name]
        print(f"after it, 300 new connections went to {dict(sorted(fresh.items()))}, and {old} "
              f"requests of old connections still to {name}; {len(failures(records))} failed")
        demand(name not in fresh, f"{name} got new connections while it was drained")
        demand(old > 0, f"old connections did not stay at {name}")
        demand(not failures(records), "requests failed during the drain")
        self.ctl("undrain", f"web/{name}")

    def look(self):
        chapter("What the operator sees: fulcrumctl status, fulcrumctl reals, /metrics")
        print(self.ctl("status"))
        print(self.ctl("reals"))
        metrics = self.director.metrics()
        shown = [f"{name} {value}" for name, value in metrics.items()
                 if name.partition("{")[0] in METRICS_SHOWN]
        print("\n".join(shown))
        demand({line.partition("{")[0] for line in shown} == set(METRICS_SHOWN),
               "the metrics page lacks what it should hold")

    def ctl(self, *words):
        answer = self.director.ctl(*words)
        demand(answer.returncode == 0,
               f"fulcrumctl {' '.join(words)} ended with {answer.returncode}: {answer.stderr}")
        return answer.stdout


def since(records, begin):
    return [record for record in records if record["start"] >= begin]


def count_since(load, begin):
    return len(since(load.records(), begin))


def chapter(title):
    print(f"\n== {title}", flush=True)


def demand(condition, otherwise):
    if not condition:
        raise LabError(otherwise)


def main():
    parser = argparse.ArgumentParser(prog="scripts/quickstart", description=__doc__.split(":")[0])
    parser.add_argument("--stay", action="store_true", help="leave it running, with a shell")
    options = parser.parse_args()
    isolate(0 if options.stay else STORY_S_MAX)
    with Lab() as lab:
        story = Story(lab)
        story.tell()
        if options.stay:
            shell.stay(lab, story.director.file)
        demand(story.director.stop() == 0, "fulcrumd did not end cleanly")
    print("\nquickstart: everything above has happened")


if __name__ == "__main__":
    try:
        main()
    except (LabError, RuntimeError, OSError) as error:
        sys.exit(f"quickstart: {error}")
