// The maps, both ways.
#include "controlplane/peer/replica_names.h"

#include <algorithm>

#include "config/wording.h"

namespace fulcrum {
namespace {

std::string text_of_real(std::string_view service, const RealView& real) {
    std::string text{service};
    text += '\n';
    text += real.name;
    text += '\n' + to_string(real.endpoint) + '\n';
    text += to_string(real.forward);
    return text;
}

}  // namespace

ReplicaNames::ReplicaNames(const std::vector<ServiceView>& services, const std::string& seed) {
    const HashKey key = derive_key(seed, "replicas");
    for (const ServiceView& service : services) {
        add_service(service, key);
    }
}

void ReplicaNames::add_service(const ServiceView& view, HashKey key) {
    const std::uint64_t name = siphash_2_4(key, view.asked->name);
    if (!service_by_name_.emplace(name, view.id).second) {
        clashes_.push_back("pair: the service " + in_quotes(view.asked->name) +
                           " has the same hash as another one's name: give it another name");
        return;
    }
    ServiceNames& names = services_[view.id];
    names.name = name;
    const std::vector<ListenPoint> points = listen_points(*view.asked);
    for (std::size_t i = 0; i < points.size() && i < view.listeners.size(); ++i) {
        const ListenPoint& point = points[i];
        listeners_[view.listeners[i]] = {&names, point.vip};
        names.listener = view.listeners[i];
        points_[{name, point.vip, point.protocol}].push_back({point.ports, view.listeners[i]});
    }
    for (const RealView& real : view.reals) {
        add_real(view, real, key, names);
    }
}

// One that has left the file serves on, and may have its successor's name: it is known to the
// director that has not been told yet by the endpoint too.
void ReplicaNames::add_real(const ServiceView& service, const RealView& real, HashKey key,
                            ServiceNames& names) {
    const std::uint64_t name = siphash_2_4(key, text_of_real(service.asked->name, real));
    if (!reals_.emplace(RealName{names.name, name}, real.index).second) {
        clashes_.push_back("pair: the real " + in_quotes(real.name) + " of the service " +
                           in_quotes(service.asked->name) +
                           " has the same hash as another one's name: give it another name");
        return;
    }
    names.reals[real.index] = name;
}

bool ReplicaNames::name(const Replica& replica, NamedReplica& named) const {
    const ServiceNames* service = nullptr;
    named = {.kind = replica.kind,
             .protocol = replica.protocol,
             .state = replica.state,
             .told_by = replica.told_by,
             .client = {replica.client, replica.client_port},
             .vip = {},
             .local = {replica.local, replica.local_port},
             .prefix = replica.prefix,
             .idle_s = replica.idle_s,
             .shift = replica.shift};
    if (replica.kind == ReplicaKind::client) {
        const auto found = services_.find(replica.number);
        service = found == services_.end() ? nullptr : &found->second;
    } else if (const auto found = listeners_.find(replica.listener); found != listeners_.end()) {
        service = found->second.service;
        named.vip = {found->second.vip, replica.vip_port};
    }
    if (service == nullptr) {
        return false;
    }
    const auto real = service->reals.find(replica.real);
    if (real == service->reals.end()) {
        return false;
    }
    named.service = service->name;
    named.real = real->second;
    return true;
}

bool ReplicaNames::place(const NamedReplica& named, Replica& replica) const {
    const auto real = reals_.find({named.service, named.real});
    if (real == reals_.end()) {
        return false;
    }
    replica = {.kind = named.kind,
               .protocol = named.protocol,
               .state = named.state,
               .told_by = named.told_by,
               .client = named.client.address,
               .local = named.local.address,
               .client_port = named.client.port,
               .vip_port = named.vip.port,
               .local_port = named.local.port,
               .real = real->second,
               .prefix = named.prefix,
               .idle_s = named.idle_s,
               .shift = named.shift};
    if (named.kind == ReplicaKind::client) {
        const auto service = service_by_name_.find(named.service);
        replica.listener = service == service_by_name_.end()
                               ? limits::index_none
                               : services_.at(service->second).listener;
        return replica.listener != limits::index_none;
    }
    const auto point = points_.find({named.service, named.vip.address, named.protocol});
    if (point == points_.end()) {
        return false;
    }
    const auto its =
        std::find_if(point->second.begin(), point->second.end(), [&](const PortsOfPoint& listener) {
            return listener.ports.contains(named.vip.port.host());
        });
    replica.listener = its == point->second.end() ? limits::index_none : its->listener;
    return its != point->second.end();
}

}  // namespace fulcrum
