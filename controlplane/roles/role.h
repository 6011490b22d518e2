// What a director is to a group, as workers and the kernel's side are told it. Plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace fulcrum {

enum class GroupRole : std::uint8_t {
    active,   // holds the group's addresses and forwards
    leaving,  // holds no address any more, and forwards what still comes
    standby,  // neither; its sessions stay until they end
};

// By the group's name. One that is not there is on standby.
using GroupRoles = std::map<std::string, GroupRole, std::less<>>;

inline GroupRole role_in(const GroupRoles& roles, std::string_view group) {
    const auto found = roles.find(group);
    return found == roles.end() ? GroupRole::standby : found->second;
}

constexpr std::string_view to_string(GroupRole role) {
    switch (role) {
        case GroupRole::active:
            return "active";
        case GroupRole::leaving:
            return "leaving";
        case GroupRole::standby:
            return "standby";
    }
    return "unknown";
}

}  // namespace fulcrum
