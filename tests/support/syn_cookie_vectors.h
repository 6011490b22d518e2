// Printed by tests/oracle/syn_cookie.py: cookies as its twin of the mint makes them.
#pragma once

#include <cstdint>

#include "dataplane/syn_cookie.h"

namespace fulcrum::test {

inline constexpr HashKey vector_secret{0x0123456789ABCDEF, 0xFEDCBA9876543210};

struct CookieVector {
    const char* client;
    const char* vip;
    std::uint16_t client_port;
    std::uint16_t vip_port;
    std::uint32_t client_first;
    std::uint16_t mss;
    Agreement agreement;
    std::uint32_t now_s;
    std::uint32_t cookie;
    std::uint32_t timestamp;
};

// clang-format off
inline constexpr CookieVector cookie_vectors[] = {
    {"198.51.100.7", "10.1.0.80", 40000, 80, 1001U, 1460, {true, true, 9, 7}, 1000U,
     0x7E9E9865U, 0x4F2882F9U},
    {"198.51.100.7", "10.1.0.80", 40000, 80, 1001U, 1460, {true, true, 9, 7}, 1087U,
     0x86F5DB0EU, 0x4F29DEF9U},
    {"198.51.100.7", "10.1.0.80", 40000, 80, 1001U, 1460, {false, false, 15, 15}, 1000U,
     0x7E615078U, 0x4F288000U},
    {"198.51.100.7", "10.1.0.80", 40000, 80, 0U, 536, {false, false, 15, 15}, 0U,
     0x01A6037DU, 0x4F18E000U},
    {"203.0.113.255", "10.1.0.80", 1, 65535, 4294967295U, 100, {true, false, 15, 15}, 131071U,
     0xF84E0BBCU, 0x5718DFEFU},
    {"2001:db8:9::7", "2001:db8:1::80", 40000, 80, 77U, 1440, {true, true, 14, 0}, 64U,
     0x0DB1AD40U, 0x4F19E21EU},
    {"2001:db8:9::7", "2001:db8:1::80", 40000, 443, 77U, 9000, {true, false, 0, 14}, 4294967295U,
     0xFFC3E0CEU, 0x4F18DFC0U},
    {"2001:db8::1", "2001:db8:1::80", 65535, 1, 2147483648U, 1459, {false, false, 15, 15}, 2047U,
     0xFDD24940U, 0x4F38DC00U},
};
// clang-format on

}  // namespace fulcrum::test
