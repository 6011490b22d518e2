// Carries out what the elections decide. A group that becomes active goes through
//
//     advert ──► snapshot, seen by all workers ──► addresses on the twins ──► the links are told
//
// so that nothing comes before workers serve it; one that leaves loses its addresses first, says
// that it leaves, and forwards for ten more seconds what others still send to it. Before it
// believes a timer it reads what has come meanwhile. The control thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/service.h"
#include "controlplane/event_loop.h"
#include "controlplane/log.h"
#include "controlplane/roles/advert_socket.h"
#include "controlplane/roles/announcer.h"
#include "controlplane/roles/neighbour_probe.h"
#include "controlplane/roles/role.h"
#include "controlplane/roles/role_report.h"
#include "controlplane/roles/tracked_things.h"
#include "controlplane/roles/vrrp_router.h"

namespace fulcrum {

class Roles {
  public:
    struct Parts {
        EventLoop& loop;
        Log& log;
        std::vector<Announcer::Link> links;  // by port index
        // The workers are told; `seen` is called when all of them know.
        std::function<void(const GroupRoles&, std::function<void()> seen)> apply;
        // The twins hold the addresses of the groups that are active, and no others' of groups.
        std::function<void(const GroupRoles&)> hold;
        // Whether our sessions are as complete as the peer's; empty: always.
        std::function<bool()> is_ready;
        std::function<void(const RoleChange&)> tell;
        TrackingSenses senses;
        // Called again and again: if it is not for so long, this thread hangs, and what the kernel
        // says in our name is to leave no more. Empty: nobody listens.
        std::function<void(Duration)> stay_alive_for;
    };
    // Of a configuration with groups. Nothing is sent yet.
    static Result<std::unique_ptr<Roles>> open(const Config& config, Parts parts);

    ~Roles();
    Roles(const Roles&) = delete;
    Roles& operator=(const Roles&) = delete;

    void begin();  // the workers have their first snapshot
    void follow(const Config& config);
    // Withdraws, says that it leaves, and calls when another has taken over, or has had the time.
    void leave(std::function<void()> done);

    // Somebody else claims the address: if it is ours, the links are told again that it is here.
    void defend(const IpAddress& address);

    GroupRoles roles() const;
    // Whether the group of the least id is active here: its holder's word counts in what both have.
    bool leads() const;
    std::vector<GroupReport> report() const;
    std::vector<NamedRoleCounters> counters() const;  // they stay where they are
    std::vector<std::string> problems() const;
    // Of every group, if `group` is empty. An error: nothing has changed.
    Status give_up(const std::string& group);
    Status take_over(const std::string& group);
    // The peer of a group that waits for its fence is dead: the operator says so.
    Status confirm_fence(const std::string& group);

  private:
    struct Group;

    explicit Roles(Parts parts);

    Status open_paths(Group& group, const Config& config);
    void listen_for_witnesses(const Config& config);
    void take_addresses(Group& group, std::vector<Announcer::Place> places);
    void hear(Group& group, std::size_t path, std::span<const std::uint8_t> octets,
              const AdvertEnds& ends);
    void on_time(Group& group);
    void obey(Group& group, const VrrpActions& actions);
    void change_role(Group& group);
    void claim(Group& group);
    void withdraw(Group& group);
    void advertise(Group& group, std::uint8_t priority);
    void review();
    void finish_leaving();
    void renew_readiness(Group& group);
    void on_tracked(Group& group);
    void seek_permission(Group& group);
    void permit_if_allowed(Group& group);
    bool does_witness_agree(const Group& group) const;
    bool is_heard(const Group& group, const IpAddress& neighbour) const;
    bool is_cut_off(const Group& group) const;
    void on_probe_round();
    void note_peer(Group& group, std::size_t path, const IpAddress& source);
    void probe_neighbours();
    void show_life();
    void announce_again(Group& group, const std::string& why);
    Result<std::vector<Group*>> groups_of(const std::string& name) const;

    EventLoop& loop_;
    Log& log_;
    std::vector<Announcer::Link> links_;
    std::function<void(const GroupRoles&, std::function<void()>)> apply_;
    std::function<void(const GroupRoles&)> hold_;
    std::function<bool()> is_ready_;
    std::function<void(const RoleChange&)> tell_;
    TrackingSenses senses_;
    std::function<void(Duration)> stay_alive_for_;
    std::string director_;
    Programs programs_;
    std::vector<std::unique_ptr<Group>> groups_;
    std::unique_ptr<Announcer> announcer_;
    std::unique_ptr<NeighbourProbe> probe_;  // null: no group had a witness at the start
    Timer review_;
    Timer life_;
    Timer patience_;
    std::function<void()> left_;  // set while leaving
};

}  // namespace fulcrum
