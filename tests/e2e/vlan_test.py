"""VLANs of the director's ports, each with hosts behind it whose frames carry its tag on the wire:
a program of the kernel's (tag.bpf.c) puts it there and takes it out, as an access port of a switch
does.

      client 10.20.0.10, 2001:db8:20::10       VLAN 20 of wan: web, VIPs 10.20.0.80, 2001:db8:20::80
      caller 10.21.0.10                        VLAN 21 of wan: desk, VIP 10.21.0.80
      clerk  10.22.0.11                        VLAN 22 of wan: the desk's real, on one arm with it
      web1, web2 10.30.0.11 and .12            VLAN 30 of lan: reals of web
      web3 10.2.0.13                           lan without a tag: a real of web
"""

import socket
import sys
from pathlib import Path

from labkit.director import director_config, http_check, web_service
from labkit.lab import run, wait_until
from scenario import Scenario
from tunnel_test import may_load_programs

HERE = Path(__file__).resolve().parent
WEB_VIP, WEB_VIP6, DESK_VIP = "10.20.0.80", "2001:db8:20::80", "10.21.0.80"
DESK_PORT, CLERK_PORT = 21, 8021
REALS = {"web1": "10.30.0.11", "web2": "10.30.0.12", "web3": "10.2.0.13"}
REALS6 = {"web1": "2001:db8:30::11", "web2": "2001:db8:30::12"}
VLAN_PORTS = {"wan.20": ["10.20.0.1/24", "2001:db8:20::1/64"], "wan.21": ["10.21.0.1/24"],
              "wan.22": ["10.22.0.1/24"], "lan.30": ["10.30.0.1/24", "2001:db8:30::1/64"]}


def reals_of(addresses):
    return [{"name": name, "address": address, "port": 8080, "forward": "nat"}
            for name, address in addresses.items()]


