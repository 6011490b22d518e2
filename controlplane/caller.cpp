// Asking the kernel, and judging by its answer.
#include "controlplane/caller.h"

#include <limits.h>
#include <sys/socket.h>

#include <algorithm>

namespace fulcrum {

std::optional<Caller> caller_of(int socket) {
    ucred peer{};
    socklen_t size = sizeof(peer);
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid == 0) {
        return std::nullopt;
    }
    Caller caller{peer.uid, std::vector<gid_t>(NGROUPS_MAX)};
    size = static_cast<socklen_t>(caller.groups.size() * sizeof(gid_t));
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, caller.groups.data(), &size) != 0) {
        size = 0;
    }
    caller.groups.resize(size / sizeof(gid_t));
    caller.groups.push_back(peer.gid);
    return caller;
}

Permission Gatekeeper::permission_of(const Caller& caller) const {
    const auto is_in = [&](const std::optional<gid_t>& group) {
        return group && std::ranges::find(caller.groups, *group) != caller.groups.end();
    };
    if (caller.user == 0 || caller.user == owner || is_in(admins) || !readers) {
        return Permission::change;
    }
    return is_in(readers) ? Permission::ask : Permission::nothing;
}

}  // namespace fulcrum
