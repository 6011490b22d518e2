// What lies in a slot of the session table: names, by which packets find their session, and a tag
// of what else is known. Kept small, because the table is what a director's memory is for. Pure;
// worker side.
#pragma once

#include <cstdint>
#include <type_traits>

#include "config/model/address.h"
#include "config/model/limits.h"
#include "config/model/session.h"

namespace fulcrum {

// The 16 bits of a session that are not names: state, protocol, and flags.
class SessionTag {
  public:
    constexpr SessionTag() = default;
    constexpr SessionTag(SessionState state, L4Protocol protocol)
        : bits_{static_cast<std::uint16_t>(static_cast<unsigned>(state) |
                                           (place_of(protocol) << protocol_shift))} {}

    constexpr SessionState state() const { return static_cast<SessionState>(bits_ & state_mask); }
    constexpr bool is_vacant() const { return (bits_ & state_mask) == 0; }
    constexpr L4Protocol protocol() const {
        return static_cast<L4Protocol>(protocols >> ((bits_ & protocol_mask) >> 1) & 0xFF);
    }
    // Of memory that somebody else has written: a state and a protocol that there are.
    constexpr bool is_sound() const {
        return (bits_ & state_mask) < session_state_count && static_cast<unsigned>(protocol()) != 0;
    }
    // Last-seen counts units of limits::coarse_unit_s instead of seconds.
    constexpr bool is_coarse() const { return (bits_ & coarse_bit) != 0; }
    // Of a one-sided session: the different seconds, after the first, in which packets came; 0
    // to 3.
    constexpr unsigned seconds_seen() const { return (bits_ & seconds_mask) >> seconds_shift; }

    // It counts in its client's affinity record.
    constexpr bool is_affine() const { return (bits_ & affine_bit) != 0; }

    // The client is presented to its real under a local end (see local_ends.h).
    constexpr bool is_full_nat() const { return (bits_ & full_nat_bit) != 0; }

    // It was opened by a SYN cookie, and its two sides count differently (see splice.h).
    constexpr bool is_spliced() const { return (bits_ & spliced_bit) != 0; }
    // Its packets take new addresses, and that is all.
    constexpr bool is_plain() const { return (bits_ & (full_nat_bit | spliced_bit)) == 0; }

    constexpr void set_state(SessionState state) {
        bits_ = static_cast<std::uint16_t>((bits_ & ~state_mask) | static_cast<unsigned>(state));
    }
    constexpr void set_coarse(bool coarse) {
        bits_ = static_cast<std::uint16_t>(coarse ? bits_ | coarse_bit : bits_ & ~coarse_bit);
    }
    constexpr void set_affine(bool affine) {
        bits_ = static_cast<std::uint16_t>(affine ? bits_ | affine_bit : bits_ & ~affine_bit);
    }
    constexpr void set_full_nat() { bits_ = static_cast<std::uint16_t>(bits_ | full_nat_bit); }
    constexpr void set_spliced() { bits_ = static_cast<std::uint16_t>(bits_ | spliced_bit); }
    constexpr void set_seconds_seen(unsigned seconds) {
        bits_ = static_cast<std::uint16_t>((bits_ & ~seconds_mask) | (seconds << seconds_shift));
    }

  private:
    template <typename Family>
    friend class SessionTableOf;

    static constexpr unsigned state_mask = 0x000F;
    static constexpr unsigned protocol_mask = 0x0030;
    static constexpr unsigned protocol_shift = 4;
    // Their numbers, an octet each, in the order of their places: TCP, UDP, SCTP.
    static constexpr std::uint32_t protocols = 0x84'11'06;
    static constexpr unsigned place_of(L4Protocol protocol) {
        return protocol == L4Protocol::tcp ? 0U : protocol == L4Protocol::udp ? 1U : 2U;
    }
    static constexpr unsigned coarse_bit = 0x0040;
    static constexpr unsigned seconds_mask = 0x0300;
    static constexpr unsigned seconds_shift = 8;
    static constexpr unsigned affine_bit = 0x0400;
    static constexpr unsigned full_nat_bit = 0x0800;
    static constexpr unsigned spliced_bit = 0x1000;
    // In a bucket's first slot: a session of this bucket lies in the overflow table. It belongs to
    // the bucket, not to the session that happens to lie there.
    static constexpr unsigned spilled_bit = 0x8000;

    std::uint16_t bits_ = 0;
};

struct Session {
    Ipv4Address client_address;
    be16 client_port{};
    std::uint16_t listener = limits::index_none;
    be16 vip_port{};
    std::uint16_t real = limits::index_none;
    SessionTag tag;
    std::uint16_t last_seen = 0;
};
static_assert(sizeof(Session) == 16 && std::is_trivially_copyable_v<Session>);

// Client address, client port and protocol in one word: what both directions of a session carry.
// The layout is EndpointMap::key_of's.
using ClientKey = std::uint64_t;

constexpr ClientKey client_key_of(Ipv4Address address, be16 port, L4Protocol protocol) {
    return address.value.wire() | (std::uint64_t{port.wire()} << 32) |
           (std::uint64_t{static_cast<std::uint8_t>(protocol)} << 48);
}

constexpr ClientKey client_key_of(const Session& session) {
    return client_key_of(session.client_address, session.client_port, session.tag.protocol());
}

// IPv6's: two fill a cache line.
struct Session6 {
    Ipv6Address client_address;
    be16 client_port{};
    std::uint16_t listener = limits::index_none;
    be16 vip_port{};
    std::uint16_t real = limits::index_none;
    SessionTag tag;
    std::uint16_t last_seen = 0;
    std::uint32_t unused = 0;
};
static_assert(sizeof(Session6) == 32 && std::is_trivially_copyable_v<Session6>);

struct ClientKey6 {
    Ipv6Address address;
    be16 port{};
    L4Protocol protocol = L4Protocol::tcp;

    friend constexpr bool operator==(const ClientKey6&, const ClientKey6&) = default;
};

constexpr ClientKey6 client_key_of(const Session6& session) {
    return {session.client_address, session.client_port, session.tag.protocol()};
}

}  // namespace fulcrum
