"""Two directors that hold one group in turns: their configurations, and what they are."""

import json

from labkit.director import SOCKETS, director_config
from labkit.lab import PATIENCE, VIP, wait_until

GATEWAY, GATEWAY6 = "10.2.0.1", "2001:db8:2::1"


def pair_config(place, services, group=(), ipv6=False, **more):
    """Of the first (0) or the second director. `group`: keys in place of these."""
    config = director_config(services, name=f"lb{place + 1}", seed="the pair's")
    host = place + 2
    wan, lan = config["ports"]
    wan["addresses"], lan["addresses"] = [f"10.1.0.{host}/24"], [f"10.2.0.{host}/24"]
    addresses = [f"{GATEWAY}/24"]
    if ipv6:
        wan["addresses"].append(f"2001:db8:1::{host}/64")
        lan["addresses"].append(f"2001:db8:2::{host}/64")
        addresses.append(f"{GATEWAY6}/64")
    config["control"]["socket"] = SOCKETS[place]
    config["groups"] = [{"name": "front", "id": 51, "priority": 100 - 50 * place + 50,
                         # On a busy machine a director may find no processor in time.
                         "advert": f"{250 * PATIENCE}ms", "addresses": addresses,
                         "paths": [{"port": "wan"}, {"port": "lan"}],
                         "fence": {"style": "none"}, **dict(group)}]
    return config | more


def status_of(director):
    return json.loads(director.ctl("status", "--json").stdout)


def state_of(director, group="front"):
    groups = {each["name"]: each for each in status_of(director)["groups"]}
    return groups[group]["state"]


def wait_role(director, state, seconds=10):
    """Until it is so; an active one then holds the VIP as well."""
    wait_until(lambda: state_of(director) == state, seconds,
               f"{director.node.name} is not {state}:\n{director.log_tail()}")
    if state == "active":
        wait_until(lambda: VIP in addresses_on(director, "wan"), seconds, "the VIP is not there")


def addresses_on(director, twin):
    lines = director.node.ip("-o", "address", "show", "dev", twin).splitlines()
    return {line.split()[3].split("/")[0] for line in lines}


def mac_of(director, twin):
    return director.node.ip("-o", "link", "show", twin).split("link/ether ")[1].split()[0]
