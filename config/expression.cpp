// RE2 with a bound on what an expression may grow to.
#include "config/expression.h"

#include <re2/re2.h>

namespace fulcrum {

Result<Expression> Expression::compile(const std::string& text) {
    constexpr std::int64_t memory_max = std::int64_t{1} << 20;
    re2::RE2::Options options;
    options.set_encoding(re2::RE2::Options::EncodingLatin1);  // an octet each
    options.set_log_errors(false);
    options.set_max_mem(memory_max);
    options.set_never_capture(true);
    auto compiled = std::make_shared<const re2::RE2>(text, options);
    if (!compiled->ok()) {
        return Error{compiled->error()};
    }
    return Expression{std::move(compiled)};
}

bool Expression::fits(std::string_view text) const {
    return re2::RE2::PartialMatch(re2::StringPiece{text.data(), text.size()}, *compiled_);
}

}  // namespace fulcrum
