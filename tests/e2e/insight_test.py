"""What an operator sees of single packets: what `explain` foretells, and what then happens."""

import json
import socket

from labkit.director import director_config, web_service
from labkit.lab import CLIENT, VIP, WEB, WEB_PORT
from scenario import Scenario

CLIENT_PORTS = range(2000, 2012)


class Insight(Scenario):
    @classmethod
    def config(cls):
        return director_config([web_service()])

    def explain(self, port, *options, destination=f"{VIP}:80"):
        return self.director.ask("explain", "tcp", f"{CLIENT}:{port}", destination, *options)

    def connect_from(self, port):
        wire = self.lab.client.call(lambda: socket.create_connection(
            (VIP, 80), timeout=5, source_address=(CLIENT, port)))
        self.addCleanup(wire.close)
        return wire

    def answer_of(self, wire):
        wire.sendall(b"GET / HTTP/1.0\r\nHost: web\r\n\r\n")
        text = b""
        while part := wire.recv(4096):
            text += part
        return text.decode().rsplit("\r\n", 1)[1].strip()

    def test_explain_foretells_which_real_serves_a_connection(self):
        told = {port: self.explain(port) for port in CLIENT_PORTS}
        self.assertTrue(all(each["opens_session"] for each in told.values()), told)
        answers = {port: self.answer_of(self.connect_from(port)) for port in CLIENT_PORTS}
        self.assertEqual({port: each["real"]["name"] for port, each in told.items()}, answers)
        self.assertGreater(len(set(answers.values())), 1)

    def test_explain_tells_how_the_packet_leaves_and_of_the_session_it_belongs_to(self):
        port = CLIENT_PORTS[-1] + 1
        before = self.explain(port)
        wire = self.connect_from(port)
        after = self.explain(port, "--flags", "ack")
        self.assertEqual(self.answer_of(wire), before["real"]["name"])
        real = before["real"]["name"]
        self.assertEqual(after["real"], before["real"])
        self.assertIn(after["session"]["state"], ("syn_answered", "established"))
        self.assertEqual(after["leaves"]["port"], "lan")
        self.assertEqual(after["leaves"]["neighbour"], WEB[real])
        link, = json.loads(self.lab.web[real].run("ip", "-j", "link", "show", "eth0"))
        self.assertEqual(after["leaves"]["destination_mac"], link["address"])
        self.assertEqual(after["leaves"]["packet"],
                         [f"ipv4 {CLIENT} > {WEB[real]}", f"tcp {port} > {WEB_PORT}"])

    def test_explain_says_why_a_packet_would_not_pass(self):
        self.assertEqual(self.explain(1999, "--flags", "rst")["reason"], "no_session")
        self.assertEqual(self.explain(1999, "--size", "1501")["reason"], "mtu_exceeded")
        self.assertEqual(self.explain(1999, destination="192.0.2.1:80")["reason"], "destination")
        self.assertEqual(self.explain(1999, destination="10.1.0.2:22")["punt_class"], "routing")
        text = self.director.ctl("explain", "tcp", f"{CLIENT}:1999", f"{VIP}:80",
                                 "--flags", "rst").stdout
        self.assertIn("drop no_session: a TCP packet opens no session and belongs to none", text)
