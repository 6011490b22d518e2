// Opening, hearing, obeying.
#include "controlplane/roles/roles.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "controlplane/roles/held_group.h"
#include "controlplane/roles/role_addresses.h"

namespace fulcrum {
namespace {

constexpr Duration leaving_length = 10s;
constexpr Duration review_period = 1s;
constexpr Duration life_length_max = 1s;
constexpr Duration contest_period = 1s;  // between two announcements because of one rival
constexpr Duration frames_leave_within = 50ms;
constexpr Duration patience_at_the_end = 1s;

}  // namespace

Roles::Roles(Parts parts)
    : loop_{parts.loop},
      log_{parts.log},
      links_{std::move(parts.links)},
      apply_{std::move(parts.apply)},
      hold_{std::move(parts.hold)},
      is_ready_{std::move(parts.is_ready)},
      tell_{std::move(parts.tell)},
      senses_{std::move(parts.senses)},
      stay_alive_for_{std::move(parts.stay_alive_for)},
      programs_{loop_},
      review_{loop_},
      life_{loop_},
      patience_{loop_} {}

Roles::~Roles() = default;

Result<std::unique_ptr<Roles>> Roles::open(const Config& config, Parts parts) {
    std::unique_ptr<Roles> roles{new Roles{std::move(parts)}};
    auto announcer = Announcer::open(roles->loop_, roles->links_);
    if (!announcer) {
        return announcer.error();
    }
    roles->announcer_ = std::move(*announcer);
    for (const RoleGroup& asked : config.groups) {
        auto& group = *roles->groups_.emplace_back(
            std::make_unique<Group>(roles->programs_, roles->log_, asked));
        if (const Status opened = roles->open_paths(group, config); !opened) {
            return opened.error();
        }
        if (asked.fence.style == FenceStyle::none && !asked.paths.empty()) {
            roles->log_.warning(LogArea::director,
                                "group \"" + asked.name +
                                    "\": there is no fence: directors that do not hear each other "
                                    "may both be active");
        }
    }
    const auto has_witness = [](const RoleGroup& group) { return !group.witness.is_unspecified(); };
    if (std::ranges::any_of(config.groups, has_witness)) {
        auto probe = NeighbourProbe::open(roles->loop_, roles->links_,
                                          [roles = roles.get()] { roles->on_probe_round(); });
        if (!probe) {
            return probe.error();
        }
        roles->probe_ = std::move(*probe);
    }
    roles->follow(config);
    return roles;
}

Status Roles::open_paths(Group& group, const Config& config) {
    std::vector<IpAddress> sources;
    for (std::size_t path = 0; path < group.asked.paths.size(); ++path) {
        const AdvertPath& asked = group.asked.paths[path];
        const auto port = static_cast<std::size_t>(
            std::ranges::find(config.ports, asked.port, &NicPort::name) - config.ports.begin());
        sources.push_back(source_of(asked, config.ports[port], links_[port].mac));
        auto socket = AdvertSocket::open(
            loop_, {asked.port, sources.back(), asked.peer},
            [this, &group, path](std::span<const std::uint8_t> octets, const AdvertEnds& ends) {
                hear(group, path, octets, ends);
            });
        if (!socket) {
            return Error{"group \"" + group.asked.name + "\": " + socket.error().sentence};
        }
        group.paths.push_back(std::move(*socket));
        group.is_lost.push_back(false);
        group.path_ports.push_back(port);
        if (!asked.peer.is_unspecified()) {
            group.peers.push_back({asked.peer, port});
        }
    }
    group.router.change_settings(settings_of(group.asked, std::move(sources)));
    return done();
}

void Roles::begin() {
    for (const auto& each : groups_) {
        Group& group = *each;
        group.tracker = std::make_unique<TrackedThings>(programs_, log_, senses_, group.asked.name,
                                                        [this, &group] { on_tracked(group); });
        group.tracker->follow(group.asked.track);
        renew_readiness(group);
        obey(group, group.router.start(loop_.now()));
    }
    review_.after(review_period, [this] { review(); });
    show_life();
}

// As long as the others believe in us, and no longer.
void Roles::show_life() {
    if (stay_alive_for_ == nullptr) {
        return;
    }
    Duration shortest = life_length_max;
    for (const auto& group : groups_) {
        shortest = std::min(shortest, group->router.down_interval());
    }
    stay_alive_for_(shortest);
    life_.after(shortest / 8, [this] { show_life(); });
}

void Roles::follow(const Config& config) {
    director_ = config.director.name;
    auto places = places_of(config);
    listen_for_witnesses(config);
    for (std::size_t i = 0; i < groups_.size(); ++i) {
        Group& group = *groups_[i];
        if (group.asked.witness != config.groups[i].witness) {
            group.witness_since = loop_.now();
        }
        const bool asks_anew =
            group.is_asking && !(group.asked.fence == config.groups[i].fence &&
                                 group.asked.witness == config.groups[i].witness);
        group.asked = config.groups[i];
        if (asks_anew) {  // by what the file says now
            group.fencing.cancel();
            group.is_asking = false;
        }
        std::vector<IpAddress> sources;
        for (const auto& path : group.paths) {
            sources.push_back(path->ends_of_ours().source);
        }
        group.router.change_settings(settings_of(group.asked, std::move(sources)));
        group.fencing.look_at(group.asked.fence);
        group.named4 = named_in_adverts(config, i, IpFamily::v4);
        group.named6 = named_in_adverts(config, i, IpFamily::v6);
        take_addresses(group, std::move(places[i]));
        group.witness_port = port_of_network(config, group.asked.witness);
        if (group.tracker != nullptr) {
            group.tracker->follow(group.asked.track);
            on_tracked(group);
        }
    }
    probe_neighbours();
}

// A witness may come with a reload.
void Roles::listen_for_witnesses(const Config& config) {
    const auto has_witness = [](const RoleGroup& group) { return !group.witness.is_unspecified(); };
    if (probe_ != nullptr || std::ranges::none_of(config.groups, has_witness)) {
        return;
    }
    auto probe = NeighbourProbe::open(loop_, links_, [this] { on_probe_round(); });
    if (probe) {
        probe_ = std::move(*probe);
    } else {
        log_.error(LogArea::director, probe.error().sentence);
    }
}

void Roles::take_addresses(Group& group, std::vector<Announcer::Place> places) {
    const auto is_same = [](const Announcer::Place& a, const Announcer::Place& b) {
        return a.address == b.address && a.port == b.port;
    };
    const bool is_unchanged =
        std::equal(group.places.begin(), group.places.end(), places.begin(), places.end(), is_same);
    group.places = std::move(places);
    if (!is_unchanged && group.is_held) {
        announcer_->announce(group.asked.name, group.places);
    }
}

void Roles::renew_readiness(Group& group) {
    group.router.set_ready(is_ready_ == nullptr || is_ready_(), loop_.now());
}

// --- what is heard, and what is due ------------------------------------------------------------

void Roles::hear(Group& group, std::size_t path, std::span<const std::uint8_t> octets,
                 const AdvertEnds& ends) {
    const auto refuse = [&group](AdvertFault fault) {
        group.counters.refused[static_cast<std::size_t>(fault)].add(1);
    };
    const auto read = read_advert(octets, ends);
    if (const auto* fault = std::get_if<AdvertFault>(&read)) {
        return refuse(*fault);
    }
    const Advert& advert = std::get<Advert>(read);
    if (advert.id != group.asked.id) {
        return;  // another group's, or none of ours
    }
    if (advert.version != group.asked.version) {
        return refuse(AdvertFault::version);
    }
    if (advert.version == 2 && advert.interval != group.asked.advert) {
        return refuse(AdvertFault::interval);
    }
    group.counters.adverts_heard.add(1);
    if (left_ != nullptr && advert.priority != priority_of_leaver) {
        group.is_awaited = false;
        if (std::ranges::none_of(groups_, [](const auto& each) { return each->is_awaited; })) {
            finish_leaving();
        }
        return;
    }
    note_peer(group, path, ends.source);
    renew_readiness(group);
    obey(group, group.router.on_advert({path, ends.source, advert.priority, advert.interval},
                                       loop_.now()));
}

void Roles::on_time(Group& group) {
    for (const auto& path : group.paths) {
        path->read();
    }
    renew_readiness(group);
    obey(group, group.router.on_time(loop_.now()));
}

void Roles::obey(Group& group, const VrrpActions& actions) {
    const bool is_master = group.router.state() == VrrpState::master;
    if (!is_master && group.role == GroupRole::active) {
        withdraw(group);  // before we say so
    }
    if (actions.advertise) {
        advertise(group, *actions.advertise);
    }
    if (actions.has_changed) {
        change_role(group);
    }
    if (actions.is_contested) {
        announce_again(group, "another director is active beside this one");
    }
    seek_permission(group);
    group.counters.priority.set(group.router.priority());
    if (const auto next = group.router.next()) {
        group.next.at(*next, [this, &group] { on_time(group); });
    } else {
        group.next.cancel();
    }
}

// At most once a second, whatever a rival does.
void Roles::announce_again(Group& group, const std::string& why) {
    const Instant now = loop_.now();
    if (!group.is_held || now - group.contested_at < contest_period) {
        return;
    }
    group.contested_at = now;
    log_.warning(LogArea::director, "group \"" + group.asked.name + "\": " + why +
                                        "; the links are told again where the addresses are");
    announcer_->announce(group.asked.name, group.places);
}

void Roles::defend(const IpAddress& address) {
    for (const auto& group : groups_) {
        const auto is_it = [&](const Announcer::Place& place) { return place.address == address; };
        if (std::ranges::any_of(group->places, is_it)) {
            announce_again(*group, "another host claims " + to_string(address));
        }
    }
}

void Roles::advertise(Group& group, std::uint8_t priority) {
    for (std::size_t path = 0; path < group.paths.size(); ++path) {
        AdvertSocket& socket = *group.paths[path];
        const AdvertEnds ends = socket.ends_of_ours();
        const Advert advert{.version = group.asked.version,
                            .id = group.asked.id,
                            .priority = priority,
                            .interval = group.asked.advert,
                            .addresses = ends.source.is_v4() ? group.named4 : group.named6};
        if (socket.send(write_advert(advert, ends))) {
            group.counters.adverts_sent.add(1);
        }
    }
}

// --- from role to role -------------------------------------------------------------------------

GroupRoles Roles::roles() const {
    GroupRoles roles;
    for (const auto& group : groups_) {
        roles[group->asked.name] = group->role;
    }
    return roles;
}

bool Roles::leads() const {
    const auto first =
        std::ranges::min_element(groups_, {}, [](const auto& group) { return group->asked.id; });
    return first != groups_.end() && (*first)->role == GroupRole::active;
}

void Roles::change_role(Group& group) {
    const VrrpState state = group.router.state();
    const std::string reason{to_string(group.router.reason())};
    group.counters.transitions.add(1);
    group.counters.is_active.set(state == VrrpState::master ? 1 : 0);
    log_.write(
        Severity::notice, LogArea::director,
        "group \"" + group.asked.name + "\" is " + std::string{to_string(state)} + ": " + reason,
        {{"group", group.asked.name}, {"state", to_string(state)}, {"reason", reason}});
    if (state == VrrpState::master) {
        claim(group);
    }
    const VrrpState from = std::exchange(group.told, state);
    if (tell_ != nullptr) {
        tell_({.time = std::time(nullptr),
               .director = director_,
               .group = group.asked.name,
               .from = std::string{to_string(from)},
               .to = std::string{to_string(state)},
               .reason = reason,
               .addresses = in_words(group.places)});
    }
}

void Roles::claim(Group& group) {
    group.departure.cancel();
    group.role = GroupRole::active;
    apply_(roles(), [this, &group] {
        if (group.role != GroupRole::active || group.is_held) {
            return;
        }
        group.is_held = true;
        hold_(roles());
        announcer_->announce(group.asked.name, group.places);
    });
}

void Roles::withdraw(Group& group) {
    group.role = GroupRole::leaving;
    group.is_held = false;
    announcer_->fall_silent(group.asked.name);
    hold_(roles());
    apply_(roles(), [] {});  // late packets are forwarded, and the peer's word on sessions counts
    group.departure.after(leaving_length, [this, &group] {
        group.role = GroupRole::standby;
        apply_(roles(), [] {});
    });
}

void Roles::leave(std::function<void()> when_left) {
    left_ = std::move(when_left);
    review_.cancel();
    bool has_peer = false;
    for (const auto& group : groups_) {
        group->is_awaited = group->router.state() == VrrpState::master && group->router.peer();
        has_peer = has_peer || group->is_awaited;
        obey(*group, group->router.stop(loop_.now()));
    }
    patience_.after(has_peer ? patience_at_the_end : frames_leave_within,
                    [this] { finish_leaving(); });
}

void Roles::finish_leaving() {
    patience_.cancel();
    if (const auto left = std::exchange(left_, nullptr)) {
        left();
    }
}

// What nobody tells by an event: that nothing has come.
void Roles::review() {
    review_.after(review_period, [this] { review(); });
    for (const auto& group : groups_) {
        std::uint64_t lost_count = 0;
        for (std::size_t path = 0; path < group->paths.size(); ++path) {
            const bool is_lost = group->router.is_path_lost(path, loop_.now());
            if (is_lost != group->is_lost[path]) {
                group->is_lost[path] = is_lost;
                const std::string sentence = "group \"" + group->asked.name +
                                             "\": the path over \"" +
                                             group->asked.paths[path].port + "\" is ";
                is_lost ? log_.warning(LogArea::director,
                                       sentence + "lost: the active director is not heard there")
                        : log_.notice(LogArea::director, sentence + "back");
            }
            lost_count += is_lost ? 1 : 0;
        }
        group->counters.paths_lost.set(lost_count);
    }
}

}  // namespace fulcrum
