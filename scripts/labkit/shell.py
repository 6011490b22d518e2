"""A person in the laboratory: a shell with one word for each node, or the way in from elsewhere."""

import os
import subprocess
import sys
import time
from pathlib import Path

from labkit.director import build_folder
from labkit.lab import VIP

HOW_TO_PLAY = f"""
The laboratory stays. NODE is client, director, web1, web2, web3; what you may try:

  at client curl http://{VIP}/              a request through the director
  at director fulcrumctl reals              which real is up, and what it has carried
  at director fulcrumctl sessions --limit 5
  at director fulcrumctl drain web/web1     and undrain
  at director curl -s 127.0.0.1:9464/metrics
  at director tcpdump -ni wan               what the director leaves to the kernel
  at web1 tcpdump -ni eth0 port 8080        what a real sees
  edit $FULCRUM_CONFIG                      then: at director fulcrumctl reload
"""

RC_FILE = """
PS1='lab$ '
at() {{
    local node=$1; shift
    nsenter --net="/run/netns/$node" "$@"
}}
export PATH="{build}/controlplane:$PATH" FULCRUM_CONFIG="{config}" LAB="{folder}"
"""


def stay(lab, config, how_to_play=HOW_TO_PLAY):
    """Hands the laboratory to a person until they leave; what runs in it keeps running."""
    rc_file = lab.folder / "bashrc"
    rc_file.write_text(RC_FILE.format(build=build_folder(), config=config,
                                       folder=lab.folder))
    print(how_to_play)
    outer_pid = os.readlink("/proc/self")
    is_root = Path("/proc/self/uid_map").read_text().split()[1] == "0"
    user = "" if is_root else " --user --preserve-credentials"
    enter = f"nsenter --target {outer_pid} --mount{user} bash --rcfile {rc_file}"
    if not sys.stdin.isatty():
        print(f"From another terminal: {enter}\nHere: Ctrl-C ends it all.", flush=True)
        while True:
            time.sleep(3600)
    print(f"Leave with `exit`. A second terminal gets in with\n  {enter}\n", flush=True)
    subprocess.run(["bash", "--rcfile", rc_file, "-i"])
