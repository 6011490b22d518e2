// A datagram's envelope: what is outside, and the sealing of what is inside (XChaCha20-Poly1305,
// which also vouches for the outside). Until a seal has been opened nothing of a datagram is
// believed.
//
//   "FP" | version 1 | kind 1 | session 8: the first octets of the sender's id | counter 8
//   greeting: nonce 24 | sealed        session: sealed, its nonce is the counter
//
// The counter never repeats within a session. A receiver takes each of the last 1,024 numbers once,
// and none that is older.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>

#include "controlplane/peer/octets.h"
#include "controlplane/peer/peer_key.h"

namespace fulcrum {

inline constexpr std::uint8_t peer_wire_version = 1;
inline constexpr std::size_t peer_datagram_max = 1'400;
inline constexpr std::size_t peer_head_size = 20;
inline constexpr std::size_t peer_seal_size = 16;

enum class EnvelopeKind : std::uint8_t { greeting = 1, session = 2 };

struct Envelope {
    EnvelopeKind kind = EnvelopeKind::session;
    std::uint64_t session = 0;  // the first octets of the sender's id
    std::uint64_t counter = 0;
    std::span<const std::uint8_t> sealed;
};

constexpr std::uint64_t short_form(const SessionId& id) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < sizeof(word); ++i) {
        word = (word << 8) | id[i];
    }
    return word;
}

// What is outside. Nothing: it is no datagram of a peer's, or of another version.
std::optional<Envelope> read_envelope(std::span<const std::uint8_t> datagram);

Octets seal_greeting(const SealKey& key, const SessionId& sender,
                     std::span<const std::uint8_t> inside);
Octets seal(const SealKey& key, const SessionId& sender, std::uint64_t counter,
            std::span<const std::uint8_t> inside);

// Of the whole datagram. Nothing: somebody without the key has made or changed it.
std::optional<Octets> open_seal(const SealKey& key, std::span<const std::uint8_t> datagram);

// Which counters have been there.
class ReplayWindow {
  public:
    // Whether this one is new; it is known from then on. Only of an opened datagram.
    bool take(std::uint64_t counter);

  private:
    static constexpr std::size_t width = 1'024;

    std::uint64_t next_ = 0;       // one more than the highest
    std::bitset<width> is_taken_;  // by counter modulo the width
};

}  // namespace fulcrum
