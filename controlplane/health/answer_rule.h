// What an answer must hold: a text, and something that a regular expression fits. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "config/expression.h"
#include "config/model/check.h"

namespace fulcrum {

// No answer is read beyond this.
inline constexpr std::size_t answer_size_max = std::size_t{64} * 1'024;

class AnswerRule {
  public:
    explicit AnswerRule(const Check& check);

    bool asks_anything() const { return !expect_.empty() || expression_.has_value(); }
    bool fits(std::string_view answer) const;
    // What the answer that does not fit lacks: "\"OK\"", "a match of \"^OK\"".
    std::string lack_of(std::string_view answer) const;

  private:
    std::string expect_;
    std::string match_;
    std::optional<Expression> expression_;
};

}  // namespace fulcrum
