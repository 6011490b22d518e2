// Lines first; the table of words without a counterpart last.
#include "config/import/ldirectord_file.h"

#include <array>
#include <map>
#include <utility>

#include "config/wording.h"

namespace fulcrum {
namespace {

// What stands behind the value's end. Within quotes # is a letter.
std::string_view without_comment(std::string_view text) {
    bool is_quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        is_quoted = is_quoted != (text[i] == '"');
        if (text[i] == '#' && !is_quoted) {
            return text.substr(0, i);
        }
    }
    return text;
}

Statement statement_in(const OldLine& line) {
    const std::string_view text = trimmed(without_comment(line.text));
    const std::size_t equals = text.find('=');
    Statement statement{.line = {line.place, std::string{trimmed(line.text)}}};
    statement.key = trimmed(text.substr(0, equals));
    if (equals != std::string_view::npos) {
        std::string_view value = trimmed(text.substr(equals + 1));
        if (value.size() > 1 && value.front() == '"' && value.back() == '"' &&
            value.find('"', 1) == value.size() - 1) {
            value = value.substr(1, value.size() - 2);
        }
        statement.value = value;
    }
    return statement;
}

// Behind what there is; what it says again goes to `repeated`.
void add(Statements& statements, Statement statement, Statements& repeated) {
    const bool may_repeat =
        statement.key == "real" || statement.key == "real6" || statement.key == "execute";
    for (auto each = statements.begin(); !may_repeat && each != statements.end(); ++each) {
        if (each->key == statement.key) {
            repeated.splice(repeated.end(), statements, each);
            break;
        }
    }
    statements.push_back(std::move(statement));
}

struct Word {
    Remark::Kind kind;
    const char* why;
    const char* remedy;
};

const std::map<std::string_view, Word>& words_without_counterpart() {
    using enum Remark::Kind;
    static const char* const no_mail = "nobody is named who gets mail";
    static const std::map<std::string_view, Word> words{
        {"autoreload", {needless, "a changed file is read when it is told to", ""}},
        {"callback",
         {lost, "no program is called after a reload", "call it after fulcrumctl reload"}},
        {"execute", {lost, "it starts another ldirectord", "import that file as well"}},
        {"fallbackcommand",
         {lost, "no program is called when the fallback takes over",
          "hook.program is called then, with FULCRUM_EVENT = quorum_down or quorum_up"}},
        {"emailalert", {needless, "no mail is sent", ""}},
        {"emailalertfrom", {needless, no_mail, ""}},
        {"emailalertfreq", {needless, no_mail, ""}},
        {"emailalertstatus", {needless, no_mail, ""}},
        {"smtp", {needless, no_mail, ""}},
        {"comment", {lost, "mail has no text of a service's own", ""}},
        {"monitorfile",
         {lost, "outcomes of checks are not written to a file",
          "fulcrumctl reals shows the latest"}},
        {"load", {lost, "ldirectord itself does nothing with it", ""}},
        {"supervised", {needless, "the director always runs in the foreground", ""}},
        {"fork", {needless, "all checks run at the same time", ""}},
        {"readdquiescent", {needless, "what is in the file is there, down or not", ""}},
        {"cleanstop", {needless, "the director gives its ports back when it ends", ""}},
        {"checkcount", {needless, "every probe is one packet or connection", ""}},
        {"checkcommand", {needless, "its check type calls no program", ""}},
        {"connecttimeout", {lost, "ldirectord itself refuses it", "checktimeout is what it was"}},
        {"timeout", {lost, "ldirectord itself refuses it", "checktimeout is what it was"}},
        {"checktimeout", {needless, "no section uses it", ""}},
        {"negotiatetimeout", {needless, "no section uses it", ""}},
        {"checkinterval", {needless, "no section uses it", ""}},
        {"failurecount", {needless, "no section uses it", ""}},
        {"fallback", {needless, "no section uses it", ""}},
        {"fallback6", {needless, "no section uses it", ""}},
        {"quiescent", {needless, "no section uses it", ""}},
    };
    return words;
}

}  // namespace

LdirectordFile ldirectord_file_in(const ImportSource& source) {
    LdirectordFile file;
    bool is_in_section = false;
    for (const OldLine& line : lines_in(source.path, source.text)) {
        const std::string_view text = trimmed(line.text);
        if (text.empty() || text.front() == '#') {
            continue;
        }
        const bool is_indented = line.text.front() == ' ' || line.text.front() == '\t';
        Statement statement = statement_in(line);
        if (is_indented && is_in_section) {
            add(file.sections.back().children, std::move(statement), file.repeated);
        } else if (statement.key == "virtual" || statement.key == "virtual6") {
            file.sections.push_back({.head = std::move(statement), .children = {}});
            is_in_section = true;
        } else {
            add(file.globals, std::move(statement), file.repeated);
            is_in_section = false;
        }
    }
    return file;
}

Statement* find_in(Statements& statements, std::string_view key) {
    for (Statement& each : statements) {
        if (each.key == key) {
            each.is_used = true;
            return &each;
        }
    }
    return nullptr;
}

void tell_of(Draft& draft, const Statement& statement) {
    const auto word = words_without_counterpart().find(statement.key);
    if (word == words_without_counterpart().end()) {
        return draft.lost(statement.line, in_quotes(statement.key) + " is not known here");
    }
    const Word& said = word->second;
    if (said.kind == Remark::Kind::needless) {
        draft.needless(statement.line, said.why);
    } else {
        draft.lost(statement.line, said.why, said.remedy);
    }
}

std::string service_of_port(std::uint16_t port) {
    constexpr std::array<std::pair<std::uint16_t, std::string_view>, 19> services{
        {{21, "ftp"},
         {25, "smtp"},
         {53, "dns"},
         {80, "http"},
         {110, "pop"},
         {119, "nntp"},
         {143, "imap"},
         {389, "ldap"},
         {443, "https"},
         {587, "submission"},
         {636, "ldaps"},
         {993, "imaps"},
         {995, "pops"},
         {1521, "oracle"},
         {1812, "radius"},
         {3128, "http_proxy"},
         {3306, "mysql"},
         {5060, "sip"},
         {5432, "pgsql"}}};
    for (const auto& [known, name] : services) {
        if (known == port) {
            return std::string{name};
        }
    }
    return "none";
}

std::string check_of_service(const std::string& service) {
    static const std::map<std::string, std::string> words{
        {"pop", "pop3"}, {"pops", "pop3s"}, {"submission", "smtp"}, {"simpletcp", "tcp"}};
    const auto word = words.find(service);
    return word == words.end() ? service : word->second;
}

OwnTalk talk_in(const OldLine& line, std::string_view quoted) {
    std::vector<std::string> parts;
    for (std::size_t open = quoted.find('"'); open != std::string_view::npos;) {
        const std::size_t close = quoted.find('"', open + 1);
        parts.emplace_back(quoted.substr(open + 1, close - open - 1));
        open = close == std::string_view::npos ? close : quoted.find('"', close + 1);
    }
    return {line, parts[0], parts.size() > 1 ? parts[1] : ""};
}

}  // namespace fulcrum
