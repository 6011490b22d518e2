// Explaining a packet, the control plane's half: from the operator's words to a made-up frame for
// the workers (dataplane/rehearsal.h), and from their answer to a report. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "config/model/explanation.h"
#include "config/model/result.h"
#include "controlplane/listing.h"
#include "controlplane/request.h"

namespace fulcrum {

// `arguments`: protocol, source and destination as "ADDRESS:PORT"; perhaps from (a NIC port's
// name), flags ("syn,ack"), size (octets of the IP packet). `port_names` by port index.
Result<Question> question_of(const Json& arguments, const std::vector<std::string>& port_names);

Json report_explanation(const Explanation& explanation, const Listing& listing,
                        const std::vector<std::string>& port_names);

}  // namespace fulcrum
