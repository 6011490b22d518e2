// One line a neighbour.
#include "controlplane/role_wiring.h"

#include <algorithm>
#include <utility>

namespace fulcrum {
namespace {

// A worker turns thousands of times a second, idle or not. So many looks without a turn, and it
// stands still; that the machine has stopped us all between two looks tells nothing.
constexpr int looks_without_turn_max = 10;

class Pulse {
  public:
    explicit Pulse(const Boards& boards) : boards_{boards}, seen_(boards.size()) {}

    bool are_all_turning() {
        bool are_all = true;
        for (std::size_t worker = 0; worker < boards_.size(); ++worker) {
            Seen& seen = seen_[worker];
            const std::uint64_t turns = boards_[worker]->worker().turns.read();
            seen.looks_without = turns == seen.turns ? seen.looks_without + 1 : 0;
            seen.turns = turns;
            are_all = are_all && seen.looks_without < looks_without_turn_max;
        }
        return are_all;
    }

  private:
    struct Seen {
        std::uint64_t turns = 0;
        int looks_without = 0;
    };
    const Boards& boards_;
    std::vector<Seen> seen_;
};

TrackingSenses senses_of(const Config& config, const RoleNeighbours& beside) {
    std::vector<std::string> names;
    for (const NicPort& port : config.ports) {
        names.push_back(port.name);
    }
    return {.is_link_up =
                [names, is_up = beside.is_link_up](const std::string& port) {
                    const auto at = std::ranges::find(names, port) - names.begin();
                    return is_up(static_cast<std::size_t>(at));
                },
            .has_way =
                [&publisher = beside.publisher](const IpAddress& address) {
                    const Snapshot* const current = publisher.current();
                    return current == nullptr || current->paths->to(address).hop->is_resolved;
                },
            .are_workers_turning =
                [pulse = std::make_shared<Pulse>(beside.applier.boards())] {
                    return pulse->are_all_turning();
                }};
}

}  // namespace

Result<std::unique_ptr<Roles>> open_roles(const Config& config, const std::vector<PortLink>& links,
                                          const RoleNeighbours& beside) {
    if (config.groups.empty()) {
        return std::unique_ptr<Roles>{};
    }
    std::vector<Announcer::Link> named;
    for (std::size_t port = 0; port < config.ports.size(); ++port) {
        named.push_back({config.ports[port].name, links[port].mac});
    }
    auto opened = Roles::open(
        config,
        {.loop = beside.loop,
         .log = beside.log,
         .links = std::move(named),
         .apply =
             [&applier = beside.applier](const GroupRoles& roles, std::function<void()> seen) {
                 applier.take_roles(roles,
                                    [seen = std::move(seen)](const ApplyResult&) { seen(); });
             },
         .hold = [&side = beside.kernel_side](const GroupRoles& roles) { side.take_roles(roles); },
         .is_ready = beside.is_ready,
         .tell = [&teller = beside.teller](const RoleChange& change) { teller.on_role(change); },
         .senses = senses_of(config, beside),
         .stay_alive_for = beside.stay_alive_for});
    if (opened) {
        beside.kernel_side.on_rival(
            [held = opened->get()](const IpAddress& address) { held->defend(address); });
    }
    return opened;
}

void add_role_facts(Roles* roles, DirectorFacts& facts) {
    if (roles == nullptr) {
        return;
    }
    facts.groups = [roles] { return roles->report(); };
    facts.role_problems = [roles] { return roles->problems(); };
    facts.give_up = [roles](const std::string& group) { return roles->give_up(group); };
    facts.confirm_fence = [roles](const std::string& group) { return roles->confirm_fence(group); };
    facts.take_over = [roles](const std::string& group) { return roles->take_over(group); };
}

}  // namespace fulcrum
