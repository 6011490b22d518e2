// A real's port is its own, the one port of the listener, or any of the listener's range. The
// ranges of several listeners may lie over each other at one address; they are cut where one begins
// or ends, and a stretch that two share is nobody's alone.
#include "controlplane/reply_sources.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

namespace fulcrum {
namespace {

struct Range {
    PortRange ports;
    std::uint16_t listener;
};

std::uint64_t key_of(const SnapshotReal& real, be16 port, L4Protocol protocol) {
    return EndpointMap::key_of(real.address, port, static_cast<std::uint8_t>(protocol));
}

// The listeners whose ranges are open at a point, counted, since several reals of one service may
// share an address.
class OpenListeners {
  public:
    void begin(std::uint16_t listener) { ++counts_[listener]; }
    void end(std::uint16_t listener) {
        const auto at = counts_.find(listener);
        if (--at->second == 0) {
            counts_.erase(at);
        }
    }
    bool any() const { return !counts_.empty(); }
    std::uint16_t sole() const {
        return counts_.size() == 1 ? counts_.begin()->first : limits::index_none;
    }

  private:
    std::map<std::uint16_t, unsigned> counts_;
};

// The ranges of one address, cut into stretches that lie apart.
std::vector<Range> stretches_of(const std::vector<Range>& ranges) {
    struct Edge {
        std::vector<std::uint16_t> begins;
        std::vector<std::uint16_t> ends;
    };
    std::map<std::uint32_t, Edge> edges;
    for (const Range& range : ranges) {
        edges[range.ports.first].begins.push_back(range.listener);
        edges[range.ports.last + 1U].ends.push_back(range.listener);
    }
    std::vector<Range> stretches;
    OpenListeners open;
    for (auto at = edges.begin(); at != edges.end(); ++at) {
        std::ranges::for_each(at->second.ends, [&](auto listener) { open.end(listener); });
        std::ranges::for_each(at->second.begins, [&](auto listener) { open.begin(listener); });
        if (open.any()) {
            const auto first = static_cast<std::uint16_t>(at->first);
            const auto last = static_cast<std::uint16_t>(std::next(at)->first - 1);
            stretches.push_back({{first, last}, open.sole()});
        }
    }
    return stretches;
}

class ReplySources {
  public:
    explicit ReplySources(Snapshot& snapshot) : snapshot_{snapshot} {}

    void add(std::uint16_t index, PortRange ports, const SnapshotReal& real) {
        const L4Protocol protocol = snapshot_.listeners[index].protocol;
        if (ports.is_single()) {
            add_endpoint(key_of(real, port_towards(real, be16{ports.first}), protocol), index);
        } else if (real.port.wire() != 0) {
            // Which of its ports a client used, a reply does not tell.
            add_endpoint(key_of(real, real.port, protocol), limits::index_none);
        } else {
            ranges_[key_of(real, be16{}, protocol)].push_back({ports, index});
        }
    }

    void lay() {
        std::vector<PortRangeMap::Entry> entries;
        for (const auto& [address, ranges] : ranges_) {
            for (const Range& stretch : stretches_of(ranges)) {
                entries.push_back({address, stretch.ports, next_source(stretch.listener)});
            }
        }
        snapshot_.real_ranges = PortRangeMap{std::move(entries)};
        for (const EndpointMap::Pair& endpoint : endpoints_) {
            if (is_in_range(endpoint.key)) {
                snapshot_.reply_sources[endpoint.value].sole_listener = limits::index_none;
            }
        }
        snapshot_.real_endpoints = EndpointMap{endpoints_};
    }

  private:
    std::uint32_t next_source(std::uint16_t listener) {
        snapshot_.reply_sources.push_back({listener});
        return static_cast<std::uint32_t>(snapshot_.reply_sources.size() - 1);
    }
    void add_endpoint(std::uint64_t key, std::uint16_t listener) {
        const auto known = source_by_key_.find(key);
        if (known == source_by_key_.end()) {
            const std::uint32_t source = next_source(listener);
            source_by_key_.emplace(key, source);
            endpoints_.push_back({key, source});
        } else if (snapshot_.reply_sources[known->second].sole_listener != listener) {
            snapshot_.reply_sources[known->second].sole_listener = limits::index_none;
        }
    }
    bool is_in_range(std::uint64_t endpoint) const {
        const auto ranges = ranges_.find(EndpointMap::without_port(endpoint));
        const std::uint16_t port = EndpointMap::port_of(endpoint).host();
        return ranges != ranges_.end() &&
               std::ranges::any_of(ranges->second,
                                   [&](const Range& range) { return range.ports.contains(port); });
    }

    Snapshot& snapshot_;
    std::unordered_map<std::uint64_t, std::uint32_t> source_by_key_;
    std::vector<EndpointMap::Pair> endpoints_;
    std::map<std::uint64_t, std::vector<Range>> ranges_;  // by address
};

}  // namespace

void lay_reply_sources(const std::vector<ListenerPlan>& listeners, Snapshot& snapshot) {
    ReplySources sources{snapshot};
    for (const ListenerPlan& plan : listeners) {
        const SnapshotService& service = snapshot.services[plan.service];
        const std::uint32_t count = plan.is_present ? service.real_count : 0;
        for (std::uint32_t i = 0; i < count; ++i) {
            const SnapshotReal& real = snapshot.reals[service.first_real + i];
            if (real.standing != RealStanding::absent && real.mode == ForwardingMode::nat) {
                sources.add(plan.index, plan.point.ports, real);
            }
        }
    }
    sources.lay();
}

}  // namespace fulcrum
