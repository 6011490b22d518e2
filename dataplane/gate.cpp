// The list, the client's own rate, the rate of all.
#include "dataplane/gate.h"

namespace fulcrum {

bool Gate::admits_session(const SnapshotService& service, const ClientPrefix& client,
                          DropReason& reason) {
    const ServiceGate& gate = *service.gate;
    if (!lists(service, client)) {
        reason = DropReason::denied;
        return false;
    }
    return take(
        service, client,
        {Account::Of::sessions, gate.limits.client_sessions_per_s, gate.limits.sessions_per_s},
        reason);
}

bool Gate::admits_packet(const SnapshotService& service, const ClientPrefix& client,
                         DropReason& reason) {
    const RateLimits& limits = service.gate->limits;
    return take(service, client,
                {Account::Of::packets, limits.client_packets_per_s, limits.packets_per_s}, reason);
}

// The client first: what it may not have costs the others nothing.
bool Gate::take(const SnapshotService& service, const ClientPrefix& client, const Rates& rates,
                DropReason& reason) {
    const RateLimits& limits = service.gate->limits;
    Account account{service.number, rates.of, {}};
    if (rates.per_client != 0) {
        account.client = cut(client, limits.length_of(client.is_v4()));
        if (!limiter_.take(account, rates.per_client)) {
            reason = DropReason::client_limited;
            return false;
        }
    }
    account.client = {};
    if (rates.of_all != 0 && !limiter_.take(account, rates.of_all, worker_count_)) {
        reason = DropReason::service_limited;
        return false;
    }
    return true;
}

}  // namespace fulcrum
