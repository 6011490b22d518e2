#!/usr/bin/python3
"""SCTP (RFC 9260): its CRC32c after ports have been translated, whatever the packet's length, and
ABORTs with the tag that their receiver believes.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from golden import *  # noqa: E402,F403

from collections import Counter  # noqa: E402

from scapy.layers.sctp import (SCTP, SCTPChunkAbort, SCTPChunkCookieAck,  # noqa: E402
                               SCTPChunkCookieEcho, SCTPChunkData, SCTPChunkHeartbeatReq,
                               SCTPChunkInit, SCTPChunkInitAck, SCTPChunkSACK,
                               SCTPChunkShutdown, SCTPChunkShutdownAck,
                               SCTPChunkShutdownComplete)

CLIENT_TAG, REAL_TAG = 0x11223344, 0xA1B2C3D4
PORT, REAL_PORT, CLIENT_PORT = 3868, 13868, 40000
send, expect, fates = [], [], Counter()


def ip(source, destination, **fields):
    if ":" in source:
        return IPv6(src=source, dst=destination, hlim=fields.get("ttl", 64))
    return IP(src=source, dst=destination, **fields)


def asks(vip, chunks, real_address, number, tag=REAL_TAG, real_port=REAL_PORT):
    client = CLIENT6 if ":" in vip else CLIENT
    send.append(from_client(ip(client, vip) / SCTP(sport=CLIENT_PORT, dport=PORT, tag=tag)
                            / chunks))
    expect.append(to_real(number, ip(client, real_address, ttl=63)
                          / SCTP(sport=CLIENT_PORT, dport=real_port, tag=tag) / chunks))


def answers(vip, chunks, real_address, number, real_port=REAL_PORT):
    client = CLIENT6 if ":" in vip else CLIENT
    send.append(from_real(number, ip(real_address, client)
                          / SCTP(sport=real_port, dport=CLIENT_PORT, tag=CLIENT_TAG) / chunks))
    expect.append(to_client(ip(vip, client, ttl=63)
                            / SCTP(sport=PORT, dport=CLIENT_PORT, tag=CLIENT_TAG) / chunks))


def data(octets):
    return SCTPChunkData(beginning=1, ending=1, tsn=1, data=octets)


def association(vip, real_address, number, real_port):
    def one(chunks, **fields):
        asks(vip, chunks, real_address, number, real_port=real_port, **fields)

    def other(chunks):
        answers(vip, chunks, real_address, number, real_port)

    one(SCTPChunkInit(init_tag=CLIENT_TAG), tag=0)
    other(SCTPChunkInitAck(init_tag=REAL_TAG))
    one(SCTPChunkCookieEcho(cookie=b"a cookie of some length"))
    other(SCTPChunkCookieAck())
    # Lengths on both sides of the tables in crc32c.cpp.
    for length in (1, 2, 3, 4, 223, 224, 225, 480, 1000, 1400):
        one(data((bytes(range(256)) * 6)[:length]))
        other(SCTPChunkSACK(cumul_tsn_ack=1) / data(b"x" * length))
    one(SCTPChunkHeartbeatReq())
    one(SCTPChunkSACK(cumul_tsn_ack=1) / SCTPChunkShutdown(cumul_tsn_ack=1))
    other(SCTPChunkShutdownAck())
    one(SCTPChunkShutdownComplete())


association(VIP, real(12), 12, REAL_PORT)
association(VIP6, real6(12), 12, REAL_PORT)
association("10.1.0.81", real(13), 13, PORT)

# Direct routing and tunnels leave SCTP as it is.
packet = SCTP(sport=CLIENT_PORT, dport=PORT) / SCTPChunkInit(init_tag=CLIENT_TAG)
send.append(from_client(IP(src=CLIENT, dst="10.1.0.82") / packet))
expect.append(to_real(11, IP(src=CLIENT, dst="10.1.0.82", ttl=63) / packet))
send.append(from_client(IP(src=CLIENT, dst="10.1.0.84") / packet))
expect.append(to_real(11, IP(src="10.1.0.2", dst=real(11), ttl=63, id=0, proto=4)
                      / IP(src=CLIENT, dst="10.1.0.84", ttl=63) / packet))

# An error that quotes eight octets of L4: ports and tag.
inner = (IP(src=VIP, dst=CLIENT, ttl=50, len=1000, proto=132)
         / Raw(bytes(SCTP(sport=PORT, dport=CLIENT_PORT, tag=CLIENT_TAG))[:8]))
asks(VIP, SCTPChunkInit(init_tag=CLIENT_TAG), real(12), 12, tag=0)
send.append(from_client(IP(src=FAR_ROUTER, dst=VIP) / ICMP(type=3, code=4, nexthopmtu=1300)
                        / Raw(bytes(inner))))
told_inner = (IP(src=real(12), dst=CLIENT, ttl=50, len=1000, proto=132)
              / Raw(bytes(SCTP(sport=REAL_PORT, dport=CLIENT_PORT, tag=CLIENT_TAG))[:8]))
expect.append(to_real(12, IP(src=FAR_ROUTER, dst=real(12), ttl=63)
                      / ICMP(type=3, code=4, nexthopmtu=1300) / Raw(bytes(told_inner))))


# Nobody there: an INIT is answered with its own tag, others with theirs reflected.
def aborted(vip, chunks, tag, answer_tag, is_reflected, port, fate):
    client = CLIENT6 if ":" in vip else CLIENT
    send.append(from_client(ip(client, vip) / SCTP(sport=CLIENT_PORT, dport=port, tag=tag)
                            / chunks))
    back = (IPv6(src=vip, dst=client, hlim=64) if ":" in vip
            else IP(src=vip, dst=client, ttl=64, id=0, flags="DF"))
    expect.append(to_client(back / SCTP(sport=port, dport=CLIENT_PORT, tag=answer_tag)
                            / SCTPChunkAbort(TCB=int(is_reflected))))
    fates[fate] += 1


for vip, port, fate in (("10.1.0.83", PORT, "dropped no_real"),
                        ("2001:db8:1::83", PORT, "dropped no_real"),
                        (VIP, 9, "dropped no_service_reset"),
                        (VIP6, 9, "dropped no_service_reset")):
    aborted(vip, SCTPChunkInit(init_tag=CLIENT_TAG), 0, CLIENT_TAG, False, port, fate)
    aborted(vip, data(b"late"), REAL_TAG, REAL_TAG, True, port, fate)
send.append(from_client(IP(src=CLIENT, dst=VIP) / SCTP(sport=CLIENT_PORT, dport=9)
                        / SCTPChunkAbort()))
fates["dropped no_service_reset"] += 1  # and nobody answers an ABORT

# Pieces: their CRC cannot follow a port, and need not where none is translated.
for vip, fate in ((VIP, "dropped sctp_fragment"), ("10.1.0.81", None)):
    whole = bytes(IP(src=CLIENT, dst=vip, id=9) / SCTP(sport=CLIENT_PORT, dport=PORT, tag=REAL_TAG)
                  / data(bytes(800)))[20:]
    for offset, piece in ((0, whole[:400]), (50, whole[400:])):
        more = "MF" if offset == 0 else 0
        send.append(from_client(IP(src=CLIENT, dst=vip, id=9, frag=offset, flags=more, proto=132)
                                / Raw(piece)))
        if fate:
            fates[fate] += 1
        else:
            expect.append(to_real(13, IP(src=CLIENT, dst=real(13), ttl=63, id=9, frag=offset,
                                         flags=more, proto=132) / Raw(piece)))
whole = bytes(SCTP(sport=CLIENT_PORT, dport=PORT, tag=REAL_TAG) / data(bytes(800)))
for offset, piece in ((0, whole[:400]), (50, whole[400:])):
    send.append(from_client(IPv6(src=CLIENT6, dst=VIP6)
                            / IPv6ExtHdrFragment(nh=132, offset=offset, m=int(offset == 0), id=9)
                            / Raw(piece)))
    fates["dropped sctp_fragment"] += 1
write("send.pcap", send)
write("expect.pcap", expect)
write_text("expect.txt", [f"{fate} {count}" for fate, count in fates.items()])
