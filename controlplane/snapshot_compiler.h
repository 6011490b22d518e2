// From what the director has decided to what workers read. The input is a value that refers to
// nothing but immutable parts, so the helper thread compiles while the control thread goes on.
// Parts whose recipe has not changed are taken over from the previous compile: a ring belongs to
// (names, ring weights, indexes, size, seed) and may serve several services; paths belong to the
// kernel's tables. Health and drains are no part of a ring's recipe, so their changes rebuild
// nothing: a real that is not usable keeps its slots, and workers draw again. Pure: the same input
// makes the same snapshot, whatever was there before.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model/service.h"
#include "config/model/snapshot.h"

namespace fulcrum {

// A real that starts slowly is admitted to so many of its ring's slots, of this many; the others'
// sessions go where they would if it were down.
inline constexpr std::uint16_t admitted_all = 16;

struct RealPlan {
    std::string_view name;  // in `config`; of reals on the ring
    Endpoint endpoint;
    ForwardingMode mode = ForwardingMode::nat;
    ClientAddressBy client_address = ClientAddressBy::none;
    TunnelOptions tunnel;
    RealStanding standing = RealStanding::absent;
    std::uint16_t index = 0;
    std::uint32_t ring_weight = 0;  // 0: no slots
    std::uint32_t weight = 0;       // effective: 0 takes no new sessions
    std::uint16_t admitted = admitted_all;
    ConnectionLimits connections;
    bool keeps_clients = false;  // drained, and sound by its check
    bool is_scheduled = false;   // one of the service's reals: no fallback, nothing removed
    std::uint32_t tally = 0;
};

struct ServicePlan {
    const VirtualService* asked = nullptr;       // in `config`; null: removed, holes only
    std::uint32_t id = limits::service_id_none;  // of the registry
    std::vector<RealPlan> reals;  // each index once; those scheduled in the file's order
    std::uint16_t fallback = limits::index_none;
    std::uint16_t number = limits::index_none;  // of one that is asked for
};

struct ListenerPlan {
    ListenPoint point;
    std::uint16_t index = 0;
    bool is_present = true;     // false: a hole
    bool is_standby = false;    // another director serves it: no look-up leads there
    bool is_elsewhere = false;  // another one is active, though late packets may still come here
    std::uint32_t service = 0;  // index into CompileInput::services
};

struct LocalAddressPlan {
    IpAddress address;
    std::uint16_t place = 0;  // below limits::local_addresses_max
    std::uint8_t port = 0;
    bool is_standby = false;  // another director holds it
};

struct CompileInput {
    std::uint64_t epoch = 0;
    std::shared_ptr<const Config> config;        // never null
    std::shared_ptr<const KernelTables> kernel;  // never null
    std::vector<ServicePlan> services;
    std::vector<ListenerPlan> listeners;
    std::shared_ptr<const CaptureOrder> capture;  // null: nobody captures
    std::vector<LocalAddressPlan> local_addresses;
    // Of ways to tunnels' reals, where routers have told of less than our own link carries.
    std::map<IpAddress, std::uint16_t> path_mtus;
};

// What one compile leaves to the next. Default: nothing to reuse.
struct CompiledParts {
    std::unordered_map<std::string, std::shared_ptr<const Ring>> rings;       // by recipe
    std::map<std::string, std::shared_ptr<const Ring>, std::less<>> ring_of;  // by service
    std::shared_ptr<const KernelTables> kernel;
    std::shared_ptr<const Paths> paths;
    struct Access {
        std::shared_ptr<const AccessRules> rules;
        std::shared_ptr<const AccessMap> map;
    };
    std::vector<Access> access;  // of all rules that there are, once each
};

struct Compiled {
    std::unique_ptr<const Snapshot> snapshot;  // never null
    CompiledParts parts;
    std::map<std::string, std::uint32_t> slots_moved;  // by service; those with any, new ones not
};

Compiled compile(const CompileInput& input, const CompiledParts& previous);

}  // namespace fulcrum
