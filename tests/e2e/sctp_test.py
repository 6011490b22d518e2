"""SCTP with real peers: usrsctp, the stack that browsers carry, as client and as real servers. It
computes and checks every CRC32c itself, so nothing would be echoed that a translated port spoiled.
"""

import subprocess

from full_nat_test import LOCAL, LOCAL6
from ipv6_test import OverIpv6, config6
from labkit.director import web_service
from labkit.lab import CLIENT, CLIENT6, VIP, VIP6, WEB, WEB6, wait_until

PROGRAMS = "/usr/lib/usrsctp"
PORT, FAR_PORT, ECHO_PORT = 7007, 7008, 7


def echo_service(name, vip, addresses, forward="nat", **changes):
    reals = [{"name": real, "address": address, "port": ECHO_PORT, "forward": forward}
             for real, address in addresses.items()]
    service = web_service(name=name, vip=vip, reals=reals, protocol="sctp", port=PORT, **changes)
    port = PORT if forward == "nat" else FAR_PORT
    return service | {"port": port, "check": {"type": "none"}}


class Sctp(OverIpv6):
    @classmethod
    def config(cls):
        config = config6([echo_service("echo", VIP, WEB, on_removal="reset"),
                          echo_service("echo6", VIP6, WEB6),
                          echo_service("far", VIP, WEB, "fullnat"),
                          echo_service("far6", VIP6, WEB6, "fullnat")])
        config["ports"][1]["local_addresses"] = [LOCAL, LOCAL6]
        return config

    @classmethod
    def prepare(cls):
        for node in cls.lab.web.values():
            node.start(f"{PROGRAMS}/echo_server", stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
            # It speaks through a raw socket, of which the kernel shows the protocol alone.
            wait_until(lambda: ":132" in node.run("ss", "-Hawn"), 10, "nobody echoes")

    def associate(self, vip, port=PORT):
        """A client that sends what it reads and prints what it gets, and what it is told."""
        return self.lab.client.start("stdbuf", "-oL", "-eL", f"{PROGRAMS}/client", vip, str(port),
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True)

    def exchange(self, client, line):
        client.stdin.write(line)
        client.stdin.flush()
        return self.read_until(client, line)

    def read_until(self, client, words):
        """The next line that holds `words`; a test that waits in vain is stopped."""
        return next(line for line in client.stdout if words in line)

    def leave(self, client):
        client.stdin.close()
        self.read_until(client, "SCTP_SHUTDOWN_COMP")

    def sessions(self, client_address):
        return self.director.ask("sessions", "--client", client_address)["sessions"]

    def wait_for_state(self, client_address, state):
        wait_until(lambda: {session["state"] for session in self.sessions(client_address)}
                   == {state}, 10, f"{self.sessions(client_address)} is not {state}")

    def converse(self, vip, client_address):
        clients = []
        for _ in range(6):
            # One by one: for a moment a stack that starts aborts what it sees of the others, since
            # all of them hear all that comes to the address.
            clients.append(self.associate(vip))
            self.assertEqual(self.exchange(clients[-1], "hello\n"), "hello\n")
        for size in (1, 2, 3, 100, 255, 256, 1000, 1400):
            for number, client in enumerate(clients):
                line = f"{number}".ljust(size, "x") + "\n"
                self.assertEqual(self.exchange(client, line), line)
        sessions = self.sessions(client_address)
        self.assertEqual(len(sessions), len(clients))
        self.assertEqual({session["protocol"] for session in sessions}, {"sctp"})
        self.assertEqual({session["state"] for session in sessions}, {"established"})
        self.assertGreater(len({session["real"] for session in sessions}), 1)
        for client in clients:
            self.leave(client)
        self.wait_for_state(client_address, "closed")

    def test_messages_of_all_sizes_are_echoed_and_associations_end(self):
        self.converse(VIP, CLIENT)

    def test_over_ipv6_as_well(self):
        self.converse(VIP6, CLIENT6)

    def test_a_local_end_of_the_director_is_served_as_well(self):
        for vip, client_address, local in ((VIP, CLIENT, LOCAL), (VIP6, CLIENT6, LOCAL6)):
            client = self.associate(vip, FAR_PORT)
            for size in (1, 2, 3, 100, 1400):
                line = "y" * size + "\n"
                self.assertEqual(self.exchange(client, line), line)
            ends = [session["local"] for session in self.sessions(client_address)
                    if session["local"]]
            self.assertEqual(len(ends), 1)
            self.assertIn(local, ends[0])
            self.leave(client)

    def test_explain_knows_chunks_by_tcps_flags(self):
        def explain(flags, client=CLIENT, vip=VIP):
            host = "[{}]" if ":" in vip else "{}"
            return self.director.ask("explain", "sctp", f"{host.format(client)}:40000",
                                     f"{host.format(vip)}:{PORT}", "--flags", flags)

        for said in (explain("syn"), explain("syn", CLIENT6, VIP6)):
            self.assertTrue(said["opens_session"])
            self.assertIn(f"sctp 40000 > {ECHO_PORT}", said["leaves"]["packet"])
        self.assertEqual(explain("rst")["reason"], "no_session")

    def test_a_removed_reals_association_is_aborted_if_the_file_says_so(self):
        client = self.associate(VIP)
        self.assertEqual(self.exchange(client, "before\n"), "before\n")
        mine = next(session["real"] for session in self.sessions(CLIENT)
                    if session["state"] == "established")
        config = self.config()
        reals = config["services"][0]["reals"]
        reals[:] = [real for real in reals if real["name"] != mine]
        self.director.write(config)
        self.assertEqual(self.director.ctl("reload").returncode, 0)
        client.stdin.write("after\n")
        client.stdin.flush()
        self.read_until(client, "SCTP_COMM_LOST")
