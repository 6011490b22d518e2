// Each rule in a function; which key belongs to which type is the table's in model/check.cpp.
#include "config/check_rules.h"

#include <algorithm>
#include <string>
#include <vector>

#include "config/wording.h"

namespace fulcrum {
namespace {

class CheckRules {
  public:
    CheckRules(const VirtualService& service, Findings& findings)
        : service_{service}, check_{service.check}, findings_{findings} {}

    void check() {
        check_times();
        check_port();
        check_what_is_needed();
        warn_of_idle_keys();
    }

  private:
    void check_times();
    void check_port();
    void check_what_is_needed();
    void warn_of_idle_keys();

    std::string label() const { return "service " + in_quotes(service_.name) + ": check: "; }
    void refuse(const std::string& sentence) {
        findings_.refuse(service_.place, label() + sentence);
    }

    const VirtualService& service_;
    const Check& check_;
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
    const bool keeps_port = std::ranges::any_of(
        service_.reals, [](const RealServer& real) { return real.endpoint.port.host() == 0; });
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
}

void CheckRules::warn_of_idle_keys() {
    const Check preset;
    const auto warn_if = [&](bool is_set, CheckKey key, const char* name) {
        if (is_set && !facts_of(check_.type).knows(key)) {
            findings_.warn(service_.place, label() + name + " has no effect with type = " +
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
    warn_if(check_.verify != preset.verify, CheckKey::tls, "verify");
    warn_if(check_.ca_file != preset.ca_file, CheckKey::tls, "ca_file");
    warn_if(!check_.login.empty(), CheckKey::login, "login");
    warn_if(!check_.password.empty(), CheckKey::login, "password");
    warn_if(!check_.query.empty(), CheckKey::query, "query");
    warn_if(check_.port != preset.port, CheckKey::port, "port");
}

}  // namespace

void check_check(const VirtualService& service, Findings& findings) {
    CheckRules{service, findings}.check();
}

}  // namespace fulcrum
