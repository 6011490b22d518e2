// Which side of a director a port is on, and the key moved to its place.
#include "dataplane/rss.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace fulcrum {
namespace {

// In full NAT a port's local addresses are what its reals answer to, wherever they are.
bool hears_reals(const NicPort& port, const std::vector<VirtualService>& services) {
    const auto is_here = [&](const RealServer& real) {
        const bool is_on_link = std::ranges::any_of(port.addresses, [&](const IpPrefix& address) {
            return address.contains(real.endpoint.address);
        });
        return (real.forward == ForwardingMode::nat && is_on_link) ||
               (real.forward == ForwardingMode::full_nat && !port.local_addresses.empty());
    };
    return std::ranges::any_of(services, [&](const VirtualService& service) {
        return std::ranges::any_of(service.reals, is_here);
    });
}

bool has_vip_of_v4(const std::vector<VirtualService>& services) {
    return std::ranges::any_of(services, [](const VirtualService& service) {
        return std::ranges::any_of(listeners_of(service), [](const Listener& listener) {
            return listener.vip.address.is_v4();
        });
    });
}

}  // namespace

RssPlan plan_rss(const Config& config, std::size_t port, const Steering& steering) {
    const auto is_towards_reals = [&](const NicPort& candidate) {
        return hears_reals(candidate, config.services);
    };
    const bool hears_replies = is_towards_reals(config.ports[port]) &&
                               !std::ranges::all_of(config.ports, is_towards_reals);
    RssPlan plan;
    plan.clients_are =
        hears_replies ? RssPlan::ClientsAre::destinations : RssPlan::ClientsAre::sources;
    const bool is_v4 = has_vip_of_v4(config.services) || config.services.empty();
    plan.family = is_v4 ? IpFamily::v4 : IpFamily::v6;
    const ToeplitzKey& key = is_v4 ? steering.key_v4() : steering.key_v6();
    const std::size_t address_octets = is_v4 ? 4 : 16;
    const std::size_t shift = hears_replies ? address_octets : 0;
    std::copy(key.begin(), key.end() - static_cast<std::ptrdiff_t>(shift),
              plan.key.begin() + static_cast<std::ptrdiff_t>(shift));
    return plan;
}

std::vector<std::uint16_t> rss_queues(const Steering& steering, std::size_t entry_count,
                                      unsigned queue_count) {
    assert(std::has_single_bit(entry_count) && entry_count >= limits::owner_slots_count);
    std::vector<std::uint16_t> queues(entry_count);
    for (std::size_t entry = 0; entry < entry_count; ++entry) {
        const auto slot = static_cast<unsigned>(entry % limits::owner_slots_count);
        queues[entry] = static_cast<std::uint16_t>(steering.worker_of_slot(slot) % queue_count);
    }
    return queues;
}

}  // namespace fulcrum
