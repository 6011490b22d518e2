// The headers of a frame in words, outermost first: what an operator reads of a packet that the
// workers would send. Octets go in as they lie on the wire, cut off wherever; nothing is trusted.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fulcrum {

// "ipv4 198.51.100.7 > 10.2.0.11", "tcp 40000 > 8080"; what lies behind the Ethernet header.
std::vector<std::string> packet_in_words(std::span<const std::uint8_t> frame);

}  // namespace fulcrum
