// The groups' roles as an operator sees and changes them; a part of roles.
#include <algorithm>
#include <iterator>
#include <utility>

#include "controlplane/roles/held_group.h"

namespace fulcrum {

std::vector<GroupReport> Roles::report() const {
    std::vector<GroupReport> reports;
    for (const auto& group : groups_) {
        const VrrpRouter& router = group->router;
        GroupReport report{.name = group->asked.name,
                           .id = group->asked.id,
                           .version = group->asked.version,
                           .state = router.state(),
                           .reason = to_string(router.reason()),
                           .since = router.since(),
                           .priority = router.priority(),
                           .paths = {},
                           .peer = router.peer(),
                           .peer_heard_at = router.heard_at().value_or(Instant{})};
        for (std::size_t path = 0; path < group->paths.size(); ++path) {
            const AdvertPath& asked = group->asked.paths[path];
            report.paths.push_back({asked.port, asked.is_ipv6, group->is_lost[path]});
        }
        reports.push_back(std::move(report));
    }
    return reports;
}

std::vector<NamedRoleCounters> Roles::counters() const {
    std::vector<NamedRoleCounters> counters;
    for (const auto& group : groups_) {
        counters.push_back({group->asked.name, &group->counters});
    }
    return counters;
}

std::vector<std::string> Roles::problems() const {
    std::vector<std::string> problems;
    for (const auto& group : groups_) {
        const std::string label = "group \"" + group->asked.name + "\"";
        for (std::size_t path = 0; path < group->paths.size(); ++path) {
            if (group->is_lost[path]) {
                problems.push_back(label + ": the path over \"" + group->asked.paths[path].port +
                                   "\" is lost: the active director is not heard there");
            }
        }
        if (group->tracker != nullptr) {
            std::ranges::move(group->tracker->problems(), std::back_inserter(problems));
        }
        if (!group->fencing.problem().empty()) {
            problems.push_back(group->fencing.problem());
        } else if (group->router.state() == VrrpState::asking) {
            problems.push_back(label +
                               ": the active director is silent, and neither fence nor "
                               "witness lets this one take over yet");
        }
    }
    return problems;
}

Result<std::vector<Roles::Group*>> Roles::groups_of(const std::string& name) const {
    std::vector<Group*> groups;
    for (const auto& group : groups_) {
        if (name.empty() || group->asked.name == name) {
            groups.push_back(group.get());
        }
    }
    if (groups.empty()) {
        return Error{"there is no group \"" + name + "\""};
    }
    return groups;
}

Status Roles::give_up(const std::string& name) {
    const auto groups = groups_of(name);
    if (!groups) {
        return groups.error();
    }
    for (Group* const group : *groups) {
        if (group->router.state() != VrrpState::master) {
            return Error{"group \"" + group->asked.name + "\" is not active here but " +
                         std::string{to_string(group->router.state())}};
        }
    }
    for (Group* const group : *groups) {
        obey(*group, group->router.give_up(loop_.now()));
    }
    return done();
}

Status Roles::take_over(const std::string& name) {
    const auto groups = groups_of(name);
    if (!groups) {
        return groups.error();
    }
    for (Group* const group : *groups) {
        const bool is_active = group->router.state() == VrrpState::master;
        if (!is_active && !group->router.can_take_over()) {
            return Error{"group \"" + group->asked.name + "\" cannot be taken over: it is " +
                         std::string{to_string(group->router.state())} +
                         " here, or the other director's priority is 255"};
        }
    }
    for (Group* const group : *groups) {
        if (group->router.state() != VrrpState::master) {
            obey(*group, group->router.take_over(loop_.now()));
        }
    }
    return done();
}

}  // namespace fulcrum
