// Recursive descent, one function a rule; every step returns whether it went on well. The depth is
// at most limits::nesting_max.
#include "config/grammar.h"

#include <algorithm>
#include <string>

#include "config/file_limits.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

std::string shown(const Token& token) {
    const bool has_quotes = token.kind == TokenKind::text;
    const std::string_view text =
        has_quotes ? token.text.substr(1, token.text.size() - 2) : token.text;
    return in_quotes(text) + " (column " + std::to_string(token.column) + ")";
}

class GrammarCheck {
  public:
    explicit GrammarCheck(std::string_view text) : lexer_{text} {}

    std::vector<LineProblem> run();

  private:
    bool accept_settings(TokenKind close);
    bool accept_setting();
    bool accept_value();
    bool accept_group();
    bool accept_sequence(TokenKind close);
    bool accept_scalar(bool may_join_texts);
    bool accept_separator(TokenKind close);

    bool stop(unsigned line, std::string sentence);
    bool stop_at_token(const std::string& expected);
    bool enter();
    void leave();
    bool count_value();
    void advance() {
        previous_ = token_;
        token_ = lexer_.next();
    }
    bool is_scalar() const {
        return token_.kind >= TokenKind::boolean && token_.kind <= TokenKind::text;
    }

    Prelexer lexer_;
    Token token_;
    Token previous_;
    std::vector<unsigned> open_lines_;  // where the brackets were opened that are not closed yet
    std::size_t value_count_ = 0;
    std::vector<LineProblem> problems_;
};

std::vector<LineProblem> GrammarCheck::run() {
    advance();
    accept_settings(TokenKind::end);
    while (token_.kind != TokenKind::end) {  // the rest's tokens can be wrong, too
        advance();
    }
    problems_.insert(problems_.end(), lexer_.problems().begin(), lexer_.problems().end());
    return std::move(problems_);
}

// NOLINTBEGIN(misc-no-recursion): enter() bounds the depth
bool GrammarCheck::accept_settings(TokenKind close) {
    std::vector<std::string_view> names;
    while (token_.kind != close) {
        const bool is_repeated = std::find(names.begin(), names.end(), token_.text) != names.end();
        if (token_.kind == TokenKind::name && is_repeated) {
            return stop(token_.line, "the key " + in_quotes(token_.text) +
                                         " stands here for the second time: remove one");
        }
        names.push_back(token_.text);
        if (names.size() > limits::keys_per_group_max) {
            return stop(token_.line, "the group has more than " +
                                         std::to_string(limits::keys_per_group_max) + " keys");
        }
        if (!accept_setting()) {
            return false;
        }
    }
    return true;
}

bool GrammarCheck::accept_setting() {
    if (token_.kind != TokenKind::name) {
        return stop_at_token(open_lines_.empty() ? "a key" : "a key or \"}\"");
    }
    advance();
    if (token_.kind != TokenKind::equals) {
        return stop_at_token("\"=\" after the key " + in_quotes(previous_.text));
    }
    advance();
    if (!accept_value()) {
        return false;
    }
    if (token_.kind == TokenKind::semicolon || token_.kind == TokenKind::comma) {
        advance();
    }
    return true;
}

bool GrammarCheck::accept_value() {
    switch (token_.kind) {
        case TokenKind::open_group:
            return accept_group();
        case TokenKind::open_array:
            return accept_sequence(TokenKind::close_array);
        case TokenKind::open_list:
            return accept_sequence(TokenKind::close_list);
        case TokenKind::name:
            return stop_at_token(
                "a value (texts stand in double quotes, booleans are true or false)");
        default:
            return is_scalar() ? accept_scalar(/*may_join_texts=*/true) : stop_at_token("a value");
    }
}

bool GrammarCheck::accept_group() {
    if (!enter()) {
        return false;
    }
    if (!accept_settings(TokenKind::close_group)) {
        return false;
    }
    leave();
    return true;
}

bool GrammarCheck::accept_sequence(TokenKind close) {
    if (!enter()) {
        return false;
    }
    const bool is_array = close == TokenKind::close_array;
    TokenKind first_kind = token_.kind;
    while (token_.kind != close) {
        if (is_array && token_.kind == TokenKind::open_group) {
            return stop(token_.line, "groups stand in a list: write ( ) around them, not [ ]");
        }
        if (is_array && is_scalar() && token_.kind != first_kind) {
            return stop(token_.line, "the elements of an array are of one type, and " +
                                         shown(token_) + " is of another");
        }
        const bool is_accepted = is_array || token_.kind == TokenKind::text
                                     ? accept_scalar(/*may_join_texts=*/false)
                                     : accept_value();
        if (!is_accepted || !accept_separator(close)) {
            return false;
        }
    }
    leave();
    return true;
}

// NOLINTEND(misc-no-recursion)

// A comma and a value behind it, or the sequence's end.
bool GrammarCheck::accept_separator(TokenKind close) {
    const std::string bracket = close == TokenKind::close_array ? "\"]\"" : "\")\"";
    if (token_.kind == close) {
        return true;
    }
    if (token_.kind != TokenKind::comma) {
        if (is_scalar() || token_.kind == TokenKind::open_group ||
            token_.kind == TokenKind::open_list) {
            return stop(previous_.line,
                        "a comma is missing between the elements, after " + shown(previous_));
        }
        return stop_at_token("\",\" or " + bracket);
    }
    advance();
    if (token_.kind == close) {
        return stop(previous_.line,
                    "no element follows the last comma before " + bracket + ": remove the comma");
    }
    return true;
}

bool GrammarCheck::accept_scalar(bool may_join_texts) {
    if (!is_scalar()) {
        return stop_at_token("a number, a text or a boolean");
    }
    if (!count_value()) {
        return false;
    }
    const bool is_text = token_.kind == TokenKind::text;
    advance();
    while (is_text && may_join_texts && token_.kind == TokenKind::text) {
        advance();
    }
    return true;
}

// Past an opening bracket.
bool GrammarCheck::enter() {
    open_lines_.push_back(token_.line);
    if (open_lines_.size() > limits::nesting_max) {
        return stop(token_.line,
                    "the brackets nest deeper than " + std::to_string(limits::nesting_max));
    }
    if (!count_value()) {
        return false;
    }
    advance();
    return true;
}

void GrammarCheck::leave() {
    open_lines_.pop_back();
    advance();
}

bool GrammarCheck::count_value() {
    return ++value_count_ <= limits::values_max ||
           stop(token_.line,
                "the file has more than " + std::to_string(limits::values_max) + " values");
}

bool GrammarCheck::stop(unsigned line, std::string sentence) {
    problems_.push_back({line, std::move(sentence)});
    return false;
}

bool GrammarCheck::stop_at_token(const std::string& expected) {
    if (token_.kind == TokenKind::unknown) {
        return false;  // the prelexer has said why
    }
    if (token_.kind != TokenKind::end) {
        return stop(token_.line, "expected " + expected + ", found " + shown(token_));
    }
    const std::string opened =
        open_lines_.empty()
            ? ""
            : "; a bracket of line " + std::to_string(open_lines_.back()) + " is not closed";
    return stop(previous_.line, "expected " + expected + ", found the end of the file" + opened);
}

}  // namespace

std::vector<LineProblem> check_grammar(std::string_view text) { return GrammarCheck{text}.run(); }

}  // namespace fulcrum
