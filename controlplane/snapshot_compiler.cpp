// The snapshot is laid in layers, each from the one before: services with their reals and rings,
// listeners that point at services, and the look-ups that point at listeners.
#include "controlplane/snapshot_compiler.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "config/model/maglev.h"
#include "controlplane/own_addresses.h"
#include "controlplane/reply_sources.h"
#include "controlplane/slow_start.h"
#include "controlplane/snapshot_names.h"

namespace fulcrum {
namespace {

std::uint64_t address_key(AddressName address, bool is_ipv6) {
    return EndpointMap::key_of(address, be16{}, endpoint_kind::address, family_of(is_ipv6));
}

// --- rings -----------------------------------------------------------------------------------

std::vector<RingMember> members_of(const ServicePlan& service) {
    std::vector<RingMember> members;
    for (const RealPlan& real : service.reals) {
        if (real.ring_weight > 0) {
            members.push_back({real.name, real.ring_weight, real.index});
        }
    }
    std::sort(members.begin(), members.end(),
              [](const RingMember& a, const RingMember& b) { return a.name < b.name; });
    return members;
}

template <typename T>
void append_bytes(std::string& text, const T& value) {
    static_assert(std::has_unique_object_representations_v<T>);
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// All that a ring depends on, as one string: equal recipes, equal rings.
std::string recipe_of(const std::vector<RingMember>& members, std::uint32_t size, HashKey key) {
    std::string recipe;
    append_bytes(recipe, key);
    append_bytes(recipe, size);
    for (const RingMember& member : members) {
        recipe.append(member.name);
        recipe.push_back('\0');
        append_bytes(recipe, member.weight);
        append_bytes(recipe, member.index);
    }
    return recipe;
}

// Gives out rings and remembers them for the next compile.
class RingShelf {
  public:
    RingShelf(const CompiledParts& previous, CompiledParts& next, HashKey key)
        : previous_{previous}, next_{next}, key_{key} {}

    std::shared_ptr<const Ring> ring_for(const ServicePlan& service) {
        const std::vector<RingMember> members = members_of(service);
        const std::uint32_t size = service.asked == nullptr ? 0 : service.asked->ring_size;
        const std::string recipe = recipe_of(members, size, key_);
        std::shared_ptr<const Ring>& ring = next_.rings[recipe];
        if (ring == nullptr) {
            const auto made = previous_.rings.find(recipe);
            ring = made != previous_.rings.end()
                       ? made->second
                       : std::make_shared<const Ring>(build_ring(members, size, key_));
        }
        return ring;
    }

  private:
    const CompiledParts& previous_;
    CompiledParts& next_;
    HashKey key_;
};

// --- services and reals ----------------------------------------------------------------------

std::uint32_t timeout_s_of(const SessionTimeouts& timeouts, SessionState state) {
    switch (state) {
        case SessionState::vacant:
            return 0;
        case SessionState::syn_seen:
        case SessionState::syn_answered:
        case SessionState::picked_up:
        case SessionState::direct_opening:
            return timeouts.tcp_handshake_s;
        case SessionState::one_way:
            return timeouts.udp_one_way_s;
        case SessionState::established:
            return timeouts.tcp_established_s;
        case SessionState::client_closed:
        case SessionState::real_closed:
            return timeouts.tcp_half_closed_s;
        case SessionState::two_way:
            return timeouts.udp_s;
        case SessionState::reset_by_client:
        case SessionState::reset_by_real:
        case SessionState::closed:
            return timeouts.tcp_closed_s;
    }
    return 0;
}

SessionTimeouts as_of_tcp(SessionTimeouts timeouts) {
    timeouts.tcp_handshake_s = timeouts.sctp_handshake_s;
    timeouts.tcp_established_s = timeouts.sctp_established_s;
    timeouts.tcp_half_closed_s = timeouts.sctp_shutdown_s;
    timeouts.tcp_closed_s = timeouts.sctp_closed_s;
    return timeouts;
}

void lay_timeouts(const SessionTimeouts& timeouts, SnapshotService& service) {
    std::array<std::uint32_t, session_timeout_count> seconds{};
    for (std::size_t place = 0; place < session_state_count; ++place) {
        const auto state = static_cast<SessionState>(place);
        seconds[place] = timeout_s_of(timeouts, state);
        seconds[timeout_place(state, L4Protocol::sctp)] = timeout_s_of(as_of_tcp(timeouts), state);
    }
    service.timeouts_are_coarse =
        *std::max_element(seconds.begin(), seconds.end()) > limits::timeout_in_seconds_max_s;
    const std::uint32_t unit_s = service.timeouts_are_coarse ? limits::coarse_unit_s : 1;
    for (std::size_t place = 0; place < session_timeout_count; ++place) {
        assert(seconds[place] <= limits::timeout_max_s);
        // Rounded up: a session may outlive its time a little, and never ends before.
        service.timeouts[place] =
            static_cast<std::uint16_t>((seconds[place] + unit_s - 1) / unit_s);
    }
}

// Of a service that asks for more than the ring.
std::shared_ptr<const Schedule> schedule_of(const ServicePlan& plan) {
    const VirtualService& asked = *plan.asked;
    const bool has_limits =
        std::any_of(asked.reals.begin(), asked.reals.end(),
                    [](const RealServer& real) { return real.connections.upper > 0; });
    if (asked.scheduler == Scheduler::maglev && !asked.affinity && !has_limits) {
        return nullptr;
    }
    const std::uint32_t unit = weight_unit(plan);
    std::vector<ScheduledReal> reals;
    for (const RealPlan& real : plan.reals) {
        if (real.is_scheduled) {
            reals.push_back({.weight = warm_weight(real, unit),
                             .lasting_weight = real.ring_weight,
                             .tally = real.tally,
                             .overloaded_from = real.connections.upper,
                             .relieved_below = relieved_below(real.connections),
                             .index = real.index,
                             .keeps_clients = real.keeps_clients});
        }
    }
    return std::make_shared<const Schedule>(
        make_schedule(asked.scheduler, asked.scheduler_flags, std::move(reals)));
}

// Made once for all services and compiles that have the same rules: a million of them take half a
// second.
std::shared_ptr<const AccessMap> access_for(const std::shared_ptr<const AccessRules>& rules,
                                            const CompiledParts& previous, CompiledParts& next) {
    const auto made = [&](const std::vector<CompiledParts::Access>& shelf) {
        const auto found =
            std::find_if(shelf.begin(), shelf.end(), [&](const CompiledParts::Access& each) {
                return each.rules == rules || *each.rules == *rules;
            });
        return found == shelf.end() ? nullptr : found->map;
    };
    std::shared_ptr<const AccessMap> map = made(next.access);
    if (map == nullptr) {
        map = made(previous.access);
        map = map != nullptr ? map : std::make_shared<const AccessMap>(*rules);
        next.access.push_back(CompiledParts::Access{rules, map});
    }
    return map;
}

std::shared_ptr<const ServiceGate> gate_of(const VirtualService& asked,
                                           const CompiledParts& previous, CompiledParts& next) {
    const auto& rules = asked.access.rules;
    if (rules == nullptr && !asked.limits.has_any()) {
        return nullptr;
    }
    return std::make_shared<const ServiceGate>(
        ServiceGate{rules == nullptr ? nullptr : access_for(rules, previous, next), asked.limits});
}

void lay_policy(const ServicePlan& plan, SnapshotService& service) {
    service.number = plan.number;
    service.group = plan.number;
    service.schedule = schedule_of(plan);
    if (const std::optional<Affinity>& affinity = plan.asked->affinity) {
        service.affinity = {.timeout_s = affinity->timeout_s,
                            .prefix = affinity->prefix,
                            .prefix6 = affinity->prefix6,
                            .moves_on_drain = affinity->on_drain == OnDrain::move};
    }
}

void lay_tallies(const ServicePlan& plan, Snapshot& snapshot) {
    for (const RealPlan& real : plan.reals) {
        if (real.tally >= snapshot.service_of_tally.size()) {
            snapshot.service_of_tally.resize(real.tally + std::size_t{1}, limits::index_none);
        }
        snapshot.service_of_tally[real.tally] = plan.number;
    }
}

std::uint16_t ports_of(const VirtualService& service, const Config& config) {
    static_assert(limits::ports_max <= 16);
    unsigned ports = service.bind.empty() ? 0xFFFFU : 0U;
    for (std::size_t port = 0; port < config.ports.size(); ++port) {
        const bool is_named =
            std::ranges::find(service.bind, config.ports[port].name) != service.bind.end();
        ports |= is_named ? 1U << port : 0U;
    }
    return static_cast<std::uint16_t>(ports);
}

// A tunnel's real: the packet leaves by the same hop, with less room in it. Without an address of
// ours to send under there is no way at all.
void lay_tunnel(const CompileInput& input, const RealPlan& plan, SnapshotReal& real,
                Snapshot& snapshot) {
    const IpAddress& end = plan.endpoint.address;
    const IpAddress source = snapshot.paths->source_to(end);
    if (const auto told = input.path_mtus.find(end); told != input.path_mtus.end()) {
        real.hop.mtu = std::min(real.hop.mtu, told->second);
    }
    if (source.is_unspecified()) {
        real.hop = {};
    }
    const auto place = static_cast<std::uint32_t>(snapshot.tunnels.size());
    snapshot.tunnels.push_back(prepare_tunnel(plan.mode, plan.tunnel, real.hop, {source, end}));
    real.hop.mtu = snapshot.tunnels.back().mtu;
    if (snapshot.tunnel_by_tally.size() <= plan.tally) {
        snapshot.tunnel_by_tally.resize(plan.tally + std::size_t{1});
    }
    snapshot.tunnel_by_tally[plan.tally] = place;
}

// A real that answers its clients itself cannot be answered for; nor does a TCP of the director's
// own need it.
SynCookies syn_cookies_of(const ServicePlan& plan, std::span<const SnapshotReal> reals) {
    const bool can_answer_for_all = std::ranges::all_of(reals, [](const SnapshotReal& real) {
        return real.standing == RealStanding::absent || real.mode == ForwardingMode::nat ||
               real.mode == ForwardingMode::full_nat;
    });
    return plan.asked->protocol == L4Protocol::tcp && can_answer_for_all ? plan.asked->syn_cookies
                                                                         : SynCookies::never;
}

SnapshotService lay_service(const CompileInput& input, const ServicePlan& plan,
                            Snapshot& snapshot) {
    SnapshotService service;
    service.first_real = static_cast<std::uint32_t>(snapshot.reals.size());
    for (const RealPlan& real : plan.reals) {
        service.real_count = std::max<std::uint32_t>(service.real_count, real.index + 1U);
        service.has_usable_real = service.has_usable_real ||
                                  (real.ring_weight > 0 && real.standing == RealStanding::usable);
    }
    snapshot.reals.resize(snapshot.reals.size() + service.real_count);
    for (const RealPlan& real : plan.reals) {
        assert(real.index != limits::index_none && real.tally < limits::tallies_max);
        SnapshotReal& laid = snapshot.reals[service.first_real + real.index];
        laid = SnapshotReal{.address = name_of(snapshot, real.endpoint.address),
                            .port = real.endpoint.port,
                            .is_ipv6 = !real.endpoint.address.is_v4(),
                            .mode = real.mode,
                            .standing = real.standing,
                            .hop = *snapshot.paths->to(real.endpoint.address).hop,
                            .tally = real.tally};
        laid.client_address = real.client_address;
        laid.is_known_by_endpoint = real.mode == ForwardingMode::nat;
        if (is_tunnel(real.mode)) {
            lay_tunnel(input, real, laid, snapshot);
        } else if (const auto own = own_address(*input.kernel, real)) {
            lay_local(*input.kernel, *own, laid, snapshot);
        }
    }
    service.id = plan.id;
    service.fallback = plan.fallback;
    if (plan.asked != nullptr) {
        service.no_real = plan.asked->no_real;
        service.ports = ports_of(*plan.asked, *input.config);
        service.is_one_packet = plan.asked->one_packet;
        service.mss_max = plan.asked->mss_max;
        service.syn_cookies = syn_cookies_of(
            plan, std::span{snapshot.reals}.subspan(service.first_real, service.real_count));
        lay_timeouts(plan.asked->timeouts, service);
        lay_policy(plan, service);
        lay_tallies(plan, snapshot);
    }
    return service;
}

// How many slots differ from the service's ring before; none for a new service.
std::uint32_t moved_since(const CompiledParts& previous, const std::string& service,
                          const std::shared_ptr<const Ring>& ring) {
    const auto before = previous.ring_of.find(service);
    return before == previous.ring_of.end() || before->second == ring
               ? 0
               : slots_moved(*before->second, *ring);
}

void lay_services(const CompileInput& input, const CompiledParts& previous, Compiled& compiled,
                  Snapshot& snapshot) {
    RingShelf shelf{previous, compiled.parts, snapshot.ring_key};
    for (const ServicePlan& plan : input.services) {
        SnapshotService service = lay_service(input, plan, snapshot);
        const std::shared_ptr<const Ring> full = shelf.ring_for(plan);
        service.ring = warming(full, plan, snapshot.ring_key);
        if (plan.asked != nullptr) {
            service.gate = gate_of(*plan.asked, previous, compiled.parts);
        }
        snapshot.services.push_back(service);
        if (plan.asked == nullptr) {
            continue;
        }
        const std::string& name = plan.asked->name;
        compiled.parts.ring_of.emplace(name, full);
        if (const std::uint32_t moved = moved_since(previous, name, full); moved > 0) {
            compiled.slots_moved.emplace(name, moved);
        }
    }
}

void lay_groups(Snapshot& snapshot) {
    for (std::size_t at = 0; at < snapshot.services.size(); ++at) {
        const SnapshotService& service = snapshot.services[at];
        if (service.affinity.timeout_s == 0) {
            continue;
        }
        if (service.group >= snapshot.service_of_group.size()) {
            snapshot.service_of_group.resize(service.group + std::size_t{1}, limits::index_none);
        }
        snapshot.service_of_group[service.group] = static_cast<std::uint16_t>(at);
    }
}

// --- listeners and look-ups ------------------------------------------------------------------

// By address, where it is not the kernel's as everywhere else.
std::map<IpAddress, OtherTraffic> other_traffic_of(const Config& config) {
    std::map<IpAddress, OtherTraffic> policies;
    for (const VipPolicy& policy : config.vips) {
        for (const IpAddress& address : addresses_in(policy.addresses)) {
            policies.emplace(address, policy.other);
        }
    }
    return policies;
}

void lay_listeners(const CompileInput& input, Snapshot& snapshot) {
    const std::map<IpAddress, OtherTraffic> others = other_traffic_of(*input.config);
    std::vector<EndpointMap::Pair> by_endpoint;
    std::vector<PortRangeMap::Entry> by_range;
    std::vector<EndpointMap::Pair> vips;
    for (const ListenerPlan& plan : input.listeners) {
        assert(plan.index != limits::index_none && plan.service < snapshot.services.size());
        if (plan.index >= snapshot.listeners.size()) {
            snapshot.listeners.resize(plan.index + std::size_t{1});
        }
        const SnapshotService& service = snapshot.services[plan.service];
        const ListenPoint& point = plan.point;
        const be16 port{point.ports.is_single() ? point.ports.first : std::uint16_t{0}};
        snapshot.listeners[plan.index] = {
            .vip = name_of(snapshot, point.vip),
            .port = port,
            .protocol = point.protocol,
            .is_present = plan.is_present,
            .is_ipv6 = !point.vip.is_v4(),
            .timeouts_are_coarse = service.timeouts_are_coarse,
            .has_affinity = plan.is_present && service.affinity.timeout_s > 0,
            .has_packet_limits = service.gate != nullptr && service.gate->limits.has_packets(),
            .is_standby = plan.is_standby || plan.is_elsewhere,
            .service = static_cast<std::uint16_t>(plan.service),
            .real_count = static_cast<std::uint16_t>(service.real_count),
            .first_real = service.first_real};
        if (!plan.is_present || plan.is_standby) {
            continue;
        }
        const SnapshotListener& listener = snapshot.listeners[plan.index];
        const bool is_bound = !input.services[plan.service].asked->bind.empty();
        const std::uint32_t value = plan.index | (is_bound ? bound_listener : 0);
        const std::uint64_t key =
            EndpointMap::key_of(listener.vip, port, static_cast<std::uint8_t>(point.protocol),
                                family_of(listener.is_ipv6));
        if (point.ports.is_single()) {
            by_endpoint.push_back({key, value});
        } else {
            by_range.push_back({key, point.ports, value});
        }
        const auto other = others.find(point.vip);
        vips.push_back({address_key(listener.vip, listener.is_ipv6),
                        static_cast<std::uint32_t>(other == others.end() ? OtherTraffic::punt
                                                                         : other->second)});
    }
    snapshot.listener_by_endpoint = EndpointMap{by_endpoint};
    snapshot.listener_ranges = PortRangeMap{std::move(by_range)};
    snapshot.vips = EndpointMap{vips};
}

void lay_real_addresses(Snapshot& snapshot) {
    std::vector<EndpointMap::Pair> addresses;
    for (const SnapshotReal& real : snapshot.reals) {
        if (real.standing != RealStanding::absent) {
            addresses.push_back({address_key(real.address, real.is_ipv6), 0});
        }
    }
    snapshot.real_addresses = EndpointMap{addresses};
}

void lay_peer_addresses(const Config& config, Snapshot& snapshot) {
    std::vector<EndpointMap::Pair> addresses;
    for (const IpAddress& peer : peers_of(config)) {
        addresses.push_back({address_key(name_of(snapshot, peer), !peer.is_v4()), 0});
    }
    snapshot.peer_addresses = EndpointMap{addresses};
}

void lay_tunnel_ends(Snapshot& snapshot) {
    std::vector<EndpointMap::Pair> ends;
    for (const SnapshotReal& real : snapshot.reals) {
        if (real.standing != RealStanding::absent && is_tunnel(real.mode)) {
            const Tunnel& tunnel = snapshot.tunnel_of(real.tally);
            ends.push_back({EndpointMap::key_of(real.address, tunnel.port_of_end,
                                                endpoint_kind::tunnel_end, family_of(real.is_ipv6)),
                            snapshot.tunnel_by_tally[real.tally]});
        }
    }
    snapshot.tunnel_ends = EndpointMap{ends};
}

std::shared_ptr<const Paths> paths_for(const CompileInput& input, const CompiledParts& previous) {
    const bool is_unchanged = previous.paths != nullptr && (previous.kernel == input.kernel ||
                                                            *previous.kernel == *input.kernel);
    return is_unchanged ? previous.paths : std::make_shared<const Paths>(*input.kernel);
}

}  // namespace

Compiled compile(const CompileInput& input, const CompiledParts& previous) {
    Compiled compiled;
    auto snapshot = std::make_unique<Snapshot>();
    snapshot->epoch = input.epoch;
    snapshot->capture = input.capture;
    snapshot->ring_key = derive_key(input.config->director.seed, "ring");
    snapshot->paths = paths_for(input, previous);
    compiled.parts.kernel = input.kernel;
    compiled.parts.paths = snapshot->paths;
    lay_names(input, *snapshot);
    lay_services(input, previous, compiled, *snapshot);
    lay_groups(*snapshot);
    lay_listeners(input, *snapshot);
    lay_reply_sources(input.listeners, *snapshot);
    lay_real_addresses(*snapshot);
    lay_peer_addresses(*input.config, *snapshot);
    lay_tunnel_ends(*snapshot);
    lay_local_addresses(input.local_addresses, *snapshot);
    compiled.snapshot = std::move(snapshot);
    return compiled;
}

}  // namespace fulcrum
