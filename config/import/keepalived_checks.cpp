// Times first, which all checkers share; then one function a kind of checker.
#include "config/import/keepalived_checks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string>
#include <utility>

#include "config/value_type.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

constexpr std::array<std::string_view, 10> checkers{
    "TCP_CHECK",  "HTTP_GET",   "SSL_GET",   "SMTP_CHECK", "DNS_CHECK",
    "MISC_CHECK", "PING_CHECK", "UDP_CHECK", "FILE_CHECK", "BFD_CHECK"};

// Seconds, perhaps with a fraction, in milliseconds.
std::optional<std::int64_t> milliseconds_in(const std::string& text) {
    double seconds = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
    const bool is_fit = error == std::errc{} && stop == end && seconds >= 0 && seconds < 1e9;
    return is_fit ? std::optional{static_cast<std::int64_t>(seconds * 1'000 + 0.5)} : std::nullopt;
}

class CheckImport {
  public:
    CheckImport(Draft& draft, KeepalivedNode& server, KeepalivedNode& real, KeepalivedNode& checker)
        : draft_{draft}, server_{server}, real_{real}, checker_{checker} {}

    // The check, and one more for each further URL.
    std::vector<Check> run();

  private:
    void set_times();
    void set_duration(KeepalivedNode* said, const char* key);
    void set_tries();
    void set_port();
    void set_web(const char* kind);
    void set_url(KeepalivedNode& url);
    void set_mail();
    void set_names();
    void set_program();
    void set_datagram();
    void lose_rest(KeepalivedNode& node);

    // The checker's own, else the real's, else the virtual server's; null: nobody says it.
    KeepalivedNode* find(std::string_view key) {
        for (KeepalivedNode* node : {&checker_, &real_, &server_}) {
            if (KeepalivedNode* found = node->find(key)) {
                return found;
            }
        }
        return nullptr;
    }

    Draft& draft_;
    KeepalivedNode& server_;
    KeepalivedNode& real_;
    KeepalivedNode& checker_;
    std::vector<Check> of_further_urls_;
};

std::vector<Check> CheckImport::run() {
    draft_.service().check = {.type = CheckType::none};
    const std::string_view kind = checker_.key();
    set_times();
    if (kind == "TCP_CHECK") {
        draft_.set_check(checker_.line, "connect");
    } else if (kind == "HTTP_GET" || kind == "SSL_GET") {
        set_web(kind == "HTTP_GET" ? "http" : "https");
    } else if (kind == "SMTP_CHECK") {
        set_mail();
    } else if (kind == "DNS_CHECK") {
        set_names();
    } else if (kind == "MISC_CHECK") {
        set_program();
    } else if (kind == "UDP_CHECK") {
        set_datagram();
    } else if (kind == "PING_CHECK") {
        draft_.set_check(checker_.line, "ping");
    } else {
        draft_.lost(checker_.line, "there is no check of that kind",
                    "the reals are asked for a TCP connection, where they have one");
    }
    if (kind != "PING_CHECK") {
        set_port();
    }
    lose_rest(checker_);
    std::vector<Check> checks = std::move(of_further_urls_);
    for (Check& check : checks) {
        check.port = draft_.service().check.port;
    }
    checks.insert(checks.begin(), std::exchange(draft_.service().check, {}));
    return checks;
}

// --- when and how often ------------------------------------------------------------------------

void CheckImport::set_duration(KeepalivedNode* said, const char* key) {
    if (said == nullptr) {
        return;
    }
    if (const auto ms = milliseconds_in(said->value())) {
        draft_.set(said->line, key, describe_duration(*ms));
    } else {
        draft_.lost(said->line, in_quotes(said->value()) + " is not a number of seconds");
    }
}

void CheckImport::set_times() {
    Check& check = draft_.service().check;
    check.interval = std::chrono::seconds{60};
    check.timeout = std::chrono::seconds{5};
    set_duration(find("delay_loop"), "interval");
    if (checker_.key() == "MISC_CHECK") {
        check.timeout = check.interval;
        set_duration(checker_.find("misc_timeout"), "timeout");
    } else {
        set_duration(find("connect_timeout"), "timeout");
    }
    set_tries();
    // Without alpha a real is taken for up until its checker has found it down.
    check.initial = find("alpha") != nullptr ? InitialHealth::down : InitialHealth::up;
}

void CheckImport::set_tries() {
    const std::string_view kind = checker_.key();
    KeepalivedNode* const old_name = checker_.find("nb_get_retry");
    KeepalivedNode* const said = old_name != nullptr ? old_name : find("retry");
    std::int64_t retries = kind == "DNS_CHECK" ? 3 : kind == "MISC_CHECK" ? 0 : 1;
    if (said != nullptr) {
        constexpr std::int64_t most = 1'000'000;
        retries = std::min(number_in(said->value()).value_or(-1), most);
    }
    const OldLine& line = said != nullptr ? said->line : checker_.line;
    if (!draft_.set(line, "fall", retries + 1)) {
        return;
    }
    KeepalivedNode* const delay = find("delay_before_retry");
    if (retries > 0) {
        draft_.changed(delay != nullptr ? delay->line : line,
                       "after a failure the check is repeated at the interval of " +
                           describe_duration(draft_.service().check.interval.count()) +
                           ", not sooner",
                       "a shorter check.interval finds it out sooner");
    } else if (delay != nullptr) {
        draft_.needless(delay->line, "nothing is retried");
    }
}

void CheckImport::set_port() {
    if (KeepalivedNode* said = checker_.find("connect_port")) {
        if (const auto port = draft_.port_of(said->line, said->value())) {
            draft_.set(said->line, "port", *port);
        }
    }
}

// --- kinds -------------------------------------------------------------------------------------

void CheckImport::set_web(const char* kind) {
    const bool is_known = draft_.set_check(checker_.line, kind);
    bool is_first = true;
    KeepalivedNode* const host = find("virtualhost");
    if (host != nullptr && is_known) {
        draft_.set(host->line, "host", host->value());
    } else if (host != nullptr) {
        draft_.lost(host->line, "the check that stands there has no use for it");
    }
    Check first = draft_.service().check;  // without a URL
    for (KeepalivedNode& each : checker_.inner) {
        if (each.key() != "url") {
            continue;
        }
        each.is_used = true;
        if (!is_known) {
            lose(draft_, each, "the check that stands there asks for none");
        } else if (is_first) {
            set_url(each);
        } else {
            std::swap(first, draft_.service().check);
            const Check bare = draft_.service().check;
            set_url(each);
            of_further_urls_.push_back(std::exchange(draft_.service().check, bare));
            std::swap(first, draft_.service().check);
        }
        is_first = false;
    }
}

void CheckImport::set_url(KeepalivedNode& url) {
    if (KeepalivedNode* path = url.find("path")) {
        draft_.set(path->line, "path", path->value());
    }
    if (KeepalivedNode* host = url.find("virtualhost")) {
        draft_.set(host->line, "host", host->value());
    }
    if (KeepalivedNode* status = url.find("status_code")) {
        std::string ranges;
        for (std::size_t i = 1; i < status->words.size(); ++i) {
            std::string word = status->words[i];
            word.resize(word.find_last_not_of(',') + 1);
            ranges += (ranges.empty() ? "" : ", ") + word;
        }
        draft_.set(status->line, "status", ranges);
    }
    KeepalivedNode* const inverse = url.find("regex_no_match");
    if (inverse != nullptr) {
        draft_.lost(inverse->line, "an answer is asked for what it holds, not for what it lacks");
    }
    if (KeepalivedNode* regex = url.find("regex")) {
        if (inverse != nullptr) {
            draft_.lost(regex->line, "it was what an answer may not hold");
        } else {
            draft_.set_match(regex->line, regex->value());
        }
    }
    if (KeepalivedNode* digest = url.find("digest")) {
        draft_.lost(digest->line, "answers are not held against digests",
                    "name a text that the page always holds with check.expect");
    }
    lose_rest(url);
}

void CheckImport::set_mail() {
    draft_.set_check(checker_.line, "smtp");
    if (KeepalivedNode* host = checker_.find("host")) {
        lose(draft_, *host, "the real itself is asked, and nobody else");
    }
}

void CheckImport::set_names() {
    KeepalivedNode* const type = checker_.find("type");
    KeepalivedNode* const name = checker_.find("name");
    if (!draft_.set_check(checker_.line, "dns")) {
        for (KeepalivedNode* each : {type, name}) {
            if (each != nullptr) {
                draft_.lost(each->line, "the check that stands there has no use for it");
            }
        }
        return;
    }
    draft_.set(type != nullptr ? type->line : checker_.line, "record",
               type != nullptr ? type->value() : "SOA");
    draft_.set(name != nullptr ? name->line : checker_.line, "query",
               name != nullptr ? name->value() : ".");
}

void CheckImport::set_program() {
    KeepalivedNode* const path = checker_.find("misc_path");
    KeepalivedNode* const dynamic = checker_.find("misc_dynamic");
    const bool is_known = draft_.set_check(checker_.line, "program");
    if (!is_known || path == nullptr) {
        for (KeepalivedNode* each : {path, dynamic}) {
            if (each != nullptr) {
                draft_.lost(each->line, "no program is called");
            }
        }
        return;
    }
    std::string command;
    for (std::size_t i = 1; i < path->words.size(); ++i) {
        command += path->words[i] + " ";
    }
    draft_.set_command(path->line, command);
    draft_.service().check.exit_weight =
        dynamic != nullptr && draft_.service().check.type == CheckType::program;
}

void CheckImport::set_datagram() {
    KeepalivedNode* const payload = checker_.find("payload");
    KeepalivedNode* const reply = checker_.find("require_reply");
    const OldLine& line = payload != nullptr ? payload->line : checker_.line;
    if (payload == nullptr || !Draft::knows_check("udp")) {
        draft_.lost(line, "a datagram with nothing in it is no question",
                    "name octets that the server answers with check.send_hex, and check.type");
        if (reply != nullptr) {
            draft_.lost(reply->line, "the reals are not asked for it");
        }
        return;
    }
    draft_.set_check(line, "udp");
    if (!draft_.set(line, "send_hex", payload->value())) {
        draft_.set(line, "type", "none");
    }
    if (reply != nullptr && !reply->value().empty()) {
        draft_.lost(reply->line, "octets in hexadecimal are not expected of an answer",
                    "any answer will do now; write what it holds as check.expect");
    }
}

void CheckImport::lose_rest(KeepalivedNode& node) {
    for (const KeepalivedNode& each : node.inner) {
        if (each.is_used) {
            continue;
        }
        if (is_said_again(node, each)) {
            draft_.needless(each.line, "a later line says it again, and that one counts");
            continue;
        }
        const std::string_view key = each.key();
        if (key == "warmup") {
            draft_.needless(each.line, "first checks are spread over the interval anyway");
        } else if (key == "connect_ip" || key.starts_with("bind") || key == "fwmark") {
            lose(draft_, each, "checks go to the real, by the way that its traffic takes");
        } else {
            lose(draft_, each, in_quotes(key) + " has no counterpart");
        }
    }
}

// Of a real: what its checkers take from it.
bool is_shared_by_checkers(std::string_view key) {
    constexpr std::array<std::string_view, 6> shared{
        "delay_loop", "retry", "delay_before_retry", "connect_timeout", "virtualhost", "alpha"};
    return std::ranges::find(shared, key) != shared.end();
}

// A real whose line was lost has none.
void give_own(Draft& draft, const KeepalivedNode& node, const std::vector<Check>& checks) {
    for (RealServer& real : draft.service().reals) {
        if (real.place.line == node.line.place.line && real.place.file == node.line.place.file) {
            real.checks = checks;
        }
    }
}

}  // namespace

bool is_checker(std::string_view key) { return std::ranges::find(checkers, key) != checkers.end(); }

void set_check(Draft& draft, KeepalivedNode& server, const std::vector<KeepalivedNode*>& reals) {
    draft.service().check = {.type = CheckType::none};
    std::string meaning_of_all;
    std::map<const KeepalivedNode*, std::vector<Check>> own_checks;
    for (KeepalivedNode* real : reals) {
        std::vector<KeepalivedNode*> its_checkers;
        std::string its_meaning;
        for (KeepalivedNode& each : real->inner) {
            if (is_checker(each.key())) {
                each.is_used = true;
                its_checkers.push_back(&each);
            }
            const bool counts = is_checker(each.key()) || is_shared_by_checkers(each.key());
            its_meaning += counts ? meaning_of(each) : "";
        }
        if (!its_checkers.empty() && its_meaning == meaning_of_all) {
            continue;  // it is asked what all are asked
        }
        const Check of_all = draft.service().check;
        std::vector<Check> checks;
        for (KeepalivedNode* checker : its_checkers) {
            for (Check& check : CheckImport{draft, server, *real, *checker}.run()) {
                checks.push_back(std::move(check));
            }
        }
        draft.service().check = of_all;
        if (meaning_of_all.empty() && !its_checkers.empty()) {
            meaning_of_all = its_meaning;
            draft.service().check = checks.front();
            draft.service().further_checks.assign(checks.begin() + 1, checks.end());
            continue;
        }
        own_checks[real] =
            its_checkers.empty() ? std::vector<Check>{{.type = CheckType::none}} : checks;
    }
    if (meaning_of_all.empty()) {
        return;  // nobody is asked anything
    }
    for (auto& [real, checks] : own_checks) {
        give_own(draft, *real, checks);
    }
}

}  // namespace fulcrum
