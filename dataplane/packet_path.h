// What happens to a burst between receiving and emitting: the stages in their order, each a loop.
// Knows no buffer and no driver, so that tests, fuzzers and benchmarks walk the very path that
// packets do. One worker's thread.
//
//   parse ► classify ► steer ► look up, choose, decide (track.h) ► rewrite
//
// A datagram's first fragment walks this path as any packet does; the others take its decision over
// (fragments.h).
//
// A tagged frame is found when it is classified, as what nobody carries, and begins anew without
// its tag, as one of the VLAN's port.
//
// Afterwards every packet of the burst has a decision, and those that leave have their new octets;
// what needs a frame of another size gets it in refit.h.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/burst.h"
#include "dataplane/fragments.h"
#include "dataplane/steering.h"
#include "dataplane/track.h"

namespace fulcrum {

// A VLAN of a port: a port of its own, by its index.
struct PathVlan {
    std::uint16_t vlan;
    std::uint8_t port;
};

struct PathPort {
    MacAddress mac;
    bool completes_partial_checksums = false;  // the sender's kernel may have left them open
    std::vector<PathVlan> vlans;
};

// A worker's, one for each IP family.
struct Trackers {
    Tracker& of_v4;
    Tracker6& of_v6;
};

class PacketPath {
  public:
    // `ports` by index; `worker_id` of `worker_count` that share the clients by `steering`.
    PacketPath(std::vector<PathPort> ports, const Steering& steering, unsigned worker_id,
               unsigned worker_count, Trackers trackers);

    void carry(Burst& burst, const Snapshot& snapshot, std::uint32_t now_s, Origin origin);

    const FragmentTable& fragments() const { return fragments_; }

  private:
    void parse(Burst& burst) const;
    void parse_one(Burst& burst, std::size_t i) const;
    void classify(Burst& burst, const Snapshot& snapshot);
    void classify_one(Burst& burst, std::size_t i, const Snapshot& snapshot,
                      std::size_t& flow_count);
    void classify_tagged(Burst& burst, const Snapshot& snapshot);
    bool take_tag_out(Frame& frame) const;
    void classify_ipv6(Burst& burst, std::size_t i, const Snapshot& snapshot);
    static void settle_class(Burst& burst, std::size_t i);
    void carry_local_replies(Burst& burst, const Snapshot& snapshot, std::uint32_t now_s,
                             Origin origin);
    void steer(Burst& burst, const Snapshot& snapshot) const;
    void sort_fragments(Burst& burst, const Snapshot& snapshot, Origin origin);
    void take_first_fragment(Burst& burst, std::uint8_t i, const Snapshot& snapshot);
    void follow_first_fragments(Burst& burst, std::uint8_t ip_version, const Snapshot& snapshot,
                                std::uint32_t now_s);
    void follow_first_fragment(Burst& burst, std::uint8_t i, const Snapshot& snapshot,
                               std::uint32_t now_s);
    void steer_ipv6(Burst& burst, const Snapshot& snapshot) const;
    static void rewrite(Burst& burst);
    static void rewrite_ipv6(Burst& burst, const Snapshot& snapshot);

    std::vector<PathPort> ports_;
    const Steering& steering_;
    unsigned worker_id_;
    unsigned worker_count_;
    Tracker& tracker_;
    FragmentTable fragments_;
    Tracker6& tracker6_;
};

}  // namespace fulcrum
