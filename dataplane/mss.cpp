// A walk over the options.
#include "dataplane/mss.h"

#include <algorithm>

#include "dataplane/checksum.h"
#include "dataplane/headers.h"

namespace fulcrum {
namespace {

constexpr std::uint8_t option_end = 0;
constexpr std::uint8_t option_nothing = 1;
constexpr std::uint8_t option_mss = 2;
constexpr std::size_t option_mss_length = 4;

void replace(std::uint8_t* tcp, std::size_t at, std::uint16_t mss) {
    auto& field = *reinterpret_cast<be16*>(tcp + at);
    const be16 before = field;
    field = be16{mss};
    ChecksumDelta delta;
    if (at % 2 == 0) {
        delta.change(before, field);
    } else {
        // Across two words: its octets count in the other half of each.
        delta.change(__builtin_bswap16(before.wire()), __builtin_bswap16(field.wire()));
    }
    be16& checksum = reinterpret_cast<TcpHeader*>(tcp)->checksum;
    checksum = delta.applied_to(checksum);
}

}  // namespace

void limit_mss(std::uint8_t* tcp, std::size_t size, std::uint16_t mss_max) {
    const std::size_t end =
        std::min<std::size_t>(size, reinterpret_cast<const TcpHeader*>(tcp)->header_length());
    std::size_t at = sizeof(TcpHeader);
    while (at < end && tcp[at] != option_end) {
        if (tcp[at] == option_nothing) {
            ++at;
            continue;
        }
        const std::size_t length = at + 1 < end ? tcp[at + 1] : 0;
        if (length < 2 || at + length > end) {
            return;  // nonsense, which the receiver will not believe either
        }
        if (tcp[at] == option_mss && length == option_mss_length) {
            const be16 asked = *reinterpret_cast<const be16*>(tcp + at + 2);
            if (asked.host() > mss_max) {
                replace(tcp, at + 2, mss_max);
            }
        }
        at += length;
    }
}

}  // namespace fulcrum
