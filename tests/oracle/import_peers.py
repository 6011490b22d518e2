"""The programs whose files we import, asked about the files that our tests import: keepalived and
ldirectord take each of them, and refuse one with a mistake, so what we read is what they read.
They run in namespaces of their own and start nothing.

  import_peers.py FIXTURE_FOLDER
"""

import subprocess
import sys
import tempfile
from pathlib import Path

FIXTURES = Path(sys.argv[1])
# A network with the interfaces that the files name, and no folder of the machine's to write to.
PREPARE = ("mount -t tmpfs none /var/log && mount -t tmpfs none /run && "
           "ip link add eth0 type veth peer name eth1 && ")
# Of ldirectord: it has read the file, and nothing runs that could reload it.
LDIRECTORD_TAKES = 1


def run_apart(command):
    return subprocess.run(["unshare", "--map-root-user", "--net", "--mount", "sh", "-c",
                           PREPARE + command],
                          capture_output=True, text=True, timeout=60)


def ask_keepalived(path):
    result = run_apart(f"exec /usr/sbin/keepalived --config-test --use-file {path}")
    return result.returncode == 0, result.stderr


def ask_ldirectord(path):
    result = run_apart(f"exec /usr/sbin/ldirectord {path} reload")
    return result.returncode == LDIRECTORD_TAKES, result.stderr


def expect(is_taken, ask, path):
    answer, words = ask(path)
    if answer != is_taken:
        sys.exit(f"{path}: {'refused' if is_taken else 'taken'}: {words}")


def with_text(folder, name, text):
    path = Path(folder) / name
    path.write_text(text)
    return path


def main():
    with tempfile.TemporaryDirectory() as folder:
        keepalived = (FIXTURES / "keepalived.conf").read_text()
        with_text(folder, "pieces_tcp.conf", (FIXTURES / "pieces_tcp.conf").read_text())
        expect(True, ask_keepalived, with_text(folder, "keepalived.conf", keepalived))
        expect(False, ask_keepalived,
               with_text(folder, "wrong.conf", keepalived.replace("lb_algo", "lb_algos")))
        for name in ("howto.cf", "ldirectord.cf"):
            # ldirectord ends a section at an empty line, where we are more patient.
            text = "\n".join(line for line in (FIXTURES / name).read_text().split("\n")
                             if line.strip()) + "\n"
            expect(True, ask_ldirectord, with_text(folder, name, text))
            expect(False, ask_ldirectord,
                   with_text(folder, "wrong.cf", text.replace("scheduler", "schedulers")))
    print("keepalived and ldirectord agree")


main()
