// What an operator, the metrics and programs hear of a group's role. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/address.h"
#include "config/model/time.h"
#include "controlplane/roles/vrrp_packet.h"
#include "controlplane/roles/vrrp_router.h"
#include "dataplane/counters.h"

namespace fulcrum {

struct PathReport {
    std::string port;
    bool is_ipv6 = false;
    bool is_lost = false;
};

struct GroupReport {
    std::string name;
    std::uint8_t id = 0;
    std::uint8_t version = 3;
    VrrpState state = VrrpState::stopped;
    std::string_view reason;
    Instant since;
    std::uint8_t priority = 0;  // as it stands in adverts
    std::vector<PathReport> paths;
    std::optional<HeardAdvert> peer;  // its last advert
    Instant peer_heard_at;
};

// Written by the control thread, read by the metrics server.
struct RoleCounters {
    SingleWriterCounter is_active;  // 1 or 0
    SingleWriterCounter priority;
    SingleWriterCounter transitions;
    SingleWriterCounter adverts_sent;
    SingleWriterCounter adverts_heard;
    std::array<SingleWriterCounter, static_cast<std::size_t>(AdvertFault::count)> refused;
    SingleWriterCounter paths_lost;
};
struct NamedRoleCounters {
    std::string group;
    const RoleCounters* counters = nullptr;
};

// A change, complete in itself: mail and hook know nothing else.
struct RoleChange {
    std::time_t time = 0;
    std::string director;
    std::string group;
    std::string from;  // "standby"
    std::string to;    // "active"
    std::string reason;
    std::string addresses;  // of the group: "203.0.113.80, 192.168.10.1"
};

}  // namespace fulcrum
