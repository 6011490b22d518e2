// How much is taken of a service in a second, by a client (or a network of clients) and by all
// together, against how much may be. What is kept of each is one moment: when all that it has taken
// so far will be paid for at the rate allowed (GCRA, ITU-T I.371, annex A.1). If that lies too far
// ahead, it is refused; if it lies behind, nothing needs to be remembered, and the place is free.
//
// Fixed memory: records lie in lines of four, two lines for each. Where all eight owe something,
// the one who owes least makes way. So a flood of addresses displaces its own, each of which owes
// one, and never an offender who has come to its limit. One worker's thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/model/client_prefix.h"
#include "config/model/hash.h"
#include "config/model/limits.h"

namespace fulcrum {

// Whose account it is, and of what.
struct Account {
    enum class Of : std::uint8_t { sessions, packets };

    std::uint16_t service = 0;  // its number
    Of of = Of::sessions;
    ClientPrefix client{};  // length 0: all of them
};

class Limiter {
  public:
    // `record_count` is rounded up; `key` is secret: who knew it could fill one line. `hz`: cycles
    // a second.
    Limiter(std::size_t record_count, HashKey key, std::uint64_t hz);
    static std::size_t size_for(std::size_t record_count);

    // Until told otherwise it is this moment.
    void tick(std::uint64_t now_cycles) { now_ = now_cycles; }
    // Until told otherwise: answers are as ever and leave no trace.
    void rehearse(bool is_rehearsing) { is_rehearsing_ = is_rehearsing; }

    // Takes one, if the account has not taken `per_s` and more within the last second: as many may
    // come at once, then one each `per_s`-th of a second. `share`: of how many workers it is one,
    // who have as much each.
    bool take(const Account& account, std::uint32_t per_s, unsigned share = 1);

  private:
    struct Record {
        std::uint64_t key = 0;         // 0: none
        std::uint64_t paid_until = 0;  // in cycles
    };
    static constexpr std::size_t records_per_line = 4;
    struct alignas(limits::cache_line_size) Line {
        std::array<Record, records_per_line> records;
    };
    static_assert(sizeof(Line) == limits::cache_line_size);

    Record& place_of(std::uint64_t key);

    std::vector<Line> lines_;
    HashKey key_;
    std::uint64_t hz_;
    std::uint64_t now_ = 0;
    bool is_rehearsing_ = false;
};

}  // namespace fulcrum
