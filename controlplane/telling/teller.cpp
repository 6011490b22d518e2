// From an event to a change, and from there to the two ways of telling.
#include "controlplane/telling/teller.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "controlplane/telling/hook.h"
#include "controlplane/telling/smtp.h"

namespace fulcrum {
namespace {

std::string listeners_in_words(const VirtualService& service) {
    constexpr std::size_t listeners_most = 4;
    const std::vector<Listener> listeners = listeners_of(service);
    std::string words;
    for (std::size_t i = 0; i < std::min(listeners.size(), listeners_most); ++i) {
        words += (i == 0 ? "" : ", ") + to_string(listeners[i]);
    }
    return words + (listeners.size() > listeners_most ? ", ..." : "");
}

std::string host_name() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    return name.data();
}

}  // namespace

Teller::Teller(EventLoop& loop, Log& log) : loop_{loop}, log_{log}, due_{loop} {}

void Teller::follow(const Config& config) {
    has_reloaded_ = has_config_;
    has_config_ = true;
    director_ = config.director.name;
    mail_ = config.mail;
    hook_ = config.hook;
    const std::map<std::string, ServiceFacts> before = std::exchange(services_, {});
    for (const VirtualService& service : config.services) {
        ServiceFacts& facts = services_[service.name];
        if (const auto known = before.find(service.name); known != before.end()) {
            facts.quorum = known->second.quorum;
        }
        facts.listeners = listeners_in_words(service);
        facts.mail_to = service.mail_to;
        for (const RealServer& real : service.reals) {
            facts.endpoints[real.name] = to_string(real.endpoint);
        }
    }
    const auto is_there = [this](const std::string& service, const std::string& real) {
        const auto facts = services_.find(service);
        return facts != services_.end() && (real.empty() || facts->second.endpoints.contains(real));
    };
    std::erase_if(told_,
                  [&](const auto& each) { return !is_there(each.first.first, each.first.second); });
    digest_.follow(mail_, is_there);
    wait_for_mail();
}

TellingPhase Teller::phase_of(const Told& told) const {
    if (told.health != "unknown") {
        return TellingPhase::running;
    }
    return has_reloaded_ ? TellingPhase::reloading : TellingPhase::starting;
}

std::size_t Teller::up_count_of(const std::string& service) const {
    std::size_t count = 0;
    for (auto each = told_.lower_bound({service, ""});
         each != told_.end() && each->first.first == service; ++each) {
        count += each->second.health == "up" && !each->second.is_drained ? 1 : 0;
    }
    return count;
}

void Teller::on_event(const RealEvent& event) {
    if (event.news == RealNews::quorum_up || event.news == RealNews::quorum_down) {
        return tell_quorum(event);
    }
    const auto facts = services_.find(event.service);
    const bool is_known = facts != services_.end() && facts->second.endpoints.contains(event.real);
    if (!is_known) {
        return;  // a verdict that was under way when the file changed
    }
    Told& told = told_[{event.service, event.real}];
    RealChange change{.time = std::time(nullptr),
                      .director = director_,
                      .service = event.service,
                      .listeners = facts->second.listeners,
                      .real = event.real,
                      .endpoint = facts->second.endpoints[event.real],
                      .from = told.state(),
                      .to = {},
                      .reason = event.reason,
                      .phase = phase_of(told),
                      .mail_to = facts->second.mail_to};
    switch (event.news) {
        case RealNews::up:
        case RealNews::down:
            told.health = event.news == RealNews::up ? "up" : "down";
            break;
        case RealNews::drained:
        case RealNews::undrained:
            told.is_drained = event.news == RealNews::drained;
            change.phase = TellingPhase::running;
            break;
        case RealNews::quorum_up:
        case RealNews::quorum_down:
            break;
    }
    change.to = told.state();
    if (change.from == change.to) {
        return;  // a drained real's health is nobody's concern
    }
    tell(std::move(change));
}

void Teller::tell_quorum(const RealEvent& event) {
    const auto facts = services_.find(event.service);
    if (facts == services_.end()) {
        return;
    }
    Told& told = facts->second.quorum;
    RealChange change{.time = std::time(nullptr),
                      .director = director_,
                      .service = event.service,
                      .listeners = facts->second.listeners,
                      .real = {},
                      .endpoint = {},
                      .from = told.state(),
                      .to = event.news == RealNews::quorum_up ? "up" : "down",
                      .reason = event.reason,
                      .phase = phase_of(told),
                      .mail_to = facts->second.mail_to};
    told.health = change.to;
    tell(std::move(change));
}

void Teller::tell(RealChange change) {
    change.up_count = up_count_of(change.service);
    change.real_count = services_[change.service].endpoints.size();
    const std::string real = change.real.empty() ? "" : ", real \"" + change.real + "\"";
    call_hook(errands_, "service \"" + change.service + "\"" + real, hook_environment(change));
    digest_.add(change, loop_.now());
    wait_for_mail();
}

// --- the hook ----------------------------------------------------------------------------------

void Teller::on_role(const RoleChange& change) {
    call_hook(urgent_, "group \"" + change.group + "\"", hook_environment(change));
    if (mail_) {
        send({.to = mail_->to,
              .subject = change.director + ": group " + change.group + " is " + change.to,
              .body = "group \"" + change.group + "\" (" + change.addresses + "): " + change.from +
                      " becomes " + change.to + ": " + change.reason + "\n"});
    }
}

void Teller::call_hook(ErrandThread& thread, const std::string& subject,
                       std::vector<std::string> environment) {
    if (!hook_) {
        return;
    }
    const bool is_taken =
        thread.run([this, hook = *hook_, subject,
                    environment = std::move(environment)](const std::atomic<bool>& is_stopping) {
            const Status called = run_hook(hook.program, environment,
                                           std::chrono::seconds{hook.timeout_s}, is_stopping);
            if (!called && !is_stopping) {
                log_.warning(LogArea::director, "hook \"" + hook.program + "\" for " + subject +
                                                    ": it " + called.error().sentence);
            }
        });
    if (!is_taken) {
        log_.warning(LogArea::director, "hook \"" + hook_->program +
                                            "\" is not called: too many calls of it wait already");
    }
}

// --- mail --------------------------------------------------------------------------------------

void Teller::wait_for_mail() {
    if (const auto next = digest_.next()) {
        due_.at(*next, [this] { send_due_mail(); });
    } else {
        due_.cancel();
    }
}

void Teller::send_due_mail() {
    for (const Mail& mail : digest_.due(loop_.now())) {
        send(mail);
    }
    wait_for_mail();
}

void Teller::send(const Mail& mail) {
    const std::time_t now = std::time(nullptr);
    const std::string id = std::to_string(now) + "." + std::to_string(++mail_number_) + "." +
                           std::to_string(getpid()) + "@" + host_name();
    const std::string message = message_of(mail, mail_->from, now, id);
    const Envelope envelope{mail_->server, mail_->from, mail.to};
    const bool is_taken = errands_.run(
        [this, envelope, message, subject = mail.subject](const std::atomic<bool>& is_stopping) {
            const Status sent = send_mail(envelope, message, is_stopping);
            if (!sent && !is_stopping) {
                log_.warning(LogArea::director, "mail \"" + subject + "\" by " + envelope.server +
                                                    " is lost: " + sent.error().sentence);
            }
        });
    if (!is_taken) {
        log_.warning(LogArea::director,
                     "mail \"" + mail.subject + "\" is lost: too much waits already");
    }
}

}  // namespace fulcrum
