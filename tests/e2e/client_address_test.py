"""What reals in full NAT learn of their clients, by real servers: nginx, HAProxy and dnsdist that
take a PROXY header, one behind HAProxy that speaks first, and a reader of the TCP option.
"""

import socket
import struct
import subprocess

from full_nat_test import LOCAL, LOCAL6
from ipv6_test import OverIpv6, config6
from labkit.capture import Capture
from labkit.director import web_service
from labkit.lab import CLIENT, CLIENT6, VIP, VIP6, WEB, WEB6, run, wait_until
from scenario import start_server

NGINX, RECORDED, GREETED, MIRRORED = 8090, 8091, 8092, 8093
RECORDER, GREETER = 9100, 9101
DNS = 5353
CONTENT = bytes(range(250)) * 8000
TOA_LENGTHS = {8: socket.AF_INET, 20: socket.AF_INET6}


def told_service(name, port, real_name, real_port, client_address="proxy", **changes):
    """Of both IP versions: the second one's name ends in 6."""
    return [web_service(**{"name": name + suffix, "vip": vip, "check": {"type": "none"}, "reals": [
        {"name": real_name, "address": address[real_name], "port": real_port,
         "forward": "fullnat", "client_address": client_address}], **changes}) | {"port": port}
            for suffix, vip, address in (("", VIP, WEB), ("6", VIP6, WEB6))]


def nginx_text(folder):
    return f"""
user root root;
daemon off;
master_process off;
pid {folder}/proxied.pid;
events {{ worker_connections 1024; }}
http {{
    log_format told "$proxy_protocol_addr $proxy_protocol_port $remote_addr";
    access_log {folder}/told.log told;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {NGINX} proxy_protocol;
        listen [::]:{NGINX} proxy_protocol;
        default_type text/plain;
        location = /told {{
            return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr \
$proxy_protocol_server_port";
        }}
        location /files/ {{ alias {folder}/; }}
    }}
}}
"""


def haproxy_text():
    return f"""
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen recorded
    bind :::{RECORDED} v4v6 accept-proxy
    server recorder 127.0.0.1:{RECORDER}
listen greeted
    bind :::{GREETED} v4v6 accept-proxy
    server greeter 127.0.0.1:{GREETER} send-proxy
"""


def dnsdist_text():
    """Answers every question with the client's address."""
    return f"""
setSecurityPollSuffix("")
setProxyProtocolACL({{"10.2.0.0/24", "2001:db8:2::/64"}})
setACL({{"0.0.0.0/0", "::/0"}})
addLocal("0.0.0.0:{DNS}")
addLocal("[::]:{DNS}")
function told(dq) return DNSAction.Spoof, dq.remoteaddr:toString() end
addAction(AllRule(), LuaAction(told))
"""


