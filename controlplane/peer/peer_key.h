// The secret that two directors share, and what is made of it. The file's key never goes over the
// wire and encrypts nothing itself: greetings are sealed under a key derived from it, all else
// under keys derived from it and both sides' random session ids, one for each direction, so that
// nothing said in one session means anything in another.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/model/result.h"

namespace fulcrum {

using SealKey = std::array<std::uint8_t, 32>;
// Drawn at random by each director when it starts.
using SessionId = std::array<std::uint8_t, 16>;

class PairKey {
  public:
    // From the file's line: 64 to 1,024 hexadecimal digits. The error says what is expected.
    static Result<PairKey> from_line(std::string_view line);
    // Refused too if others than its owner can read the file.
    static Result<PairKey> load(const std::string& path);

    SealKey greeting_key() const;
    SealKey key_for(const SessionId& sender, const SessionId& receiver) const;

  private:
    explicit PairKey(const SealKey& secret) : secret_{secret} {}

    SealKey secret_;
};

SessionId random_session_id();

}  // namespace fulcrum
