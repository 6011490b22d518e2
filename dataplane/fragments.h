// What became of a datagram's first fragment, remembered for a few seconds, so that the others,
// which carry no ports, go the same way. All fragments of a datagram meet at the worker of its
// client, whose address each of them carries. A fragment that covers octets which another one has
// covered is refused, be it a copy or an attempt to have two parties see two different datagrams
// (RFC 1858, RFC 5722): whoever puts ours together sees every octet once.
//
// A small table that forgets the oldest: to lose a record costs a datagram, which UDP allows. No
// buffers; those that come before their first fragment wait elsewhere (fragment_room.h). Worker
// side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "config/model/hash.h"
#include "config/model/limits.h"
#include "dataplane/decide.h"
#include "dataplane/headers.h"

namespace fulcrum {

// Source, destination and identification, of IPv4 also the protocol: whose fragments belong
// together (RFC 791, 2.3; RFC 8200, 4.5).
struct DatagramKey {
    IpAddress source;
    IpAddress destination;
    std::uint64_t number = 0;

    friend bool operator==(const DatagramKey&, const DatagramKey&) = default;
};

// The octets of its datagram that a fragment carries, in units of eight; the last unit may be
// begun only.
struct Stretch {
    std::uint16_t begin = 0;
    std::uint16_t end = 0;
};

struct FragmentPlace {
    DatagramKey datagram;
    Stretch stretch;

    bool is_later() const { return stretch.begin != 0; }
};
// Of a packet that was parsed as a fragment.
FragmentPlace fragment_place_of(const std::uint8_t* frame, const ParsedPacket& packet);

class FragmentTable {
  public:
    FragmentTable();

    // The decision on a datagram's first fragment, in force until a few seconds from now. What was
    // known of the same datagram stays, but for the decision; and all of it if octets of this
    // fragment went before, or a second one would take the others elsewhere.
    void remember(const FragmentPlace& first, const Decision& decision, std::uint32_t now_s);
    // Null: its first fragment has not been seen.
    const Decision* find(const DatagramKey& datagram, std::uint32_t now_s) const;
    // Notes that a fragment of a datagram that is known goes on. False: it must not, because some
    // of its octets went before, or too many stretches lie apart from each other.
    bool cover(const DatagramKey& datagram, Stretch stretch);

    // Grows with every first fragment: who waits for one need not look before.
    std::uint64_t news_count() const { return news_count_; }

  private:
    static constexpr std::size_t stretches_max = 8;
    static constexpr std::size_t ways = 4;

    struct Record {
        DatagramKey datagram;
        std::uint32_t until_s = 0;
        std::uint8_t stretch_count = 0;
        std::array<Stretch, stretches_max> stretches;  // ascending, apart from each other
        Decision decision;
    };

    std::size_t set_of(const DatagramKey& datagram) const;
    Record* look_up(const DatagramKey& datagram) const;
    static bool covers(const Record& record, Stretch stretch);
    static bool cover(Record& record, Stretch stretch);

    HashKey key_;
    std::unique_ptr<Record[]> records_;
    std::uint64_t news_count_ = 0;
};

}  // namespace fulcrum
