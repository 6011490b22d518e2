// The text first: it is the cheaper question. Compiled expressions are kept, since probes come
// every few seconds with the same ones.
#include "controlplane/health/answer_rule.h"

#include <map>

#include "config/wording.h"

namespace fulcrum {
namespace {

std::optional<Expression> compiled(const std::string& match) {
    constexpr std::size_t kept_max = 1'000;
    thread_local std::map<std::string, Expression> kept;
    if (const auto known = kept.find(match); known != kept.end()) {
        return known->second;
    }
    Result<Expression> expression = Expression::compile(match);
    if (!expression) {
        return std::nullopt;  // the rules of the configuration have refused it
    }
    if (kept.size() == kept_max) {
        kept.clear();
    }
    return kept.emplace(match, std::move(*expression)).first->second;
}

}  // namespace

AnswerRule::AnswerRule(const Check& check) : expect_{check.expect}, match_{check.match} {
    if (!match_.empty()) {
        expression_ = compiled(match_);
    }
}

bool AnswerRule::fits(std::string_view answer) const {
    return answer.find(expect_) != std::string_view::npos &&
           (!expression_ || expression_->fits(answer));
}

std::string AnswerRule::lack_of(std::string_view answer) const {
    return answer.find(expect_) == std::string_view::npos ? in_quotes(expect_)
                                                          : "a match of " + in_quotes(match_);
}

}  // namespace fulcrum
