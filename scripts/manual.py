#!/usr/bin/python3
"""Makes the manual's pages of what is written elsewhere already, so that there is no second truth:
those of programs of what they say to --help, which they make of their own tables; that of the
configuration file of the key table in config/README.md, which a test holds against the schema.

  scripts/manual.py page NAME PROGRAM VERSION OUTPUT    fulcrumd.8, fulcrumctl.8, fulcrum-ipvsadm.8
  scripts/manual.py keys README VERSION OUTPUT          fulcrum.cfg.5
  scripts/manual.py check PAGE ...                      what man and groff find wrong with them
"""

import re
import subprocess
import sys
from pathlib import Path

DATE = "2026-11-21"
SEE_ALSO = ["fulcrumd(8)", "fulcrumctl(8)", "fulcrum-ipvsadm(8)", "fulcrum.cfg(5)"]
PURPOSE = {
    "fulcrumd": "the director of Fulcrum, a layer-4 load balancer",
    "fulcrumctl": "the operator's tool of Fulcrum",
    "fulcrum-ipvsadm": "ipvsadm's command line for Fulcrum",
    "fulcrum.cfg": "the configuration file of Fulcrum's director",
}
STATUS = {
    "fulcrumd": [("0", "it ran, or the file is valid"), ("1", "it could not run"),
                 ("2", "wrong usage, or an invalid configuration")],
    "fulcrumctl": [("0", "done"), ("1", "failed, or problems were found"),
                   ("2", "wrong usage, or an invalid configuration"),
                   ("3", "no director answers")],
    "fulcrum-ipvsadm": [],
}


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(("\\&" if line[:1] in (".", "'") else "") + line for line in text.split("\n"))


def bold(text):
    return f"\\fB{escaped(text)}\\fP"


def from_markdown(text):
    """Code in bold, and a bar that stands in a table's cell."""
    parts = re.split(r"`([^`]*)`", text.replace("\\|", "|").replace("**", ""))
    return "".join(bold(part) if at % 2 else escaped(part) for at, part in enumerate(parts))


def head(name, section, version):
    return [f'.TH {name.upper()} {section} {DATE} "Fulcrum {version}"',
            ".SH NAME", f"{escaped(name)} \\- {escaped(PURPOSE[name])}"]


def tail(name):
    others = [each for each in SEE_ALSO if not each.startswith(name + "(")]
    return [".SH SEE ALSO", escaped(",\n".join(others))]


def help_of(program, *words):
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True)
    return done.stdout.replace(str(program), Path(program).name)


def entries(text, title):
    """What stands below "Options:" and its like: terms with their descriptions."""
    found = re.search(rf"^{title}:\n((?:  .*\n?)+)", text, re.MULTILINE)
    listed = []
    for line in found.group(1).splitlines() if found else []:
        if line[2:3] != " ":
            term, _, description = line.strip().partition("  ")
            listed.append([term, description.strip()])
        else:
            listed[-1][1] = f"{listed[-1][1]} {line.strip()}".strip()
    return listed


def listed_as_terms(listed):
    lines = []
    for term, description in listed:
        lines += [".TP", bold(term), escaped(description)]
    return lines


def usage_of(text):
    return re.search(r"^Usage: (.*)$", text, re.MULTILINE).group(1)


def program_page(name, program, version):
    text = help_of(program)
    lines = head(name, 8, version) + [".SH SYNOPSIS", escaped(usage_of(text))]
    if name == "fulcrum-ipvsadm":
        body = text.split("\n", 1)[1]
        lines += [".SH DESCRIPTION",
                  "Takes the command lines of ipvsadm(8), prints its listings, and speaks to a",
                  "director at", bold("/run/fulcrum/control.sock") + ",", "or at what the",
                  "environment's", bold("FULCRUM_SOCKET"), "says.", ".nf", escaped(body.rstrip()),
                  ".fi"]
    else:
        lines += [".SH DESCRIPTION", escaped(text.split("\n", 1)[0]) + ".", ".SH OPTIONS"]
        lines += listed_as_terms(entries(text, "Options"))
        commands = entries(text, "Subcommands")
        if commands:
            lines.append(".SH COMMANDS")
        for command, description in commands:
            own = help_of(program, command)
            lines += [".SS " + escaped(usage_of(own).replace("fulcrumctl ", "", 1)),
                      escaped(description) + "."]
            lines += listed_as_terms(
                [entry for title in ("Positionals", "Options") for entry in entries(own, title)
                 if not entry[0].startswith("-h,")])
    if STATUS[name]:
        lines += [".SH EXIT STATUS"] + listed_as_terms(STATUS[name])
    return lines + tail(name)


def keys_page(readme, version):
    rows = re.search(r"<!-- keys: from here -->(.*)<!-- keys: to here -->", readme,
                     re.DOTALL).group(1).strip().splitlines()[2:]
    lines = head("fulcrum.cfg", 5, version)
    lines += [".SH DESCRIPTION",
              "In the notation of libconfig: groups in braces, lists of groups in parentheses,",
              "arrays in brackets. A name with brackets behind it, as in",
              bold("services[].name") + ",", "is a key of each element of that list.", ".SH KEYS"]
    for row in rows:
        key, holds, default, meaning = [cell.strip() for cell in
                                        re.split(r"(?<!\\)\|", row.strip().strip("|"))]
        lines += [".TP", bold(key.strip("`")),
                  f"{from_markdown(meaning)}; {from_markdown(holds)};",
                  "required" if default.startswith("**") else f"default: {from_markdown(default)}"]
    return lines + tail("fulcrum.cfg")


def check(pages):
    is_sound = True
    for page in pages:
        for command in (["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
                        ["groff", "-man", "-ww", "-Tutf8", "-z", page]):
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  text=True)
            if done.returncode != 0 or done.stderr:
                print(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stderr}")
                is_sound = False
        if not re.search(r"^\.SH NAME\n.+ \\- .+$", Path(page).read_text(), re.MULTILINE):
            print(f"{page}: its name is not told")
            is_sound = False
    return is_sound


def main():
    kind, *words = sys.argv[1:]
    if kind == "check":
        sys.exit(0 if check(words) else 1)
    *source, version, output = words
    lines = (program_page(*source, version) if kind == "page"
             else keys_page(Path(source[0]).read_text(), version))
    Path(output).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
