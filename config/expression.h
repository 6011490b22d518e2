// Regular expressions of operators over answers of servers. The engine is RE2: its time grows with
// the text's length and nothing else, so that no expression and no answer can hold up the control
// loop. Text and expression are octets, not characters. Pure; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/model/result.h"

namespace re2 {
class RE2;
}

namespace fulcrum {

class Expression {
  public:
    // The error says what is wrong in it.
    static Result<Expression> compile(const std::string& text);

    // Somewhere in `text`.
    bool fits(std::string_view text) const;

  private:
    explicit Expression(std::shared_ptr<const re2::RE2> compiled)
        : compiled_{std::move(compiled)} {}

    std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace fulcrum
