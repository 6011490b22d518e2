// The scripts first, then the one player of them all.
#include "controlplane/health/line_dialogue.h"

#include "config/wording.h"
#include "controlplane/health/digests.h"

namespace fulcrum {
namespace {

using Steps = std::vector<LineStep>;

// RFC 5321; STARTTLS: RFC 3207; AUTH PLAIN: RFC 4616.
Steps smtp_steps(const Check& check) {
    Steps steps{{"", "2"}, {"EHLO fulcrum\r\n", "2"}};
    if (check.starttls) {
        steps.push_back({"STARTTLS\r\n", "220", "", /*starts_tls=*/true});
        steps.push_back({"EHLO fulcrum\r\n", "2"});
    }
    if (check.login.empty()) {
        steps.push_back({"NOOP\r\n", "2"});
    } else {
        const std::string proof = '\0' + check.login + '\0' + check.password;
        steps.push_back({"AUTH PLAIN " + in_base64(proof) + "\r\n", "235"});
    }
    return steps;
}

// RFC 959; AUTH TLS: RFC 4217; SIZE: RFC 3659.
Steps ftp_steps(const Check& check) {
    const bool is_anonymous = check.login.empty();
    Steps steps{{"", "220"}};
    if (check.starttls) {
        steps.push_back({"AUTH TLS\r\n", "234", "", /*starts_tls=*/true});
    }
    steps.push_back({"USER " + (is_anonymous ? "anonymous" : check.login) + "\r\n", "3", "2"});
    steps.push_back({"PASS " + (is_anonymous ? "fulcrum@" : check.password) + "\r\n", "2"});
    if (check.path != "/") {
        steps.push_back({"TYPE I\r\n", "2"});
        steps.push_back({"SIZE " + check.path + "\r\n", "213"});
    }
    return steps;
}

// RFC 9051's quoted string.
std::string in_imap_quotes(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
        quoted.append(c == '"' || c == '\\' ? "\\" : "").push_back(c);
    }
    return quoted + "\"";
}

Steps imap_steps(const Check& check) {
    Steps steps{{"", "* OK"}};
    if (check.starttls) {
        steps.push_back({"a0 STARTTLS\r\n", "a0 OK", "", /*starts_tls=*/true});
    }
    steps.push_back({"a1 CAPABILITY\r\n", "a1 OK"});
    if (!check.login.empty()) {
        steps.push_back({"a2 LOGIN " + in_imap_quotes(check.login) + " " +
                             in_imap_quotes(check.password) + "\r\n",
                         "a2 OK"});
    }
    return steps;
}

// RFC 1939; STLS: RFC 2595.
Steps pop3_steps(const Check& check) {
    Steps steps{{"", "+OK"}};
    if (check.starttls) {
        steps.push_back({"STLS\r\n", "+OK", "", /*starts_tls=*/true});
        steps.push_back({"NOOP\r\n", ""});  // of no use before a login, and answered all the same
    }
    if (!check.login.empty()) {
        steps.push_back({"USER " + check.login + "\r\n", "+OK"});
        steps.push_back({"PASS " + check.password + "\r\n", "+OK"});
    }
    return steps;
}

// redis's own protocol carries any word, a length before each.
std::string redis_command(const std::vector<std::string>& words) {
    std::string command = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) {
        command += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
    return command;
}

Steps redis_steps(const Check& check) {
    Steps steps;
    if (!check.password.empty()) {
        steps.push_back({check.login.empty() ? redis_command({"AUTH", check.password})
                                             : redis_command({"AUTH", check.login, check.password}),
                         "+OK"});
    }
    steps.push_back({redis_command({"PING"}), "+PONG"});
    return steps;
}

Steps steps_of(const Check& check) {
    switch (check.type) {
        case CheckType::smtp:
        case CheckType::smtps:
            return smtp_steps(check);
        case CheckType::ftp:
        case CheckType::ftps:
            return ftp_steps(check);
        case CheckType::imap:
        case CheckType::imaps:
            return imap_steps(check);
        case CheckType::pop3:
        case CheckType::pop3s:
            return pop3_steps(check);
        case CheckType::redis:
            return redis_steps(check);
        default:
            return {{"", "2"}};  // nntp: RFC 3977
    }
}

bool is_imap(CheckType type) { return type == CheckType::imap || type == CheckType::imaps; }

std::string farewell_of(CheckType type) {
    return is_imap(type) ? "a9 LOGOUT\r\n" : type == CheckType::redis ? "" : "QUIT\r\n";
}

}  // namespace

LineDialogue::LineDialogue(const ProbeSpec& spec)
    : GatheringDialogue{spec},
      type_{spec.check.type},
      steps_{steps_of(spec.check)},
      farewell_{farewell_of(spec.check.type)} {}

DialogueTurn LineDialogue::begin() { return say(steps_[0].say); }

// "250-SIZE" goes on, and so does IMAP's "* CAPABILITY", but for its greeting.
bool LineDialogue::is_last(std::string_view line) const {
    if (is_imap(type_)) {
        return at_ == 0 || !line.starts_with("* ");
    }
    const bool has_code = line.size() >= 4 && line[0] >= '0' && line[0] <= '9';
    return !has_code || line[3] != '-';
}

DialogueTurn LineDialogue::on_answer(std::string& answer) {
    for (std::size_t end = answer.find('\n'); end != std::string::npos; end = answer.find('\n')) {
        const std::string line =
            answer.substr(0, end > 0 && answer[end - 1] == '\r' ? end - 1 : end);
        answer.erase(0, end + 1);
        if (!is_last(line)) {
            continue;
        }
        const LineStep& step = steps_[at_];
        const bool is_enough = !step.enough.empty() && line.starts_with(step.enough);
        if (!is_enough && !line.starts_with(step.wanted)) {
            constexpr std::size_t shown_max = 100;
            return fail("the server said " + in_quotes(line.substr(0, shown_max)));
        }
        at_ += is_enough ? 2U : 1U;
        return next_step(step.starts_tls, answer);
    }
    return listen_on();
}

// `rest`: what has come behind the answer.
DialogueTurn LineDialogue::next_step(bool starts_tls, const std::string& rest) {
    if (at_ >= steps_.size()) {
        return succeed(std::string{to_string(type_)} + " answered as expected", farewell_);
    }
    return starts_tls ? say_within_tls(steps_[at_].say, rest) : say(steps_[at_].say);
}

}  // namespace fulcrum
