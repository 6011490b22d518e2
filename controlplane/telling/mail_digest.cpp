// Gathering, reminding, and the words of a mail.
#include "controlplane/telling/mail_digest.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace fulcrum {
namespace {

constexpr std::size_t lines_most = 200;  // of one mail; the rest is counted

std::string time_in_words(std::time_t time) {
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 32> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%FT%TZ", &parts);
    return {text.data(), length};
}

// One line stays one line, whatever a server's answer put into the reason.
std::string printable(std::string text) {
    for (char& letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        letter = code < 0x20 || code == 0x7F ? ' ' : letter;
    }
    return text;
}

std::string line_of(const RealChange& change, bool is_reminder) {
    std::string line = time_in_words(change.time);
    line.append(" service \"").append(change.service).append("\" (").append(change.listeners);
    if (change.real.empty()) {
        line.append("): its quorum: ");
    } else {
        line.append("): real \"").append(change.real).append("\" (").append(change.endpoint);
        line.append("): ");
    }
    if (is_reminder) {
        line.append("still ").append(change.to);
    } else {
        line.append(change.from).append(" becomes ").append(change.to);
    }
    line.append(change.reason.empty() ? "" : ": ").append(change.reason).append("; ");
    line.append(std::to_string(change.up_count)).append(" of ");
    line.append(std::to_string(change.real_count)).append(" reals are up");
    return printable(std::move(line));
}

std::string subject_of(const std::vector<std::pair<RealChange, bool>>& changes) {
    const RealChange& first = changes.front().first;
    std::string subject = "[" + first.director + "] ";
    if (changes.size() == 1) {
        return subject + first.service + (first.real.empty() ? "" : "/") + first.real +
               (changes.front().second ? " is still " : " is ") + first.to;
    }
    std::map<std::string, int> counts;
    for (const auto& [change, is_reminder] : changes) {
        ++counts[change.to];
    }
    subject += "reals:";
    for (const auto& [state, count] : counts) {
        subject += " " + std::to_string(count) + " " + state + ",";
    }
    subject.pop_back();
    return subject;
}

}  // namespace

bool MailDigest::is_wanted(const RealChange& change) const {
    switch (change.phase) {
        case TellingPhase::starting:
            return settings_->when.starting;
        case TellingPhase::running:
            return settings_->when.running;
        case TellingPhase::reloading:
            return settings_->when.reloading;
    }
    return false;
}

void MailDigest::add(const RealChange& change, Instant now) {
    if (!settings_) {
        return;
    }
    const std::pair key{change.service, change.real};
    reminders_.erase(key);
    if (!is_wanted(change)) {
        return;
    }
    if (change.to == "down" && settings_->repeat_s != 0) {
        reminders_[key] = {change, now + std::chrono::seconds{settings_->repeat_s}};
    }
    if (gathered_.empty()) {
        gathered_until_ = now + std::chrono::seconds{settings_->gather_s};
    }
    gathered_.push_back(change);
}

std::optional<Instant> MailDigest::next() const {
    std::optional<Instant> earliest;
    if (!gathered_.empty()) {
        earliest = gathered_until_;
    }
    for (const auto& [key, reminder] : reminders_) {
        earliest = earliest ? std::min(*earliest, reminder.next) : reminder.next;
    }
    return earliest;
}

std::vector<Mail> MailDigest::due(Instant now) {
    if (!settings_) {
        return {};
    }
    // By recipients; a reminder that is due goes with what has been gathered.
    std::map<std::vector<std::string>, std::vector<std::pair<RealChange, bool>>> by_recipients;
    const auto put = [&](const RealChange& change, bool is_reminder) {
        by_recipients[change.mail_to.empty() ? settings_->to : change.mail_to].emplace_back(
            change, is_reminder);
    };
    if (!gathered_.empty() && gathered_until_ <= now) {
        for (const RealChange& change : gathered_) {
            put(change, /*is_reminder=*/false);
        }
        gathered_.clear();
    }
    for (auto& [key, reminder] : reminders_) {
        if (reminder.next <= now) {
            put(reminder.change, /*is_reminder=*/true);
            reminder.next = now + std::chrono::seconds{settings_->repeat_s};
        }
    }
    std::vector<Mail> mails;
    for (const auto& [to, changes] : by_recipients) {
        Mail mail{.to = to, .subject = printable(subject_of(changes)), .body = {}};
        for (std::size_t i = 0; i < std::min(changes.size(), lines_most); ++i) {
            mail.body += line_of(changes[i].first, changes[i].second) + "\n";
        }
        if (changes.size() > lines_most) {
            mail.body += "and " + std::to_string(changes.size() - lines_most) + " more\n";
        }
        mails.push_back(std::move(mail));
    }
    return mails;
}

std::string message_of(const Mail& mail, const std::string& from, std::time_t now,
                       const std::string& id) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 64> date{};
    std::strftime(date.data(), date.size(), "%a, %d %b %Y %T +0000", &parts);
    std::string message = "Date: " + std::string{date.data()} + "\r\nFrom: " + from + "\r\nTo: ";
    for (std::size_t i = 0; i < mail.to.size(); ++i) {
        message += (i == 0 ? "" : ",\r\n ") + mail.to[i];
    }
    message += "\r\nSubject: " + mail.subject + "\r\nMessage-ID: <" + id +
               ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
               "Content-Type: text/plain; charset=utf-8\r\n"
               "Content-Transfer-Encoding: 8bit\r\n\r\n";
    for (const char letter : mail.body) {
        message += letter == '\n' ? "\r\n" : std::string(1, letter);
    }
    return message;
}

}  // namespace fulcrum
