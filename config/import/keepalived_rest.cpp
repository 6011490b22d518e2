// A table of words for virtual servers; for the rest the beginning of a word says what it is about.
#include "config/import/keepalived_rest.h"

#include <algorithm>
#include <array>

#include "config/telling_rules.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

constexpr const char* no_second = "the director has no second one beside it";

struct Word {
    std::string_view key;
    Remark::Kind kind;
    std::string_view why;
    std::string_view remedy = "";
};

// Of virtual servers and their real servers.
constexpr std::array words_without_counterpart{
    Word{"alpha", Remark::Kind::needless, "no real server has a checker that uses it"},
    Word{"warmup", Remark::Kind::needless, "first checks are spread over the interval anyway"},
    Word{"omega", Remark::Kind::lost, "no program is called at the end"},
    Word{"delay_loop", Remark::Kind::needless, "no real server has a checker that uses it"},
    Word{"retry", Remark::Kind::needless, "no real server has a checker that uses it"},
    Word{"delay_before_retry", Remark::Kind::needless, "no real server has a checker that uses it"},
    Word{"connect_timeout", Remark::Kind::needless, "no real server has a checker that uses it"},
    Word{"virtualhost", Remark::Kind::needless, "no real server has a checker that uses it"},
    Word{"quorum_up", Remark::Kind::lost, "programs are not called for one service or real alone",
         "hook.program is called for each, with FULCRUM_EVENT = quorum_up and FULCRUM_SERVICE"},
    Word{"quorum_down", Remark::Kind::lost, "programs are not called for one service or real alone",
         "hook.program is called for each, with FULCRUM_EVENT = quorum_down and FULCRUM_SERVICE"},
    Word{"notify_up", Remark::Kind::lost, "programs are not called for one service or real alone",
         "hook.program is called for each change, and told what and where"},
    Word{"notify_down", Remark::Kind::lost, "programs are not called for one service or real alone",
         "hook.program is called for each change, and told what and where"},
    Word{"smtp_alert", Remark::Kind::needless, "`mail` tells of all reals"},
    Word{"no_smtp_alert", Remark::Kind::lost, "`mail` tells of all reals"},
    Word{"ha_suspend", Remark::Kind::lost, no_second},
    Word{"hashed", Remark::Kind::needless, "every service is looked up by a hash"},
    Word{"sorry_server_inhibit", Remark::Kind::needless,
         "the fallback takes new sessions alone, and reals stay"},
    Word{"persistence_engine", Remark::Kind::lost, "there are no persistence engines",
         "affinity binds clients by their address"},
    Word{"ip_family", Remark::Kind::needless, "the addresses say it"},
    Word{"snmp_name", Remark::Kind::lost, "there is no SNMP", "metrics name services and reals"},
    Word{"log_all_failures", Remark::Kind::needless, "fulcrumctl reals shows the latest outcome"},
};

// A service's VIP needs no line of its own here; another address is one of a port.
void tell_of_vips(Draft& draft, const KeepalivedNode& block) {
    draft.needless(block.line, "VIPs stand where services name them");
    for (const KeepalivedNode& each : block.inner) {
        const std::string text{each.key().substr(0, each.key().find('/'))};
        const auto address = parse_ip_address(text);
        const auto& services = draft.config().services;
        const bool is_vip =
            address && std::ranges::any_of(services, [&](const VirtualService& service) {
                return std::ranges::any_of(listeners_of(service), [&](const Listener& listener) {
                    return listener.vip.contains(*address);
                });
            });
        if (is_vip) {
            draft.needless(each.line, "a service names the VIP, and the director brings it");
        } else {
            lose(draft, each, "no service has it as its VIP",
                 "name it among the addresses of its port in `ports`");
        }
    }
}

void tell_of_vrrp(Draft& draft, const KeepalivedNode& instance) {
    draft.lost(instance.line, no_second);
    for (const KeepalivedNode& each : instance.inner) {
        if (each.key().starts_with("virtual_ipaddress")) {
            tell_of_vips(draft, each);
        } else {
            lose(draft, each, no_second);
        }
    }
}

}  // namespace

void tell_of_rest(Draft& draft, const KeepalivedNode& node) {
    for (const KeepalivedNode& each : node.inner) {
        if (each.is_used) {
            continue;
        }
        if (is_said_again(node, each)) {
            draft.needless(each.line, "a later line says it again, and that one counts");
            continue;
        }
        const auto word = std::ranges::find(words_without_counterpart, each.key(), &Word::key);
        if (word == words_without_counterpart.end()) {
            lose(draft, each, in_quotes(each.key()) + " has no counterpart");
        } else if (word->kind == Remark::Kind::needless) {
            draft.needless(each.line, std::string{word->why});
        } else {
            lose(draft, each, std::string{word->why}, std::string{word->remedy});
        }
    }
}

void set_mail(Draft& draft, KeepalivedNode& globals) {
    KeepalivedNode* const recipients = globals.find("notification_email");
    if (recipients == nullptr) {
        return;
    }
    MailSettings mail{.server = "localhost", .from = "keepalived@localhost", .to = {}, .when = {}};
    for (const KeepalivedNode& each : recipients->inner) {
        if (mail.to.size() == mail_recipients_max) {
            draft.lost(each.line, in_quotes(each.key()) + " is one more than can get mail",
                       "let a list of mail have one address");
        } else if (is_mail_address(each.key())) {
            mail.to.emplace_back(each.key());
        } else {
            draft.lost(each.line, in_quotes(each.key()) + " is not a mail address");
        }
    }
    if (KeepalivedNode* said = globals.find("notification_email_from")) {
        if (is_mail_address(said->value())) {
            mail.from = said->value();
        } else {
            draft.lost(said->line, in_quotes(said->value()) + " is not a mail address");
        }
    }
    if (KeepalivedNode* said = globals.find("smtp_server")) {
        const std::string port = said->value(2);
        const std::string tail = port.empty() ? port : std::string{":"}.append(port);
        if (draft.fits(said->line, "mail.server", said->value() + tail)) {
            mail.server = said->value() + tail;
        }
    }
    if (!mail.to.empty()) {
        draft.config().mail = std::move(mail);
    }
}

void tell_of_globals(Draft& draft, const KeepalivedNode& globals) {
    for (const KeepalivedNode& each : globals.inner) {
        const std::string_view key = each.key();
        if (each.is_used) {
            continue;
        }
        if (key.starts_with("lvs_flush")) {
            draft.needless(each.line,
                           "the table is what the file says, and ends with the director");
        } else if (key.starts_with("notification_email") || key.starts_with("smtp_")) {
            lose(draft, each, "nobody is named who gets mail");
        } else if (key.starts_with("vrrp_") || key.starts_with("lvs_sync")) {
            lose(draft, each, no_second);
        } else {
            lose(draft, each, in_quotes(key) + " has no counterpart");
        }
    }
}

void tell_of_block(Draft& draft, const KeepalivedNode& block) {
    const std::string_view key = block.key();
    if (key == "virtual_server_group") {
        lose(draft, block, "no virtual server uses the group");
    } else if (key == "vrrp_instance") {
        tell_of_vrrp(draft, block);
    } else if (key.starts_with("vrrp_") || key == "track_file" || key == "track_process" ||
               key == "bfd_instance" || key == "garp_group") {
        lose(draft, block, no_second);
    } else if (key.starts_with("static_")) {
        lose(draft, block, "addresses, routes and rules are the kernel's",
             "set them on the ports' interfaces as on any others");
    } else {
        lose(draft, block, in_quotes(key) + " has no counterpart");
    }
}

}  // namespace fulcrum
