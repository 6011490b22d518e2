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

// Whom an endpoint serves. Of a sole listener the real is one as well, for a service has one at an
// endpoint.
struct Served {
    std::uint16_t listener;
    std::uint32_t tally;
};

struct Range {
    PortRange ports;
    Served served;
};

std::uint64_t key_of(const SnapshotReal& real, be16 port, L4Protocol protocol) {
    return EndpointMap::key_of(real.address, port, static_cast<std::uint8_t>(protocol),
                               family_of(real.is_ipv6));
}

// The ranges that are open at a point, by listener.
class OpenRanges {
  public:
    void begin(const Served& served) { tallies_.emplace(served.listener, served.tally); }
    void end(const Served& served) { tallies_.erase(tallies_.find(served.listener)); }
    bool any() const { return !tallies_.empty(); }
    Served sole() const {
        const auto& [listener, tally] = *tallies_.begin();
        const bool is_sole = tallies_.count(listener) == tallies_.size();
        return {is_sole ? listener : limits::index_none, tally};
    }

  private:
    std::multimap<std::uint16_t, std::uint32_t> tallies_;
};

// The ranges of one address, cut into stretches that lie apart.
std::vector<Range> stretches_of(const std::vector<Range>& ranges) {
    struct Edge {
        std::vector<Served> begins;
        std::vector<Served> ends;
    };
    std::map<std::uint32_t, Edge> edges;
    for (const Range& range : ranges) {
        edges[range.ports.first].begins.push_back(range.served);
        edges[range.ports.last + 1U].ends.push_back(range.served);
    }
    std::vector<Range> stretches;
    OpenRanges open;
    for (auto at = edges.begin(); at != edges.end(); ++at) {
        std::ranges::for_each(at->second.ends, [&](const Served& served) { open.end(served); });
        std::ranges::for_each(at->second.begins, [&](const Served& served) { open.begin(served); });
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
        if (real.mode == ForwardingMode::local) {  // what is no reply of it is the kernel's own
            index = limits::index_none;
        }
        if (ports.is_single()) {
            add_endpoint(key_of(real, port_towards(real, be16{ports.first}), protocol),
                         {index, real.tally});
        } else if (real.port.wire() != 0) {
            // Which of its ports a client used, a reply does not tell.
            add_endpoint(key_of(real, real.port, protocol), {limits::index_none, real.tally});
        } else {
            ranges_[key_of(real, be16{}, protocol)].push_back({ports, {index, real.tally}});
        }
    }

    void lay() {
        std::vector<PortRangeMap::Entry> entries;
        for (const auto& [address, ranges] : ranges_) {
            for (const Range& stretch : stretches_of(ranges)) {
                entries.push_back({address, stretch.ports, next_source(stretch.served)});
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
    std::uint32_t next_source(const Served& served) {
        snapshot_.reply_sources.push_back({served.listener, served.tally});
        return static_cast<std::uint32_t>(snapshot_.reply_sources.size() - 1);
    }
    void add_endpoint(std::uint64_t key, const Served& served) {
        const auto known = source_by_key_.find(key);
        if (known == source_by_key_.end()) {
            const std::uint32_t source = next_source(served);
            source_by_key_.emplace(key, source);
            endpoints_.push_back({key, source});
        } else if (snapshot_.reply_sources[known->second].sole_listener != served.listener) {
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
        const std::uint32_t count = plan.is_present && !plan.is_standby ? service.real_count : 0;
        for (std::uint32_t i = 0; i < count; ++i) {
            const SnapshotReal& real = snapshot.reals[service.first_real + i];
            if (real.standing != RealStanding::absent && real.is_known_by_endpoint) {
                sources.add(plan.index, plan.point.ports, real);
            }
        }
    }
    sources.lay();
}

}  // namespace fulcrum
