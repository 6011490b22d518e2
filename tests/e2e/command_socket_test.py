"""The command socket fed with what no operator types: it answers or closes, and serves the next."""

import json
import os
import socket

from labkit.director import SOCKET
from labkit.lab import VIP
from labkit.load import Load, failures
from scenario import Scenario

REQUEST = json.dumps({"command": "version", "arguments": {}}).encode() + b"\n"
REQUEST_SIZE_MAX = 64 * 1024
CONNECTION_COUNT = 100_000


def dial():
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    wire.connect(SOCKET)  # waits while the backlog is full
    wire.settimeout(5)
    return wire


def answer_to(octets):
    """What comes back until the socket closes or a line is complete."""
    with dial() as wire:
        try:
            wire.sendall(octets)
        except (BrokenPipeError, ConnectionResetError):
            pass  # closed before it had read it all: its answer may still lie here
        received = b""
        try:
            while not received.endswith(b"\n") and (part := wire.recv(65536)):
                received += part
        except (ConnectionResetError, TimeoutError) as error:
            return received or error
        return received


class CommandSocket(Scenario):
    def tearDown(self):
        """After everything that a test did, the next client is served."""
        self.assertEqual(self.director.program.poll(), None)
        self.assertTrue(json.loads(answer_to(REQUEST))["ok"])

    def assert_refused_or_closed(self, octets):
        answer = answer_to(octets)
        self.assertNotIsInstance(answer, TimeoutError, "neither answered nor closed")
        if isinstance(answer, bytes) and answer:
            self.assertFalse(json.loads(answer)["ok"])

    def test_garbage_is_refused(self):
        for garbage in (b"\n", b"\0\n", b"{\n", b"[]\n", b'"status"\n', b"null\n", b"{}\n",
                        b'{"command":7}\n', b'{"command":"fly"}\n', b"\xff\xfe\xfd\n",
                        b'{"command":"drain","arguments":[]}\n',
                        b'{"command":"drain","arguments":{"service":{},"real":[]}}\n',
                        os.urandom(5000).replace(b"\n", b"") + b"\n", b"[" * 60000 + b"\n",
                        b'{"command":' * 5000 + b"\n"):
            with self.subTest(garbage=garbage[:40]):
                self.assert_refused_or_closed(garbage)

    def test_a_megabyte_without_a_line_end_is_refused(self):
        self.assert_refused_or_closed(b"x" * 1_000_000)

    def test_a_megabyte_in_one_line_is_refused(self):
        self.assert_refused_or_closed(b'{"command":"' + b"x" * 1_000_000 + b'"}\n')

    def test_the_longest_line_allowed_is_read_whole(self):
        padding = b" " * (REQUEST_SIZE_MAX - len(REQUEST))
        self.assertTrue(json.loads(answer_to(REQUEST[:-1] + padding + b"\n"))["ok"])

    def test_half_a_line_delays_nobody(self):
        with dial() as slow:
            slow.sendall(REQUEST[:10])
            self.assertTrue(json.loads(answer_to(REQUEST))["ok"])
            slow.sendall(REQUEST[10:])
            self.assertTrue(json.loads(slow.recv(65536))["ok"])

    def test_a_line_that_arrives_octet_by_octet_is_answered(self):
        with dial() as wire:
            for octet in REQUEST:
                wire.sendall(bytes([octet]))
            self.assertTrue(json.loads(wire.recv(65536))["ok"])

    def test_several_requests_on_one_connection_are_answered_in_turn(self):
        with dial() as wire:
            wire.sendall(REQUEST * 3)
            with wire.makefile() as lines:
                self.assertEqual([json.loads(lines.readline())["ok"] for _ in range(3)],
                                 [True] * 3)

    def test_clients_that_never_read_are_let_go(self):
        greedy = [dial() for _ in range(20)]
        listing = b'{"command":"status","arguments":{}}\n'
        for wire in greedy:
            wire.setblocking(False)
            try:
                for _ in range(200):
                    wire.send(listing)
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                pass
        self.assertTrue(json.loads(answer_to(REQUEST))["ok"])
        for wire in greedy:
            wire.close()

    def test_a_thousand_idle_connections_do_not_keep_a_client_out_once_they_are_gone(self):
        idle = [dial() for _ in range(1000)]
        for wire in idle:
            wire.close()

    def test_a_hundred_thousand_connections_later_it_serves_and_no_request_was_lost(self):
        load = Load(self.lab.client, VIP, parallel=2, pause=0.05)
        files = self.open_file_count()
        for _ in range(CONNECTION_COUNT):
            dial().close()
        self.assertTrue(json.loads(answer_to(REQUEST))["ok"])
        self.assertEqual(failures(load.finish()), [])
        self.assertLess(self.open_file_count(), files + 70)

    def open_file_count(self):
        return len(os.listdir(f"/proc/{self.director.outer_pid()}/fd"))


ASK = """
import json, socket, sys
wire = socket.socket(socket.AF_UNIX)
wire.connect(sys.argv[1])
wire.settimeout(5)
try:
    wire.sendall(json.dumps({"command": sys.argv[2], "arguments": {}}).encode() + b"\\n")
except BrokenPipeError:
    pass  # turned away; why can still be read
print(wire.makefile().readline())
"""


class Readers(Scenario):
    """A group may look on; a user of neither group hears that he may not."""

    @classmethod
    def config(cls):
        config = super().config()
        config["control"]["readers"] = "nogroup"
        return config

    def ask_as(self, user, group, command):
        answer = self.lab.director.attempt(
            "setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--",
            "/usr/bin/python3", "-c", ASK, SOCKET, command)
        if "setpriv" in answer.stderr:
            self.skipTest("an ordinary user's namespace has one user, and this is about several")
        return json.loads(answer.stdout)

    def test_a_reader_is_answered_and_changes_nothing(self):
        epoch = self.director.ask("status")["epoch"]
        self.assertTrue(self.ask_as("nobody", "nogroup", "services")["ok"])
        for command in ("reload", "capture", "rollback", "edit"):
            answer = self.ask_as("nobody", "nogroup", command)
            self.assertEqual(answer["error"]["code"], "not_permitted", answer)
        self.assertEqual(self.director.ask("status")["epoch"], epoch)

    def test_a_stranger_is_turned_away(self):
        answer = self.ask_as("daemon", "daemon", "status")
        self.assertEqual(answer["error"]["code"], "not_permitted", answer)
