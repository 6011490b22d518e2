// Each section becomes a service, by its own statements first and the global ones next. Statements
// that nothing was made of show in the end.
#include "config/import/ldirectord.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "config/import/ldirectord_file.h"
#include "config/import/ldirectord_telling.h"
#include "config/value_type.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

class LdirectordImport {
  public:
    explicit LdirectordImport(const ImportSource& source) : draft_{source} {}

    Imported run() {
        for (const Statement& each : file_.repeated) {
            draft_.needless(each.line, "a later line says it again, and that one counts");
        }
        set_telling(draft_, file_);
        set_reload();
        set_maintenance();
        for (Section& section : file_.sections) {
            section_ = &section;
            is_ipv6_ = section.head.key == "virtual6";
            add_service();
        }
        tell_of_unused(file_.globals);
        return draft_.take();
    }

  private:
    void set_reload();
    void set_maintenance();
    void add_service();
    bool listen();
    bool listen_as(const std::string& mark);
    void set_placing();
    void set_check_times(bool is_negotiation);
    void set_check();
    void set_program(const OldLine& line);
    void set_details();
    void set_request(const OldLine& line, const std::string& request);
    void set_receive(const OldLine& line, const std::string& regex);
    void set_own_checks();
    void set_number(const Statement* statement, const char* check_key);
    void set_reals();
    void add_reals(const Statement& statement);
    std::string_view take_real_options(const Statement& statement, std::string_view flags,
                                       RealServer& real);
    bool set_place(const OldLine& line, const std::string& where, Endpoint& endpoint,
                   std::string_view key = "services[].reals[].address");
    void set_fallback();
    void tell_of_unused(const Statements& statements) {
        for (const Statement& each : statements) {
            if (!each.is_used) {
                tell_of(draft_, each);
            }
        }
    }

    // The section's own, else the global one; null: neither.
    Statement* find(std::string_view key) {
        Statement* const own = find_own(key);
        Statement* const global = find_in(file_.globals, key);
        return own != nullptr ? own : global;
    }
    Statement* find_own(std::string_view key) { return find_in(section_->children, key); }
    IpFamily family() const { return is_ipv6_ ? IpFamily::v6 : IpFamily::v4; }

    Draft draft_;
    LdirectordFile file_{ldirectord_file_in(draft_.source())};
    Section* section_ = nullptr;
    bool is_ipv6_ = false;
    std::string service_;             // that a check negotiates with
    std::vector<OwnTalk> own_talks_;  // of the section
};

// It looks at its file in each round of checks.
void LdirectordImport::set_reload() {
    const Statement* const said = find_in(file_.globals, "autoreload");
    if (said == nullptr || said->value != "yes") {
        return;
    }
    const Statement* const interval = find_in(file_.globals, "checkinterval");
    const auto seconds =
        draft_.seconds_of(said->line, "reload.watch", interval == nullptr ? "10" : interval->value);
    if (seconds) {
        draft_.config().reload.watch = std::chrono::seconds{*seconds};
    }
}

void LdirectordImport::set_maintenance() {
    const Statement* const said = find_in(file_.globals, "maintenancedir");
    if (said != nullptr && draft_.fits(said->line, "director.maintenance", said->value)) {
        draft_.config().director.maintenance = said->value;
        draft_.changed(said->line,
                       "a file there drains its server: sessions stay; and a file by a host's name "
                       "is known by the name of the real alone, without a port");
    }
}

// --- a section ---------------------------------------------------------------------------------

void LdirectordImport::add_service() {
    if (!listen()) {
        for (const Statement& each : section_->children) {
            draft_.lost(each.line, "its section is not said");
        }
        return;
    }
    set_placing();
    set_reals();
    set_fallback();
    set_check();
    set_own_checks();
    set_recipients(draft_, section_->children);
    tell_of_unused(section_->children);
}

bool LdirectordImport::listen_as(const std::string& mark) {
    find_own("protocol");  // of necessity it is fwm
    service_ = "none";
    return draft_.begin_marked_service(section_->head.line, "", mark, family());
}

