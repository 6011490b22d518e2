// A walk over the options.
#include "dataplane/mss.h"

#include "dataplane/checksum.h"
#include "dataplane/headers.h"
#include "dataplane/tcp_options.h"

namespace fulcrum {
namespace {

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
    visit_tcp_options(tcp, size, [&](std::uint8_t* option, std::size_t length) {
        if (*option != tcp_option::mss || length != tcp_option::mss_length) {
            return;
        }
        const be16 asked = *reinterpret_cast<const be16*>(option + 2);
        if (asked.host() > mss_max) {
            replace(tcp, static_cast<std::size_t>(option + 2 - tcp), mss_max);
        }
    });
}

}  // namespace fulcrum
