// Who comes in to a service, and how often: the lists of clients that its snapshot carries, and
// rates of new sessions and of packets, by client and for all. Asked for services that have either;
// the others know nothing of it. Lists are asked for new sessions only: who has one keeps it. One
// worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/model/client_prefix.h"
#include "config/model/snapshot.h"
#include "dataplane/limiter.h"
#include "dataplane/verdict.h"

namespace fulcrum {

class Gate {
  public:
    // Rates for all clients of a service are shared out evenly among `worker_count` workers; a
    // client is one worker's alone.
    Gate(std::size_t record_count, HashKey key, std::uint64_t hz, unsigned worker_count)
        : limiter_{record_count, key, hz}, worker_count_{worker_count} {}

    void tick(std::uint64_t now_cycles) { limiter_.tick(now_cycles); }
    void rehearse(bool is_rehearsing) { limiter_.rehearse(is_rehearsing); }

    // Of a service that has a gate. False: not now, for `reason`.
    bool admits_session(const SnapshotService& service, const ClientPrefix& client,
                        DropReason& reason);
    // By its list alone.
    static bool lists(const SnapshotService& service, const ClientPrefix& client) {
        return service.gate->access == nullptr || service.gate->access->admits(client);
    }
    bool admits_packet(const SnapshotService& service, const ClientPrefix& client,
                       DropReason& reason);

  private:
    struct Rates {
        Account::Of of;
        std::uint32_t per_client;  // a second; 0: any
        std::uint32_t of_all;
    };
    bool take(const SnapshotService& service, const ClientPrefix& client, const Rates& rates,
              DropReason& reason);

    Limiter limiter_;
    unsigned worker_count_;
};

}  // namespace fulcrum
