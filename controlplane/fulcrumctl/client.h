// The other end of the command socket: one request, one reply, then the connection is closed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "config/model/result.h"

namespace fulcrum {

using Json = nlohmann::ordered_json;

// The reply as it came ("ok", and "result" or "error"); an Error when no director answers.
Result<Json> ask_director(const std::string& socket_path, const Json& request);

}  // namespace fulcrum