bool LdirectordImport::listen() {
    const OldLine& line = section_->head.line;
    if (number_in(section_->head.value)) {
        return listen_as(section_->head.value);
    }
    Endpoint vip;
    if (!set_place(line, section_->head.value, vip, "services[].vip")) {
        return false;
    }
    const std::uint16_t port = vip.port.host();
    L4Protocol protocol = port == 53 ? L4Protocol::udp : L4Protocol::tcp;
    if (const Statement* said = find_own("protocol")) {
        if (said->value == "tcp" || said->value == "udp") {
            protocol = said->value == "tcp" ? L4Protocol::tcp : L4Protocol::udp;
        } else {
            draft_.lost(said->line, in_quotes(said->value) + " is not a protocol");
        }
    }
    const Statement* const title = find_own("servicename");
    draft_.begin_service(line, title != nullptr ? title->value : name_of(vip, protocol));
    draft_.listen({.vip = IpPrefix::only(vip.address),
                   .ports = PortRange::only(port),
                   .protocol = protocol,
                   .place = line.place});
    service_ = service_of_port(port);
    return true;
}

void LdirectordImport::set_placing() {
    VirtualService& service = draft_.service();
    service.scheduler = Scheduler::wrr;
    if (const Statement* said = find_own("scheduler")) {
        draft_.set_scheduler(said->line, said->value);
    }
    if (const Statement* said = find_own("schedflags")) {
        draft_.set_scheduler_flags(said->line, said->value);
    }
    if (const Statement* said = find_own("persistent")) {
        draft_.set_affinity(said->line, said->value);
    }
    if (const Statement* said = find_own("netmask")) {
        draft_.set_affinity_mask(said->line, said->value);
    }
    if (const Statement* said = find_own("ops"); said != nullptr && said->value == "yes") {
        draft_.set_one_packet(said->line);
    }
    // Sessions of a server that is taken out of the table meet silence; ours hear of their end.
    const Statement* const quiescent = find("quiescent");
    const bool keeps = quiescent != nullptr && quiescent->value == "yes";
    service.on_failure = keeps ? SessionPolicy::keep : SessionPolicy::reset;
    service.quiescent = keeps;
}

// --- checks ------------------------------------------------------------------------------------

void LdirectordImport::set_number(const Statement* statement, const char* check_key) {
    if (statement == nullptr) {
        return;
    }
    if (const auto number = number_in(statement->value)) {
        draft_.set(statement->line, check_key, *number);
    } else {
        draft_.lost(statement->line, in_quotes(statement->value) + " is not a number");
    }
}

void LdirectordImport::set_check_times(bool is_negotiation) {
    const std::array order = is_negotiation ? std::array{"negotiatetimeout", "checktimeout"}
                                            : std::array{"checktimeout", "negotiatetimeout"};
    Statement* timeout = nullptr;
    for (Statements* statements : {&section_->children, &file_.globals}) {
        for (const char* key : order) {
            Statement* const found = find_in(*statements, key);
            timeout = timeout == nullptr ? found : timeout;
        }
    }
    Check& check = draft_.service().check;
    check.timeout = std::chrono::seconds{is_negotiation ? 30 : 5};
    if (timeout != nullptr) {
        draft_.set_seconds(timeout->line, "timeout", timeout->value);
    }
    check.interval = std::chrono::seconds{10};
    Statement* interval = find_in(file_.globals, "checkinterval");
    if (Statement* const own = find_own("checkinterval")) {
        const Statement* const forks = find_in(file_.globals, "fork");
        if (forks != nullptr && forks->value == "yes") {
            interval = own;
        } else {
            draft_.needless(own->line, "without fork=yes the global interval counts");
        }
    }
    if (interval != nullptr) {
        draft_.set_seconds(interval->line, "interval", interval->value);
    }
    set_number(find("failurecount"), "fall");
    set_number(find_own("checkport"), "port");
}

void LdirectordImport::set_check() {
    const Statement* const type = find_own("checktype");
    const Statement* const service = find_own("service");
    service_ = service != nullptr ? service->value : service_;
    const std::string kind = type == nullptr ? "negotiate" : type->value;
    const bool is_combined = number_in(kind).has_value();
    const bool is_negotiation = kind == "negotiate" || is_combined;
    const OldLine& line = is_negotiation && service != nullptr ? service->line
                          : type != nullptr                    ? type->line
                                                               : section_->head.line;
    set_check_times(is_negotiation);
    if (is_negotiation) {
        draft_.set_check(line, check_of_service(service_));
        if (is_combined) {
            draft_.changed(line, "every check negotiates, where some only connected");
        }
    } else if (kind == "connect") {
        draft_.set_check(line, draft_.service().protocol == L4Protocol::udp ? "ping" : "connect");
    } else if (kind == "ping") {
        draft_.set_check(line, "ping");
    } else if (kind == "on" || kind == "off") {
        draft_.set_check(line, kind == "on" ? "none" : "off");
    } else if (kind == "external") {
        set_program(line);
    } else {
        draft_.lost(line, in_quotes(kind) + " is not a kind of check that is known here",
                    "the reals are asked for a TCP connection instead");
        draft_.set_check(line, "connect");
    }
    set_details();
}

