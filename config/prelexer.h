// The tokens of a configuration file, read before libconfig sees it. libconfig wraps large integers
// silently, lets a string run over line ends, knows no column, and spends seconds on hostile
// tokens; this room refuses all that with a sentence. What it lets through is a subset of
// libconfig's language: numbers in decimal or hexadecimal within their type, strings of one line in
// UTF-8, comments of all three kinds. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fulcrum {

enum class TokenKind : std::uint8_t {
    end,
    name,
    boolean,
    integer,
    integer64,
    floating,
    text,     // with its quotes
    include,  // the whole directive
    equals,   // "=" or ":"
    comma,
    semicolon,
    open_group,
    close_group,
    open_array,
    close_array,
    open_list,
    close_list,
    unknown,  // refused already, with a sentence
};

struct Token {
    TokenKind kind = TokenKind::end;
    std::string_view text;
    unsigned line = 1;  // both from 1; the column in bytes
    unsigned column = 1;
};

// A sentence about a line of the text that was read.
struct LineProblem {
    unsigned line = 0;
    std::string sentence;
    // libconfig would read the text all the same, and get only this value wrong.
    bool still_parses = false;
};

class Prelexer {
  public:
    explicit Prelexer(std::string_view text) : text_{text} {}

    // After the last token: `end`, again and again.
    Token next();

    // What was refused so far: at most limits::findings_max, then no more are kept.
    const std::vector<LineProblem>& problems() const { return problems_; }
    // The file's end came within a comment that this line opened. 0: no.
    unsigned open_comment_line() const { return open_comment_line_; }
    // How far the text is read: the end of the token given last.
    std::size_t position() const { return at_; }

  private:
    void skip_blanks_and_comments();
    void skip_block_comment();
    void end_line();
    Token read_symbol();
    Token read_name();
    Token read_number();
    Token read_text();
    Token read_include();
    Token token_of(TokenKind kind, std::size_t length);
    void check_text(std::string_view body);
    void check_number(std::string_view number, TokenKind& kind);
    void refuse(std::string sentence, bool still_parses = false);
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_start_ = 0;
    unsigned line_ = 1;
    unsigned open_comment_line_ = 0;
    std::vector<LineProblem> problems_;
};

// Whether `text` is UTF-8 (RFC 3629: no overlong form, no surrogate).
bool is_utf8(std::string_view text);

// The path within an include token.
std::string_view include_path(const Token& token);

}  // namespace fulcrum
