// Time as an argument, never a call: rooms that judge by time are given `now`, so that a test
// drives years in milliseconds. An Instant is monotonic and means nothing outside this process.
// Pure.
#pragma once

#include <chrono>

namespace fulcrum {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""min;

}  // namespace fulcrum
