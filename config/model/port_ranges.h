// Ranges of L4 ports, and an immutable map from (address, protocol, port) to a 32-bit value for
// what an EndpointMap cannot hold a key for each port of. One probe finds the address, a binary
// search among its ranges the port. Asked only where the exact map has no answer, so that nobody
// pays for ranges but who uses them. Built off the workers, read by them.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "config/model/endpoint_map.h"

namespace fulcrum {

// From the first to the last, both included. 0 to 0: none.
struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;

    static constexpr PortRange any() { return {1, 65'535}; }
    static constexpr PortRange only(std::uint16_t port) { return {port, port}; }
    constexpr bool is_single() const { return first == last; }
    constexpr bool is_any() const { return first <= 1 && last == 65'535; }
    constexpr bool contains(std::uint16_t port) const { return first <= port && port <= last; }
    constexpr bool meets(PortRange other) const {
        return first <= other.last && other.first <= last;
    }

    friend constexpr auto operator<=>(const PortRange&, const PortRange&) = default;
};

std::string to_string(PortRange ports);  // "80", "8000-8099", "any"

class PortRangeMap {
  public:
    static constexpr std::uint32_t absent = EndpointMap::absent;

    struct Entry {
        std::uint64_t address;  // EndpointMap::key_of(address, be16{}, protocol)
        PortRange ports;
        std::uint32_t value;  // not `absent`
    };

    PortRangeMap() = default;
    // The ranges of one address lie apart, but for one of all ports, which yields to the others.
    explicit PortRangeMap(std::vector<Entry> entries);

    bool is_empty() const { return addresses_.empty(); }
    std::uint32_t find(std::uint64_t address, std::uint16_t port) const;

  private:
    struct Range {
        PortRange ports;
        std::uint32_t value;
    };
    struct Address {
        std::uint32_t first_range = 0;
        std::uint32_t range_count = 0;
        std::uint32_t otherwise = absent;  // of ports in none of them
    };

    EndpointMap by_address_;  // -> addresses_
    std::vector<Address> addresses_;
    std::vector<Range> ranges_;  // an address's side by side, ascending
};

}  // namespace fulcrum