def start_proxied(lab):
    """nginx on web1, HAProxy on web2, and behind that a recorder and one who speaks first; dnsdist
    on web3."""
    folder = lab.folder / "web1"
    folder.mkdir(exist_ok=True)
    (folder / "large").write_bytes(CONTENT)
    (folder / "proxied.conf").write_text(nginx_text(folder))
    lab.web["web1"].start("nginx", "-p", folder, "-c", "proxied.conf", "-e",
                          f"{folder}/proxied.log")
    (lab.folder / "haproxy.cfg").write_text(haproxy_text())
    lab.web["web2"].start("haproxy", "-db", "-q", "-f", lab.folder / "haproxy.cfg")
    start_server(lab, "web2", "record", RECORDER, lab.folder / "recorded", "127.0.0.1")
    start_server(lab, "web2", "greet", GREETER)
    start_server(lab, "web3", "mirror", MIRRORED, "::")
    (lab.folder / "dnsdist.conf").write_text(dnsdist_text())
    lab.web["web3"].start("dnsdist", "--supervised", "-C", lab.folder / "dnsdist.conf",
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lab.wait_listening(lab.web["web3"], DNS)
    lab.wait_listening(lab.web["web1"], NGINX)
    lab.wait_listening(lab.web["web2"], GREETED)


class ClientAddress(OverIpv6):
    has_router = True

    @classmethod
    def config(cls):
        services = (told_service("nginx", 80, "web1", NGINX)
                    + told_service("recorded", 81, "web2", RECORDED)
                    + told_service("greeted", 25, "web2", GREETED)
                    + told_service("answered", 26, "web2", GREETED, syn_cookies="always")
                    + told_service("dns", 53, "web3", DNS, protocol="udp")
                    + told_service("toa", 82, "web3", MIRRORED, "toa"))
        config = config6(services)
        config["ports"][1]["local_addresses"] = [LOCAL, LOCAL6]
        return config

    @classmethod
    def prepare(cls):
        start_proxied(cls.lab)

    def connect(self, host, port):
        wire = self.lab.client.call(lambda: socket.create_connection((host, port), 20))
        self.addCleanup(wire.close)
        return wire

    def told(self, host="", **options):
        """What nginx was told: the client's address and port, the VIP's."""
        return self.lab.client.run("curl", "-sS", "-g", "--max-time", "20",
                                   f"http://{host or VIP}/told", **options).split()

    def test_nginx_is_told_the_client_and_the_vip(self):
        for host, client, vip in ((VIP, CLIENT, VIP), (f"[{VIP6}]", CLIENT6, VIP6)):
            address, port, vip_told, vip_port = self.told(host)
            self.assertEqual((address, vip_told, vip_port), (client, vip, "80"))
            self.assertGreater(int(port), 1023)
        log = [line.split() for line in (self.lab.folder / "web1/told.log").read_text().split("\n")]
        self.assertEqual({(line[0], line[2]) for line in log if line},
                         {(CLIENT, LOCAL), (CLIENT6, LOCAL6)})

    def test_haproxy_is_told_and_a_server_that_speaks_first_greets_the_client(self):
        for host, client in ((VIP, CLIENT), (VIP6, CLIENT6)):
            wire = self.connect(host, 25)
            port = wire.getsockname()[1]
            self.assertEqual(wire.makefile().readline(), f"welcome {client} {port}\n")

    def test_a_server_that_speaks_first_greets_a_client_whom_a_cookie_let_in(self):
        for host, client in ((VIP, CLIENT), (VIP6, CLIENT6)):
            for _ in range(5):
                wire = self.connect(host, 26)
                port = wire.getsockname()[1]
                self.assertEqual(wire.makefile().readline(), f"welcome {client} {port}\n")

    def test_downloads_and_uploads_are_whole(self):
        self.cross_both_ways()

    def cross_both_ways(self):
        recorded, target = self.lab.folder / "recorded", self.lab.folder / "fetched"
        for host, url_host in ((VIP, VIP), (VIP6, f"[{VIP6}]")):
            target.unlink(missing_ok=True)
            self.lab.client.run("curl", "-sS", "-g", "--max-time", "25", "-o", target,
                                f"http://{url_host}/files/large")
            self.assertEqual(target.read_bytes(), CONTENT)
            recorded.unlink(missing_ok=True)
            wire = self.connect(host, 81)
            wire.sendall(CONTENT)
            wire.shutdown(socket.SHUT_WR)
            self.assertEqual(wire.recv(1), b"")  # all has been read behind HAProxy
            self.assertEqual(recorded.read_bytes(), CONTENT)

    def test_a_way_that_loses_segments_costs_time_and_no_octet(self):
        run("nft", "add table netdev lossy")
        self.addCleanup(run, "nft", "delete table netdev lossy")
        for device in ("director-eth1", "web1-eth0", "web2-eth0"):
            run("nft", f"add chain netdev lossy {device} "
                f"{{ type filter hook ingress device \"{device}\" priority 0; }}")
            run("nft", f"add rule netdev lossy {device} meta l4proto tcp numgen random mod 100 < 3 "
                "counter drop")
        self.cross_both_ways()
        for _ in range(20):  # many handshakes, each with its header
            self.assertEqual(self.told()[0], CLIENT)
            wire = self.connect(VIP, 25)
            self.assertEqual(wire.makefile().readline().split()[1], CLIENT)
        self.assertNotIn("packets 0 ", run("nft", "list table netdev lossy"))

    def test_a_probe_of_an_idle_connection_is_answered(self):
        wire = self.connect(VIP, 81)
        for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1),
                              (socket.TCP_KEEPCNT, 2)):
            wire.setsockopt(socket.IPPROTO_TCP, option, value)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        wire.settimeout(4.5)
        with self.assertRaises(TimeoutError):  # two probes in vain would have ended it
            wire.recv(1)

    def test_dnsdist_is_told_with_every_datagram(self):
        for host, client, family, kind in ((VIP, CLIENT, socket.AF_INET, 1),
                                           (VIP6, CLIENT6, socket.AF_INET6, 28)):
            wire = self.lab.client.call(lambda: socket.socket(family, socket.SOCK_DGRAM))
            self.addCleanup(wire.close)
            wire.settimeout(5)
            wire.connect((host, 53))
            for number in range(3):
                question = struct.pack("!6H", number, 0x100, 1, 0, 0, 0) + b"\x03who\0"
                wire.send(question + struct.pack("!HH", kind, 1))
                answer = wire.recv(2048)
                self.assertEqual(struct.unpack_from("!H", answer)[0], number)
                self.assertEqual(answer[-len(socket.inet_pton(family, client)):],
                                 socket.inet_pton(family, client))

    def test_toa_names_the_client_in_the_segments_of_the_handshake(self):
        at_real = Capture(self.lab.web["web3"], "eth0")
        ports = {}
        for host in (VIP, VIP6):
            wire = self.connect(host, 82)
            ports[wire.getsockname()[1]] = CLIENT if host == VIP else CLIENT6
            for _ in range(3):
                wire.sendall(b"x" * 100)
                self.assertEqual(wire.recv(100, socket.MSG_WAITALL), b"x" * 100)
            wire.close()
        named = {}
        for frame in at_real.stop():
            segment = frame.is_incoming and tcp_to(frame.octets, MIRRORED)
            if segment:
                named.setdefault(segment[0], []).append(segment[1])
        self.assertEqual(len(named), 2)
        for told in named.values():  # SYN, ACK, first request; nothing once the real has answered
            self.assertEqual(len(set(told[:3])), 1)
            address, port = told[0]
            self.assertEqual(ports[port], address)
            self.assertEqual(set(told[3:]), {None})
        self.assertEqual(sum(float(value) for name, value in self.director.metrics().items()
                             if name.startswith("fulcrum_client_addresses_left_out_total")), 0)

    def test_the_operator_sees_who_is_told_how(self):
        reals = {real["service"]: real for real in self.director.ask("reals")["reals"]}
        self.assertEqual(reals["nginx"]["client_address"], "proxy")
        self.assertEqual(reals["toa6"]["client_address"], "toa")
        self.assertIn("fullnat, proxy", self.director.ctl("reals").stdout)
        explained = self.director.ask("explain", "tcp", f"{CLIENT}:40000", f"{VIP}:80")
        self.assertEqual(explained["real"]["client_address"], "proxy")
        self.assertIn("fullnat, proxy",
                      self.director.ctl("explain", "tcp", f"{CLIENT}:40000", f"{VIP}:80").stdout)


def tcp_to(octets, port):
    """(source port, (client, port) of its option 254 or None) of a TCP segment to `port`."""
    kind = struct.unpack_from("!H", octets, 12)[0]
    ip_length = 40 if kind == 0x86DD else (octets[14] & 15) * 4
    protocol = octets[20] if kind == 0x86DD else octets[23]
    tcp = octets[14 + ip_length:]
    if kind not in (0x800, 0x86DD) or protocol != 6 or struct.unpack_from("!H", tcp, 2)[0] != port:
        return None
    options, told = tcp[20:(tcp[12] >> 4) * 4], None
    while options and options[0] != 0:
        length = 1 if options[0] == 1 else options[1]
        if options[0] == 254:
            told = (socket.inet_ntop(TOA_LENGTHS[length], options[4:length]),
                    struct.unpack_from("!H", options, 2)[0])
        options = options[length:]
    return struct.unpack_from("!H", tcp)[0], told
