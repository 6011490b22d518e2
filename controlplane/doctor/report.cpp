// Counters to what is seen; findings to JSON.
#include "controlplane/doctor/report.h"

#include <map>
#include <utility>

namespace fulcrum {

std::vector<SeenReal> seen_reals(const Config& config, const Listing& listing,
                                 const Boards& boards) {
    std::map<std::pair<std::string, std::string>, const ListedReal*> listed;
    for (const ListedService& service : listing.services) {
        for (const ListedReal& real : service.reals) {
            listed[{service.name, real.name}] = &real;
        }
    }
    std::vector<SeenReal> seen;
    for (const VirtualService& service : config.services) {
        for (const RealServer& real : service.reals) {
            const auto found = listed.find({service.name, real.name});
            const TallyTotals totals =
                found == listed.end() ? TallyTotals{} : found->second->totals(boards);
            seen.push_back({.service = service.name,
                            .name = real.name,
                            .address = real.endpoint.address,
                            .forward = real.forward,
                            .tunnel = real.tunnel,
                            .in_packets = totals.in_packets,
                            .out_packets = totals.out_packets});
        }
    }
    return seen;
}

Json report_findings(const std::vector<Diagnosis>& found) {
    Json findings = Json::array();
    for (const Diagnosis& each : found) {
        findings.push_back({{"subject", each.subject},
                            {"verdict", to_string(each.verdict)},
                            {"sentence", each.sentence},
                            {"remedy", each.remedy}});
    }
    return {{"findings", std::move(findings)}};
}

}  // namespace fulcrum
