// Between the numbers by which this director's workers know listeners and reals, and the names by
// which both directors do. Made anew with every configuration; an immutable value.
//
// Names are 64-bit hashes under a key from the seed. That two of one configuration meet is as good
// as impossible, and told if it happens: see clashes(). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/model/hash.h"
#include "config/model/replica.h"
#include "controlplane/director_state.h"
#include "controlplane/peer/replica_wire.h"

namespace fulcrum {

class ReplicaNames {
  public:
    ReplicaNames() = default;
    ReplicaNames(const std::vector<ServiceView>& services, const std::string& seed);
    ReplicaNames(const ReplicaNames&) = delete;  // the maps point into each other
    ReplicaNames& operator=(const ReplicaNames&) = delete;
    ReplicaNames(ReplicaNames&&) = default;
    ReplicaNames& operator=(ReplicaNames&&) = default;

    // False: a number that this configuration does not have.
    bool name(const Replica& replica, NamedReplica& named) const;
    // False: a name that this configuration does not have.
    bool place(const NamedReplica& named, Replica& replica) const;

    // Services and reals that share a name, in sentences; their sessions are not told apart.
    const std::vector<std::string>& clashes() const { return clashes_; }

  private:
    struct ServiceNames {
        std::uint64_t name = 0;
        std::unordered_map<std::uint16_t, std::uint64_t> reals;  // by index
        std::uint16_t listener = limits::index_none;             // any
    };
    struct ListenerNames {
        const ServiceNames* service = nullptr;
        IpAddress vip;
    };
    struct Point {
        std::uint64_t service = 0;
        IpAddress vip;
        L4Protocol protocol = L4Protocol::tcp;

        friend bool operator==(const Point&, const Point&) = default;
    };
    struct HashOfPoint {
        std::size_t operator()(const Point& point) const {
            return std::hash<IpAddress>{}(point.vip) ^ point.service ^
                   static_cast<std::size_t>(point.protocol);
        }
    };
    struct PortsOfPoint {
        PortRange ports;
        std::uint16_t listener = limits::index_none;
    };
    struct RealName {
        std::uint64_t service = 0;
        std::uint64_t real = 0;

        friend bool operator==(const RealName&, const RealName&) = default;
    };
    struct HashOfReal {
        std::size_t operator()(const RealName& name) const { return name.service * 31 ^ name.real; }
    };

    void add_service(const ServiceView& view, HashKey key);
    void add_real(const ServiceView& service, const RealView& real, HashKey key,
                  ServiceNames& names);

    std::unordered_map<std::uint32_t, ServiceNames> services_;          // by the registry's id
    std::unordered_map<std::uint16_t, ListenerNames> listeners_;        // by number
    std::unordered_map<std::uint64_t, std::uint32_t> service_by_name_;  // the registry's id
    std::unordered_map<Point, std::vector<PortsOfPoint>, HashOfPoint> points_;
    std::unordered_map<RealName, std::uint16_t, HashOfReal> reals_;
    std::vector<std::string> clashes_;
};

}  // namespace fulcrum
