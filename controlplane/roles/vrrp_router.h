// One group's part in its election: VRRP's state machine (RFC 9568, 6.4; RFC 3768, 6.4), with what
// a pair of directors needs beyond it. Events go in, and what is to be done comes out; time is an
// argument. It owns no socket, and knows addresses for nothing but a tie.
//
//                     silence, and fit                permission
//     ┌────────┐ ───────────────────────► ┌────────┐ ────────────► ┌────────┐
//     │ backup │ ◄─────────────────────── │ asking │               │ master │
//     └────────┘    an advert is heard    └────────┘               └────────┘
//       ▲    ▲ └────────────── the master leaves, or we preempt ─────► │
//       │    └──────────────── a better one, a stall, an operator ─────┘
//     fault: what is tracked is lost; stopped
//
// Beyond the RFC: adverts come by several paths, any of which proves that the master lives. A
// silent master is taken over only with permission (fence, witness), one that has left without. Who
// is not ready does not preempt, and waits twice as long before it believes in silence. Two equals
// that hear each other are told apart by their addresses on one path, the first on which both are
// heard. Whoever has slept for longer than others take to give him up is a backup again before he
// believes any of his timers. Control thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "config/model/address.h"
#include "config/model/time.h"

namespace fulcrum {

enum class VrrpState : std::uint8_t { stopped, fault, backup, asking, master };
std::string_view to_string(VrrpState state);  // "standby" for backup, "active" for master

// Why the state is what it is, for the operator.
enum class VrrpReason : std::uint8_t {
    started,
    silence,      // the master was not heard any more
    master_left,  // it said so
    preempted,    // our priority is greater than that of the master
    operator_asked,
    better_master,  // another's priority or address is greater
    tracked_lost,
    tracked_back,
    stalled,          // we were not there for too long
    no_permission,    // the witness is silent, or the fence failed
    master_returned,  // it is heard again
};
std::string_view to_string(VrrpReason reason);

struct VrrpSettings {
    std::uint8_t version = 3;
    std::uint8_t priority = 100;  // 1 to 255
    Duration advert = 100ms;
    bool preempt = false;
    Duration preempt_delay{};
    bool needs_permission = false;   // to take over from a master that is silent
    std::vector<IpAddress> sources;  // by path: where our adverts come from
};

struct HeardAdvert {
    std::size_t path = 0;
    IpAddress source;
    std::uint8_t priority = 0;
    Duration interval{};
};

struct VrrpActions {
    // On every path, now.
    std::optional<std::uint8_t> advertise;
    bool is_contested = false;  // another has been master beside us: the link may believe him
    bool has_changed = false;   // the state
};

class VrrpRouter {
  public:
    explicit VrrpRouter(VrrpSettings settings) { change_settings(std::move(settings)); }

    VrrpActions start(Instant now);
    VrrpActions stop(Instant now);
    VrrpActions on_advert(const HeardAdvert& heard, Instant now);
    VrrpActions on_time(Instant now);  // at next(), or later

    // Of as many paths as before.
    void change_settings(VrrpSettings settings);
    // Ready: our sessions are as complete as the master's.
    void set_ready(bool is_ready, Instant now);
    // Fit: all is there that the group cannot be held without. `penalty` is taken from the
    // priority, of which 1 is left at least.
    VrrpActions set_fitness(bool is_fit, std::uint32_t penalty, Instant now);
    // While asking: true, the master is surely dead. False at any time: what was granted is over.
    VrrpActions permit(bool is_permitted, Instant now);

    // The operator's wishes. False: it is not possible now.
    bool can_give_up() const { return state_ == VrrpState::master; }
    VrrpActions give_up(Instant now);
    bool can_take_over() const;
    VrrpActions take_over(Instant now);

    std::optional<Instant> next() const;
    VrrpState state() const { return state_; }
    VrrpReason reason() const { return reason_; }
    Instant since() const { return since_; }
    std::uint8_t priority() const;  // as it stands in adverts
    // The master's, when it was heard last; nothing: never.
    std::optional<HeardAdvert> peer() const { return peer_; }
    std::optional<Instant> heard_at() const { return heard_at_; }
    // Nothing has been heard on it for as long as a master may be silent, while others were.
    bool is_path_lost(std::size_t path, Instant now) const;
    // How long a master may be silent.
    Duration down_interval() const;

  private:
    void enter(VrrpState state, VrrpReason reason, Instant now, VrrpActions& actions);
    void become_master(VrrpReason reason, Instant now, VrrpActions& actions);
    void become_backup(VrrpReason reason, Instant now, VrrpActions& actions);
    void leave(VrrpReason reason, Instant now, VrrpActions& actions);
    bool notice_stall(Instant now, VrrpActions& actions);
    void on_silence(Instant now, VrrpActions& actions);
    void hear_as_backup(const HeardAdvert& heard, Instant now, VrrpActions& actions);
    void hear_as_master(const HeardAdvert& heard, Instant now, VrrpActions& actions);
    void advertise(Instant now, VrrpActions& actions);
    void wait_for_master(Instant now, Duration length);
    bool may_preempt(Instant now) const;
    bool is_peer_above(const HeardAdvert& heard, Instant now) const;
    bool is_path_of_ties(std::size_t path, Instant now) const;
    Duration skew() const;
    Duration peer_interval() const { return learnt_interval_.value_or(settings_.advert); }

    VrrpSettings settings_;
    std::vector<std::optional<Instant>> paths_;  // when somebody was heard there
    VrrpState state_ = VrrpState::stopped;
    VrrpReason reason_ = VrrpReason::started;
    Instant since_{};
    bool is_fit_ = true;
    std::uint32_t penalty_ = 0;
    bool is_ready_ = true;
    Instant ready_since_{};
    bool has_waited_ = false;                  // once more, for want of readiness
    bool has_resigned_ = false;                // an operator wants another to be master
    bool is_insisting_ = false;                // an operator wants us to be
    std::optional<Duration> learnt_interval_;  // version 3
    std::optional<HeardAdvert> peer_;
    std::optional<Instant> heard_at_;
    std::optional<Instant> rival_heard_at_;  // while we are master
    Instant timer_{};  // master: the next advert; backup: when the master is given up
};

}  // namespace fulcrum
