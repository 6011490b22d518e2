// The command: what is seen is gathered here and now, the machine is looked at on the helper.
#include <algorithm>
#include <iterator>
#include <utility>

#include "controlplane/commands.h"
#include "controlplane/doctor/report.h"

namespace fulcrum {

void Commands::doctor(const Json& /*arguments*/, const Answer& answer) {
    const auto config = applier_.state().config();
    SeenByDirector seen;
    seen.reals = seen_reals(*config, *applier_.listing().look(), applier_.boards());
    for (const PortReport& port : facts_.ports ? facts_.ports() : std::vector<PortReport>{}) {
        seen.ports.push_back({port.name, port.receive_queues, port.queue_choice == "client"});
    }
    seen.conflicts = facts_.conflicts ? facts_.conflicts() : std::vector<std::string>{};
    seen.worker_count = static_cast<unsigned>(applier_.boards().size());
    for (const CounterBoard* board : applier_.boards()) {
        seen.received_packets += board->worker().received.read();
        seen.handed_over_packets += board->worker().handed_over.read();
    }
    answer_listing(
        [config, seen = std::move(seen), kernel = applier_.state().kernel()] {
            std::vector<Diagnosis> found =
                examine_machine(look_at_machine(config->ports), *config, /*is_running=*/true);
            std::ranges::move(examine_running(seen, *kernel), std::back_inserter(found));
            return report_findings(found);
        },
        answer);
}

}  // namespace fulcrum
