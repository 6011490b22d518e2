// Cuts an IPv4 packet that its next hop cannot carry whole and that may be cut (RFC 791, 2.3: its
// sender has not set "don't fragment"). The packet within a tunnel is cut before it is wrapped, so
// that every piece arrives as a packet of its own and only the real, who is its destination, puts
// it together (RFC 2003, 5.1 leaves the choice; RFC 4459, 3.2 has the price of the other). Pieces
// are copies: a rare packet may cost one. Worker side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

struct rte_mbuf;

namespace fulcrum {

struct Pieces {
    static constexpr std::size_t count_max = 32;

    std::array<rte_mbuf*, count_max> mbufs;
    std::size_t count = 0;
};

// `frame_mbuf` holds an Ethernet frame with an IPv4 packet, its headers in the first segment; it
// stays as it is. No piece is longer than `mtu`. False: no buffers, or too many pieces; then there
// are none.
bool cut(rte_mbuf* frame_mbuf, std::uint16_t mtu, Pieces& pieces);

}  // namespace fulcrum
