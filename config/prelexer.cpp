// Reading tokens: one look at each byte, and each refusal says what was meant to stand there.
#include "config/prelexer.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "config/file_limits.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name_part(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; }
bool is_number_part(char c) { return is_name_part(c) || c == '.' || c == '+'; }

// In capitals or not, as libconfig has it. `lower` is made of letters.
bool is_word(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                      [](char c, char wanted) { return (c | 0x20) == wanted; });
}

bool is_boolean(std::string_view word) { return is_word(word, "true") || is_word(word, "false"); }

std::string_view eat_digits(std::string_view& text) {
    std::size_t length = 0;
    while (length < text.size() && is_digit(text[length])) {
        ++length;
    }
    const std::string_view digits = text.substr(0, length);
    text.remove_prefix(length);
    return digits;
}

bool eat_sign(std::string_view& text) {
    const bool has_sign = !text.empty() && (text.front() == '-' || text.front() == '+');
    text.remove_prefix(has_sign ? 1 : 0);
    return has_sign;
}

// "1.5" and "1.5e-3": what libconfig takes, without its odder forms (".", "1.", "1e3").
bool is_floating(std::string_view text) {
    eat_sign(text);
    if (eat_digits(text).empty() || text.empty() || text.front() != '.') {
        return false;
    }
    text.remove_prefix(1);
    if (eat_digits(text).empty()) {
        return false;
    }
    if (!text.empty() && (text.front() == 'e' || text.front() == 'E')) {
        text.remove_prefix(1);
        eat_sign(text);
        return !eat_digits(text).empty() && text.empty();
    }
    return text.empty();
}

enum class IntegerFit : std::uint8_t { malformed, leading_zero, too_large, fits };

IntegerFit fit_of_digits(std::string_view digits, int base, bool is_64_bit) {
    std::int64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
    if (error == std::errc::invalid_argument || stop != end) {
        return IntegerFit::malformed;
    }
    using Narrow = std::numeric_limits<std::int32_t>;
    const bool is_narrow = value >= Narrow::min() && value <= Narrow::max();
    const bool fits = error == std::errc{} && (is_64_bit || is_narrow);
    return fits ? IntegerFit::fits : IntegerFit::too_large;
}

IntegerFit fit_of_integer(std::string_view digits, bool is_64_bit) {
    if (digits.starts_with("0x") || digits.starts_with("0X")) {
        digits.remove_prefix(2);
        return digits.starts_with('-') ? IntegerFit::malformed
                                       : fit_of_digits(digits, 16, is_64_bit);
    }
    if (digits.starts_with('+')) {
        digits.remove_prefix(1);
        if (digits.starts_with('-')) {
            return IntegerFit::malformed;
        }
    }
    const IntegerFit fit = fit_of_digits(digits, 10, is_64_bit);
    const std::string_view magnitude = digits.substr(digits.starts_with('-') ? 1 : 0);
    const bool has_leading_zero = magnitude.size() > 1 && magnitude.front() == '0';
    return fit != IntegerFit::malformed && has_leading_zero ? IntegerFit::leading_zero : fit;
}

// How many bytes of a multi-byte character follow `lead`, and what the first of them may be.
struct Utf8Tail {
    std::size_t length;
    unsigned char first_least;
    unsigned char first_most;
};

// RFC 3629, section 4. Length 0: no lead byte.
Utf8Tail utf8_tail_of(unsigned char lead) {
    if (lead >= 0xC2 && lead <= 0xDF) {
        return {1, 0x80, 0xBF};
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        const unsigned char least = lead == 0xE0 ? 0xA0 : 0x80;  // no overlong form
        const unsigned char most = lead == 0xED ? 0x9F : 0xBF;   // no surrogate
        return {2, least, most};
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const unsigned char least = lead == 0xF0 ? 0x90 : 0x80;
        const unsigned char most = lead == 0xF4 ? 0x8F : 0xBF;  // up to U+10FFFF
        return {3, least, most};
    }
    return {0, 0, 0};
}

