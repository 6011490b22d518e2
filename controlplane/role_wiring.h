// Where roles meet the rest: their changes go to the workers by the applier, their addresses to the
// twins, and what is heard of them to people and programs. For main alone.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "controlplane/apply.h"
#include "controlplane/commands.h"
#include "controlplane/kernel_side.h"
#include "controlplane/roles/roles.h"
#include "controlplane/telling/teller.h"

namespace fulcrum {

struct RoleNeighbours {
    EventLoop& loop;
    Log& log;
    Applier& applier;
    KernelSide& kernel_side;
    Teller& teller;
    const SnapshotPublisher& publisher;
    std::function<bool(std::size_t port)> is_link_up;
    std::function<bool()> is_ready;                // see Roles::Parts
    std::function<void(Duration)> stay_alive_for;  // see Roles::Parts
};

// Null for a director that is alone: it holds everything.
Result<std::unique_ptr<Roles>> open_roles(const Config& config, const std::vector<PortLink>& links,
                                          const RoleNeighbours& beside);

void add_role_facts(Roles* roles, DirectorFacts& facts);

}  // namespace fulcrum
