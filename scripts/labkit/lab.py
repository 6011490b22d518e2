"""The laboratory: a client, a director and three web servers on one machine, each in a network
namespace of its own, so that the real program forwards real traffic and the host notices nothing.

      client                    router (only if asked for: the way back under direct routing)
    10.1.0.10               10.1.0.254 │ 10.2.0.254
        │ eth0                    eth0 │ eth1
   ─────┴──────────┬───────────────────┘   │     bridge "wan", 10.1.0.0/24
              eth0 │                       │     VIP 10.1.0.80
       ┌───────────┴────────────┐          │
       │ twin "wan"  10.1.0.2   │          │     director: fulcrumd owns eth0 and eth1 and leaves
       │      fulcrumd          │          │     the kernel its twins, "wan" and "lan"
       │ twin "lan"  10.2.0.1   │          │
       └───────────┬────────────┘          │
              eth1 │                       │
   ─────┬──────────┼──────────┬────────────┘     bridge "lan", 10.2.0.0/24
        │ eth0     │ eth0     │ eth0
      web1       web2       web3                 nginx on port 8080
   10.2.0.11   10.2.0.12  10.2.0.13              default gateway 10.2.0.1 (or the router)

Asked to, there are two directors: the second one, with its own eth0 and eth1 on the same bridges,
has 10.1.0.3 and 10.2.0.3, the first one 10.2.0.2, and 10.2.0.1 is with whoever is active (pair.py).

Asked to, all of them speak IPv6 as well: 2001:db8:1::/64 is the bridge "wan", with the VIP
2001:db8:1::80, and 2001:db8:2::/64 the bridge "lan"; hosts keep their last numbers, as they look.

`isolate` moves the calling program into user, mount, PID and network namespaces: an ordinary user
may run it where user namespaces are allowed, and whatever becomes of the program, its PID namespace
dies with it and takes every process and interface along. /run is a private tmpfs, so
the director's default paths are free. Both bridges live in the namespace that `isolate` made.

Offloads: peers keep transmit checksumming on, so frames reach the director with partial checksums,
which it has to complete. TCP segmentation offload is off at the peers (`tso off`): on a veth pair
no NIC would ever cut the segments, and frames of up to 64 KiB would arrive at ports whose frames
hold 1,514 octets.
"""

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLIENT = "10.1.0.10"
VIP = "10.1.0.80"
WEB = {"web1": "10.2.0.11", "web2": "10.2.0.12", "web3": "10.2.0.13"}
WEB_PORT = 8080
CLIENT6 = "2001:db8:1::10"
VIP6 = "2001:db8:1::80"
WEB6 = {"web1": "2001:db8:2::11", "web2": "2001:db8:2::12", "web3": "2001:db8:2::13"}
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 1 << 28, 1 << 29, 1 << 30
PR_SET_PDEATHSIG = 1
# How many times as long as usual everything may take: on a slow machine more than once.
PATIENCE = int(os.environ.get("FULCRUM_PATIENCE", "1"))

libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """A sentence for the person at the terminal."""


def isolate(time_limit_s):
    """Returns in a child that lives in fresh namespaces, at most for `time_limit_s` (0: no limit).

    The caller's own process stays behind: it passes signals on and ends as the child ends.
    """
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    uid, gid = os.geteuid(), os.getegid()
    wanted = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | (CLONE_NEWUSER if uid else 0)
    if libc.unshare(wanted) != 0:
        raise LabError("this machine does not let you make namespaces; run it as root, or allow "
                       "user namespaces (sysctl user.max_user_namespaces)")
    if uid:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"),
                           ("gid_map", f"0 {gid} 1")):
            Path(f"/proc/self/{name}").write_text(text)
    child = os.fork()
    if child:
        _stand_guard(child, time_limit_s)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # guard killed by force: everything goes
    # As the first process of a PID namespace we have no default answer to signals.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("ended by a signal"))
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    os.makedirs("/run/fulcrum")
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    run("ip", "link", "set", "lo", "up")


def _stand_guard(child, time_limit_s):
    def at_limit(*_):
        sys.stderr.write(f"stopped after {time_limit_s} s: the time limit\n")
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, at_limit)
    signal.alarm(time_limit_s)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the child as well
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(child, number))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os._exit(code if code >= 0 else 1)


def run(*command, **options):
    """Runs a short command to its end and returns its output; its failure is a LabError."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30 * PATIENCE,
                          **options)
    if done.returncode != 0:
        raise LabError(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def wait_until(condition, seconds, wish):
    """Polls `condition` until it gives something true, which is returned."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        outcome = condition()
        if outcome:
            return outcome
        if time.monotonic() > deadline:
            raise LabError(f"waited {seconds * PATIENCE} s in vain: {wish}")
        time.sleep(0.02)


