#!/usr/bin/python3
"""The mint's twin: SYN cookies and timestamps worked out from octets, sharing no code with the
product. The vectors that the product's test goes by are made here.

usage: syn_cookie.py VECTORS          print them again into that file
       syn_cookie.py --check VECTORS  fail if the file is not what would be printed
"""

import ipaddress
import struct
import sys
from pathlib import Path

import maglev

SIZES = (216, 536, 1220, 1360, 1400, 1440, 1460, 8940)
SECRET = (0x0123456789ABCDEF, 0xFEDCBA9876543210)

# client, VIP, ports, the client's first octet, the MSS it asks for, agreement, seconds
CASES = (
    ("198.51.100.7", "10.1.0.80", 40000, 80, 1001, 1460, (True, True, 9, 7), 1000),
    ("198.51.100.7", "10.1.0.80", 40000, 80, 1001, 1460, (True, True, 9, 7), 1087),
    ("198.51.100.7", "10.1.0.80", 40000, 80, 1001, 1460, None, 1000),
    ("198.51.100.7", "10.1.0.80", 40000, 80, 0, 536, None, 0),
    ("203.0.113.255", "10.1.0.80", 1, 65535, 0xFFFFFFFF, 100, (True, False, 15, 15), 131071),
    ("2001:db8:9::7", "2001:db8:1::80", 40000, 80, 77, 1440, (True, True, 14, 0), 64),
    ("2001:db8:9::7", "2001:db8:1::80", 40000, 443, 77, 9000, (True, False, 0, 14), 4294967295),
    ("2001:db8::1", "2001:db8:1::80", 65535, 1, 0x80000000, 1459, None, 2047),
)


def octets_of(address):
    address = ipaddress.ip_address(address)
    return b"\0" * 10 + b"\xff\xff" + address.packed if address.version == 4 else address.packed


def bits_of(agreement):
    if agreement is None:
        return 0
    timestamps, sack, client_scale, real_scale = agreement
    return timestamps << 9 | real_scale << 5 | sack << 4 | client_scale


def cookie_of(client, vip, client_port, vip_port, first, mss, agreement, now):
    secret = (maglev.siphash(SECRET, b"syn cookies, low"),
              maglev.siphash(SECRET, b"syn cookies, high"))
    count = now // 64
    key = tuple(maglev.siphash(secret, struct.pack("!II", count, half)) for half in (0, 1))
    place = max(n for n in range(8) if n == 0 or SIZES[n] <= mss)
    proven = (octets_of(client) + octets_of(vip) +
              struct.pack("!HHIIHH", client_port, vip_port, first, count, bits_of(agreement),
                          place))
    return (count % 32) << 27 | place << 24 | maglev.siphash(key, proven) & 0xFFFFFF


def timestamp_of(agreement, now):
    first_second = maglev.siphash(SECRET, b"syn cookies, time") & 0xFFFFFFFF
    return ((first_second + now) << 10 & 0xFFFFFFFF) | bits_of(agreement)


def row(case):
    client, vip, client_port, vip_port, first, mss, agreement, now = case
    timestamps, sack, client_scale, real_scale = agreement or (False, False, 15, 15)
    agreed = f"{{{str(timestamps).lower()}, {str(sack).lower()}, {client_scale}, {real_scale}}}"
    return (f'    {{"{client}", "{vip}", {client_port}, {vip_port}, {first}U, {mss}, {agreed}, '
            f"{now}U,\n     0x{cookie_of(*case):08X}U, 0x{timestamp_of(agreement, now):08X}U}},")


def page():
    return "\n".join((
        "// Printed by tests/oracle/syn_cookie.py: cookies as its twin of the mint makes them.",
        "#pragma once", "",
        "#include <cstdint>", "",
        '#include "dataplane/syn_cookie.h"', "",
        "namespace fulcrum::test {", "",
        f"inline constexpr HashKey vector_secret{{0x{SECRET[0]:016X}, 0x{SECRET[1]:016X}}};", "",
        "struct CookieVector {",
        "    const char* client;", "    const char* vip;",
        "    std::uint16_t client_port;", "    std::uint16_t vip_port;",
        "    std::uint32_t client_first;", "    std::uint16_t mss;",
        "    Agreement agreement;", "    std::uint32_t now_s;",
        "    std::uint32_t cookie;", "    std::uint32_t timestamp;", "};", "",
        "// clang-format off",
        "inline constexpr CookieVector cookie_vectors[] = {",
        *map(row, CASES), "};", "// clang-format on", "",
        "}  // namespace fulcrum::test", ""))


def main():
    path = Path(sys.argv[-1])
    if sys.argv[1] == "--check":
        sys.exit(0 if path.read_text() == page() else f"{path} is not what the twin prints")
    path.write_text(page())


main()
