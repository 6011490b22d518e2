// When a group may be held: all that it needs is there, the silent peer is fenced, and the witness
// speaks for us; a part of roles.
#include <algorithm>
#include <utility>

#include "controlplane/roles/held_group.h"

namespace fulcrum {
namespace {

// Answers of three rounds may be lost.
constexpr Duration witness_silence_least = 4 * NeighbourProbe::period;

}  // namespace

void Roles::on_tracked(Group& group) {
    obey(group,
         group.router.set_fitness(group.tracker->is_fit(), group.tracker->penalty(), loop_.now()));
}

// The router has begun to ask, or asks no longer.
void Roles::seek_permission(Group& group) {
    const bool asks = group.router.state() == VrrpState::asking;
    if (asks == group.is_asking) {
        return;
    }
    group.is_asking = asks;
    group.asked_at = loop_.now();
    group.is_peer_dead = !has_fence(group.asked.fence);
    if (!asks) {
        return group.fencing.cancel();
    }
    if (!group.is_peer_dead) {
        group.fencing.begin(group.asked.fence, [this, &group] {
            group.is_peer_dead = true;
            permit_if_allowed(group);
        });
    }
    probe_neighbours();
    permit_if_allowed(group);
}

void Roles::permit_if_allowed(Group& group) {
    const auto is_allowed = [&] {
        return group.is_asking && group.is_peer_dead && does_witness_agree(group);
    };
    if (!is_allowed()) {
        return;
    }
    for (const auto& path : group.paths) {
        path->read();  // an advert may wait there: then it is not silent any more
    }
    if (is_allowed()) {
        obey(group, group.router.permit(true, loop_.now()));
    }
}

// Before we claim the addresses nobody may answer for them, and that takes a round to know.
bool Roles::does_witness_agree(const Group& group) const {
    if (group.asked.witness.is_unspecified()) {
        return true;
    }
    if (probe_ == nullptr) {
        return false;
    }
    const bool has_asked_around = loop_.now() - group.asked_at >= 2 * NeighbourProbe::period;
    const bool is_taken = std::ranges::any_of(group.places, [&](const Announcer::Place& place) {
        const auto answer = probe_->answer_of(place.address);
        return answer && answer->at > group.asked_at;
    });
    return has_asked_around && !is_taken && is_heard(group, group.asked.witness);
}

bool Roles::is_heard(const Group& group, const IpAddress& neighbour) const {
    const Duration silence_max = std::max(group.router.down_interval(), witness_silence_least);
    const auto answer = probe_->answer_of(neighbour);
    return answer && loop_.now() - answer->at < silence_max;
}

// Who is active does not hear a peer that stands by; but its host answers when asked.
bool Roles::is_cut_off(const Group& group) const {
    const bool is_settled =
        loop_.now() - std::max(group.router.since(), group.witness_since) > witness_silence_least;
    return is_settled && !is_heard(group, group.asked.witness) &&
           std::ranges::none_of(group.peers, [&](const Announcer::Place& peer) {
               return is_heard(group, peer.address);
           });
}

void Roles::on_probe_round() {
    for (const auto& group : groups_) {
        if (group->asked.witness.is_unspecified()) {
            continue;
        }
        if (group->router.state() == VrrpState::master && is_cut_off(*group)) {
            log_.error(LogArea::director,
                       "group \"" + group->asked.name + "\": neither the witness " +
                           to_string(group->asked.witness) + " nor the other director answers");
            obey(*group, group->router.permit(false, loop_.now()));
        }
        permit_if_allowed(*group);
    }
}

void Roles::note_peer(Group& group, std::size_t path, const IpAddress& source) {
    const std::size_t port = group.path_ports[path];
    const auto is_known = [&](const Announcer::Place& peer) { return peer.address == source; };
    if (probe_ != nullptr && std::ranges::none_of(group.peers, is_known)) {
        std::erase_if(group.peers, [&](const Announcer::Place& peer) {
            return peer.port == port && peer.address.family() == source.family();
        });
        group.peers.push_back({source, port});
        probe_neighbours();
    }
}

// The witnesses, the peers, and for those who ask one address on each of their ports.
void Roles::probe_neighbours() {
    if (probe_ == nullptr) {
        return;
    }
    std::vector<Announcer::Place> neighbours;
    for (const auto& group : groups_) {
        if (group->asked.witness.is_unspecified()) {
            continue;
        }
        neighbours.push_back({group->asked.witness, group->witness_port});
        neighbours.insert(neighbours.end(), group->peers.begin(), group->peers.end());
        std::vector<bool> is_asked(links_.size());
        for (const Announcer::Place& place : group->places) {
            if (group->is_asking && !is_asked[place.port]) {
                is_asked[place.port] = true;
                neighbours.push_back(place);
            }
        }
    }
    probe_->follow(std::move(neighbours));
}

Status Roles::confirm_fence(const std::string& name) {
    const auto groups = groups_of(name);
    if (!groups) {
        return groups.error();
    }
    bool is_any = false;
    for (Group* const group : *groups) {
        is_any = group->fencing.confirm() || is_any;
    }
    return is_any ? done() : Status{Error{"no fence is under way, so there is nothing to confirm"}};
}

}  // namespace fulcrum
