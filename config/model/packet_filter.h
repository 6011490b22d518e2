// A packet filter as libpcap compiles it from an expression: a program of the classic BPF machine
// (McCanne and Jacobson, 1993), which looks at a frame's octets and says yes or no. It comes from
// whoever may use the command socket, so it is examined before it is run: it only jumps forward,
// and it ends. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "config/model/result.h"

namespace fulcrum {

struct FilterInstruction {
    std::uint16_t code = 0;
    std::uint8_t jump_true = 0;  // further instructions to skip
    std::uint8_t jump_false = 0;
    std::uint32_t operand = 0;

    friend bool operator==(const FilterInstruction&, const FilterInstruction&) = default;
};

using PacketFilter = std::vector<FilterInstruction>;

// "COUNT,CODE TRUE FALSE OPERAND,...", in decimal: as iptables and tcpdump write such programs. An
// error says what is wrong with it.
Result<PacketFilter> parse_packet_filter(std::string_view text);

// Whether a frame of `length` octets, of which `octets` are the first, fits a filter that
// parse_packet_filter has passed. A filter that looks beyond `octets` says no. An empty one fits
// all.
bool matches(std::span<const FilterInstruction> filter, std::span<const std::uint8_t> octets,
             std::uint32_t length);

}  // namespace fulcrum
