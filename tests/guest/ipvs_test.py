"""The kernel's own load balancer as an oracle: the same services, under IPVS and under our
director, for the same clients and before the same web servers. What its schedulers do, ours of that
name do.

    client 10.1.0.10, and 32 more ──┬── director, VIP 10.1.0.80 ── reals 10.2.0.11 to .13
                                    └── IPVS,     VIP 10.1.0.90 ── the same, as 10.2.0.21 to .23

A real sends what it has to say under its second address by way of IPVS.
"""

import itertools
import re
import socket

from labkit.director import director_config, web_service
from labkit.lab import PATIENCE, VIP, WEB, WEB_PORT, run
from scenario import Scenario

IPVS_VIP = "10.1.0.90"
SECOND = {"web1": "10.2.0.21", "web2": "10.2.0.22", "web3": "10.2.0.23"}
SOURCES = [f"10.1.0.{number}" for number in range(100, 132)]
# By their VIP port: scheduler, its flags, weights.
SERVICES = {
    81: ("rr", [], (1, 1, 1)),
    82: ("wrr", [], (4, 3, 2)),
    83: ("sh", [], (1, 1, 1)),
    84: ("sh", ["fallback"], (1, 1, 1)),
    85: ("sh", ["port"], (1, 1, 1)),
    86: ("mh", [], (1, 1, 1)),
    87: ("lc", [], (1, 1, 1)),
    88: ("wlc", [], (3, 2, 1)),
    89: ("sed", [], (3, 2, 1)),
    90: ("nq", [], (3, 2, 1)),
    91: ("fo", [], (1, 3, 2)),
    92: ("ovf", [], (2, 3, 4)),
}
COUNTING = (87, 88, 89, 90, 91, 92)  # ask how many connections there are
REAL = re.compile(rb"X-Real: (\w+)\r\n")


