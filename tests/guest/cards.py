"""The guest's network cards in a scenario: `plug` joins their wires to the laboratory's bridges, so
that what the cards send and hear is its traffic; `on_cards` gives the cards to the director.
"""

import os

from labkit.lab import run
from machine import CARDS, pci_address_of


def plug(lab):
    """Brings the wires here from the namespace of the guest's first program, if nobody did before,
    and silences the interfaces that the director's node has otherwise."""
    for interface in ("eth0", "eth1"):
        lab.director.ip("link", "set", interface, "down")
    here = run("ip", "-br", "link")
    for side in ("wan", "lan"):
        wire = f"wire-{side}"
        if wire not in here:
            run("nsenter", "--net=/proc/1/ns/net", "ip", "link", "set", wire, "netns",
                str(os.getpid()))
        run("ip", "link", "set", wire, "master", f"br-{side}", "up")


def on_cards(config, kind, memory="hugepages"):
    """This configuration on cards of this kind, "card" or "plain"."""
    config["director"]["memory"] = memory
    for port in config["ports"]:
        if f"{kind}-{port['name']}" in CARDS:
            port["device"] = pci_address_of(f"{kind}-{port['name']}")
    return config
