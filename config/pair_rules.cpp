// Two directors, and ways between them that are two.
#include "config/pair_rules.h"

#include <string>

#include "config/wording.h"

namespace fulcrum {
namespace {

void check_link(const PairLink& link, Findings& findings) {
    const auto refuse = [&](const std::string& sentence) {
        findings.refuse(link.place, "pair: link: " + sentence);
    };
    if (link.local.port.host() == 0 || link.peer.port.host() == 0) {
        return;  // one of them has been refused
    }
    if (link.local.address.family() != link.peer.address.family()) {
        refuse("local: " + to_string(link.local.address) +
               " and peer: " + to_string(link.peer.address) + " are not of one IP version");
    }
    for (const Endpoint& end : {link.local, link.peer}) {
        if (end.address.is_unspecified() || end.address.is_multicast()) {
            refuse(to_string(end.address) + " is not one machine's address");
        }
    }
    if (link.local == link.peer) {
        refuse("local and peer are both " + to_string(link.local));
    }
}

// What goes over is held by both, so nothing in it may be held always.
void check_replication(const Config& config, Findings& findings) {
    const SourcePlace& place = config.pair->place;
    if (config.groups.empty()) {
        findings.refuse(place,
                        "pair: replicate_config: there are no groups, which would tell whose "
                        "configuration goes to the other director");
        return;
    }
    const GroupsOfAddresses groups{config};
    for (const VirtualService& service : config.services) {
        for (const ListenPoint& point : listen_points(service)) {
            if (groups.group_of_vip(point.vip) == GroupsOfAddresses::none) {
                findings.refuse(service.place,
                                "service " + in_quotes(service.name) + ": the VIP " +
                                    to_string(point.vip) +
                                    " is in no group, and under pair.replicate_config both "
                                    "directors would hold it: add it to the vips of a group");
                break;
            }
        }
    }
}

}  // namespace

void check_pair(const Config& config, Findings& findings) {
    if (!config.pair) {
        return;
    }
    const PairSettings& pair = *config.pair;
    if (!pair.peer.empty() && pair.peer == config.director.name) {
        findings.refuse(pair.place, "pair: peer: " + in_quotes(pair.peer) +
                                        " is this director's own name: give each a "
                                        "director.name of its own");
    }
    for (const PairLink& link : pair.links) {
        check_link(link, findings);
    }
    if (pair.links.size() == 2 &&
        (pair.links[0].local == pair.links[1].local || pair.links[0].peer == pair.links[1].peer)) {
        findings.refuse(pair.links[1].place,
                        "pair: link: both links have an end in common, so they are not two ways");
    }
    if (pair.replicates_config) {
        check_replication(config, findings);
    }
}

}  // namespace fulcrum
