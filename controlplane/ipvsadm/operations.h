// What ipvsadm's words mean to a director: operations of an edit, and its refusals in ipvsadm's
// words. Masquerading is forward = "nat", gatewaying "direct", a tunnel what its type says; a
// service that ipvsadm adds is not checked, as nobody did before. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "controlplane/ipvsadm/command_line.h"

namespace fulcrum {

using Json = nlohmann::ordered_json;

// Of a verb that changes services or reals.
Json operation_of(const Invocation& invocation);
// Which service is meant, as an edit says it.
Json selector_of(const ServiceAt& service);

// What no director would do, in the words that there are for it; empty when there is nothing.
std::string objection_to(const Invocation& invocation);

// `error`: a reply's. What there is no word of ipvsadm's for is told in the director's sentences.
Complaint complaint_of(Verb verb, const Json& error);

}  // namespace fulcrum
