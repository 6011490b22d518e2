// Each rule in a function; which key belongs to which type is the table's in model/check.cpp.
#include "config/check_rules.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "config/check_values.h"
#include "config/model/checks_of.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

class CheckRules {
  public:
    // Of one check of the service's, or of one of its reals alone.
    CheckRules(const VirtualService& service, const Check& check, const RealServer* real,
               Findings& findings)
        : service_{service}, check_{check}, real_{real}, findings_{findings} {}

    void check() {
        check_times();
        check_port();
        check_what_is_needed();
        warn_of_idle_keys();
    }
    void refuse(const std::string& sentence) { findings_.refuse(place(), label() + sentence); }

  private:
    void check_times();
    void check_port();
    void check_what_is_needed();
    void check_command();
    void warn_of_idle_keys();

    const SourcePlace& place() const { return real_ == nullptr ? service_.place : real_->place; }
    std::string label() const {
        return "service " + in_quotes(service_.name) + ": " +
               (real_ == nullptr ? "" : "real " + in_quotes(real_->name) + ": ") + "check: ";
    }

    const VirtualService& service_;
    const Check& check_;
    const RealServer* real_;  // null: of all that have none of their own
    Findings& findings_;
};

void CheckRules::check_times() {
    if (check_.timeout > check_.interval) {
        refuse("timeout: " + std::to_string(check_.timeout.count()) +
               "ms is longer than the interval of " + std::to_string(check_.interval.count()) +
               "ms");
    }
}

// The real's own port serves where the service speaks the check's protocol, and has one.
void CheckRules::check_port() {
    const CheckCarrier carrier = facts_of(check_.type).carrier;
    if (check_.port != 0 || (carrier != CheckCarrier::tcp && carrier != CheckCarrier::udp)) {
        return;
    }
    const bool is_tcp = carrier == CheckCarrier::tcp;
    const L4Protocol protocol = is_tcp ? L4Protocol::tcp : L4Protocol::udp;
    const std::vector<Listener> listeners = listeners_of(service_);
    const bool has_protocol = std::ranges::any_of(
        listeners, [&](const Listener& listener) { return listener.protocol == protocol; });
    const bool keeps_port = std::ranges::any_of(service_.reals, [this](const RealServer& real) {
        return real.endpoint.port.host() == 0 && (real_ == nullptr || real_ == &real);
    });
    const std::string head = "type: " + in_quotes(to_string(check_.type));
    if (has_protocol && keeps_port && only_port_of(service_).host() == 0) {
        refuse(head +
               " needs a port, and reals of a service with several ports listen on the client's: "
               "name the one to check with port, or set type = \"none\"");
    }
    if (!listeners.empty() && !has_protocol) {
        refuse(head +
               (is_tcp ? " opens a TCP connection, which no UDP or SCTP port can answer: name a "
                         "TCP port of theirs with port, or set type = \"none\""
                       : " sends a datagram, which no TCP or SCTP port can answer: name a UDP "
                         "port of theirs with port, or set type = \"none\""));
    }
}

void CheckRules::check_what_is_needed() {
    if (check_.type == CheckType::udp && check_.send.empty()) {
        refuse("type: \"udp\" needs something to say: set send or send_hex");
    }
    if (check_.type == CheckType::dns && !is_dns_name(check_.query)) {
        refuse(check_.query.empty()
                   ? "type: \"dns\" needs a name to ask for: set query"
                   : "query: " + in_quotes(check_.query) + " is no name of the DNS");
    }
    const bool is_of_database = check_.type == CheckType::mysql || check_.type == CheckType::pgsql;
    if (is_of_database && check_.login.empty() && !(check_.query + check_.database).empty()) {
        refuse("query and database need a login");
    }
    if (check_.type == CheckType::radius && (check_.login.empty() || check_.secret.empty())) {
        refuse("type: \"radius\" needs login and secret");
    }
    if (check_.type == CheckType::program) {
        check_command();
    }
}