// Of the character that `text` begins with; 0: it begins with none.
std::size_t utf8_character_length(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) {
        return 1;
    }
    const Utf8Tail tail = utf8_tail_of(lead);
    if (tail.length == 0 || text.size() <= tail.length) {
        return 0;
    }
    const auto first = static_cast<unsigned char>(text[1]);
    const bool others_continue =
        std::all_of(text.begin() + 2, text.begin() + 1 + static_cast<std::ptrdiff_t>(tail.length),
                    [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; });
    const bool is_whole = first >= tail.first_least && first <= tail.first_most && others_continue;
    return is_whole ? tail.length + 1 : 0;
}

// The bytes of the escape that `text` begins with, without its backslash; 0: libconfig knows none
// such. A NUL would end the text, and half a character of UTF-8 would spoil it.
std::size_t escape_length(std::string_view text) {
    if (text.front() != 'x') {
        return std::string_view{"\"\\nrtf"}.find(text.front()) == std::string_view::npos ? 0 : 1;
    }
    const std::string_view digits = text.substr(1, 2);
    unsigned code = 0;
    const auto [stop, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    const bool is_whole = error == std::errc{} && stop == digits.data() + 2;
    return is_whole && code > 0 && code < 0x80 ? 3 : 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_character_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

std::string_view include_path(const Token& token) {
    const std::size_t begin = token.text.find('"') + 1;
    return token.text.substr(begin, token.text.size() - begin - 1);
}

Token Prelexer::next() {
    skip_blanks_and_comments();
    if (at_ == text_.size()) {
        return token_of(TokenKind::end, 0);
    }
    const char c = peek();
    if (is_letter(c)) {
        return read_name();
    }
    if (is_digit(c) || c == '-' || c == '+' || c == '.') {
        return read_number();
    }
    if (c == '"') {
        return read_text();
    }
    return c == '@' ? read_include() : read_symbol();
}

void Prelexer::skip_blanks_and_comments() {
    for (; at_ < text_.size(); ++at_) {
        const char c = peek();
        if (c == '\n') {
            end_line();
        } else if (c == '#' || (c == '/' && peek(1) == '/')) {
            at_ = std::min(text_.find('\n', at_), text_.size()) - 1;
        } else if (c == '/' && peek(1) == '*') {
            skip_block_comment();
        } else if (c != ' ' && c != '\t' && c != '\r') {
            return;
        }
    }
    end_line();
}

// Leaves `at_` on the comment's last byte.
void Prelexer::skip_block_comment() {
    const unsigned opened_at_line = line_;
    for (at_ += 2; at_ < text_.size(); ++at_) {
        if (peek() == '*' && peek(1) == '/') {
            ++at_;
            return;
        }
        if (peek() == '\n') {
            end_line();
        }
    }
    open_comment_line_ = opened_at_line;
    --at_;
}

// `at_` is at the line's end. At the text's end it is called again and again, for nothing.
void Prelexer::end_line() {
    const std::size_t size = at_ - std::min(line_start_, at_);
    if (size > limits::line_size_max) {
        refuse("the line has " + std::to_string(size) + " bytes, more than " +
               std::to_string(limits::line_size_max) + ": break it up");
    }
    line_start_ = at_ + 1;
    line_ += at_ < text_.size() ? 1 : 0;
}

Token Prelexer::read_symbol() {
    static constexpr std::string_view symbols = "=:,;{}[]()";
    static constexpr TokenKind kinds[] = {TokenKind::equals,     TokenKind::equals,
                                          TokenKind::comma,      TokenKind::semicolon,
                                          TokenKind::open_group, TokenKind::close_group,
                                          TokenKind::open_array, TokenKind::close_array,
                                          TokenKind::open_list,  TokenKind::close_list};
    const std::size_t index = symbols.find(peek());
    if (index != std::string_view::npos) {
        return token_of(kinds[index], 1);
    }
    if (peek() == '\'') {
        refuse("a single quote opens nothing: texts stand in double quotes");
    } else if (line_ == 1 && text_.substr(at_).starts_with("\xEF\xBB\xBF")) {
        refuse("the file begins with a byte order mark: save it as plain UTF-8");
    } else {
        refuse("unexpected character " + in_quotes(text_.substr(at_, 1)));
    }
    return token_of(TokenKind::unknown, 1);
}

Token Prelexer::read_name() {
    std::size_t length = 0;
    while (is_name_part(peek(length))) {
        ++length;
    }
    const std::string_view name = text_.substr(at_, length);
    if (length > limits::identifier_length_max) {
        refuse("the name " + in_quotes(name) + " has " + std::to_string(length) +
               " characters, more than " + std::to_string(limits::identifier_length_max));
    }
    return token_of(is_boolean(name) ? TokenKind::boolean : TokenKind::name, length);
}

Token Prelexer::read_number() {
    std::size_t length = 0;
    while (is_number_part(peek(length))) {
        ++length;
    }
    TokenKind kind = TokenKind::integer;
    check_number(text_.substr(at_, length), kind);
    return token_of(kind, length);
}

void Prelexer::check_number(std::string_view number, TokenKind& kind) {
    if (is_floating(number)) {
        kind = TokenKind::floating;
        return;
    }
    std::string_view digits = number;
    for (int i = 0; i < 2 && !digits.empty() && digits.back() == 'L'; ++i) {
        digits.remove_suffix(1);
        kind = TokenKind::integer64;
    }
    const bool is_64_bit = kind == TokenKind::integer64;
    switch (fit_of_integer(digits, is_64_bit)) {
        case IntegerFit::fits:
            return;
        case IntegerFit::too_large:
            refuse("the integer " + in_quotes(number) + " does not fit into " +
                       (is_64_bit ? "64 bits" : "32 bits"),
                   /*still_parses=*/true);
            return;
        case IntegerFit::leading_zero:
            refuse("the integer " + in_quotes(number) + " begins with a zero: write it without",
                   /*still_parses=*/true);
            return;
        case IntegerFit::malformed:
            refuse(in_quotes(number) +
                   " is no number: texts, addresses and durations stand in double "
                   "quotes, as in \"5s\"");
            return;
    }
}

Token Prelexer::read_text() {
    std::size_t length = 1;
    while (at_ + length < text_.size() && peek(length) != '"' && peek(length) != '\n') {
        length += peek(length) == '\\' && peek(length + 1) != '\n' ? 2 : 1;
    }
    if (at_ + length >= text_.size() || peek(length) != '"') {
        refuse("the text that begins with " +
               in_quotes(text_.substr(at_ + 1, std::min<std::size_t>(length - 1, 20))) +
               " is not closed before the line's end: a double quote is missing");
        return token_of(TokenKind::unknown, std::min(length, text_.size() - at_));
    }
    check_text(text_.substr(at_ + 1, length - 1));
    return token_of(TokenKind::text, length + 1);
}

void Prelexer::check_text(std::string_view body) {
    const auto is_control = [](char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7F; };
    if (!is_utf8(body)) {
        refuse("the text " + in_quotes(body) + " is not UTF-8");
    } else if (std::any_of(body.begin(), body.end(), is_control)) {
        refuse("the text " + in_quotes(body) + " holds a control character");
    }
    for (std::size_t at = body.find('\\'); at != std::string_view::npos;) {
        // Never the last byte: the quote behind it would not have closed the text.
        const std::size_t length = escape_length(body.substr(at + 1));
        if (length == 0) {
            refuse(
                "the text " + in_quotes(body) +
                " holds an unknown escape: known are \\\" \\\\ \\n \\r \\t \\f and \\x01 to \\x7f");
            return;
        }
        at = body.find('\\', at + 1 + length);
    }
}

Token Prelexer::read_include() {
    static constexpr std::string_view directive = "@include";
    const std::string_view rest = text_.substr(at_);
    const std::size_t open = rest.find_first_not_of(" \t", directive.size());
    if (rest.starts_with(directive) && open != std::string_view::npos && rest[open] == '"') {
        const std::size_t close = rest.find_first_of("\"\n", open + 1);
        if (close != std::string_view::npos && rest[close] == '"' && close > open + 1) {
            return token_of(TokenKind::include, close + 1);
        }
    }
    refuse("a directive is written @include \"other.cfg\"");
    return token_of(TokenKind::unknown, 1);
}

Token Prelexer::token_of(TokenKind kind, std::size_t length) {
    const Token token{kind, text_.substr(at_, length), line_,
                      static_cast<unsigned>(at_ - std::min(line_start_, at_)) + 1};
    at_ += length;
    return token;
}

void Prelexer::refuse(std::string sentence, bool still_parses) {
    if (problems_.size() < limits::findings_max) {
        problems_.push_back({line_, std::move(sentence), still_parses});
    }
}

}  // namespace fulcrum
