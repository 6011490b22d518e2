// How fast counters rise, smoothed as IPVS does it: every two seconds the rate moves a quarter of
// the way to what the last two seconds show. Made on the helper thread from one listing to the
// next; a value of its own each time, which the control thread shows.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "controlplane/listing.h"

namespace fulcrum {

inline constexpr Duration rate_period = 2s;

struct Rate {  // a second
    double sessions = 0;
    double in_packets = 0;
    double out_packets = 0;
    double in_bytes = 0;
    double out_bytes = 0;
};

struct Rates {
    struct Line {
        TallyTotals last;
        Rate rate;
    };
    std::unordered_map<std::uint32_t, Line> reals;     // by tally
    std::unordered_map<std::uint32_t, Line> services;  // by id

    Rate of(const ListedReal& real) const;
    Rate of(const ListedService& service) const;
};

// `length` after `before`. What was not there before begins at zero.
Rates next_rates(const Rates& before, const Listing& listing, const Boards& boards,
                 Duration length);

}  // namespace fulcrum
