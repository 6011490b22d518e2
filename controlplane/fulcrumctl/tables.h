// Replies as people read them: tables with columns of steady width, plain text, no colour. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace fulcrum {

using Json = nlohmann::ordered_json;

// Each takes the result of the command that it is named for.
std::string show_status(const Json& result);
std::string show_services(const Json& result);
std::string show_service_drops(const Json& result);  // of services too
std::string show_capture(const Json& result);
std::string show_reals(const Json& result);
std::string show_sessions(const Json& result);
std::string show_affinity(const Json& result);
std::string show_reload(const Json& result);
std::string show_plan(const Json& result);
std::string show_history(const Json& result);
std::string show_edit(const Json& result);
std::string show_save(const Json& result);
std::string show_event(const Json& event);  // one of the stream's
std::string show_zero(const Json& result);
std::string show_log_level(const Json& result);
std::string show_drain(const Json& result);
std::string show_undrain(const Json& result);
std::string show_explain(const Json& result);
std::string show_roles(const Json& result);
std::string show_doctor(const Json& result);
std::string show_top(const Json& result);  // of the command table
std::string show_version(const Json& result);

}  // namespace fulcrum
