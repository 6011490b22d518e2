// Who speaks at the other end of a Unix socket, as the kernel vouches for it, and what he may.
// Judging is pure; the control thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace fulcrum {

// Whose process connected; its groups are those that it had then.
struct Caller {
    uid_t user = static_cast<uid_t>(-1);
    std::vector<gid_t> groups;  // the primary one too
};

// By SO_PEERCRED and SO_PEERGROUPS; nothing: the socket is none of a local process's.
std::optional<Caller> caller_of(int socket);

enum class Permission : std::uint8_t {
    nothing,
    ask,     // what changes nothing, and shows nobody's packets
    change,  // everything
};

// Root and the director's own user may do everything, and so may the members of `admins`.
struct Gatekeeper {
    uid_t owner = 0;
    std::optional<gid_t> admins;
    std::optional<gid_t> readers;  // none: the socket's mode alone decides who comes

    Permission permission_of(const Caller& caller) const;
};

}  // namespace fulcrum