void LdirectordImport::set_program(const OldLine& line) {
    const Statement* const command = find_own("checkcommand");
    if (!draft_.set_check(line, "program")) {
        if (command != nullptr) {
            draft_.lost(command->line, "no program is called");
        }
        return;
    }
    const OldLine& said_at = command != nullptr ? command->line : line;
    const std::string program = command != nullptr ? command->value : "/bin/true";
    if (number_in(section_->head.value)) {  // a mark, in place of VIP and port
        draft_.set_command(said_at, program, {section_->head.value, "0", "%h", "%p"});
    } else {
        draft_.set_command(said_at, program, {"%H", "%P", "%h", "%p"});
    }
}

// What a kind of check takes besides, as far as it has a meaning to the kind that stands there now.
void LdirectordImport::set_details() {
    struct Detail {
        const char* ours;
        CheckKey key;
    };
    static const std::map<std::string, Detail> details{
        {"login", {"login", CheckKey::login}},
        {"passwd", {"password", CheckKey::login}},
        {"database", {"database", CheckKey::database}},
        {"secret", {"secret", CheckKey::secret}},
        {"virtualhost", {"host", CheckKey::host}},
        {"httpmethod", {"method", CheckKey::method}}};
    const CheckFacts& facts = facts_of(draft_.service().check.type);
    for (const auto& [key, detail] : details) {
        if (const Statement* said = find_own(key)) {
            if (facts.knows(detail.key)) {
                draft_.set(said->line, detail.ours, said->value);
            } else {
                draft_.lost(said->line, "the check that stands there has no use for it");
            }
        }
    }
    if (const Statement* said = find_own("request")) {
        set_request(said->line, said->value);
    }
    if (const Statement* said = find_own("receive")) {
        set_receive(said->line, said->value);
    }
}

void LdirectordImport::set_request(const OldLine& line, const std::string& request) {
    const CheckFacts& facts = facts_of(draft_.service().check.type);
    const bool is_path = facts.knows(CheckKey::path);
    const char* const ours = is_path                        ? "path"
                             : facts.knows(CheckKey::query) ? "query"
                             : facts.knows(CheckKey::send)  ? "send"
                                                            : nullptr;
    const bool needs_slash = is_path && !request.starts_with('/');
    if (ours == nullptr) {
        draft_.lost(line, "the check that stands there has no use for it");
    } else {
        draft_.set(line, ours, (needs_slash ? "/" : "") + request);
    }
}

void LdirectordImport::set_receive(const OldLine& line, const std::string& regex) {
    if (facts_of(draft_.service().check.type).knows(CheckKey::expect)) {
        draft_.set_match(line, regex);
    } else {
        draft_.lost(line, "the check that stands there has no use for it");
    }
}

// The service's, but for what these reals are asked and are to answer.
void LdirectordImport::set_own_checks() {
    VirtualService& service = draft_.service();
    for (const OwnTalk& talk : std::exchange(own_talks_, {})) {
        const Check of_service = service.check;
        set_request(talk.line, talk.request);
        if (!talk.receive.empty()) {
            service.check.expect.clear();
            service.check.match.clear();
            set_receive(talk.line, talk.receive);
        }
        const Check own = std::exchange(service.check, of_service);
        for (RealServer& real : service.reals) {
            if (real.place.line == talk.line.place.line && own != of_service) {
                real.checks = {own};
            }
        }
    }
}

// --- reals -------------------------------------------------------------------------------------

void LdirectordImport::set_reals() {
    const std::string_view wanted = is_ipv6_ ? "real6" : "real";
    for (Statement& each : section_->children) {
        if (each.key == "real" || each.key == "real6") {
            each.is_used = true;
            if (each.key == wanted) {
                add_reals(each);
            } else {
                draft_.lost(each.line, "it is not of its section's IP version");
            }
        }
    }
}

// "ADDRESS[:PORT]", of the section's IP version.
bool LdirectordImport::set_place(const OldLine& line, const std::string& where, Endpoint& endpoint,
                                 std::string_view key) {
    const std::size_t bracket = where.rfind(']');
    const std::size_t colon = where.rfind(':');
    const bool has_port =
        colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
    const auto port = has_port ? draft_.port_of(line, where.substr(colon + 1))
                               : std::optional<std::uint16_t>{std::uint16_t{0}};
    const auto address =
        draft_.address_of(line, where.substr(0, has_port ? colon : where.size()), family(), key);
    if (port && address) {
        endpoint = {*address, be16{*port}};
    }
    return port && address;
}