class Vlans(Scenario):
    has_ipv6 = True

    def setUp(self):
        if not may_load_programs():
            self.skipTest("only the machine's root may load the program that tags")

    @classmethod
    def config(cls):
        desk = {"name": "desk", "vip": DESK_VIP, "port": DESK_PORT, "bind": ["wan.21"],
                "check": {"type": "none"},
                "reals": [{"name": "clerk", "address": "10.22.0.11", "port": CLERK_PORT}]}
        config = director_config([
            web_service(vip=WEB_VIP, reals=reals_of(REALS), bind=["wan.20"]),
            web_service(name="web6", vip=WEB_VIP6, reals=reals_of(REALS6), bind=["wan.20"]), desk])
        config["vips"] = [{"address": vip, "other": "drop"}
                          for vip in (WEB_VIP, WEB_VIP6, DESK_VIP)]
        for name, addresses in VLAN_PORTS.items():
            parent, number = name.split(".")
            config["ports"].append({"name": name, "parent": parent, "vlan": int(number),
                                    "addresses": addresses})
        return config

    @classmethod
    def prepare(cls):
        if not may_load_programs():
            return
        lab = cls.lab
        lab.caller, lab.clerk = lab._node("caller"), lab._node("clerk")
        lab._plug(lab.caller, "wan", "eth0")
        lab._plug(lab.clerk, "wan", "eth0")
        for node, number in ((lab.client, 20), (lab.caller, 21), (lab.clerk, 22),
                             (lab.web["web1"], 30), (lab.web["web2"], 30)):
            cls.put_in_vlan(node, number)
            node.run("ethtool", "-K", "eth0", "tso", "off")
        lab.caller.ip("address", "add", "10.21.0.10/24", "dev", "eth0")
        lab.clerk.ip("address", "add", "10.22.0.11/24", "dev", "eth0")
        lab.clerk.ip("route", "add", "default", "via", "10.22.0.1")
        lab.client.ip("address", "add", "10.20.0.10/24", "dev", "eth0")
        lab.client.ip("address", "add", "2001:db8:20::10/64", "dev", "eth0", "nodad")
        for name in ("web1", "web2"):
            node = lab.web[name]
            node.ip("address", "flush", "dev", "eth0")
            for version, address, gateway in (
                    ("-4", f"{REALS[name]}/24", "10.30.0.1"),
                    ("-6", f"{REALS6[name]}/64", "2001:db8:30::1")):
                options = ["nodad"] if version == "-6" else []
                node.ip("address", "add", address, "dev", "eth0", *options)
                node.ip(version, "route", "replace", "default", "via", gateway)
        lab.start_web()
        lab.clerk.start(sys.executable, HERE / "servers.py", "answer", str(CLERK_PORT),
                        "at your service")
        lab.wait_listening(lab.clerk, CLERK_PORT)

    @classmethod
    def put_in_vlan(cls, node, number):
        outer = f"{node.name}-eth0"
        # The tag has to lie in the frame, where the program looks.
        run("ethtool", "-K", outer, "txvlan", "off")
        for name, option, load in (
                ("put", ["-DPUT"], lambda *words: run("ip", "link", "set", "dev", outer, *words)),
                ("take", [], lambda *words: node.ip("link", "set", "dev", "eth0", *words))):
            program = cls.lab.folder / f"{name}{number}.o"
            run("clang", "-O2", "-Wall", "-Werror", "-target", "bpf", f"-DVLAN={number}", *option,
                "-I/usr/include/x86_64-linux-gnu", "-c", HERE / "tag.bpf.c", "-o", program)
            load("xdp", "obj", program, "sec", "xdp")

    def visit_desk(self, node):
        def visit():
            with socket.create_connection((DESK_VIP, DESK_PORT), timeout=1) as visitor:
                visitor.send(b"GET / HTTP/1.0\r\n\r\n")
                return visitor.makefile("rb").read()
        return node.call(visit)

    def drops(self, reason):
        return sum(int(value) for line, value in self.director.metrics().items()
                   if line.startswith("fulcrum_dropped_packets_total") and f'"{reason}"' in line)

    def test_each_service_is_served_in_its_vlan(self):
        for host, reals in ((WEB_VIP, REALS), (f"[{WEB_VIP6}]", REALS6)):
            addresses = [f"http://{host}/?{number}" for number in range(40)]
            met = self.lab.client.run("curl", "-sSg", "--max-time", "20",
                                      "-H", "Connection: close", *addresses).split()
            self.assertEqual(set(met), set(reals))
        self.assertIn(b"at your service", self.visit_desk(self.lab.caller))

    def test_a_vip_is_announced_in_its_vlan_alone(self):
        self.lab.client.ip("route", "replace", f"{DESK_VIP}/32", "dev", "eth0")
        with self.assertRaises(OSError):
            self.visit_desk(self.lab.client)
        shown = self.lab.client.ip("neigh", "show", DESK_VIP)
        self.assertNotIn("lladdr", shown)
        self.assertIn("lladdr", self.lab.caller.ip("neigh", "show", DESK_VIP))

    def test_and_served_there_alone(self):
        own = self.lab.client.ip("neigh", "show", WEB_VIP).split("lladdr ")[1].split()[0]
        self.lab.client.ip("route", "replace", f"{DESK_VIP}/32", "dev", "eth0")
        self.lab.client.ip("neigh", "replace", DESK_VIP, "lladdr", own, "dev", "eth0")
        before = self.drops("no_service_drop")
        with self.assertRaises(TimeoutError):
            self.visit_desk(self.lab.client)
        wait_until(lambda: self.drops("no_service_drop") > before, 5, "nothing is dropped")

    def test_frames_of_full_size_pass(self):
        body = bytes(range(250)) * 4000
        target = self.lab.folder / "fetched"
        for name in REALS:
            (self.lab.folder / name / "large").write_bytes(body)
        self.fetch("/files/large", "-o", target, host=WEB_VIP)
        self.assertEqual(target.read_bytes(), body)
        self.lab.client.run("ping", "-c", "1", "-W", "5", "-M", "do", "-s", "1472", "10.20.0.1")
        self.lab.client.run("ping", "-6", "-c", "1", "-W", "5", "-M", "do", "-s", "1452",
                            "2001:db8:20::1")

    def test_a_vlan_is_a_port_to_its_operator(self):
        ports = {port["name"]: port for port in self.director.ask("status")["ports"]}
        self.assertEqual(ports["wan.20"]["device"], "vlan 20 of wan")
        self.assertEqual(ports["wan.20"]["mac"], ports["wan"]["mac"])
        for direction in ("received", "transmitted"):
            metrics = self.director.metrics()
            for name in VLAN_PORTS:
                line = f'fulcrum_port_{direction}_packets_total{{port="{name}"}}'
                self.assertGreater(int(metrics[line]), 0, line)
        said = self.director.ask("explain", "tcp", "10.20.0.10:40000", f"{DESK_VIP}:{DESK_PORT}",
                                 "--from", "wan.20")
        self.assertEqual(said["reason"], "no_service_drop")
        said = self.director.ask("explain", "tcp", "10.21.0.10:40000", f"{DESK_VIP}:{DESK_PORT}",
                                 "--from", "wan.21")
        self.assertEqual((said["service"], said["leaves"]["port"]), ("desk", "wan.22"))