class Node:
    """One network namespace, held open by a file, and the programs that were started in it."""

    def __init__(self, name):
        self.name = name
        run("ip", "netns", "add", name)
        self.file = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        self.programs = []
        self.ip("link", "set", "lo", "up")
        for scope in ("all", "default"):
            self.sysctl(f"net/ipv6/conf/{scope}/disable_ipv6", 1)

    def enter(self):
        """For `preexec_fn`: the program about to start lives in this namespace."""
        if libc.setns(self.file, CLONE_NEWNET) != 0:
            os._exit(111)

    def ip(self, *words):
        return run("ip", "-n", self.name, *words)

    def run(self, *command, **options):
        return run(*command, preexec_fn=self.enter, **options)

    def sysctl(self, key, value):
        self.run("sh", "-c", 'printf %s "$1" >"/proc/sys/$2"', "sysctl", str(value), key)

    def attempt(self, *command, timeout=60, **options):
        """Runs a command whose failure is part of the story: returns the completed process."""
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                              preexec_fn=self.enter, **options)

    def start(self, *command, **options):
        program = subprocess.Popen(command, preexec_fn=self.enter, **options)
        self.programs.append(program)
        return program

    def call(self, function):
        """Calls `function` with this thread inside the namespace: for sockets made here."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if libc.setns(self.file, CLONE_NEWNET) != 0:
                raise LabError(f"cannot enter namespace {self.name}")
            return function()
        finally:
            libc.setns(home, CLONE_NEWNET)
            os.close(home)

    def close(self):
        for program in self.programs:
            end(program)
        os.close(self.file)
        run("ip", "netns", "delete", self.name)


def end(program, seconds=10):
    """Asks a program to end, and makes it end; returns its exit code."""
    if program.poll() is None:
        program.terminate()
        try:
            program.wait(seconds)
        except subprocess.TimeoutExpired:
            program.kill()
    return program.wait()


class Lab:
    """The picture above. A context manager; what it made is gone when it ends."""

    def __init__(self, router=False, ipv6=False, directors=1):
        self.has_ipv6 = ipv6
        self.folder = Path(tempfile.mkdtemp(prefix="lab-", dir="/run"))
        self.nodes = {}
        self.nginx = {}
        self.plugs = []
        for bridge in ("wan", "lan"):
            run("ip", "link", "add", f"br-{bridge}", "type", "bridge", "mcast_snooping", "0")
            run("ip", "link", "set", f"br-{bridge}", "up")
        self.client = self._node("client")
        self._plug(self.client, "wan", "eth0", f"{CLIENT}/24")
        # A loaded client opens thousands of connections to one address and port.
        self.client.sysctl("net/ipv4/ip_local_port_range", "1024 65000")
        self.client.sysctl("net/ipv4/tcp_tw_reuse", 1)
        self.directors = []
        for place in range(directors):
            self.directors.append(self._node("director" + (str(place + 1) if place else "")))
            self._plug(self.directors[-1], "wan", "eth0")
            self._plug(self.directors[-1], "lan", "eth1")
        self.director = self.directors[0]
        self.web = {name: self._node(name) for name in WEB}
        for name, node in self.web.items():
            self._plug(node, "lan", "eth0", f"{WEB[name]}/24")
        gateway = "10.2.0.1"
        if router:
            gateway = "10.2.0.254"
            self._add_router()
        self.client.ip("route", "add", "10.2.0.0/16", "via", "10.1.0.2")
        for node in self.web.values():
            node.ip("route", "add", "default", "via", gateway)
        if ipv6:
            self._speak_ipv6("2001:db8:2::254" if router else "2001:db8:2::1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for plug in self.plugs:  # the kernel takes its time to do so with a whole namespace
            run("ip", "link", "delete", plug)
        for node in self.nodes.values():
            node.close()
        for bridge in ("wan", "lan"):
            run("ip", "link", "delete", f"br-{bridge}")
        shutil.rmtree(self.folder)

    @staticmethod
    def set_link(plug, state):
        """Of the bridge's end of a wire: at "down" the other end has no carrier."""
        run("ip", "link", "set", plug, state)

    @contextlib.contextmanager
    def isolated(self, *bridges):
        """The directors do not reach each other on these bridges, and everybody else."""
        interface = {"wan": "eth0", "lan": "eth1"}
        plugs = [f"{node.name}-{interface[bridge]}" for node in self.directors
                 for bridge in bridges]
        for plug in plugs:
            run("bridge", "link", "set", "dev", plug, "isolated", "on")
        try:
            yield
        finally:
            for plug in plugs:
                run("bridge", "link", "set", "dev", plug, "isolated", "off")

    def add_host(self, name, address):
        """One more on the bridge "wan"."""
        node = self._node(name)
        self._plug(node, "wan", "eth0", address)
        return node

    def unplug(self, node, interface):
        """Takes a node off its bridge; its link stays up."""
        run("ip", "link", "set", f"{node.name}-{interface}", "nomaster")

    def plug_again(self, node, interface, bridge):
        run("ip", "link", "set", f"{node.name}-{interface}", "master", f"br-{bridge}")

    def _node(self, name):
        self.nodes[name] = Node(name)
        return self.nodes[name]

    def _plug(self, node, bridge, interface, address=None):
        outer = f"{node.name}-{interface}"
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", interface,
            "netns", node.name)
        self.plugs.append(outer)
        run("ip", "link", "set", outer, "master", f"br-{bridge}", "up")
        node.ip("link", "set", interface, "up")
        if address:
            node.ip("address", "add", address, "dev", interface)
            node.run("ethtool", "-K", interface, "tso", "off")

    def _add_router(self):
        router = self._node("router")
        router.sysctl("net/ipv4/conf/all/rp_filter", 0)
        router.sysctl("net/ipv4/conf/default/rp_filter", 0)
        self._plug(router, "wan", "eth0", "10.1.0.254/24")
        self._plug(router, "lan", "eth1", "10.2.0.254/24")
        router.sysctl("net/ipv4/ip_forward", 1)

    def _speak_ipv6(self, gateway):
        # The director's node stays as it is: fulcrumd lets its twins speak.
        addresses = [(self.client, "eth0", CLIENT6)]
        addresses += [(node, "eth0", WEB6[name]) for name, node in self.web.items()]
        if "router" in self.nodes:
            addresses += [(self.nodes["router"], "eth0", "2001:db8:1::254"),
                          (self.nodes["router"], "eth1", "2001:db8:2::254")]
        for node, interface, address in addresses:
            for scope in ("all", interface):
                node.sysctl(f"net/ipv6/conf/{scope}/disable_ipv6", 0)
            node.ip("address", "add", f"{address}/64", "dev", interface, "nodad")
        if "router" in self.nodes:
            self.nodes["router"].sysctl("net/ipv6/conf/all/forwarding", 1)
        self.client.ip("-6", "route", "add", "2001:db8:2::/64", "via", "2001:db8:1::2")
        for node in self.web.values():
            node.ip("-6", "route", "add", "default", "via", gateway)

    def hold_vip(self, name):
        """What a real does under direct routing: it owns the VIP and never announces it."""
        node = self.web[name]
        for scope in ("all", "eth0"):
            node.sysctl(f"net/ipv4/conf/{scope}/arp_ignore", 1)
            node.sysctl(f"net/ipv4/conf/{scope}/arp_announce", 2)
        node.ip("address", "add", f"{VIP}/32", "dev", "lo")
        if self.has_ipv6:  # an address of lo is not announced on eth0 in any case
            node.ip("address", "add", f"{VIP6}/128", "dev", "lo", "nodad")

    # --- the real web servers -------------------------------------------------------------------

    def start_web(self, *names, port=WEB_PORT):
        """nginx on the named reals (all of them without a name): /ping.html, else its own name."""
        for name in names or WEB:
            folder = self.folder / name
            folder.mkdir(exist_ok=True)
            if not (folder / "ping.html").exists():
                self.write_ping(name, "Hello World\n")
            (folder / "nginx.conf").write_text(nginx_config(name, folder, port, self.has_ipv6))
            self.nginx[name] = self.web[name].start("nginx", "-p", folder, "-c", "nginx.conf",
                                                    "-e", f"{folder}/error.log")
        for name in names or WEB:
            self.wait_listening(self.web[name], port)

    def stop_web(self, name):
        end(self.nginx.pop(name))

    def write_ping(self, name, text):
        fresh = self.folder / name / "ping.new"
        fresh.write_text(text)
        fresh.rename(self.folder / name / "ping.html")

    @staticmethod
    def wait_listening(node, port):
        wait_until(lambda: node.run("ss", "-Hltn", f"sport = :{port}"), 10,
                   f"nobody listens on port {port} of {node.name}")


def nginx_config(name, folder, port, has_ipv6=False):
    listen6 = f"listen [::]:{port} backlog=4096;" if has_ipv6 else ""
    # One process, in the foreground, as root: an ordinary user's namespace has that one user only.
    return f"""
user root root;
daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    server {{
        listen {port} backlog=4096;
        {listen6}
        default_type text/plain;
        add_header X-Real {name} always;
        location = /ping.html {{ root {folder}; }}
        location = /where {{ return 200 "$server_addr:$server_port $remote_addr $http_host\\n"; }}
        location /files/ {{ alias {folder}/; }}
        location / {{ return 200 "{name}\\n"; }}
    }}
}}
"""
