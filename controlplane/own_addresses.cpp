// Found by the kernel's tables, laid by their names.
#include "controlplane/own_addresses.h"

#include <algorithm>
#include <cassert>

namespace fulcrum {
namespace {

AddressName name_of(const Snapshot& snapshot, const IpAddress& address) {
    return address.is_v4() ? address.v4() : snapshot.name_of(address.v6());
}

}  // namespace

std::optional<KernelAddress> own_address(const KernelTables& kernel, const RealPlan& real) {
    const IpAddress& wanted = real.endpoint.address;
    const auto serves = [&](const KernelAddress& own) {
        const IpAddress& address = own.prefix.address;
        if (!wanted.is_loopback()) {
            return address == wanted;
        }
        const bool is_of_link = !address.is_v4() && address.v6().is_link_local();
        return address.family() == wanted.family() && !own.prefix.is_single() && !is_of_link;
    };
    const auto found = std::ranges::find_if(kernel.port_addresses, serves);
    const bool is_local = real.mode == ForwardingMode::nat &&
                          found != kernel.port_addresses.end() && found->port < kernel.ports.size();
    return is_local ? std::optional{*found} : std::nullopt;
}

// A frame for the twin is addressed as the port's own frames are.
void lay_local(const KernelTables& kernel, const KernelAddress& own, SnapshotReal& real,
               Snapshot& snapshot) {
    const PortLink& port = kernel.ports[own.port];
    real.mode = ForwardingMode::local;
    real.address = name_of(snapshot, own.prefix.address);
    real.hop = {.destination = port.mac,
                .source = port.mac,
                .port = own.port,
                .is_resolved = true,
                .mtu = 0xFFFF};  // nothing lies between
    snapshot.local_reals.push_back(static_cast<std::uint32_t>(&real - snapshot.reals.data()));
}

void lay_local_addresses(const std::vector<LocalAddressPlan>& plans, Snapshot& snapshot) {
    std::vector<EndpointMap::Pair> places;
    for (const LocalAddressPlan& plan : plans) {
        assert(plan.place < limits::local_addresses_max);
        const LocalAddress local{.address = name_of(snapshot, plan.address),
                                 .place = plan.place,
                                 .port = plan.port,
                                 .is_ipv6 = !plan.address.is_v4(),
                                 .on_the_wire = plan.address};
        if (!plan.is_standby) {
            places.push_back(
                {EndpointMap::key_of(local.address, be16{}, endpoint_kind::local_address,
                                     family_of(local.is_ipv6)),
                 local.place});
        }
        if (snapshot.local_by_place.size() <= plan.place) {
            snapshot.local_by_place.resize(plan.place + std::size_t{1}, name_none);
        }
        snapshot.local_by_place[plan.place] = local.address;
        snapshot.local_addresses.push_back(local);
    }
    snapshot.local_places = EndpointMap{places};
}

}  // namespace fulcrum
