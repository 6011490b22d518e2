"""Capturing packets before and after, opened with tcpdump and Scapy, held against what the web
servers' own interfaces saw; filters, limits, and clients of the command that stay or go."""

import json
import logging
import signal
import socket
import struct
import subprocess
import time

from labkit.capture import Capture
from labkit.director import build_folder, director_config, last_cpu, web_service
from labkit.lab import CLIENT, VIP, wait_until
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.utils import rdpcap
from scenario import Scenario

COUNT = 20
logging.getLogger("scapy.runtime").setLevel(logging.ERROR)  # wants line ends in comments


class Block:
    """A frame of a pcapng file, with its interface's name and its options."""

    def __init__(self, names, body):
        self.interface = names[struct.unpack_from("I", body)[0]]
        high, low, kept, self.length = struct.unpack_from("IIII", body, 4)
        self.time_s = (high << 32 | low) / 1e9
        self.octets = body[20:20 + kept]
        options = options_of(body[20 + (kept + 3) // 4 * 4:])
        self.comment = options[1].decode()
        self.direction = struct.unpack("I", options[2])[0] & 3


def options_of(octets):
    options, at = {}, 0
    while at < len(octets):
        code, length = struct.unpack_from("HH", octets, at)
        options[code] = octets[at + 4:at + 4 + length]
        at += 4 + (length + 3) // 4 * 4
    return options


def read_pcapng(path):
    """The frames, and how many the file says were lost."""
    octets, names, frames, lost, at = path.read_bytes(), [], [], None, 0
    while at < len(octets):
        kind, length = struct.unpack_from("II", octets, at)
        body = octets[at + 8:at + length - 4]
        if kind == 1:
            names.append(options_of(body[8:])[2].decode())
        elif kind == 5:
            lost = struct.unpack("Q", options_of(body[12:])[5])[0]
        elif kind == 6:
            frames.append(Block(names, body))
        at += length
    return frames, lost


class Captures(Scenario):
    @classmethod
    def config(cls):
        # Both workers on one processor: a client's packets may change hands.
        return director_config([web_service()], workers=[0, last_cpu()])

    def begin(self, name, *words):
        """A capture in the background, at work when this returns."""
        path = self.lab.folder / name
        program = self.lab.director.start(
            build_folder() / "controlplane/fulcrumctl", "--socket", "/run/fulcrum/control.sock",
            "--json", "capture", path, *words, stderr=subprocess.PIPE)
        # Its file is opened before it asks, and has a beginning when the workers have heard of it.
        wait_until(lambda: path.exists() and path.stat().st_size > 0, 10, "no capture begins")
        return program, path

    def result_of(self, program):
        _, errors = program.communicate(timeout=20)
        self.assertEqual(program.returncode, 0, errors)
        return json.loads(errors)

    def end(self, program):
        program.send_signal(signal.SIGINT)
        return self.result_of(program)

    def test_a_flow_is_shown_before_and_after_rewriting_in_both_directions(self):
        seen = {name: Capture(node, "eth0") for name, node in self.lab.web.items()}
        program, path = self.begin("flow.pcapng", "--client", CLIENT)
        self.assertEqual(len(self.fetch_many(COUNT)), COUNT)
        time.sleep(0.2)  # the last FINs
        result = self.end(program)
        frames, lost = read_pcapng(path)
        self.assertEqual((result["ended_by"], result["lost"], lost), ("client", 0, 0))
        self.assertEqual(result["frames"], len(frames))
        by_interface = {name: [frame for frame in frames if frame.interface == name
                               and Ether(frame.octets).haslayer(TCP)
                               and ", hold" not in frame.comment]  # it is shown when it goes on
                        for name in ("wan before", "wan after", "lan before", "lan after")}
        # What left for the servers is what their interfaces took in, octet by octet; and back.
        at_servers = [frame for each in seen.values() for frame in each.stop()]
        for name, is_incoming in (("lan after", True), ("lan before", False)):
            expected = [frame.octets for frame in at_servers if frame.is_incoming == is_incoming
                        and is_of_client(frame.octets)]
            self.assertEqual(sorted(map(key_of, expected)),
                             sorted(key_of(frame.octets) for frame in by_interface[name]))
        self.assertEqual(len(by_interface["wan before"]), len(by_interface["lan after"]))
        for name, ends, comment, direction in (
                ("wan before", (CLIENT, VIP), "before: request, transmit, web/web[123]", 1),
                ("wan after", (VIP, CLIENT), "after: reply, transmit, web/web[123]", 2)):
            for frame in by_interface[name]:
                packet = Ether(frame.octets)[IP]
                self.assertEqual((packet.src, packet.dst), ends)
                self.assertRegex(frame.comment, f"^{comment}$")
                self.assertEqual(frame.direction, direction)
                self.assertLess(abs(frame.time_s - time.time()), 60)

    def test_tcpdump_and_scapy_open_the_file(self):
        program, path = self.begin("open.pcapng", "tcp port 80")
        self.fetch_many(3)
        self.end(program)
        frames, _ = read_pcapng(path)
        text = self.lab.director.run("tcpdump", "-nr", path, f"host {CLIENT} and tcp port 80")
        self.assertIn(f"> {VIP}.80: Flags [S]", text)
        self.assertEqual([bytes(packet) for packet in rdpcap(str(path))],
                         [frame.octets for frame in frames])

    def test_a_filter_a_service_and_a_real_narrow_it(self):
        program, path = self.begin("real.pcapng", "tcp[tcpflags] & tcp-syn != 0", "--service",
                                   "web", "--real", "web2", "--client", CLIENT)
        served = self.fetch_many(30)
        self.end(program)
        frames, _ = read_pcapng(path)
        # A SYN and its answer, each before and after, of web2's connections alone.
        self.assertEqual(len(frames), 4 * served.count("web2"))
        for frame in frames:
            self.assertTrue(Ether(frame.octets)[TCP].flags & 2)
            self.assertIn(", web/web2", frame.comment)

    def test_dropped_packets_are_shown_with_the_reason(self):
        def connect_with_no_time_to_live():
            with socket.socket() as wire:
                wire.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
                wire.connect_ex((VIP, 80))

        self.fetch("/")  # the client's MAC address is known
        program, path = self.begin("drops.pcapng", "--client", CLIENT)
        self.lab.client.call(connect_with_no_time_to_live)
        self.end(program)
        comments = {frame.comment for frame in read_pcapng(path)[0]}
        self.assertEqual(len(comments), 2, comments)
        for comment, when in zip(sorted(comments), ("after", "before")):  # what its sender was told
            self.assertRegex(comment, f"^{when}: request, drop ttl_expired, web/web[123]$")

    def test_it_ends_by_packets_by_seconds_and_keeps_as_many_octets_as_asked_for(self):
        program, path = self.begin("limits.pcapng", "tcp", "--packets", "10", "--octets", "64",
                                   "--client", CLIENT)
        self.fetch_many(10)
        result = self.result_of(program)
        self.assertEqual((result["frames"], result["ended_by"]), (10, "packets"))
        frames, _ = read_pcapng(path)
        self.assertEqual(max(len(frame.octets) for frame in frames), 64)
        self.assertGreater(max(frame.length for frame in frames), 64)
        program, path = self.begin("nothing.pcapng", "host 192.0.2.99", "--seconds", "1")
        result = self.result_of(program)
        self.assertEqual((result["frames"], result["ended_by"]), (0, "seconds"))

    def test_one_that_is_to_be_repeated_is_over_when_it_is_ended(self):
        program, _ = self.begin("repeated.pcapng", "--client", CLIENT, "--every", "1")
        self.addCleanup(lambda: program.poll() is not None or program.kill())
        program.terminate()
        self.assertEqual(self.result_of(program)["ended_by"], "client")

    def test_one_at_a_time_and_a_client_that_disappears_makes_room(self):
        program, _ = self.begin("first.pcapng")
        refused = self.director.ctl("capture", self.lab.folder / "second.pcapng")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("a capture is under way", refused.stderr)
        program.kill()
        program.communicate()
        wait_until(lambda: self.director.ctl("capture", "/dev/null", "--seconds", "1")
                   .returncode == 0, 10, "the capture goes on without its client")

    def test_a_client_that_does_not_read_costs_frames_and_no_traffic(self):
        wire = self.lab.director.call(lambda: socket.socket(socket.AF_UNIX))
        self.addCleanup(wire.close)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.lab.director.call(lambda: wire.connect("/run/fulcrum/control.sock"))
        wire.sendall(b'{"command":"capture","arguments":{"frames":10000000,"seconds":60}}\n')
        (self.lab.folder / "web1/large").write_bytes(bytes(3_000_000))
        (self.lab.folder / "web2/large").write_bytes(bytes(3_000_000))
        (self.lab.folder / "web3/large").write_bytes(bytes(3_000_000))

        def lost():
            page = self.director.metrics()
            return sum(float(page[f'fulcrum_captured_frames_lost_total{{worker="{worker}"}}'])
                       for worker in (0, 1))

        def fetches_until_lost():
            self.assertEqual(len(self.fetch("/files/large")), 3_000_000)
            return lost() > 0
        wait_until(fetches_until_lost, 30, "no loss is counted")
        wire.close()
        wait_until(lambda: self.director.ctl("capture", "/dev/null", "--seconds", "1")
                   .returncode == 0, 15, "the capture goes on without its client")

    def test_what_cannot_be_captured_is_refused_in_a_sentence(self):
        file = self.lab.folder / "refused.pcapng"
        for words, sentence in (((file, "tcp prot 80"), "the filter \"(tcp prot 80)\" is refused"),
                                ((file, "--service", "other"), "there is no service \"other\""),
                                ((file, "--service", "web", "--real", "web9"),
                                 "service \"web\" has no real \"web9\""),
                                ((file, "--seconds", "4000"), "seconds 4000 is out of range")):
            refused = self.director.ctl("capture", *words)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(sentence, refused.stderr)

    def test_a_director_that_ends_says_so_to_who_captures(self):
        program, _ = self.begin("last.pcapng")
        self.assertEqual(self.director.stop(), 0)
        _, errors = program.communicate(timeout=10)
        self.assertEqual(program.returncode, 1)
        self.assertIn(b"has gone in the middle of it", errors)
        self.director.start().wait_all_up()


def is_of_client(octets):
    packet = Ether(octets)
    return packet.haslayer(TCP) and CLIENT in (packet[IP].src, packet[IP].dst)


def key_of(octets):
    """A packet without its frame's padding, and without a checksum that an offload may do later."""
    packet = Ether(octets)[IP]
    octets, at = bytes(octets)[14:14 + packet.len], packet.ihl * 4 + 16
    return octets[:at] + octets[at + 2:]
