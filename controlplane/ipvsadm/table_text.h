// The director's table as ipvsadm prints it, column by column, and as ipvsadm reads it again. What
// ipvsadm has no words for is shown where that does no harm: "maglev" as a scheduler, "FullNat" as
// a forwarding method, a range in place of a port, a service that listens on several once for each,
// a fallback as a real of weight 0. Pure but for the names of hosts and ports.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/ipvsadm/command_line.h"

namespace fulcrum {

using Json = nlohmann::ordered_json;

// `table`: the director's answer to "table". `clients`: how many clients are bound to a real, by
// "service/real"; asked for by --persistent-conn alone.
// Nothing: there is no such service as it asks for.
std::optional<std::string> list_text(const Json& table, const Json& clients,
                                     const Invocation& invocation);

// Lines for --restore. `unsaid`: what they leave out, in sentences.
std::string save_text(const Json& table, const Invocation& invocation,
                      std::vector<std::string>& unsaid);

// Nothing: there is none such.
std::optional<std::string> name_of_service(const Json& table, const ServiceAt& at);

std::string timeouts_text(const Json& table);

}  // namespace fulcrum
