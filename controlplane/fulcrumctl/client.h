// The other end of the command socket: one request, one reply, then the connection is closed.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "config/model/result.h"

namespace fulcrum {

using Json = nlohmann::ordered_json;

// The reply as it came ("ok", and "result" or "error"); an Error when no director answers.
Result<Json> ask_director(const std::string& socket_path, const Json& request);

// The same of a request that is answered with a stream: `take` gets its octets as they come, and
// may say no. SIGINT and SIGTERM ask the director to end it. The reply is the last one, or the
// refusal; `begin` gets the first one's result.
Result<Json> stream_from_director(
    const std::string& socket_path, const Json& request,
    const std::function<bool(std::string_view octets)>& take,
    const std::function<void(const Json& result)>& begin = [](const Json&) {});
// Whether one has been ended by a signal: the operator wants no further one.
bool was_stream_interrupted();

}  // namespace fulcrum
