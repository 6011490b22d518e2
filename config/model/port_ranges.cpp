// Laying the ranges side by side, and the search.
#include "config/model/port_ranges.h"

#include <algorithm>
#include <tuple>

namespace fulcrum {

std::string to_string(PortRange ports) {
    if (ports.is_any()) {
        return "any";
    }
    std::string text = std::to_string(ports.first);
    return ports.is_single() ? text : text.append("-").append(std::to_string(ports.last));
}

PortRangeMap::PortRangeMap(std::vector<Entry> entries) {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::tie(a.address, a.ports) < std::tie(b.address, b.ports);
    });
    std::vector<EndpointMap::Pair> pairs;
    for (const Entry& entry : entries) {
        if (pairs.empty() || pairs.back().key != entry.address) {
            pairs.push_back({entry.address, static_cast<std::uint32_t>(addresses_.size())});
            addresses_.push_back({.first_range = static_cast<std::uint32_t>(ranges_.size())});
        }
        Address& address = addresses_.back();
        if (entry.ports.is_any()) {
            address.otherwise = entry.value;
        } else {
            ranges_.push_back({entry.ports, entry.value});
            ++address.range_count;
        }
    }
    by_address_ = EndpointMap{pairs};
}

std::uint32_t PortRangeMap::find(std::uint64_t address, std::uint16_t port) const {
    const std::uint32_t at = by_address_.find(address);
    if (at == EndpointMap::absent) {
        return absent;
    }
    const Address& held = addresses_[at];
    const Range* const first = ranges_.data() + held.first_range;
    const Range* const end = first + held.range_count;
    const Range* const found = std::lower_bound(
        first, end, port, [](const Range& range, std::uint16_t p) { return range.ports.last < p; });
    return found != end && found->ports.contains(port) ? found->value : held.otherwise;
}

}  // namespace fulcrum
