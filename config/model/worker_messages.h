// The records that cross between the control thread and a worker through mailboxes: requests one
// way, reports the other. Fixed size, trivially copyable, bounded work for the worker.
#pragma once

#include <cstdint>
#include <type_traits>

#include "config/model/address.h"
#include "config/model/client_prefix.h"
#include "config/model/explanation.h"
#include "config/model/limits.h"
#include "config/model/session.h"

namespace fulcrum {

enum class RequestKind : std::uint8_t {
    // Walk a table from its beginning and report matching sessions, or clients' affinity, a bounded
    // number of buckets a turn. A second walk while one runs replaces it.
    walk,
    explain,  // `question`, answered in the mailbox of explanations
    // Tell the peer of all confirmed sessions and of clients' affinity, at the pace at which what
    // was told is taken; `walk_id` comes back with the end. Another one begins anew.
    replicate,
};

enum class WalkedTable : std::uint8_t { sessions, affinity };

struct WorkerRequest {
    RequestKind kind = RequestKind::walk;
    WalkedTable table = WalkedTable::sessions;
    std::uint32_t walk_id = 0;                        // comes back with each report of this walk
    std::uint32_t records_max = 0;                    // the walk ends after this many
    std::uint32_t service = limits::service_id_none;  // limits::service_id_none: any
    std::uint16_t real = limits::index_none;          // only with `service`
    IpAddress client;                                 // unspecified: any
    Question question;
};

// Which real a client, or network of clients, is bound to.
struct ClientReport {
    ClientPrefix client;
    std::uint32_t service = limits::service_id_none;
    std::uint16_t real = 0;
    std::uint32_t sessions = 0;
    std::uint32_t remaining_s = 0;  // once it has no session
    bool is_confirmed = false;      // has been served
    std::uint8_t worker = 0;
};

enum class ReportKind : std::uint8_t {
    session,           // a session of the walk
    client,            // a client of the walk
    walk_done,         // the walk's last report
    neighbour_wanted,  // a packet waits for `neighbour` on `port`
    path_mtu,          // a router on the way to `neighbour`, a tunnel's real, carries only `mtu`
};

struct WorkerReport {
    ReportKind kind = ReportKind::session;
    std::uint8_t port = 0;      // neighbour_wanted
    std::uint16_t mtu = 0;      // path_mtu
    IpAddress neighbour;        // neighbour_wanted, path_mtu
    std::uint32_t walk_id = 0;  // session, client, walk_done
    SessionRecord session;      // session
    ClientReport client;        // client
};

static_assert(std::is_trivially_copyable_v<WorkerRequest>);
static_assert(std::is_trivially_copyable_v<WorkerReport>);

}  // namespace fulcrum
