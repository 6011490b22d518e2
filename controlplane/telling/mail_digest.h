// Which changes become which mail, and when: what happens within the gathering time is one mail for
// the same recipients, and a real that stays down is told of again. Time is an argument. Pure; the
// control thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/model/telling.h"
#include "config/model/time.h"
#include "controlplane/telling/real_change.h"

namespace fulcrum {

struct Mail {
    std::vector<std::string> to;
    std::string subject;
    std::string body;  // lines that end in "\n"
};

class MailDigest {
  public:
    // Without settings nothing is kept. Reminders of reals for which `is_there` is false end.
    template <typename IsThere>
    void follow(const std::optional<MailSettings>& settings, const IsThere& is_there) {
        settings_ = settings;
        std::erase_if(reminders_, [&](const auto& each) {
            return !settings_ || !is_there(each.first.first, each.first.second);
        });
        if (!settings_) {
            gathered_.clear();
        }
    }
    void add(const RealChange& change, Instant now);

    // When `due` has something to give; nothing: not before the next change.
    std::optional<Instant> next() const;
    std::vector<Mail> due(Instant now);

  private:
    struct Reminder {
        RealChange change;
        Instant next{};
    };
    bool is_wanted(const RealChange& change) const;

    std::optional<MailSettings> settings_;
    std::vector<RealChange> gathered_;
    Instant gathered_until_{};
    std::map<std::pair<std::string, std::string>, Reminder> reminders_;  // by service, real
};

// The message as SMTP carries it, with its header; lines end in "\r\n".
std::string message_of(const Mail& mail, const std::string& from, std::time_t now,
                       const std::string& id);

}  // namespace fulcrum