def ask(node, vip, port, source=""):
    """A connection, and who answers on it; nobody if it is refused."""
    try:
        wire = node.call(lambda: socket.create_connection(
            (vip, port), timeout=5 * PATIENCE, source_address=(source, 0)))
    except ConnectionRefusedError:
        return None, None
    wire.sendall(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
    head = b""
    while not (found := REAL.search(head)):
        head += wire.recv(4096)
    return wire, found[1].decode()


class Ipvs:
    """The kernel's balancer in a node of its own."""

    def __init__(self, lab):
        self.node = lab._node("ipvs")
        lab._plug(self.node, "wan", "eth0", "10.1.0.3/24")
        lab._plug(self.node, "lan", "eth1", "10.2.0.3/24")
        self.node.ip("address", "add", f"{IPVS_VIP}/32", "dev", "eth0")
        self.node.sysctl("net/ipv4/ip_forward", 1)
        for name, node in lab.web.items():
            node.ip("address", "add", f"{SECOND[name]}/24", "dev", "eth0")
            node.ip("rule", "add", "from", SECOND[name], "table", "100")
            node.ip("route", "add", "default", "via", "10.2.0.3", "table", "100")
        lines = []
        for port, (scheduler, flags, weights) in SERVICES.items():
            words = ["-b", ",".join(f"{scheduler}-{flag}" for flag in flags)] if flags else []
            lines.append(["-A", "-t", f"{IPVS_VIP}:{port}", "-s", scheduler, *words])
            # It lists reals from the newest to the oldest, and goes by that.
            for name, weight in reversed(list(zip(WEB, weights))):
                lines.append(["-a", *self.real(port, name), "-m", "-w", str(weight)])
        self.node.run("ipvsadm", "-R", input="".join(f"{' '.join(line)}\n" for line in lines))

    def tell(self, *words):
        return self.node.run("ipvsadm", *words)

    @staticmethod
    def real(port, name):
        return "-t", f"{IPVS_VIP}:{port}", "-r", f"{SECOND[name]}:{WEB_PORT}"


class BesideIpvs(Scenario):
    @classmethod
    def config(cls, missing=(), weights=()):
        """The services; without the reals that are `missing`, or with other weights, each by port
        and name."""
        services = []
        for port, (scheduler, flags, usual) in SERVICES.items():
            service = web_service(name=f"at{port}", scheduler=scheduler, check={"type": "none"},
                                  scheduler_flags=flags) | {"port": port}
            for real, weight in zip(service["reals"], usual):
                real["weight"] = dict(weights).get((port, real["name"]), weight)
            service["reals"] = [real for real in service["reals"]
                                if (port, real["name"]) not in missing]
            services.append(service)
        return director_config(services)

    @classmethod
    def prepare(cls):
        run("nsenter", "--net=/proc/1/ns/net", "modprobe", "-a", "ip_vs")
        cls.lab.client.run("ip", "-batch", "-", input="".join(
            f"address add {source}/24 dev eth0\n" for source in SOURCES))
        cls.lab.start_web()
        cls.ipvs = Ipvs(cls.lab)

    def use(self, **changes):
        self.director.write(self.config(**changes))
        self.director.ask("reload")

    def in_turn(self, vip, port, count, *, held=False):
        """Who answers each of `count` connections, which stay open all the while if `held`."""
        answers = []
        for _ in range(count):
            wire, name = ask(self.lab.client, vip, port)
            answers.append(name)
            if held:
                self.addCleanup(wire.close)
            else:
                wire.close()
        return answers

    def by_client(self, vip, port):
        """Who answers each client, which has to be the same one twice."""
        served = {}
        for source in SOURCES:
            names = set()
            for _ in range(2):
                wire, name = ask(self.lab.client, vip, port, source)
                names.add(name)
                if wire:
                    wire.close()
            self.assertEqual(len(names), 1, (source, names))
            served[source], = names
        return served

    def test_a_round_robins_sequence_is_the_kernels(self):
        ours, kernels = (self.in_turn(vip, 81, 12) for vip in (VIP, IPVS_VIP))
        self.assertEqual(ours, kernels)
        self.assertEqual(ours, list(itertools.islice(itertools.cycle(WEB), 12)))

    def test_so_is_that_of_weighted_round_robin(self):
        """But for where it begins: the kernel's begins with what is left of a turn."""
        ours, kernels = (self.in_turn(vip, 82, 18) for vip in (VIP, IPVS_VIP))
        self.assertIn(kernels, [ours[begin:] + ours[:begin] for begin in range(9)])
        self.assertEqual(ours.count("web1"), 8)

    def test_so_are_those_of_schedulers_that_count_connections(self):
        for port in COUNTING:
            with self.subTest(SERVICES[port]):
                ours, kernels = (self.in_turn(vip, port, 12, held=True)
                                 for vip in (VIP, IPVS_VIP))
                self.assertEqual(ours, kernels)

    def test_source_hashing_keeps_clients_and_leaves_a_drained_reals_without_or_elsewhere(self):
        """Which real a client hashes to is each balancer's own affair; the rest is not."""
        for port in (83, 84):
            before = {vip: self.by_client(vip, port) for vip in (VIP, IPVS_VIP)}
            self.use(weights={(port, "web2"): 0})
            self.ipvs.tell("-e", *self.ipvs.real(port, "web2"), "-m", "-w", "0")
            for vip, served in before.items():
                with self.subTest(port=port, vip=vip):
                    self.assertEqual(set(served.values()), set(WEB))
                    after = self.by_client(vip, port)
                    drained = {source for source, name in served.items() if name == "web2"}
                    self.assertEqual({source: after[source] for source in SOURCES
                                      if source not in drained},
                                     {source: served[source] for source in SOURCES
                                      if source not in drained})
                    others = {after[source] for source in drained}
                    self.assertLessEqual(others, {None} if port == 83 else {"web1", "web3"})
            self.use()

    def test_with_the_port_one_clients_connections_spread(self):
        for vip in (VIP, IPVS_VIP):
            self.assertEqual(set(self.in_turn(vip, 85, 40)), set(WEB))

    def test_maglev_hashing_moves_hardly_anybody_else_when_a_real_is_gone(self):
        before = {vip: self.by_client(vip, 86) for vip in (VIP, IPVS_VIP)}
        self.use(missing={(86, "web2")})
        self.ipvs.tell("-d", *self.ipvs.real(86, "web2"))
        for vip, served in before.items():
            with self.subTest(vip=vip):
                after = self.by_client(vip, 86)
                self.assertEqual(set(served.values()), set(WEB))
                self.assertEqual(set(after.values()), {"web1", "web3"})
                moved = [source for source in SOURCES
                         if served[source] not in ("web2", after[source])]
                self.assertLess(len(moved), 0.15 * len(SOURCES), moved)
