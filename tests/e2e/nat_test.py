"""NAT as both ends see it on the wire: what the client and the real sent and received, captured at
their own interfaces.
"""

import socket
import struct

import packets
from labkit.capture import Capture
from labkit.director import director_config, web_service
from labkit.lab import CLIENT, VIP, WEB, WEB_PORT, wait_until
from scenario import Scenario, start_server

ECHO_PORT, ECHO_REAL_PORT = 53, 5353
CLOSED_PORT, CLOSED_REAL_PORT = 54, 5454


def udp_service(name, port, real_port):
    return web_service(["web1"], port=real_port, name=name, protocol="udp",
                       check={"type": "none"}) | {"port": port}


class Nat(Scenario):
    @classmethod
    def config(cls):
        return director_config([web_service(), udp_service("echo", ECHO_PORT, ECHO_REAL_PORT),
                                udp_service("closed", CLOSED_PORT, CLOSED_REAL_PORT)])

    @classmethod
    def prepare(cls):
        cls.lab.start_web()
        start_server(cls.lab, "web1", "echo", ECHO_REAL_PORT, "web1")

    def capture_both_ends(self, step, real="web1"):
        """What the client and the real received and sent while `step` ran."""
        at_client = Capture(self.lab.client, "eth0")
        at_real = Capture(self.lab.web[real], "eth0")
        outcome = step()
        return outcome, at_client.stop(), at_real.stop()

    def udp_client(self, port):
        wire = self.lab.client.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.addCleanup(wire.close)
        wire.settimeout(3)
        wire.connect((VIP, port))
        return wire

    def test_the_real_sees_its_own_port_and_the_client_sees_only_the_vip(self):
        bodies, client_frames, real_frames = self.capture_both_ends(lambda: self.fetch_many(60))
        self.assertEqual(set(bodies), set(WEB))
        at_client = [packet for packet in packets.incoming(client_frames)
                     if packet.protocol == packets.TCP]
        self.assertEqual({(packet.source, packet.source_port) for packet in at_client}, {(VIP, 80)})
        at_real = [packet for packet in packets.incoming(real_frames) if packet.source == CLIENT]
        self.assertEqual({(packet.destination, packet.destination_port) for packet in at_real},
                         {(WEB["web1"], WEB_PORT)})
        sent = {packet.source_port for packet in packets.outgoing(client_frames)}
        self.assertLessEqual({packet.source_port for packet in at_real}, sent)

    def test_every_tcp_checksum_is_right_at_both_ends(self):
        _, client_frames, real_frames = self.capture_both_ends(lambda: self.fetch_many(30))
        # The peers left their checksums to an offload that no veth has; they arrive complete.
        self.assertTrue(any(not frame.is_checksum_complete for frame in client_frames
                            if not frame.is_incoming))
        for frames in (client_frames, real_frames):
            received = packets.incoming(frames)
            self.assertGreater(len(received), 30)
            self.assertEqual(packets.problems(received), [])

    def test_a_large_answer_arrives_octet_for_octet(self):
        content = bytes(range(256)) * 8192
        for name in WEB:
            (self.lab.folder / name / "large").write_bytes(content)
        target = self.lab.folder / "fetched"
        self.fetch("/files/large", "-o", target)
        self.assertEqual(target.read_bytes(), content)

    def test_datagrams_reach_the_real_and_their_answers_the_client(self):
        wire = self.udp_client(ECHO_PORT)

        def exchange():
            wire.send(b"hello over UDP")
            return wire.recv(2048)

        answer, client_frames, real_frames = self.capture_both_ends(exchange)
        self.assertEqual(answer, f"web1 {CLIENT}:{wire.getsockname()[1]} hello over UDP".encode())
        at_client = [packet for packet in packets.incoming(client_frames)
                     if packet.protocol == packets.UDP]
        at_real = [packet for packet in packets.incoming(real_frames)
                   if packet.protocol == packets.UDP]
        self.assertEqual([(packet.source, packet.source_port) for packet in at_client],
                         [(VIP, ECHO_PORT)])
        self.assertEqual([packet.destination_port for packet in at_real], [ECHO_REAL_PORT])
        self.assertEqual(packets.problems(at_client + at_real), [])

    def test_a_datagram_of_8_kb_and_its_answer_cross_in_pieces(self):
        wire = self.udp_client(ECHO_PORT)
        sent = bytes(range(250)) * 32

        def exchange():
            wire.send(sent)
            return wire.recv(65535)

        answer, client_frames, real_frames = self.capture_both_ends(exchange)
        self.assertEqual(answer, f"web1 {CLIENT}:{wire.getsockname()[1]} ".encode() + sent)
        for frames, source in ((real_frames, CLIENT), (client_frames, VIP)):
            pieces = [packet for packet in packets.incoming(frames) if packet.source == source
                      and packet.protocol == packets.UDP]
            self.assertEqual(len(pieces), 6)  # 8,008 octets in steps of 1,480

    def test_an_upload_adapts_to_a_port_that_carries_less(self):
        self.lab.director.ip("link", "set", "lan", "mtu", "1300")
        try:
            content = bytes(range(250)) * 1000
            (self.lab.folder / "upload").write_bytes(content)
            at_client = Capture(self.lab.client, "eth0")
            self.fetch("/", "--data-binary", f"@{self.lab.folder}/upload", "-H", "Expect:")
            errors = [packet for packet in packets.incoming(at_client.stop())
                      if packet.protocol == packets.ICMP]
            self.assertEqual({(error.source, error.icmp_type) for error in errors},
                             {(VIP, packets.ICMP_UNREACHABLE)})
            self.assertEqual(packets.problems(errors), [])
            self.assertIn("mtu 1300", self.lab.client.ip("route", "get", VIP))
        finally:
            self.lab.director.ip("link", "set", "lan", "mtu", "1500")
            self.lab.client.ip("route", "flush", "cache")

    def test_an_icmp_error_of_the_real_names_the_vip_to_the_client(self):
        wire = self.udp_client(CLOSED_PORT)

        def exchange():
            wire.send(b"anybody there?")
            try:
                return wire.recv(2048)
            except ConnectionRefusedError:
                return None

        answer, client_frames, _ = self.capture_both_ends(exchange)
        self.assertIsNone(answer)
        errors = [packet for packet in packets.incoming(client_frames)
                  if packet.protocol == packets.ICMP]
        self.assertEqual([error.icmp_type for error in errors], [packets.ICMP_UNREACHABLE])
        quoted = errors[0].quoted
        self.assertEqual((quoted.source, quoted.destination, quoted.destination_port),
                         (CLIENT, VIP, CLOSED_PORT))
        self.assertEqual(packets.problems(errors), [])

    def test_an_icmp_error_of_the_client_names_the_real_to_the_real(self):
        # A datagram from a port that no socket holds: its answer makes the client's kernel object.
        raw = self.lab.client.call(
            lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP))
        self.addCleanup(raw.close)
        text = b"I shall not listen"
        datagram = struct.pack("!HHHH", 40000, ECHO_PORT, 8 + len(text), 0) + text
        before = errors_counted(self.lab.web["web1"])

        def ask():
            raw.sendto(datagram, (VIP, 0))
            wait_until(lambda: errors_counted(self.lab.web["web1"]) > before, 5,
                       "no ICMP error reached web1")

        _, _, real_frames = self.capture_both_ends(ask)
        errors = [packet for packet in packets.incoming(real_frames)
                  if packet.protocol == packets.ICMP and packet.source == CLIENT]
        self.assertEqual([error.icmp_type for error in errors], [packets.ICMP_UNREACHABLE])
        quoted = errors[0].quoted
        self.assertEqual((quoted.source, quoted.source_port, quoted.destination),
                         (WEB["web1"], ECHO_REAL_PORT, CLIENT))
        self.assertEqual(packets.problems(errors), [])


def errors_counted(node):
    """How many ICMP destination-unreachable messages the node's kernel has received."""
    table = node.run("cat", "/proc/net/snmp").splitlines()
    names, values = (line.split() for line in table if line.startswith("Icmp:"))
    return int(values[names.index("InDestUnreachs")])
