#!/usr/bin/python3
"""Tests the style that neither compiler nor formatter can: which folder may include which, that
every file says why it exists, words that hide a thought, lengths, leftovers, and that every pure
room has its test. Run by `meson test` and scripts/check; prints findings as file:line: sentence.

Functions are found by matching braces in the source with comments and strings blanked out: good
enough for a formatted tree, and no compiler is needed.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("config", "dataplane", "controlplane")
SOURCES = (".h", ".cpp")
SCRIPTS = (".py", ".build")

# What a folder may include of ours; the first row whose prefix fits decides.
INCLUDES = (
    ("config/model/", ("config/model/",)),
    ("config/", ("config/",)),
    ("dataplane/", ("config/model/", "dataplane/")),
    ("controlplane/main.cpp", ("config/", "dataplane/", "controlplane/")),
    ("controlplane/session_keeping", ("config/", "dataplane/", "controlplane/")),  # for main alone
    ("controlplane/fulcrumctl/", ("config/", "controlplane/fulcrumctl/")),
    ("controlplane/ipvsadm/", ("config/", "controlplane/ipvsadm/",
                               "controlplane/fulcrumctl/client.h")),
    ("controlplane/", ("config/", "controlplane/", "dataplane/publication.h", "dataplane/mailbox.h",
                       "dataplane/counters.h", "dataplane/verdict.h")),
)
STANDARD_HEADER = re.compile(r"[a-z_0-9]+")

BANNED_NAMES = {"manager", "handler", "helper", "util", "utils", "process", "data", "info", "item"}
NAME = re.compile(r"(?<![\w.>:])([A-Za-z_]\w*)")
# The house's name for the thread that parses, validates and compiles.
ALLOWED_NAMES = {"controlplane": {"helper"}}
STARTUP_ROOMS = ("nic", "mailbox", "memory_plan", "session_file", "twin", "worker_set")
BANNED_IN_DATAPLANE = (
    (re.compile(r"\bstd::(mutex|shared_ptr|lock_guard|unique_lock|function)\b"), ()),
    # Names of rings, devices and pools, and sentences about them, are made before the first packet.
    (re.compile(r"\bstd::string\b(?!_view)"), STARTUP_ROOMS),
    (re.compile(r"(?<!_)\bmalloc\s*\("), ()),
    (re.compile(r"\bthrow\b"), ()),
)
# Each word in two halves, or this line would be the first finding.
LEFTOVER = re.compile(r"\b(TO(?:DO)|FIX(?:ME)|XX(?:X)|HA(?:CK))\b")
COMMENTED_OUT = re.compile(
    r"^\s*//\s*(if \(|for \(|while \(|return [\w.>()-]+;|#include).*[;{>]?$")

HEADER_LINES_MAX, SOURCE_LINES_MAX = 250, 500
FUNCTION_LINES_MAX = {"dataplane": 60}
FUNCTION_LINES_MAX_ELSEWHERE = 70
PARAMETERS_MAX = 5
COLUMNS_MAX = 100

# Rooms without thread, socket or NIC: each has tests/unit/<room>_test.cpp.
PURE_FOLDERS = ("config/model", "config")
PURE_ROOMS = (
    "dataplane/parse", "dataplane/checksum", "dataplane/crc32c", "dataplane/sctp",
    "dataplane/client_address", "dataplane/stream_shift",
    "dataplane/steering", "dataplane/session_table",
    "dataplane/classify", "dataplane/choose", "dataplane/decide", "dataplane/rewrite",
    "controlplane/index_registry", "controlplane/director_state", "controlplane/snapshot_compiler",
    "controlplane/config_diff", "controlplane/roles/vrrp_packet", "controlplane/roles/vrrp_router",
    "controlplane/health/health_judge",
)
# Rooms that hold declarations or texts only, or are tested through the room that they serve.
TESTED_ELSEWHERE = {
    "config/model/service", "config/model/session", "config/role_writer",
}


class Findings:
    def __init__(self):
        self.lines = []

    def add(self, path, line, sentence):
        self.lines.append(f"{path}:{line}: {sentence}")


def tracked_files():
    listing = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"],
                             capture_output=True, text=True)
    if listing.returncode == 0:
        paths = map(Path, listing.stdout.splitlines())
    else:
        paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return sorted(path for path in paths if (ROOT / path).is_file()
                  and not path.parts[0].startswith("build"))


def blanked(text):
    """The text with comments and literals replaced by blanks of the same shape."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
                         r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def check_includes(path, text, findings):
    name = path.as_posix()
    allowed = next((ours for prefix, ours in INCLUDES if name.startswith(prefix)), None)
    if allowed is None:
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+(["<])([^">]+)', line)
        if not match:
            continue
        kind, header = match.groups()
        if kind == '"' and not header.startswith(allowed):
            findings.add(path, number, f"includes {header}, which lies beyond this folder's doors")
        if kind == "<" and header.startswith("rte_") and not name.startswith(
                ("dataplane/", "controlplane/main.cpp")):
            findings.add(path, number, f"includes {header}: DPDK belongs to the dataplane")
        is_standard = STANDARD_HEADER.fullmatch(header)
        if kind == "<" and name.startswith("config/model/") and not is_standard:
            findings.add(path, number, f"includes {header}: the model knows the standard only")


def check_names(path, code, findings):
    if path.stem.lower() in BANNED_NAMES:
        findings.add(path, 1, f'the name "{path.stem}" hides what this is')
    for match in NAME.finditer(code):
        word = match.group(1)
        if word == "data" and code.startswith("()", match.end()):
            continue  # what the standard library calls the first octet of a range
        plain = word.lower().rstrip("_")
        if plain in ALLOWED_NAMES.get(path.parts[0], ()):
            continue
        if plain in BANNED_NAMES or word.startswith("do_"):
            findings.add(path, line_of(code, match.start()), f'the name "{word}" hides the thought')


