"""Several directors at once: each announces the VIPs to a router by BGP, and the router spreads
connections over them by their addresses and ports (ECMP). The configurations of BIRD beside each
director are what `fulcrumctl export bird` prints.

The picture is that of lab.py with a router; the VIPs lie in no network of the directors' ports, so
that the way to them is the router's alone.
"""

from labkit.director import SOCKETS, Director, build_folder, director_config, web_service
from labkit.lab import end, wait_until

VIP, VIP6 = "192.0.2.80", "2001:db8:80::80"
ROUTER = {"wan": "10.1.0.254", "wan6": "2001:db8:1::254"}
AS, ROUTER_AS = 65001, 65000

ECMP_PLAY = f"""
NODE is client, router, director, director2 to director4, web1 to web3. What you may try:

  at client curl http://{VIP}/                    a request through one of the directors
  at router ip route show {VIP}               over whom the router leads to it
  at director2 fulcrumctl --socket {SOCKETS[1]} standby      and takeover
  at router birdc -s $LAB/bird-router.ctl show protocols
"""


def ecmp_config(place, services):
    """Of one of them, counted from 0."""
    config = director_config(services, name=f"lb{place + 1}", seed="the same for all")
    wan, lan = config["ports"]
    host = place + 2
    wan["addresses"] = [f"10.1.0.{host}/24", f"2001:db8:1::{host}/64"]
    lan["addresses"] = [f"10.2.0.{host}/24", f"2001:db8:2::{host}/64"]
    config["control"]["socket"] = SOCKETS[place]
    # Nobody to agree with: it serves while it is fit, and until `fulcrumctl standby`.
    config["groups"] = [{"name": "anycast", "id": 1}]
    return config


def direct_service(vip=VIP, **changes):
    return web_service(port=80, forward="direct") | {"vip": vip} | changes


def direct_services():
    """The same over IPv4 and IPv6."""
    over_ipv4 = direct_service()
    reals6 = [real | {"address": f"2001:db8:2::{real['address'].split('.')[-1]}"}
              for real in over_ipv4["reals"]]
    return [over_ipv4, direct_service(VIP6, name="web6", reals=reals6)]


class Bird:
    """BIRD at a node, with this text as its configuration."""

    def __init__(self, lab, node, text):
        self.node = node
        self.file = lab.folder / f"bird-{node.name}.conf"
        self.socket = lab.folder / f"bird-{node.name}.ctl"
        self.log = lab.folder / f"bird-{node.name}.log"
        self.file.write_text(text)
        # It speaks of what it does to syslog, which the laboratory has not.
        with self.log.open("ab") as log:
            self.program = node.start("bird", "-f", "-c", self.file, "-s", self.socket,
                                      stdout=log, stderr=log)

    def ask(self, *words):
        return self.node.run("birdc", "-r", "-s", self.socket, *words)

    def stop(self):
        return end(self.program)


def router_text(directors):
    """Of the router: it takes what its neighbours announce, and nothing else."""
    text = f"""router id {ROUTER["wan"]};
log syslog all;
protocol device {{ scan time 1; }}
protocol bfd {{ interface "eth0" {{ interval 100 ms; multiplier 3; }}; }}
protocol kernel {{ ipv4 {{ import none; export all; }}; merge paths yes; }}
protocol kernel {{ ipv6 {{ import none; export all; }}; merge paths yes; }}
"""
    for place, director in enumerate(directors):
        text += f"""protocol bgp {director.node.name} {{
    local {ROUTER["wan"]} as {ROUTER_AS};
    neighbor 10.1.0.{place + 2} as {AS};
    bfd on;
    connect retry time 1;
    error wait time 1, 2;
    ipv4 {{ import all; export none; }};
}}
protocol bgp {director.node.name}v6 {{
    local {ROUTER["wan6"]} as {ROUTER_AS};
    neighbor 2001:db8:1::{place + 2} as {AS};
    bfd on;
    connect retry time 1;
    error wait time 1, 2;
    ipv6 {{ import all; export none; }};
}}
"""
    return text


def exported(director, language="bird"):
    return director.node.run(
        build_folder() / "controlplane/fulcrumctl", "--socket", director.socket, "export", language,
        "--as", str(AS), "--neighbour", f"{ROUTER['wan']}={ROUTER_AS}",
        "--neighbour", f"{ROUTER['wan6']}={ROUTER_AS}")


class Ecmp:
    """Directors behind a lab's router, with BIRD beside each and at the router."""

    def __init__(self, lab, services):
        self.lab = lab
        self.router = lab.nodes["router"]
        for key in ("net/ipv4/conf/all/send_redirects", "net/ipv4/conf/eth0/send_redirects"):
            self.router.sysctl(key, 0)
        self.router.sysctl("net/ipv4/fib_multipath_hash_policy", 1)
        self.router.sysctl("net/ipv6/fib_multipath_hash_policy", 1)
        lab.client.ip("route", "add", f"{VIP}/32", "via", ROUTER["wan"])
        lab.client.ip("-6", "route", "add", f"{VIP6}/128", "via", ROUTER["wan6"])
        for node in lab.web.values():
            for scope in ("all", "eth0"):
                node.sysctl(f"net/ipv4/conf/{scope}/arp_ignore", 1)
                node.sysctl(f"net/ipv4/conf/{scope}/arp_announce", 2)
            node.ip("address", "add", f"{VIP}/32", "dev", "lo")
            node.ip("address", "add", f"{VIP6}/128", "dev", "lo", "nodad")
        self.directors = [Director(lab, ecmp_config(place, services), place)
                          for place in range(len(lab.directors))]
        for director in self.directors:
            director.start()
        self.birds = [Bird(lab, director.node, exported(director)) for director in self.directors]
        self.at_router = Bird(lab, self.router, router_text(self.directors))

    def ways(self, vip=VIP):
        """The directors, counted from 0, over which the router leads to the VIP."""
        version = "-6" if ":" in vip else "-4"
        words = self.router.ip(version, "route", "show", vip).split()
        hosts = [words[i + 1].replace("::", ".").split(".")[-1] for i, word in enumerate(words)
                 if word == "via"]
        return {int(host) - 2 for host in hosts}

    def wait_ways(self, wanted, vip=VIP, seconds=20):
        wait_until(lambda: self.ways(vip) == set(wanted), seconds,
                   f"the router leads to {vip} over {self.ways(vip)}:\n"
                   f"{self.at_router.ask('show', 'protocols')}")

    def close(self):
        for bird in [self.at_router, *self.birds]:
            bird.stop()
        for director in self.directors:
            if director.program.poll() is None:
                director.stop()
