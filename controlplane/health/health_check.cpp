// The schedule of probes and the book of outcomes.
#include "controlplane/health/health_check.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace fulcrum {
namespace {

// At start, probes set off over one millisecond each, so that a restart is no storm and a small
// configuration is known at once.
constexpr Duration jitter_per_probe = 1ms;

using Key = std::tuple<std::string_view, std::string_view, std::uint16_t>;
Key key_of(const CheckSubject& subject) { return {subject.service, subject.real, subject.ordinal}; }

bool are_of_one_real(const CheckSubject& a, const CheckSubject& b) {
    return a.service == b.service && a.real == b.real;
}

std::string sentence_of(const ProbeSpec& spec, const ProbeOutcome& outcome, bool is_among_others) {
    return is_among_others ? std::string{to_string(spec.check.type)} + ": " + outcome.sentence
                           : outcome.sentence;
}

}  // namespace

HealthCheck::HealthCheck(EventLoop& loop, Probers probers, OnChange on_change)
    : loop_{loop},
      on_change_{std::move(on_change)},
      random_{std::random_device{}()},
      probers_{std::move(probers)} {
    for (const auto& [type, prober] : probers_) {
        durations_[type];
    }
}

void HealthCheck::follow(const CheckPlan& plan) {
    follow(plan, [](const CheckSubject&) { return Health::unknown; });
}

void HealthCheck::follow(const CheckPlan& plan, const First& first) {
    follow_subjects(plan, first);
    follow_probes(plan);
}

const CheckReport* HealthCheck::report_of(std::string_view service, std::string_view real) const {
    const std::span<const Subject> its = subjects_of(service, real);
    return its.empty() ? nullptr : &its[0].report;
}

auto HealthCheck::subjects_of(std::string_view service, std::string_view real) const
    -> std::span<const Subject> {
    const auto first = std::ranges::lower_bound(subjects_, Key{service, real, std::uint16_t{0}}, {},
                                                [](const Subject& s) { return key_of(s.subject); });
    const auto is_its_own = [&](const Subject& each) {
        return each.subject.service == service && each.subject.real == real;
    };
    return {first, std::find_if_not(first, subjects_.end(), is_its_own)};
}

bool HealthCheck::is_passive(std::string_view service, std::string_view real) const {
    return std::ranges::any_of(subjects_of(service, real),
                               [](const Subject& each) { return each.subject.is_passive; });
}

bool HealthCheck::hasten(std::string_view service, std::string_view real) {
    const std::span<const Subject> its = subjects_of(service, real);
    if (its.empty() || its[0].report.health != Health::up) {
        return false;
    }
    bool any = false;
    for (const Subject& each : its) {
        any |= each.subject.is_passive && bring_forward(schedules_[each.subject.probe]);
    }
    its[0].tally->hastened.add(any ? 1 : 0);
    return any;
}

bool HealthCheck::bring_forward(const std::shared_ptr<Schedule>& schedule) {
    if (schedule->is_under_way || loop_.now() - schedule->started < hasten_period) {
        return false;
    }
    schedule->start = loop_.now();
    start(schedule);
    return true;
}

// Two ascending lists walked side by side: a subject in both keeps what is known of it.
void HealthCheck::follow_subjects(const CheckPlan& plan, const First& first) {
    std::vector<Subject> kept;
    kept.reserve(plan.subjects.size());
    auto old = subjects_.begin();
    for (const CheckSubject& subject : plan.subjects) {
        while (old != subjects_.end() && key_of(old->subject) < key_of(subject)) {
            ++old;
        }
        if (old != subjects_.end() && key_of(old->subject) == key_of(subject) &&
            old->subject.endpoint == subject.endpoint) {
            kept.push_back(std::move(*old++));
            kept.back().subject = subject;
            continue;
        }
        // The other checks of a real that is known begin from what it is by them.
        const bool is_further = !kept.empty() && are_of_one_real(kept.back().subject, subject);
        Subject fresh;
        fresh.subject = subject;
        fresh.tally = is_further ? kept.back().tally : std::make_shared<CheckTally>();
        fresh.report.tally = fresh.tally;
        fresh.report.since = loop_.now();
        fresh.state = {first(subject), 0, loop_.now()};
        fresh.report.health = fresh.state.health;
        kept.push_back(std::move(fresh));
    }
    subjects_ = std::move(kept);
    for (std::size_t i = 0; i < subjects_.size(); ++i) {
        const bool has_next = i + 1 < subjects_.size() &&
                              are_of_one_real(subjects_[i].subject, subjects_[i + 1].subject);
        subjects_[i].is_among_others = has_next || subjects_[i].subject.ordinal > 0;
    }
}

void HealthCheck::follow_probes(const CheckPlan& plan) {
    std::vector<std::shared_ptr<Schedule>> kept;
    kept.reserve(plan.probes.size());
    std::vector<std::shared_ptr<Schedule>> fresh;
    auto old = schedules_.begin();
    for (const ProbeSpec& spec : plan.probes) {
        while (old != schedules_.end() && (*old)->spec < spec) {
            ++old;
        }
        if (old != schedules_.end() && (*old)->spec == spec) {
            kept.push_back(std::move(*old++));
            kept.back()->subjects.clear();
            continue;
        }
        fresh.push_back(std::make_shared<Schedule>(loop_, spec));
        kept.push_back(fresh.back());
    }
    // Who is left behind loses its timer here, and the outcome of a probe under way finds nobody.
    schedules_ = std::move(kept);
    for (std::size_t index = 0; index < subjects_.size(); ++index) {
        schedules_[subjects_[index].subject.probe]->subjects.push_back(index);
    }
    if (!is_held_) {
        spread_out(fresh);
    }
}

