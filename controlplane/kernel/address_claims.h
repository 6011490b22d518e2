// Whether somebody else claims an address that is ours: the question put to a link, and what the
// link's hosts say, as frames. IPv4 by ARP probes (RFC 5227, 2.1.1), IPv6 by the neighbour
// solicitation of duplicate address detection (RFC 4862, 5.4.2): both are put in nobody's name, so
// that nobody's table changes by them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/model/address.h"

namespace fulcrum {

// "At this address, it is me."
struct AddressClaim {
    IpAddress address;
    MacAddress mac;

    friend bool operator==(const AddressClaim&, const AddressClaim&) = default;
};

// An Ethernet frame that asks all of a link who is at `address`.
std::vector<std::uint8_t> claim_question(const IpAddress& address, const MacAddress& asker);

// Of an ARP packet that its sender is at some address, of a neighbour advertisement its target;
// nothing: the frame claims nothing, or is not sound.
std::optional<AddressClaim> claim_in(std::span<const std::uint8_t> frame);

}  // namespace fulcrum