// What follows the address: way, weight, request and receive, thresholds. What is left over.
std::string_view LdirectordImport::take_real_options(const Statement& statement,
                                                     std::string_view flags, RealServer& real) {
    const auto eat_word = [&flags] {
        flags = trimmed(flags);
        const std::size_t end = std::min(flags.find_first_of(" \t"), flags.size());
        const std::string_view word = flags.substr(0, end);
        flags.remove_prefix(end);
        return word;
    };
    const std::string_view way = eat_word();
    if (way != "masq" && way != "gate" && way != "ipip") {
        return way.empty() ? "a way is missing" : way;
    }
    real.forward = way == "masq"   ? ForwardingMode::nat
                   : way == "gate" ? ForwardingMode::direct
                                   : ForwardingMode::ipip;
    flags = trimmed(flags);
    if (!flags.empty() && flags.front() >= '0' && flags.front() <= '9') {
        const auto weight =
            draft_.whole_of(statement.line, "services[].reals[].weight", std::string{eat_word()});
        real.weight = weight.value_or(1);
    }
    flags = trimmed(flags);
    if (!flags.empty() && flags.front() == '"') {
        const std::size_t end = flags.rfind('"');
        own_talks_.push_back(talk_in(statement.line, flags.substr(0, end + 1)));
        flags.remove_prefix(end + 1);
    }
    for (flags = trimmed(flags); !flags.empty(); flags = trimmed(flags)) {
        const std::string_view word = eat_word();
        const bool is_upper = word.starts_with("u:");
        if (!is_upper && !word.starts_with("l:")) {
            return word;
        }
        const std::string count{word.substr(2)};
        if (count != "0") {
            const auto limit =
                draft_.whole_of(statement.line, "services[].reals[].connections.upper", count);
            (is_upper ? real.connections.upper : real.connections.lower) = limit.value_or(0);
        }
    }
    return {};
}

void LdirectordImport::add_reals(const Statement& statement) {
    const OldLine& line = statement.line;
    const std::string_view text = statement.value;
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    RealServer real;
    if (const auto rest = take_real_options(statement, text.substr(end), real); !rest.empty()) {
        return draft_.lost(line, "not understood from " + in_quotes(rest) + " on");
    }
    std::string where{text.substr(0, end)};
    const std::size_t arrow = where.find("->");
    if (arrow == std::string::npos) {
        if (set_place(line, where, real.endpoint)) {
            const std::string host = where.substr(0, where.rfind(':'));
            real.name = parse_ip_address(host) || host.front() == '[' ? "" : host;
            draft_.add_real(line, real);
        }
        return;
    }
    const auto first = parse_ip_address(where.substr(0, arrow));
    constexpr std::uint32_t range_most = 4'096;
    if (!set_place(line, where.substr(arrow + 2), real.endpoint)) {
        return;
    }
    const IpAddress last = real.endpoint.address;
    if (!first || !first->is_v4() || !last.is_v4() || first->v4() > last.v4() ||
        last.v4().host() - first->v4().host() >= range_most) {
        return draft_.lost(line, "it is not a range of at most 4096 IPv4 addresses");
    }
    const be16 port = real.endpoint.port;
    for (std::uint32_t host = first->v4().host(); host <= last.v4().host(); ++host) {
        real.endpoint = {Ipv4Address::from_host(host), port};
        draft_.add_real(line, real);
    }
}

void LdirectordImport::set_fallback() {
    const Statement* const said = find(is_ipv6_ ? "fallback6" : "fallback");
    if (said == nullptr) {
        return;
    }
    const std::vector<std::string> words = words_in(said->value);
    const std::string way = words.size() > 1 ? words[1] : "gate";
    if (words.empty() || (way != "gate" && way != "masq" && way != "ipip")) {
        return draft_.lost(said->line, "it is not ADDRESS[:PORT] [gate|masq|ipip]");
    }
    RealServer real;
    real.forward = way == "masq"   ? ForwardingMode::nat
                   : way == "gate" ? ForwardingMode::direct
                                   : ForwardingMode::ipip;
    if (set_place(said->line, words[0], real.endpoint)) {
        draft_.set_fallback(said->line, real);
    }
}

}  // namespace

Imported import_ldirectord(const ImportSource& source) { return LdirectordImport{source}.run(); }

}  // namespace fulcrum