def check_dataplane_words(path, code, findings):
    for pattern, exempt in BANNED_IN_DATAPLANE:
        if path.stem.startswith(exempt) and exempt:
            continue
        for match in pattern.finditer(code):
            findings.add(path, line_of(code, match.start()),
                         f'"{match.group().strip()}" is banned on this floor')


def functions(code):
    """Offsets of (head, opening brace, closing brace) of every function that has a body."""
    found, stack, head_start = [], [], 0
    for match in re.finditer(r"[{};]", code):
        offset, sign = match.start(), match.group()
        if sign == "{":
            head = code[head_start:offset]
            in_function = any(kind == "function" for kind, _, _ in stack)
            stack.append((kind_of(head, in_function), head_start, offset))
        elif sign == "}" and stack:
            kind, start, opening = stack.pop()
            if kind == "function":
                found.append((start, opening, offset))
        head_start = offset + 1
    return found


def kind_of(head, in_function):
    words = re.sub(r"^\s*#.*$", "", head, flags=re.MULTILINE)
    if in_function or "(" not in words or re.search(r"=\s*$|=\s*\[", words):
        return "other"
    if re.match(r"\s*(namespace|enum|class|struct|union)\b", words):
        return "other"
    return "function"


def parameter_count(head):
    opening = head.find("(")
    depth, count, seen = 0, 0, False
    for letter in head[opening:]:
        depth += letter in "([{<"
        depth -= letter in ")]}>"
        seen |= depth >= 1 and not letter.isspace() and letter != "("
        count += letter == "," and depth == 1
        if depth == 0:
            break
    return count + 1 if seen else 0


def check_functions(path, text, code, findings):
    limit = FUNCTION_LINES_MAX.get(path.parts[0], FUNCTION_LINES_MAX_ELSEWHERE)
    if path.as_posix() == "controlplane/main.cpp":
        limit = SOURCE_LINES_MAX
    for start, opening, closing in functions(code):
        head = code[start:opening]
        first = start + len(head) - len(head.lstrip())
        length = line_of(code, closing) - line_of(code, first) + 1
        place = line_of(code, first)
        if length > limit:
            findings.add(path, place, f"a function of {length} lines, at most {limit}")
        is_prescribed = "signature" in text[start:first]  # a comment says whose callback it is
        if parameter_count(head) > PARAMETERS_MAX and not is_prescribed:
            findings.add(path, place, f"a function of {parameter_count(head)} parameters, "
                                      f"at most {PARAMETERS_MAX}")


def check_shape(path, text, findings):
    lines = text.splitlines()
    body = lines[1:] if lines and lines[0].startswith("#!") else lines
    opening = "//" if path.suffix in SOURCES else ("#", '"""')
    if not body or not body[0].startswith(opening):
        findings.add(path, 1, "the file does not open with why it exists")
    if path.suffix == ".h" and "#pragma once" not in text:
        findings.add(path, 1, "a header without #pragma once")
    is_drawn = False  # a table that clang-format leaves alone may be as wide as it has to be
    for number, line in enumerate(lines, 1):
        is_drawn = (is_drawn or "clang-format off" in line) and "clang-format on" not in line
        if len(line) > COLUMNS_MAX and not is_drawn:
            findings.add(path, number, f"{len(line)} columns, at most {COLUMNS_MAX}")
        if line != line.rstrip():
            findings.add(path, number, "blanks at the end of the line")
        if LEFTOVER.search(line):
            findings.add(path, number, "a leftover marker")
        if path.suffix in SOURCES and COMMENTED_OUT.match(line):
            findings.add(path, number, "code in a comment")
    if path.suffix in SOURCES and path.parts[0] in FLOORS:
        limit = HEADER_LINES_MAX if path.suffix == ".h" else SOURCE_LINES_MAX
        if len(lines) > limit:
            findings.add(path, 1, f"{len(lines)} lines, at most {limit}")


def check_rooms(paths, texts, findings):
    """Every pure room has its test, and every header a reader."""
    names = {path.as_posix() for path in paths}
    rooms = {path.with_suffix("").as_posix() for path in paths
             if path.suffix == ".cpp" and path.parent.as_posix() in PURE_FOLDERS}
    rooms |= {room for room in PURE_ROOMS if room + ".h" in names}
    for room in sorted(rooms - TESTED_ELSEWHERE):
        test = f"tests/unit/{Path(room).name}_test.cpp"
        if test not in names:
            findings.add(f"{room}.cpp", 1, f"a pure room without {test}")
    for path in paths:
        if path.suffix != ".h":
            continue
        own = path.with_suffix(".cpp")
        needle = f'#include "{path.as_posix()}"'
        if not any(needle in text for other, text in texts.items() if other not in (path, own)):
            findings.add(path, 1, "a header that nobody includes")


def main():
    findings = Findings()
    paths = [path for path in tracked_files() if path.suffix in SOURCES + SCRIPTS
             or (path.parts[0] in ("scripts", "tests") and not path.suffix)]
    texts = {path: (ROOT / path).read_text() for path in paths}
    for path, text in texts.items():
        check_shape(path, text, findings)
        if path.suffix not in SOURCES:
            continue
        code = blanked(text)
        check_includes(path, text, findings)
        if path.parts[0] in FLOORS:
            check_names(path, code, findings)
            check_functions(path, text, code, findings)
        if path.parts[0] == "dataplane":
            check_dataplane_words(path, code, findings)
    check_rooms(paths, texts, findings)
    print("\n".join(findings.lines) or f"{len(paths)} files, nothing found")
    return 1 if findings.lines else 0


if __name__ == "__main__":
    sys.exit(main())
