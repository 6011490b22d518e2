"""FTP, the protocol whose data travels on connections of its own, with vsftpd behind the VIP and
curl before it. Passive: the ports that the servers give out belong to the service, and affinity
brings them to the client's server. Active: servers call clients through the director's kernel,
which gives them the VIP's address (config/README.md, "FTP").
"""

import os
import re

from ipv6_test import config6
from labkit.director import web_service
from labkit.lab import CLIENT6, VIP, VIP6, WEB, WEB6, wait_until
from scenario import Scenario

DATA_PORTS = (30000, 30009)
OTHER_CLIENTS = [f"10.1.0.{host}" for host in range(21, 29)]
OTHER_CLIENTS6 = [f"2001:db8:1:{site}::9" for site in range(1, 9)]  # affinity takes a /64 for one
SIZE = 300_000


def ftp_service(name, vip, addresses):
    reals = [{"name": real, "address": address} for real, address in addresses.items()]
    listen = [{"port": 21}, {"port": f"{DATA_PORTS[0]}-{DATA_PORTS[1]}"}]
    service = web_service(name=name, vip=vip, listen=listen, reals=reals,
                          affinity={"timeout": "5m"},
                          check={"type": "connect", "port": 21, "interval": "500ms",
                                 "timeout": "400ms"})
    del service["port"]
    return service


class Ftp(Scenario):
    has_ipv6 = True

    @classmethod
    def config(cls):
        return config6([ftp_service("web", VIP, WEB), ftp_service("ftp6", VIP6, WEB6)])

    @classmethod
    def prepare(cls):
        client, director = cls.lab.client, cls.lab.director
        # Reals' own addresses mean nothing to clients: only what comes from the VIP is answered.
        client.ip("route", "delete", "10.2.0.0/16")
        client.ip("-6", "route", "delete", "2001:db8:2::/64")
        for address in OTHER_CLIENTS:
            client.ip("address", "add", f"{address}/24", "dev", "eth0")
        for address in OTHER_CLIENTS6:
            client.ip("address", "add", f"{address}/128", "dev", "eth0", "nodad")
        director.sysctl("net/ipv4/ip_forward", 1)
        director.sysctl("net/ipv6/conf/all/forwarding", 1)
        director.run("nft", "-f", "-", input=f"""
            table inet outbound {{
                chain postrouting {{
                    type nat hook postrouting priority srcnat
                    oifname wan ip saddr 10.2.0.0/24 snat to {VIP}
                    oifname wan ip6 saddr 2001:db8:2::/64 snat to {VIP6}
                }}
            }}""")
        cls.bodies = {}
        for name, node in cls.lab.web.items():
            cls.bodies[name] = name.encode() + os.urandom(SIZE)
            start_vsftpd(cls.lab, name, node, cls.bodies[name])

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.director.wait_all_up(service="ftp6")
        director = cls.lab.director
        director.ip("-6", "route", "add", "2001:db8:1::/48", "via", CLIENT6)

    def fetch_file(self, host, client, *options):
        """The name of the server that greeted, and the file that came."""
        target = self.lab.folder / "fetched"
        done = self.lab.client.attempt("curl", "-sSgv", "--max-time", "10", "--no-ftp-skip-pasv-ip",
                                       "--interface", client, "-o", target, *options,
                                       f"ftp://{host}/body")
        self.assertEqual(done.returncode, 0, done.stderr)
        return re.search(r"< 220 (\w+)", done.stderr)[1], target.read_bytes()

    def files_come_from_the_server_that_greets(self, host, clients, *options):
        met = set()
        for client in clients:
            name, body = self.fetch_file(host, client, *options)
            self.assertEqual(body, self.bodies[name])
            met.add(name)
        self.assertGreater(len(met), 1)

    def test_passive_transfers_come_from_the_server_that_greets(self):
        self.files_come_from_the_server_that_greets(VIP, OTHER_CLIENTS, "--disable-epsv")

    def test_so_do_extended_passive_ones(self):
        self.files_come_from_the_server_that_greets(VIP, OTHER_CLIENTS)

    def test_so_do_passive_ones_over_ipv6(self):
        self.files_come_from_the_server_that_greets(f"[{VIP6}]", OTHER_CLIENTS6)

    def test_active_transfers_come_from_the_server_that_greets(self):
        self.files_come_from_the_server_that_greets(VIP, OTHER_CLIENTS, "-P", "-",
                                                    "--disable-eprt")

    def test_so_do_active_ones_over_ipv6(self):
        self.files_come_from_the_server_that_greets(f"[{VIP6}]", OTHER_CLIENTS6, "-P", "-")

    def test_uploads_arrive_whole_either_way(self):
        source = self.lab.folder / "sent"
        source.write_bytes(os.urandom(SIZE))
        for number, options in enumerate([(), ("-P", "-")]):
            done = self.lab.client.attempt("curl", "-sSv", "--max-time", "10", *options, "-T",
                                           source, f"ftp://{VIP}/upload{number}")
            self.assertEqual(done.returncode, 0, done.stderr)
            name = re.search(r"< 220 (\w+)", done.stderr)[1]
            arrived = self.lab.folder / name / "ftp" / f"upload{number}"
            self.assertEqual(arrived.read_bytes(), source.read_bytes())


def start_vsftpd(lab, name, node, body):
    """One server for each IP version: one for both would announce no IPv4 address."""
    node.sysctl("net/ipv6/bindv6only", 1)
    folder = lab.folder / name
    root, empty = folder / "ftp", folder / "empty"
    for place in (root, empty):
        place.mkdir(parents=True)
    (root / "body").write_bytes(body)
    for version, listen in (("4", ["listen=YES", "listen_ipv6=NO", f"pasv_address={VIP}"]),
                            ("6", ["listen=NO", "listen_ipv6=YES"])):
        path = folder / f"vsftpd{version}.conf"
        path.write_text("\n".join([
            *listen, "background=NO", f"ftpd_banner={name}", "xferlog_enable=NO",
            "anonymous_enable=YES", f"anon_root={root}", f"secure_chroot_dir={empty}",
            "run_as_launching_user=YES", "seccomp_sandbox=NO", "allow_writeable_chroot=YES",
            "write_enable=YES", "anon_upload_enable=YES", "connect_from_port_20=YES",
            f"pasv_min_port={DATA_PORTS[0]}", f"pasv_max_port={DATA_PORTS[1]}", ""]))
        node.start("vsftpd", path)
    wait_until(lambda: len(node.run("ss", "-Hltn", "sport = :21").splitlines()) == 2, 10,
               f"vsftpd on {name} does not listen")
