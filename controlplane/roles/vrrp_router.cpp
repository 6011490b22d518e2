// The states' transitions first, then what is heard, then time.
#include "controlplane/roles/vrrp_router.h"

#include <algorithm>
#include <array>
#include <utility>

#include "config/model/role_group.h"
#include "controlplane/roles/vrrp_packet.h"

namespace fulcrum {
namespace {

constexpr int adverts_until_down = 3;
constexpr int adverts_until_stalled = 2;  // behind the one that was due
constexpr int priority_steps = 256;
constexpr std::uint8_t priority_of_insistence = 254;

}  // namespace

std::string_view to_string(VrrpState state) {
    constexpr std::array<std::string_view, 5> names{"stopped", "fault", "standby", "suspecting",
                                                    "active"};
    return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(VrrpReason reason) {
    constexpr std::array<std::string_view, 11> sentences{
        "it has just started",
        "the active director is silent",
        "the active director has left",
        "its priority is greater than that of the director that was active",
        "an operator asked for it",
        "another director is active, whose priority or address is greater",
        "what it tracks is lost",
        "what it tracks is back",
        "this director stood still for too long",
        "neither fence nor witness lets it be active",
        "the active director is heard again"};
    return sentences[static_cast<std::size_t>(reason)];
}

void VrrpRouter::change_settings(VrrpSettings settings) {
    settings_ = std::move(settings);
    paths_.resize(settings_.sources.size());
}

// --- what it is worth --------------------------------------------------------------------------

std::uint8_t VrrpRouter::priority() const {
    if (is_insisting_) {
        return std::max(priority_of_insistence, settings_.priority);
    }
    return static_cast<std::uint8_t>(settings_.priority > penalty_ ? settings_.priority - penalty_
                                                                   : 1);
}

// The less it is worth, the longer it waits: who is worth most comes first (RFC 9568, 6.1).
Duration VrrpRouter::skew() const {
    const Duration unit = settings_.version == 2 ? Duration{1s} : peer_interval();
    return unit * (priority_steps - priority()) / priority_steps;
}

Duration VrrpRouter::down_interval() const { return adverts_until_down * peer_interval() + skew(); }

bool VrrpRouter::may_preempt(Instant now) const {
    const bool has_waited = is_ready_ && now - ready_since_ >= settings_.preempt_delay;
    return is_insisting_ || (settings_.preempt && has_waited && !has_resigned_);
}

// --- from state to state -----------------------------------------------------------------------

void VrrpRouter::enter(VrrpState state, VrrpReason reason, Instant now, VrrpActions& actions) {
    actions.has_changed = actions.has_changed || state != state_;
    if (state != state_) {
        since_ = now;
        reason_ = reason;
    }
    state_ = state;
}

void VrrpRouter::wait_for_master(Instant now, Duration length) {
    has_waited_ = false;
    timer_ = now + length;
}

void VrrpRouter::become_backup(VrrpReason reason, Instant now, VrrpActions& actions) {
    rival_heard_at_.reset();
    enter(VrrpState::backup, reason, now, actions);
    wait_for_master(now, down_interval());
}

void VrrpRouter::become_master(VrrpReason reason, Instant now, VrrpActions& actions) {
    has_resigned_ = false;
    rival_heard_at_.reset();
    enter(VrrpState::master, reason, now, actions);
    advertise(now, actions);
}

void VrrpRouter::leave(VrrpReason reason, Instant now, VrrpActions& actions) {
    if (state_ == VrrpState::master) {
        actions.advertise = priority_of_leaver;
    }
    is_insisting_ = false;
    become_backup(reason, now, actions);
}

void VrrpRouter::advertise(Instant now, VrrpActions& actions) {
    actions.advertise = priority();
    // Late ones are not made up for.
    timer_ = std::max(timer_ + settings_.advert, now);
    if (timer_ <= now || timer_ > now + settings_.advert) {
        timer_ = now + settings_.advert;
    }
}

VrrpActions VrrpRouter::start(Instant now) {
    VrrpActions actions;
    since_ = ready_since_ = now;
    if (!is_fit_) {
        enter(VrrpState::fault, VrrpReason::tracked_lost, now, actions);
        return actions;
    }
    become_backup(VrrpReason::started, now, actions);
    if (settings_.priority == priority_of_owner && is_ready_) {
        on_silence(now, actions);
    }
    return actions;
}

VrrpActions VrrpRouter::stop(Instant now) {
    VrrpActions actions;
    leave(VrrpReason::operator_asked, now, actions);
    enter(VrrpState::stopped, VrrpReason::operator_asked, now, actions);
    return actions;
}

void VrrpRouter::set_ready(bool is_ready, Instant now) {
    if (is_ready && !is_ready_) {
        ready_since_ = now;
    }
    is_ready_ = is_ready;
}

VrrpActions VrrpRouter::set_fitness(bool is_fit, std::uint32_t penalty, Instant now) {
    VrrpActions actions;
    penalty_ = penalty;
    if (is_fit == is_fit_) {
        return actions;
    }
    is_fit_ = is_fit;
    if (state_ == VrrpState::stopped) {
        return actions;
    }
    if (is_fit) {
        become_backup(VrrpReason::tracked_back, now, actions);
    } else {
        leave(VrrpReason::tracked_lost, now, actions);
        enter(VrrpState::fault, VrrpReason::tracked_lost, now, actions);
    }
    return actions;
}

VrrpActions VrrpRouter::permit(bool is_permitted, Instant now) {
    VrrpActions actions;
    if (notice_stall(now, actions)) {
        return actions;
    }
    if (is_permitted && state_ == VrrpState::asking) {
        become_master(VrrpReason::silence, now, actions);
    } else if (!is_permitted && state_ == VrrpState::master) {
        leave(VrrpReason::no_permission, now, actions);
    }
    return actions;
}

VrrpActions VrrpRouter::give_up(Instant now) {
    VrrpActions actions;
    leave(VrrpReason::operator_asked, now, actions);
    has_resigned_ = true;
    return actions;
}

// An owner does not yield to anybody.
bool VrrpRouter::can_take_over() const {
    return state_ == VrrpState::backup && (!peer_ || peer_->priority <= priority_of_insistence ||
                                           settings_.priority == priority_of_owner);
}

// The master steps down for a greater priority, so we have one until it has.
VrrpActions VrrpRouter::take_over(Instant now) {
    VrrpActions actions;
    if (can_take_over()) {
        is_insisting_ = true;
        become_master(VrrpReason::operator_asked, now, actions);
    }
    return actions;
}

// --- what is heard -----------------------------------------------------------------------------

VrrpActions VrrpRouter::on_advert(const HeardAdvert& heard, Instant now) {
    VrrpActions actions;
    if (state_ == VrrpState::stopped || heard.path >= paths_.size()) {
        return actions;
    }
    notice_stall(now, actions);
    paths_[heard.path] = now;
    heard_at_ = now;
    peer_ = heard;
    if (state_ == VrrpState::master) {
        hear_as_master(heard, now, actions);
    } else if (state_ != VrrpState::fault) {
        hear_as_backup(heard, now, actions);
    }
    return actions;
}

void VrrpRouter::hear_as_backup(const HeardAdvert& heard, Instant now, VrrpActions& actions) {
    if (heard.priority == priority_of_leaver) {
        // It has released what it held: nobody has to be asked.
        if (state_ == VrrpState::asking) {
            become_backup(VrrpReason::master_returned, now, actions);
        }
        timer_ = std::min(timer_, now + skew());
        return;
    }
    const bool is_below = heard.priority < priority();
    if (settings_.version == 3 && heard.interval > Duration{0}) {
        learnt_interval_ = heard.interval;
    }
    if (state_ == VrrpState::asking) {
        become_backup(VrrpReason::master_returned, now, actions);
    } else if (!is_below || !may_preempt(now)) {
        wait_for_master(now, down_interval());
    }
}

// The same pair of addresses for both sides, or each might think the other the greater.
bool VrrpRouter::is_path_of_ties(std::size_t path, Instant now) const {
    return std::none_of(paths_.begin(), paths_.begin() + static_cast<std::ptrdiff_t>(path),
                        [&](const std::optional<Instant>& heard_at) {
                            return heard_at && now - *heard_at < down_interval();
                        });
}

bool VrrpRouter::is_peer_above(const HeardAdvert& heard, Instant now) const {
    if (heard.priority != priority()) {
        return heard.priority > priority();
    }
    return is_path_of_ties(heard.path, now) && heard.source > settings_.sources[heard.path];
}

void VrrpRouter::hear_as_master(const HeardAdvert& heard, Instant now, VrrpActions& actions) {
    if (heard.priority == priority_of_leaver) {
        actions.is_contested = rival_heard_at_.has_value();
        rival_heard_at_.reset();
        advertise(now, actions);
        return;
    }
    // Of two operators' wishes the later one counts; its first adverts may cross with ours.
    const bool is_outbid =
        is_insisting_ && heard.priority == priority_of_insistence && now - since_ > down_interval();
    if (is_outbid || is_peer_above(heard, now)) {
        if (settings_.version == 3 && heard.interval > Duration{0}) {
            learnt_interval_ = heard.interval;
        }
        is_insisting_ = false;
        return become_backup(VrrpReason::better_master, now, actions);
    }
    // It is told at once, and the link is told again where we are (RFC 9568, 6.4.3); once an
    // interval, or two that are deaf in one direction would answer each other without end.
    if (!rival_heard_at_ || now - *rival_heard_at_ >= settings_.advert / 2) {
        rival_heard_at_ = now;
        actions.is_contested = true;
        advertise(now, actions);
    }
}

// --- time --------------------------------------------------------------------------------------

std::optional<Instant> VrrpRouter::next() const {
    // Who has nobody to take over from it waits for the operator.
    const bool has_retired = state_ == VrrpState::backup && has_resigned_ && paths_.empty();
    const bool waits = !has_retired && (state_ == VrrpState::backup || state_ == VrrpState::master);
    return waits ? std::optional{timer_} : std::nullopt;
}

// Others have given us up meanwhile, or we have not heard what they said: nothing that our timers
// say is worth anything.
bool VrrpRouter::notice_stall(Instant now, VrrpActions& actions) {
    const bool has_timer = next().has_value();
    if (!has_timer || now - timer_ < adverts_until_stalled * settings_.advert) {
        return false;
    }
    is_insisting_ = false;
    become_backup(VrrpReason::stalled, now, actions);
    return true;
}

VrrpActions VrrpRouter::on_time(Instant now) {
    VrrpActions actions;
    const std::optional<Instant> due = next();
    if (!due || now < *due || notice_stall(now, actions)) {
        return actions;
    }
    if (state_ == VrrpState::backup) {
        on_silence(now, actions);
        return actions;
    }
    if (rival_heard_at_ && now - *rival_heard_at_ > down_interval()) {
        rival_heard_at_.reset();
    }
    advertise(now, actions);
    return actions;
}

void VrrpRouter::on_silence(Instant now, VrrpActions& actions) {
    const bool is_silent = !heard_at_ || now - *heard_at_ >= adverts_until_down * peer_interval();
    const bool has_left =
        peer_ && peer_->priority == priority_of_leaver && now - *heard_at_ < 2 * down_interval();
    if (!is_ready_ && !has_left && !has_waited_) {
        wait_for_master(now, down_interval());
        has_waited_ = true;
        return;
    }
    if (is_silent && !has_left && settings_.needs_permission) {
        enter(VrrpState::asking, VrrpReason::silence, now, actions);
        return;
    }
    become_master(has_left    ? VrrpReason::master_left
                  : is_silent ? VrrpReason::silence
                              : VrrpReason::preempted,
                  now, actions);
}

bool VrrpRouter::is_path_lost(std::size_t path, Instant now) const {
    if (state_ != VrrpState::backup || !heard_at_ || now - *heard_at_ > down_interval()) {
        return false;
    }
    const Instant quiet_since = std::max(paths_[path].value_or(since_), since_);
    return now - quiet_since > down_interval();
}

}  // namespace fulcrum
