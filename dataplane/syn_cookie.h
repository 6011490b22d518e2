// SYN cookies (RFC 4987, 3.6): the sequence number of a SYN-ACK from which, when it comes back as
// an acknowledgement, everything follows that a session would have had to remember.
//
//    31    27 26  24 23                                   0
//   ┌────────┬──────┬──────────────────────────────────────┐
//   │ count  │ MSS  │                proof                 │
//   └────────┴──────┴──────────────────────────────────────┘
//
// `count` is the number of the 64 s in which it was made, modulo 32: it holds in those and in the
// next. `MSS` is one of eight, the greatest that is no greater than what the client asked for.
// `proof` is SipHash-2-4 of client, VIP, their ports, the client's first octet, the whole count and
// what else was agreed, under a key that each count has anew: who does not see the answer has one
// chance in 2^24 for each guess.
//
// What else was agreed fits in where the client has offered timestamps: in the low bits of ours,
// which he echoes. Without them there is neither window scale nor SACK.
//
//    31                10   9   8      5    4    3      0
//   ┌────────────────────┬─────┬────────┬──────┬────────┐
//   │ our seconds        │  1  │ reals' │ SACK │client's│    scales: 15 is none
//   └────────────────────┴─────┴────────┴──────┴────────┘
//
// Pure but for the keys in hand; one worker's thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "config/model/address.h"
#include "config/model/hash.h"
#include "dataplane/tcp_options.h"

namespace fulcrum {

// What both sides may count on, beside their segments' sizes.
struct Agreement {
    bool has_timestamps = false;  // or else nothing of the rest
    bool has_sack = false;
    std::uint8_t client_scale = TcpOptions::scale_none;
    std::uint8_t real_scale = TcpOptions::scale_none;

    std::uint32_t bits() const;  // 0: nothing has been agreed
    static Agreement from_bits(std::uint32_t bits);

    friend bool operator==(const Agreement&, const Agreement&) = default;
};
inline constexpr unsigned agreement_width = 10;  // bits

// A connection that is to be.
struct CookieFlow {
    Ipv6Address client;  // IPv4: mapped
    Ipv6Address vip;
    be16 client_port{};
    be16 vip_port{};
    std::uint32_t client_first = 0;  // the client's first octet, as it counts: its SYN's plus one
};

class CookieMint {
  public:
    explicit CookieMint(HashKey secret);

    // `mss`: what the client asks for.
    std::uint32_t cookie_for(const CookieFlow& flow, std::uint16_t mss, const Agreement& agreement,
                             std::uint32_t now_s);
    // The MSS in a cookie of ours. Nothing: it is none, or no longer.
    std::optional<std::uint16_t> mss_of(std::uint32_t cookie, const CookieFlow& flow,
                                        const Agreement& agreement, std::uint32_t now_s);
    // Our timestamp now.
    std::uint32_t timestamp_for(const Agreement& agreement, std::uint32_t now_s) const;

    static constexpr std::uint32_t count_s = 64;
    static constexpr std::uint32_t valid_s = 2 * count_s;  // at the most
    // Over IPv4 and IPv6: the least, the defaults of both, tunnels, Ethernet, jumbo frames.
    static constexpr std::array<std::uint16_t, 8> sizes{216,   536,   1'220, 1'360,
                                                        1'400, 1'440, 1'460, 8'940};

  private:
    struct CountKey {
        std::uint32_t count = UINT32_MAX;
        HashKey key;
    };
    const HashKey& key_of(std::uint32_t count);
    std::uint32_t proof_of(const CookieFlow& flow, std::uint32_t count, std::uint32_t mss_place,
                           const Agreement& agreement);

    HashKey secret_;
    std::uint32_t first_second_;          // so that nobody reads from it when we were started
    std::array<CountKey, 2> count_keys_;  // by the count's lowest bit
};

}  // namespace fulcrum
