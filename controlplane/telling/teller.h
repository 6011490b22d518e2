// Tells people and programs of changes of reals and of roles, as the configuration's `mail` and
// `hook` ask for it. It knows what each real was before, what phase the director is in, and hands
// what takes time to the errand thread. The control thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/model/service.h"
#include "controlplane/event_loop.h"
#include "controlplane/log.h"
#include "controlplane/roles/role_report.h"
#include "controlplane/telling/errand_thread.h"
#include "controlplane/telling/mail_digest.h"
#include "controlplane/telling/real_change.h"

namespace fulcrum {

class Teller {
  public:
    Teller(EventLoop& loop, Log& log);

    // With the first configuration, and whenever another one is in force.
    void follow(const Config& config);
    void on_event(const RealEvent& event);
    void on_role(const RoleChange& change);

  private:
    struct Told {
        std::string health = "unknown";
        bool is_drained = false;

        const char* state() const { return is_drained ? "drained" : health.c_str(); }
    };
    struct ServiceFacts {
        std::string listeners;
        std::vector<std::string> mail_to;
        std::map<std::string, std::string> endpoints;  // by real
        Told quorum;
    };

    void tell_quorum(const RealEvent& event);
    void tell(RealChange change);
    TellingPhase phase_of(const Told& told) const;
    std::size_t up_count_of(const std::string& service) const;
    void call_hook(ErrandThread& thread, const std::string& subject,
                   std::vector<std::string> environment);
    void send_due_mail();
    void wait_for_mail();
    void send(const Mail& mail);

    EventLoop& loop_;
    Log& log_;
    std::string director_;
    std::optional<MailSettings> mail_;
    std::optional<HookSettings> hook_;
    std::map<std::string, ServiceFacts> services_;
    std::map<std::pair<std::string, std::string>, Told> told_;  // by service, real
    bool has_reloaded_ = false;
    bool has_config_ = false;
    std::uint64_t mail_number_ = 0;
    MailDigest digest_;
    Timer due_;
    ErrandThread errands_;
    ErrandThread urgent_;  // a cloud moves addresses at its call: it waits for no mail server
};

}  // namespace fulcrum
