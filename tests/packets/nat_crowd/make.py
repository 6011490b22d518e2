#!/usr/bin/python3
"""Flows of a crowd as tests/oracle/nat.py draws them, which also tells what must leave."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

sys.path.insert(0, str(FOLDER.parent.parent / "oracle"))
import nat  # noqa: E402

director = nat.Director(FOLDER)
frames = list(nat.crowd(FOLDER, seed="1", flow_count=40))
write("send.pcap", frames)
write("expect.pcap", filter(None, map(director.carried, frames)))
expired = sum(frame[22] <= 1 for frame in frames)
write_text("expect.txt", [f"dropped ttl_expired {expired}"] if expired else [])
