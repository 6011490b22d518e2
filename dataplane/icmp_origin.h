// ICMP errors of our own: the packet that cannot go on is turned into the message to its sender
// (RFC 792; RFC 4443 for IPv6), with as much of it quoted as 576 octets allow (RFC 1812, 4.3.2.3),
// or IPv6's least MTU of 1,280. Never about an ICMP error, a packet to a group, a fragment but the
// first, or one from nobody in particular (RFC 1122, 3.2.2; RFC 4443, 2.4), and no more than so
// many a second, or we would be an amplifier. What concerns a client of a service is said in the
// name of the VIP, which is all that it knows of us. One worker's thread.
#pragma once

#include <cstdint>

#include "config/model/address.h"
#include "config/model/paths.h"
#include "dataplane/emitter.h"
#include "dataplane/parse.h"
#include "dataplane/token_bucket.h"

struct rte_mbuf;

namespace fulcrum {

// What is wrong, in the words of both IP versions.
enum class Trouble : std::uint8_t { host_unreachable, port_unreachable, too_long, too_old };

struct IcmpError {
    Trouble trouble = Trouble::host_unreachable;
    std::uint16_t next_mtu = 0;  // too_long: what would have passed
    IpAddress source;            // who says so; of the packet's IP version
};

namespace icmp_error {
inline constexpr IcmpError host_unreachable{.trouble = Trouble::host_unreachable, .source = {}};
inline constexpr IcmpError port_unreachable{.trouble = Trouble::port_unreachable, .source = {}};
inline constexpr IcmpError too_long{.trouble = Trouble::too_long, .source = {}};
inline constexpr IcmpError time_exceeded{.trouble = Trouble::too_old, .source = {}};
}  // namespace icmp_error

// Whether its sender may be told of what became of the packet.
bool may_be_told(const ParsedPacket& packet);

// The octets before a frame that an error about it needs at most.
inline constexpr std::size_t icmp_error_growth = 48;

struct GrownFrame {
    std::uint8_t* octets;  // before the one that it was made from
    std::uint16_t length;
};

// Makes of a frame the error to whom it came from. `quotable`: octets of its IP packet that lie in
// one piece behind the Ethernet header. The new frame is addressed by `hop`.
GrownFrame make_icmp_error(std::uint8_t* frame, std::uint16_t quotable, const IcmpError& error,
                           const NextHop& hop);

class IcmpOrigin {
  public:
    // Of all errors of a worker: as many as Linux sends by default (icmp_msgs_per_sec), and a
    // little at once.
    static constexpr std::uint64_t errors_per_s = 1'000;
    static constexpr std::uint64_t errors_at_once = 100;

    IcmpOrigin(Emitter& emitter, WorkerCounters& counters, const TurnClock& clock);

    // The packet ends for `cause`; its sender is told, if it may be and the rate allows.
    void refuse(rte_mbuf* mbuf, const ParsedPacket& packet, DropCause cause, const IcmpError& error,
                const NextHop& hop);
    // A packet to a port that nobody has, in the name of its destination.
    void refuse_port(rte_mbuf* mbuf, const ParsedPacket& packet, DropCause cause,
                     const NextHop& hop);

    // `mbuf` holds a packet for us about one of a client's, which lies in its first segment from
    // `quoted_at` on, `quotable` octets of it. The client is told instead, or the packet dropped.
    void pass_on(rte_mbuf* mbuf, std::uint16_t quoted_at, std::uint16_t quotable,
                 const IcmpError& error, const NextHop& hop);

  private:
    bool may_answer(const rte_mbuf* mbuf, const ParsedPacket& packet, const NextHop& hop);
    bool may_send();
    void send(rte_mbuf* mbuf, const GrownFrame& frame, std::uint8_t port);

    Emitter& emitter_;
    WorkerCounters& counters_;
    const TurnClock& clock_;
    TokenBucket rate_;
};

}  // namespace fulcrum