void CheckRules::check_command() {
    if (check_.command.empty() || !check_.command[0].starts_with('/')) {
        refuse("type: \"program\" needs the absolute path of a program: set command");
    }
    for (const std::string& word : check_.command) {
        for (std::size_t at = word.find('%'); at != std::string::npos;
             at = word.find('%', at + 2)) {
            const std::string sequence = word.substr(at, 2);
            if (sequence.size() < 2 ||
                std::string_view{"hpHP%"}.find(sequence[1]) == std::string_view::npos) {
                refuse("command: " + in_quotes(word) + " holds " + in_quotes(sequence) +
                       ": known are %h, %p, %H, %P and %%");
            }
        }
    }
}

void CheckRules::warn_of_idle_keys() {
    const Check preset;
    const auto warn_if = [&](bool is_set, CheckKey key, const char* name) {
        const bool is_of_tls = key == CheckKey::tls || key == CheckKey::host;
        const bool is_upgraded =
            check_.starttls && facts_of(check_.type).knows(CheckKey::starttls) && is_of_tls;
        if (is_set && !facts_of(check_.type).knows(key) && !is_upgraded) {
            findings_.warn(place(), label() + name + " has no effect with type = " +
                                        in_quotes(to_string(check_.type)));
        }
    };
    warn_if(check_.path != preset.path, CheckKey::path, "path");
    warn_if(check_.host != preset.host, CheckKey::host, "host");
    warn_if(check_.method != preset.method, CheckKey::method, "method");
    warn_if(!check_.headers.empty(), CheckKey::headers, "headers");
    warn_if(check_.http2, CheckKey::http2, "http2");
    warn_if(check_.send != preset.send, CheckKey::send, "send");
    warn_if(check_.expect != preset.expect, CheckKey::expect, "expect");
    warn_if(check_.match != preset.match, CheckKey::match, "match");
    warn_if(check_.status != preset.status, CheckKey::status, "status");
    warn_if(check_.starttls, CheckKey::starttls, "starttls");
    warn_if(check_.verify != preset.verify, CheckKey::tls, "verify");
    warn_if(check_.ca_file != preset.ca_file, CheckKey::tls, "ca_file");
    warn_if(!check_.login.empty(), CheckKey::login, "login");
    warn_if(!check_.password.empty(), CheckKey::login, "password");
    warn_if(!check_.query.empty(), CheckKey::query, "query");
    warn_if(!check_.database.empty(), CheckKey::database, "database");
    warn_if(!check_.secret.empty(), CheckKey::secret, "secret");
    warn_if(check_.record != preset.record, CheckKey::record, "record");
    warn_if(!check_.command.empty(), CheckKey::command, "command");
    warn_if(check_.exit_weight, CheckKey::command, "exit_weight");
    warn_if(check_.port != preset.port, CheckKey::port, "port");
}

// What all reals together do not weigh is never reached; weights that checks advise may be more.
void check_quorum(const VirtualService& service, Findings& findings) {
    std::uint64_t sum = 0;
    bool has_advice = false;
    for (const RealServer& real : service.reals) {
        sum += real.weight;
        visit_checks(service, real,
                     [&](const Check& check) { has_advice = has_advice || check.exit_weight; });
    }
    const std::uint64_t wanted = std::uint64_t{service.quorum} + service.hysteresis;
    if (wanted > 1 && sum < wanted && !has_advice) {
        findings.refuse(service.place, "service " + in_quotes(service.name) +
                                           ": quorum: it comes up with " + std::to_string(wanted) +
                                           ", quorum and hysteresis, and all its reals weigh " +
                                           std::to_string(sum));
    }
}

// Of several each has something to ask.
void check_all(const VirtualService& service, const std::vector<Check>& checks,
               const RealServer* real, Findings& findings) {
    for (const Check& check : checks) {
        CheckRules rules{service, check, real, findings};
        rules.check();
        if (checks.size() > 1 && !is_asked(check.type)) {
            rules.refuse("type: " + in_quotes(to_string(check.type)) +
                         " is no check among others: let it stand alone, or leave it out");
        }
    }
}

}  // namespace

void check_checks(const VirtualService& service, Findings& findings) {
    std::vector<Check> checks = service.further_checks;
    checks.insert(checks.begin(), service.check);
    check_all(service, checks, nullptr, findings);
    for (const RealServer& real : service.reals) {
        check_all(service, real.checks, &real, findings);
    }
    check_quorum(service, findings);
}

}  // namespace fulcrum
