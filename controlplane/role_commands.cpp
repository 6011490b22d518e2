// The commands about roles, and their part of `status`.
#include <algorithm>
#include <chrono>
#include <utility>

#include "controlplane/commands.h"

namespace fulcrum {
namespace {

Json report_group(const GroupReport& group, Instant now) {
    const auto seconds = [now](Instant since) {
        return std::chrono::duration_cast<std::chrono::seconds>(now - since).count();
    };
    Json json;
    json["name"] = group.name;
    json["id"] = group.id;
    json["version"] = group.version;
    json["state"] = to_string(group.state);
    json["reason"] = group.reason;
    json["since_s"] = seconds(group.since);
    json["priority"] = group.priority;
    json["paths"] = Json::array();
    for (const PathReport& path : group.paths) {
        json["paths"].push_back({{"port", path.port},
                                 {"ip_version", path.is_ipv6 ? 6 : 4},
                                 {"state", path.is_lost ? "lost" : "sound"}});
    }
    json["peer"] = nullptr;
    if (group.peer) {
        json["peer"] = {{"address", to_string(group.peer->source)},
                        {"priority", group.peer->priority},
                        {"heard_s", seconds(group.peer_heard_at)}};
    }
    return json;
}

}  // namespace

// "active": of all groups, or a director alone; "partly active": of some.
void Commands::add_roles(Json& report) const {
    const auto groups = facts_.groups ? facts_.groups() : std::vector<GroupReport>{};
    const auto active = std::ranges::count(groups, VrrpState::master, &GroupReport::state);
    report["role"] = active == std::ssize(groups) ? "active"
                     : active > 0                 ? "partly active"
                                                  : "standby";
    report["groups"] = Json::array();
    for (const GroupReport& group : groups) {
        report["groups"].push_back(report_group(group, loop_.now()));
    }
}

void Commands::standby(const Json& arguments, const Answer& answer) {
    change_role(facts_.give_up, arguments, answer);
}

void Commands::takeover(const Json& arguments, const Answer& answer) {
    change_role(facts_.take_over, arguments, answer);
}

void Commands::fence_confirm(const Json& arguments, const Answer& answer) {
    change_role(facts_.confirm_fence, arguments, answer);
}

void Commands::change_role(const std::function<Status(const std::string&)>& change,
                           const Json& arguments, const Answer& answer) {
    if (!change) {
        return answer(Reply::refusal("no_groups",
                                     "the director is alone: its file has no groups, whose roles "
                                     "could change"));
    }
    if (const Status changed = change(text_of(arguments, "group")); !changed) {
        return answer(Reply::refusal("role_refused", changed.error().sentence));
    }
    Json report;
    add_roles(report);
    answer(Reply::of(std::move(report)));
}

}  // namespace fulcrum
