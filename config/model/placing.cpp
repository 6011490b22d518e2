// The words of the file.
#include "config/model/placing.h"

#include <array>

namespace fulcrum {

std::string_view to_string(Scheduler scheduler) {
    constexpr std::array<std::string_view, scheduler_count> words{
        "maglev", "rr", "wrr",  "lc",    "wlc", "sed", "nq",  "dh",
        "sh",     "mh", "lblc", "lblcr", "fo",  "ovf", "twos"};
    return words[static_cast<std::size_t>(scheduler)];
}

std::string_view to_string(OnDrain on_drain) { return on_drain == OnDrain::keep ? "keep" : "move"; }

}  // namespace fulcrum
