#!/usr/bin/python3
"""A connection whose real is told of its client: by a PROXY header with the ACK of the handshake,
behind which all positions are shifted, SACK blocks too; and by TCP option 254, until the real has
answered. Over both IP versions; the client's numbers come round within its first octets. Questions
over UDP carry the header each, answers none.
"""

import socket
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

ISN, REAL_ISN = 0xFFFFFFF5, 5000
CLIENT_PORT, FIRST_LOCAL_PORT = 40000, 1024
BURST = 64
STAMPS = [("NOP", None), ("NOP", None), ("Timestamp", (7, 9))]
send, expect = [], []


class Over:
    """One IP version: who is who, in the order in which they speak."""

    def __init__(self, is_v6):
        self.ip, self.limit, self.family = ((IPv6, "hlim", socket.AF_INET6) if is_v6
                                            else (IP, "ttl", socket.AF_INET))
        self.client, self.vip = (CLIENT6, VIP6) if is_v6 else (CLIENT, VIP)
        self.local = "2001:db8:1:0:3::1" if is_v6 else "10.1.3.1"
        self.real = real6 if is_v6 else real

    def packed(self, address):
        return socket.inet_pton(self.family, address)

    def proxy_header(self, vip_port, transport=1):
        rest = (self.packed(self.client) + self.packed(self.vip)
                + struct.pack("!HH", CLIENT_PORT, vip_port))
        kind = (0x20 if self.family == socket.AF_INET6 else 0x10) + transport
        return (b"\r\n\r\n\0\r\nQUIT\n" + bytes((0x21, kind)) + struct.pack("!H", len(rest)) + rest)

    def toa(self):
        return [(254, struct.pack("!H", CLIENT_PORT) + self.packed(self.client))]


class Connection:
    def __init__(self, over, number, vip_port, local_port):
        self.over, self.number, self.vip_port, self.local_port = over, number, vip_port, local_port

    def asks(self, flags, at, content=b"", options=()):
        """What the client sends, its positions counted from its ISN."""
        over = self.over
        ack = 0 if flags == "S" else REAL_ISN + 1
        send.append(from_client(over.ip(src=over.client, dst=over.vip) / TCP(
            sport=CLIENT_PORT, dport=self.vip_port, flags=flags, seq=(ISN + at) % 2**32, ack=ack,
            options=list(options)) / content))

    def hears(self, flags, at, content=b"", options=(), is_ours=False):
        """What its real should get."""
        over = self.over
        ip = {"flags": "DF"} if is_ours and over.ip is IP else {}
        ack = 0 if flags == "S" else REAL_ISN + 1
        expect.append(to_real(self.number, over.ip(
            src=over.local, dst=over.real(self.number), **{over.limit: 63}, **ip) / TCP(
                sport=self.local_port, dport=8080, flags=flags, seq=(ISN + at) % 2**32, ack=ack,
                options=list(options)) / content))

    def replies(self, flags, acknowledges, told, content=b"", options=(), options_told=None):
        """What the real sends, and what the client should get."""
        over, seq = self.over, REAL_ISN + (flags != "SA")
        send.append(from_real(self.number, over.ip(src=over.real(self.number), dst=over.local)
                              / TCP(sport=8080, dport=self.local_port, flags=flags, seq=seq,
                                    ack=(ISN + acknowledges) % 2**32, options=list(options))
                              / content))
        expect.append(to_client(over.ip(src=over.vip, dst=over.client, **{over.limit: 63})
                                / TCP(sport=self.vip_port, dport=CLIENT_PORT, flags=flags, seq=seq,
                                      ack=(ISN + told) % 2**32,
                                      options=list(options if options_told is None
                                                   else options_told)) / content))


def sack(left, right):
    return [("NOP", None), ("NOP", None), ("SAck", ((ISN + left) % 2**32, (ISN + right) % 2**32))]


def begin(over):
    """Both connections' SYNs."""
    proxy = Connection(over, 11, 80, FIRST_LOCAL_PORT)
    toa = Connection(over, 12, 82, FIRST_LOCAL_PORT + 1)
    options = [("MSS", 1460), ("Timestamp", (7, 0))]
    proxy.asks("S", 0, b"early", options)
    proxy.hears("S", 0, b"", options)
    toa.asks("S", 0, b"", options)
    toa.hears("S", 0, b"", over.toa() + options)
    return proxy, toa


def by_proxy_header(over, tcp):
    header = over.proxy_header(80)
    n = len(header)
    tcp.replies("SA", 1, 1)
    tcp.asks("A", 1, b"", STAMPS)
    tcp.hears("PA", 1, header, STAMPS, is_ours=True)
    tcp.asks("PA", 1, b"GET / odd", STAMPS)
    tcp.hears("PA", 1 + n, b"GET / odd", STAMPS)
    tcp.replies("A", 1, 1)
    tcp.asks("PA", 1, b"GET / odd", STAMPS)  # again, so the header again
    tcp.hears("PA", 1, header, STAMPS, is_ours=True)
    tcp.hears("PA", 1 + n, b"GET / odd", STAMPS)
    tcp.replies("A", 1 + n, 1, options=sack(1, 1 + n), options_told=[("NOP", None)] * 12)
    tcp.replies("PA", 10 + n, 10, b"200", sack(40 + n, 50 + n), sack(40, 50))
    tcp.asks("FA", 10, b"more")
    tcp.hears("FA", 10 + n, b"more")
    tcp.replies("FA", 15 + n, 15)


def by_option(over, tcp):
    tcp.replies("SA", 1, 1)
    tcp.asks("A", 1)
    tcp.hears("A", 1, b"", over.toa())
    tcp.asks("PA", 1, b"GET / odd", STAMPS)
    tcp.hears("PA", 1, b"GET / odd", over.toa() + STAMPS)
    tcp.replies("PA", 10, 10, b"200")
    tcp.asks("FA", 10, b"more", STAMPS)
    tcp.hears("FA", 10, b"more", STAMPS)


def ask(over, question):
    send.append(from_client(over.ip(src=over.client, dst=over.vip)
                            / UDP(sport=CLIENT_PORT, dport=53) / question))
    expect.append(to_real(13, over.ip(src=over.local, dst=over.real(13), **{over.limit: 63})
                          / UDP(sport=FIRST_LOCAL_PORT, dport=5353)
                          / (over.proxy_header(53, 2) + question)))


def answer(over):
    send.append(from_real(13, over.ip(src=over.real(13), dst=over.local)
                          / UDP(sport=5353, dport=FIRST_LOCAL_PORT) / b"he is"))
    expect.append(to_client(over.ip(src=over.vip, dst=over.client, **{over.limit: 63})
                            / UDP(sport=53, dport=CLIENT_PORT) / b"he is"))


for over in (Over(False), Over(True)):
    ask(over, b"who")
begun = [(over, *begin(over)) for over in (Over(False), Over(True))]
# So many that no answer comes in one burst with what it answers.
send += [Ether(src=ROUTER_MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(psrc=ROUTER, pdst="10.1.0.2")] * BURST
for over, proxy, toa in begun:
    by_proxy_header(over, proxy)
    by_option(over, toa)
    answer(over)
    ask(over, b"again, odd!")
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [f"punted link {BURST}"])
