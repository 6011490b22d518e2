#!/usr/bin/python3
"""Builds and runs the suites of scripts/test, and counts. Three builds, each for what only it says:

  build/           g++, optimised: the product itself; every test, end to end as well
  build-sanitize/  clang, address and undefined-behaviour sanitizers, warnings of the second
                   compiler, and the fuzz targets
  build-thread/    g++, thread sanitizer: the doors between threads, with real threads

A gtest case is named `program:Suite.Case`, an end-to-end test `e2e:Scenario.test` or, in the
guest, `guest:Scenario.test`, any other by its own name. What each came to in the g++ build is
written to build/test-results.json, which scripts/acceptance reads. Logs stay in the build folders.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD, SANITIZE, THREAD = ROOT / "build", ROOT / "build-sanitize", ROOT / "build-thread"
RESULTS = BUILD / "test-results.json"
SUITE_S_MAX = 1200
GUEST_S_MAX = 3600
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
SANITIZER_OPTIONS = {"ASAN_OPTIONS": "detect_leaks=1",
                     "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
# Sanitized code is for finding faults, not for speed: less optimising compiles in half the time,
# and so do line numbers alone instead of all that a debugger could ask for.
SANITIZED = ["-Doptimization=1", "-Ddebug=false"]


@dataclass
class Suite:
    name: str
    outcomes: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, test, outcome, text=""):
        self.outcomes[test] = outcome
        if text:
            self.texts[test] = text

    def count(self, outcome):
        return sum(one == outcome for one in self.outcomes.values())

    def report(self):
        print(f"{self.name:28} {self.count(PASSED):5} passed {self.count(FAILED):4} failed "
              f"{self.count(SKIPPED):4} skipped {self.seconds:7.0f} s", flush=True)
        for test, outcome in self.outcomes.items():
            if outcome == FAILED:
                tail = "\n".join(self.texts.get(test, "").splitlines()[-25:])
                print(f"  FAILED {test}\n{tail}", flush=True)


class Log:
    """A file that takes what a command prints; its end is shown when the command fails."""

    def __init__(self, folder, name):
        folder.mkdir(exist_ok=True)
        self.path = folder / f"{name}.log"

    def run(self, command, env=None, timeout=SUITE_S_MAX):
        with self.path.open("ab") as output:
            try:
                return subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT,
                                      env={**os.environ, **(env or {})}, timeout=timeout).returncode
            except subprocess.TimeoutExpired:
                output.write(f"\nstopped after {timeout} s\n".encode())
                return 124

    def tail(self):
        return "\n".join(self.path.read_text(errors="replace").splitlines()[-40:]) + \
            f"\n(the whole log: {self.path})"


def build(suite, folder, options, env, targets=()):
    """Configures once, then compiles. A failure is a failed test named `build`."""
    log = Log(folder, "compile")
    log.path.unlink(missing_ok=True)
    if not (folder / "build.ninja").exists():
        if log.run(["meson", "setup", folder, *options], env) != 0:
            suite.add("build", FAILED, log.tail())
            return False
    if log.run(["ninja", "-C", folder, *targets]) != 0:
        suite.add("build", FAILED, log.tail())
        return False
    return True


def meson_test(suite, folder, *options, env=None):
    logs = folder / "meson-logs"
    for name in ("testlog.json", "testlog.junit.xml"):
        (logs / name).unlink(missing_ok=True)
    log = Log(folder, "tests")
    log.path.unlink(missing_ok=True)
    log.run(["meson", "test", "-C", folder, "--no-rebuild", *options], env)
    read_meson_outcomes(suite, logs, log)


def read_meson_outcomes(suite, logs, log):
    if not (logs / "testlog.json").exists():
        suite.add("meson test", FAILED, log.tail())
        return
    read_junit(suite, logs / "testlog.junit.xml")
    for line in (logs / "testlog.json").read_text().splitlines():
        program = json.loads(line)
        name = plain_name(program["name"])
        cases = [test for test in suite.outcomes if test.split(":")[0] == name]
        text = program.get("stdout", "") + program.get("stderr", "")
        is_fine = program["result"] in ("OK", "SKIP", "EXPECTEDFAIL")
        if not cases:
            outcome = SKIPPED if program["result"] == "SKIP" else PASSED if is_fine else FAILED
            suite.add(name, outcome, "" if is_fine else text)
        elif not is_fine and all(suite.outcomes[test] != FAILED for test in cases):
            # It died between its cases, or after the last one: a sanitizer's verdict, for one.
            suite.add(name, FAILED, f"{program['result']}\n{text}")


def plain_name(name):
    """meson writes "fulcrum:unit / model" for the test "model" once there are several suites."""
    return name.rpartition(" / ")[2]


def read_junit(suite, path):
    for group in ElementTree.parse(path).getroot().iter("testsuite"):
        words = group.get("name").split(".", 2)
        for case in group.iter("testcase"):
            if len(words) < 3:
                continue  # a program without gtest: its outcome stands in testlog.json
            faults = [fault.text or fault.get("message") or "" for fault in case.iter("failure")]
            is_skipped = case.get("status") == "notrun" or case.find("skipped") is not None
            outcome = FAILED if faults else SKIPPED if is_skipped else PASSED
            suite.add(f"{plain_name(words[1])}:{case.get('classname')}.{case.get('name')}", outcome,
                      "\n".join(faults))


# --- the suites ---------------------------------------------------------------------------------


def product(suite):
    if build(suite, BUILD, ["-Ddebug=false"], {"CXX": "g++"}):
        meson_test(suite, BUILD)


def sanitized(suite):
    options = [*SANITIZED, "-Db_sanitize=address,undefined"]
    if build(suite, SANITIZE, options, {"CXX": "clang++", "CXXFLAGS": "-gline-tables-only"}):
        meson_test(suite, SANITIZE, "--no-suite", "fuzz", "-t", "6", env=SANITIZER_OPTIONS)


def threads(suite):
    options = [*SANITIZED, "-Db_sanitize=thread"]
    log = Log(THREAD, "compile")
    if not (THREAD / "build.ninja").exists() and \
            log.run(["meson", "setup", THREAD, *options], {"CXX": "g++", "CXXFLAGS": "-g1"}) != 0:
        suite.add("build", FAILED, log.tail())
        return
    # Only the programs of these tests are built.
    log = Log(THREAD, "tests")
    log.path.unlink(missing_ok=True)
    logs = THREAD / "meson-logs"
    (logs / "testlog.json").unlink(missing_ok=True)
    (logs / "testlog.junit.xml").unlink(missing_ok=True)
    log.run(["meson", "test", "-C", THREAD, "--suite", "doors", "-t", "6"],
            {"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1"})
    read_meson_outcomes(suite, logs, log)


def fuzz(suite):
    """Half a minute for each target, and a canary that has to be found dead."""
    if (SANITIZE / "build.ninja").exists():
        meson_test(suite, SANITIZE, "--suite", "fuzz", "--num-processes", "2",
                   env=SANITIZER_OPTIONS)
    if suite.outcomes.get("canary fuzz") != PASSED:
        suite.add("canary fuzz", FAILED, "no canary has died: findings would go unnoticed")


def layout(suite):
    sources = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.h", "*.cpp"],
                             capture_output=True, text=True, cwd=ROOT).stdout.split()
    log = Log(BUILD, "layout")
    log.path.unlink(missing_ok=True)
    code = log.run(["clang-format", "--dry-run", "--Werror", *sources])
    suite.add("layout", PASSED if code == 0 else FAILED, log.tail())


def end_to_end(suite):
    outcomes, log = BUILD / "e2e.json", Log(BUILD, "e2e")
    log.path.unlink(missing_ok=True)
    log.run(["tests/e2e/run", "--build", BUILD, "--json", outcomes])
    read_scenarios(suite, "e2e", outcomes, log)


def read_scenarios(suite, kind, outcomes, log):
    if not outcomes.exists():
        suite.add(kind, FAILED, log.tail())
        return
    for test, result in json.loads(outcomes.read_text()).items():
        suite.add(f"{kind}:{test}", result["outcome"], result["text"])


def guest(suite):
    """End-to-end tests in a machine in software: its kernel and its network cards are others."""
    programs = ["controlplane/fulcrumd", "controlplane/fulcrumctl"]
    if not build(suite, BUILD, ["-Ddebug=false"], {"CXX": "g++"}, programs):
        return
    outcomes, log = BUILD / "guest.json", Log(BUILD, "guest")
    log.path.unlink(missing_ok=True)
    log.run(["tests/guest/run", "--build", BUILD, "--json", outcomes], timeout=GUEST_S_MAX)
    read_scenarios(suite, "guest", outcomes, log)


def servers(suite):
    """Checks against real servers, one at a time, in the laboratory."""
    if not build(suite, BUILD, ["-Ddebug=false"], {"CXX": "g++"}):
        return
    outcomes, log = BUILD / "servers.json", Log(BUILD, "servers")
    log.path.unlink(missing_ok=True)
    log.run(["tests/e2e/run", "--build", BUILD, "--json", outcomes,
             "--scenarios", ROOT / "tests/servers"])
    read_scenarios(suite, "servers", outcomes, log)


def quickstart(suite):
    log = Log(BUILD, "quickstart")
    log.path.unlink(missing_ok=True)
    code = log.run(["scripts/quickstart"], timeout=300)
    suite.add("quickstart", PASSED if code == 0 else FAILED, log.tail())


def acceptance(suite):
    log = Log(BUILD, "acceptance")
    log.path.unlink(missing_ok=True)
    code = log.run(["scripts/acceptance"])
    suite.add("acceptance", PASSED if code == 0 else FAILED, log.tail())


SUITES = {
    "layout": layout,
    "tests (g++)": product,
    "end to end": end_to_end,
    "quickstart": quickstart,
    "tests (clang, sanitizers)": sanitized,
    "fuzz smoke": fuzz,
    "doors (thread sanitizer)": threads,
}
QUICK = ("layout", "tests (g++)")
APART = {"guest": guest, "servers": servers}  # each takes packages of its own


def chosen_names(options):
    apart = [name for name in APART if vars(options)[name]]
    if apart:
        return apart
    if options.only:
        return [name for name in SUITES if any(word in name for word in options.only)]
    return list(QUICK if options.quick else SUITES)


def run_suite(name, function):
    suite, begun = Suite(name), time.monotonic()
    function(suite)
    suite.seconds = time.monotonic() - begun
    suite.report()
    return suite


def record(suites, is_everything):
    """What the product's tests came to; sanitized runs of the same tests only count. A run of
    everything forgets what was known, but for the suites that are apart."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if is_everything:
        known = {test: outcome for test, outcome in known.items()
                 if test.split(":")[0] in APART}
    for suite in suites:
        if suite.name not in ("tests (clang, sanitizers)", "doors (thread sanitizer)"):
            known.update(suite.outcomes)
    RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def main():
    parser = argparse.ArgumentParser(prog="scripts/test")
    parser.add_argument("--quick", action="store_true", help="layout, and the g++ build's tests")
    parser.add_argument("--only", action="append", help="suites whose name holds this")
    parser.add_argument("--list", action="store_true", help="name the suites")
    parser.add_argument("--guest", action="store_true", help="the suite that runs in a guest")
    parser.add_argument("--servers", action="store_true", help="checks against real servers")
    options = parser.parse_args()
    if options.list:
        print("\n".join([*SUITES, *APART]))
        return 0
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    names = chosen_names(options)
    is_everything = len(names) == len(SUITES)
    suites = [run_suite(name, (SUITES | APART)[name]) for name in names]
    record(suites, is_everything)
    if is_everything:
        suites.append(run_suite("acceptance table", acceptance))
    counts = {outcome: sum(suite.count(outcome) for suite in suites)
              for outcome in (PASSED, FAILED, SKIPPED)}
    tail = f", {counts[SKIPPED]} skipped" if counts[SKIPPED] else ""
    print(f"{counts[PASSED]} passed, {counts[FAILED]} failed{tail}")
    return 1 if counts[FAILED] or not counts[PASSED] else 0


if __name__ == "__main__":
    sys.exit(main())
