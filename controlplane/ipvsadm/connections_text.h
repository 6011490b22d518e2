// Sessions and bound clients as ipvsadm lists connections and their templates. A state of ours is
// shown as the one of IPVS's in which the same packets have been seen. Pure but for names.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "controlplane/ipvsadm/command_line.h"

namespace fulcrum {

using Json = nlohmann::ordered_json;

// `table`, `sessions`, `clients`: the director's answers to "table", "sessions" and "affinity".
std::string connections_text(const Json& table, const Json& sessions, const Json& clients,
                             const Invocation& invocation);

}  // namespace fulcrum
