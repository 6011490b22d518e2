// The replies of listing commands as JSON: what `fulcrumctl --json` prints. Each is made from an
// immutable listing and from counters that may be read on any thread, so long ones are made on the
// helper. Member names are a promise to scripts. Pure but for reading counters.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/model/session.h"
#include "config/model/time.h"
#include "config/model/worker_messages.h"
#include "controlplane/listing.h"
#include "controlplane/request.h"

namespace fulcrum {

Json report_services(const Listing& listing, const Boards& boards);

// Of one service only, unless `service` is empty.
Json report_reals(const Listing& listing, const Boards& boards, const std::string& service,
                  Instant now);

struct SessionsFound {
    std::vector<SessionRecord> sessions;
    bool is_truncated = false;
};
Json report_sessions(const Listing& listing, const SessionsFound& found);

// In full NAT, as whom the real knows the client; else null.
Json local_end_of(const SessionRecord& session);

Json report_clients(const Listing& listing, const std::vector<ClientReport>& clients,
                    bool is_truncated);

// What an operator may like to know of services, and is no problem.
void add_notes(const Listing& listing, std::vector<std::string>& sentences);

}  // namespace fulcrum