void HealthCheck::hold() {
    is_held_ = true;
    for (const auto& schedule : schedules_) {
        schedule->timer.cancel();
    }
}

void HealthCheck::release() {
    is_held_ = false;
    spread_out(schedules_);
}

void HealthCheck::spread_out(const std::vector<std::shared_ptr<Schedule>>& fresh) {
    const Duration spread = jitter_per_probe * static_cast<Duration::rep>(fresh.size());
    for (const auto& schedule : fresh) {
        const Duration longest = std::min<Duration>(spread, schedule->spec.check.interval);
        std::uniform_int_distribution<Duration::rep> jitter{0, longest.count()};
        schedule->start = loop_.now() + Duration{jitter(random_)};
        set_off(schedule);
    }
}

void HealthCheck::set_off(const std::shared_ptr<Schedule>& schedule) {
    schedule->timer.at(schedule->start, [this, weak = std::weak_ptr{schedule}] {
        if (const auto due = weak.lock()) {
            start(due);
        }
    });
}

void HealthCheck::start(const std::shared_ptr<Schedule>& schedule) {
    schedule->start = next_start_after(schedule->start, schedule->spec.check.interval, loop_.now());
    set_off(schedule);
    if (schedule->is_under_way) {
        return;  // validation keeps timeouts within intervals; a late loop can still get here
    }
    schedule->is_under_way = true;
    schedule->started = loop_.now();
    probers_.at(schedule->spec.check.type)
        ->probe(schedule->spec, [this, weak = std::weak_ptr{schedule},
                                 started = loop_.now()](const ProbeOutcome& outcome) {
            if (const auto asked = weak.lock()) {
                asked->is_under_way = false;
                finish(*asked, started, outcome);
            }
        });
}

void HealthCheck::finish(Schedule& schedule, Instant started, const ProbeOutcome& outcome) {
    if (outcome.verdict != ProbeVerdict::not_sent) {
        count(schedule.spec, loop_.now() - started);
    }
    for (const std::size_t index : schedule.subjects) {
        Subject& subject = subjects_[index];
        const std::string sentence = sentence_of(schedule.spec, outcome, subject.is_among_others);
        if (*subject.tally->sentence.look() != sentence) {
            subject.tally->sentence.show(sentence);
        }
        const bool advises_anew = weigh(subject, outcome);
        Subject& first = first_of_real(index);
        const Health health = health_by_all(first);
        const bool is_news = health != first.report.health;
        if (is_news) {
            first.report.health = health;
            first.report.since = loop_.now();
            first.report.sentence = sentence;
        }
        if (health != Health::unknown && (is_news || (advises_anew && health == Health::up))) {
            on_change_({subject.subject.service, subject.subject.real, health, sentence,
                        advised_by_any(first)});
        }
    }
}

HealthCheck::Subject& HealthCheck::first_of_real(std::size_t subject) {
    return subjects_[subject - subjects_[subject].subject.ordinal];
}

// Down by one of them, or up by all.
Health HealthCheck::health_by_all(const Subject& first) const {
    Health health = Health::up;
    const Subject* const end = subjects_.data() + subjects_.size();
    for (const Subject* each = &first; each != end && are_of_one_real(each->subject, first.subject);
         ++each) {
        if (each->state.health == Health::down) {
            return Health::down;
        }
        health = each->state.health == Health::unknown ? Health::unknown : health;
    }
    return health;
}

std::optional<std::uint32_t> HealthCheck::advised_by_any(const Subject& first) const {
    const Subject* const end = subjects_.data() + subjects_.size();
    for (const Subject* each = &first; each != end && are_of_one_real(each->subject, first.subject);
         ++each) {
        if (each->weight) {
            return each->weight;
        }
    }
    return std::nullopt;
}

void HealthCheck::count(const ProbeSpec& spec, Duration length) {
    CheckDurations& durations = durations_[spec.check.type];
    const double length_s = std::chrono::duration<double>{length}.count();
    const auto bucket = std::ranges::lower_bound(check_duration_bounds_s, length_s);
    durations.counts[static_cast<std::size_t>(bucket - check_duration_bounds_s.begin())].add(1);
    durations.sum_us.add(static_cast<std::uint64_t>(length.count() / 1'000));
}

// Whether it advises another weight than before.
bool HealthCheck::weigh(Subject& subject, const ProbeOutcome& outcome) {
    if (outcome.verdict == ProbeVerdict::not_sent) {
        subject.tally->not_sent.add(1);
        return false;
    }
    const bool is_success = outcome.verdict == ProbeVerdict::success;
    subject.tally->probes.add(1);
    subject.tally->failures.add(is_success ? 0 : 1);
    subject.state = judge(subject.state, is_success, subject.subject.thresholds, loop_.now());
    const bool advises_anew =
        is_success && subject.state.health == Health::up && outcome.weight != subject.weight;
    if (advises_anew) {
        subject.weight = outcome.weight;
    }
    return advises_anew;
}

Instant next_start_after(Instant start, Duration interval, Instant now) {
    const Instant next = start + interval;
    if (next > now) {
        return next;
    }
    return next + interval * ((now - next) / interval + 1);
}

}  // namespace fulcrum
