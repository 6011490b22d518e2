// The stages' loops.
#include "dataplane/packet_path.h"

#include <utility>

#include "dataplane/rewrite.h"

namespace fulcrum {

PacketPath::PacketPath(std::vector<PathPort> ports, const Steering& steering, unsigned worker_id,
                       unsigned worker_count, Tracker& tracker)
    : ports_{std::move(ports)},
      steering_{steering},
      worker_id_{worker_id},
      worker_count_{worker_count},
      tracker_{tracker} {}

void PacketPath::carry(Burst& burst, const Snapshot& snapshot, std::uint32_t now_s, Origin origin) {
    parse(burst);
    classify(burst, snapshot);
    steer(burst, origin);
    tracker_.decide(burst, snapshot, now_s);
    rewrite(burst);
}

void PacketPath::parse(Burst& burst) const {
    for (std::size_t i = 0; i < burst.count; ++i) {
        const Frame& frame = burst.frames[i];
        const PathPort& port = ports_[frame.port];
        fulcrum::parse({frame.octets, frame.segment_length}, frame.length, port.mac,
                       burst.packets[i]);
        if (port.completes_partial_checksums && frame.segment_length == frame.length) {
            complete_partial_checksum(frame.octets, burst.packets[i]);
        }
    }
}

void PacketPath::classify(Burst& burst, const Snapshot& snapshot) {
    std::size_t flow_count = 0;
    for (std::size_t i = 0; i < burst.count; ++i) {
        const Classified& classified = burst.classified[i];
        fulcrum::classify(burst.packets[i], snapshot, burst.classified[i]);
        if (classified.packet_class == PacketClass::request ||
            classified.packet_class == PacketClass::reply) {
            burst.decisions[i].verdict = Verdict::pending;
            burst.flows[flow_count++] = static_cast<std::uint8_t>(i);
            tracker_.expect(burst, i);
        } else if (classified.packet_class == PacketClass::punt) {
            burst.decisions[i].verdict = Verdict::punt;
            burst.decisions[i].punt_class = classified.punt_class;
        } else {
            burst.decisions[i].verdict = Verdict::drop;
            burst.decisions[i].reason = classified.reason;
        }
    }
    burst.flow_count = flow_count;
}

// Strangers' clients go to their worker; what was handed over is at home, or somebody has erred.
void PacketPath::steer(Burst& burst, Origin origin) const {
    if (worker_count_ == 1) {
        return;
    }
    std::size_t kept = 0;
    for (std::size_t n = 0; n < burst.flow_count; ++n) {
        const std::uint8_t i = burst.flows[n];
        if (steering_.owner_of(burst.classified[i].client) == worker_id_) {
            burst.flows[kept++] = i;
        } else if (origin == Origin::nic) {
            burst.decisions[i].verdict = Verdict::hand_over;
        } else {
            burst.decisions[i].verdict = Verdict::drop;
            burst.decisions[i].reason = DropReason::handed_over_twice;
        }
    }
    burst.flow_count = kept;
}

void PacketPath::rewrite(Burst& burst) {
    for (std::size_t n = 0; n < burst.flow_count; ++n) {
        const std::size_t i = burst.flows[n];
        if (burst.decisions[i].verdict == Verdict::transmit) {
            fulcrum::rewrite(burst.frames[i].octets, burst.packets[i], burst.decisions[i]);
        }
    }
}

}  // namespace fulcrum
