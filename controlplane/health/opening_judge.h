// Judgement on a real by the connections that clients open there: it fails if enough of them were
// refused or left unanswered, and not one was answered since the first of these. One answer clears
// it, so that a real that is slow, or refuses some, is never judged to fail.
//
// A SYN counts as refused when the RST is here, and as unanswered when a second has passed: that is
// when the client says it again, and far beyond any way to a server. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "config/model/time.h"

namespace fulcrum {

// Of one real, by all workers; each only rises.
struct OpeningCounts {
    std::uint64_t asked = 0;     // SYNs that went there before an answer
    std::uint64_t answered = 0;  // SYN,ACK
    std::uint64_t refused = 0;   // RST
};

// How often counts are to be looked at, at the most.
inline constexpr Duration opening_look_period = 500ms;
inline constexpr std::uint64_t failed_openings_min = 3;
// Failures that lie farther apart do not belong together.
inline constexpr Duration failed_openings_window = 10s;

struct FailedOpenings {
    std::uint64_t count = 0;
    std::uint64_t refused = 0;  // of these
    bool is_news = false;       // the first time since an answer
};

class OpeningJudge {
  public:
    // What the counts show when it begins has been judged elsewhere.
    OpeningJudge(const OpeningCounts& counts, Instant now) { begin_anew(counts, now); }

    // Nothing: the real answers, or too few have asked it to tell.
    std::optional<FailedOpenings> look(const OpeningCounts& counts, Instant now) {
        if (counts.answered != answered_) {
            begin_anew(counts, now);
            was_told_ = false;
            return std::nullopt;
        }
        const std::uint64_t refused = counts.refused - refused_;
        const std::uint64_t overdue = asked_before_last_ - asked_;
        const FailedOpenings failed{std::max(refused, overdue), refused, !was_told_};
        if (failed.count < failed_openings_min && now - since_ > failed_openings_window) {
            since_ = now;
            asked_ = asked_before_last_;
            refused_ = counts.refused;
        }
        asked_before_last_ = asked_at_last_;
        asked_at_last_ = counts.asked;
        return failed.count < failed_openings_min ? std::nullopt : std::optional{failed};
    }

    // It has been told, and a check decides: what failed until now is weighed.
    void settle(const OpeningCounts& counts, Instant now) {
        begin_anew(counts, now);
        was_told_ = true;
    }

  private:
    void begin_anew(const OpeningCounts& counts, Instant now) {
        answered_ = counts.answered;
        refused_ = counts.refused;
        asked_ = asked_before_last_ = asked_at_last_ = counts.asked;
        since_ = now;
    }

    // Where counting began.
    std::uint64_t asked_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t refused_ = 0;
    Instant since_{};
    std::uint64_t asked_at_last_ = 0;      // as the last look found it
    std::uint64_t asked_before_last_ = 0;  // and the one before: a second ago, or more
    bool was_told_ = false;
};

}  // namespace fulcrum
