// Keeps every checked real's health: starts each probe at its interval (never at the end of the one
// before), lets the judge weigh the outcome for every real that it speaks for, and tells of
// changes. A real with several checks is up while it passes all of them. Thousands of probes are
// under way at once and none waits for another. The control thread.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/event_loop.h"
#include "controlplane/health/check_plan.h"
#include "controlplane/health/health_judge.h"
#include "controlplane/health/probe.h"
#include "controlplane/shown.h"
#include "dataplane/counters.h"

namespace fulcrum {

struct HealthChange {
    std::string service;
    std::string real;
    Health health;
    std::string sentence;                 // why: "connection refused"
    std::optional<std::uint32_t> weight;  // that the check advises
};

// The probes of one real, for listings and metrics; alive as long as somebody lists it.
struct CheckTally {
    SingleWriterCounter probes;    // that told something
    SingleWriterCounter failures;  // of these
    SingleWriterCounter not_sent;
    SingleWriterCounter hastened;  // times that connections which failed made them due
    Shown<std::string> sentence{"not checked yet"};  // of the latest
};

// How long probes took, by type, as a histogram of upper bounds.
inline constexpr std::array<double, 10> check_duration_bounds_s{0.001, 0.0025, 0.005, 0.01, 0.025,
                                                                0.1,   0.25,   0.5,   1,    3};
struct CheckDurations {
    std::array<SingleWriterCounter, check_duration_bounds_s.size() + 1> counts;  // the last: beyond
    SingleWriterCounter sum_us;
};

// What a listing shows of one real's check.
struct CheckReport {
    Health health = Health::unknown;
    std::string sentence;  // of the outcome that decided
    Instant since{};
    std::shared_ptr<const CheckTally> tally;
};

// A check is not made due by anything else within such a time from its latest beginning.
inline constexpr Duration hasten_period = 1s;

class HealthCheck {
  public:
    using Probers = std::map<CheckType, std::shared_ptr<Prober>>;
    // Called from a turn of the loop; may not call back into this.
    using OnChange = std::function<void(const HealthChange&)>;

    HealthCheck(EventLoop& loop, Probers probers, OnChange on_change);

    // Between these two no probe is started: its answer would meet workers that do not know yet
    // which addresses are the director's own.
    void hold();
    void release();

    // From now on these checks run. What is in both plans keeps its state and its schedule.
    void follow(const CheckPlan& plan);
    // The same, and a subject that is new begins as `first` says.
    using First = std::function<Health(const CheckSubject&)>;
    void follow(const CheckPlan& plan, const First& first);

    // Connections fail at the real: its passive checks begin now, and from there at their interval.
    // False: none does, because the real is not up, or each has begun within the last second.
    bool hasten(std::string_view service, std::string_view real);
    bool is_passive(std::string_view service, std::string_view real) const;

    // Null for a real without a check.
    const CheckReport* report_of(std::string_view service, std::string_view real) const;
    // One for each prober; what it leads to may be read on any thread.
    const std::map<CheckType, CheckDurations>& durations() const { return durations_; }

  private:
    // Those of one real stand side by side; what is reported of the real stands with the first.
    struct Subject {
        CheckSubject subject;
        HealthState state;                    // by this check
        std::optional<std::uint32_t> weight;  // the last one advised, by this check
        CheckReport report;
        std::shared_ptr<CheckTally> tally;  // of the real
        bool is_among_others = false;       // the real has several
    };
    struct Schedule {
        explicit Schedule(EventLoop& loop, ProbeSpec probe_spec)
            : spec{std::move(probe_spec)}, timer{loop} {}
        ProbeSpec spec;
        Timer timer;
        Instant start{};    // of the latest probe, then of the next
        Instant started{};  // the latest one
        bool is_under_way = false;
        std::vector<std::size_t> subjects;  // indexes into subjects_
    };

    // Those of one real, in their order; none: it has no check.
    std::span<const Subject> subjects_of(std::string_view service, std::string_view real) const;
    bool bring_forward(const std::shared_ptr<Schedule>& schedule);
    void follow_subjects(const CheckPlan& plan, const First& first);
    void follow_probes(const CheckPlan& plan);
    void spread_out(const std::vector<std::shared_ptr<Schedule>>& fresh);
    void set_off(const std::shared_ptr<Schedule>& schedule);
    void start(const std::shared_ptr<Schedule>& schedule);
    void finish(Schedule& schedule, Instant started, const ProbeOutcome& outcome);
    void count(const ProbeSpec& spec, Duration length);
    bool weigh(Subject& subject, const ProbeOutcome& outcome);
    Subject& first_of_real(std::size_t subject);
    Health health_by_all(const Subject& first) const;
    std::optional<std::uint32_t> advised_by_any(const Subject& first) const;

    EventLoop& loop_;
    OnChange on_change_;
    std::vector<Subject> subjects_;                     // ascending by (service, real, ordinal)
    std::vector<std::shared_ptr<Schedule>> schedules_;  // ascending by spec
    std::map<CheckType, CheckDurations> durations_;
    std::minstd_rand random_;
    bool is_held_ = false;
    Probers probers_;  // last: their end precedes that of what they call
};

// When to start next, having started at `start`: at the next whole interval that is not past, so
// that a loop that was late neither bunches probes nor shifts the phase.
Instant next_start_after(Instant start, Duration interval, Instant now);

}  // namespace fulcrum
