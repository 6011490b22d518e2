// The blocks first, as a tree of two levels; then each virtual server into a service. What nothing
// was made of shows in the end.
#include "config/import/piranha.h"

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <string>

#include "config/wording.h"

namespace fulcrum {
namespace {

struct Setting {
    OldLine line;
    std::string key;
    std::string value;
    bool is_used = false;
};

struct Block {
    OldLine line;
    std::string kind;  // virtual, server, failover; empty: the file
    std::string name;
    std::list<Setting> settings;
    std::list<Block> blocks;

    Setting* find(std::string_view key) {
        const auto found = std::ranges::find(settings, key, &Setting::key);
        if (found == settings.end()) {
            return nullptr;
        }
        found->is_used = true;
        return &*found;
    }
    std::string value_of(std::string_view key, const std::string& preset) {
        const Setting* const found = find(key);
        return found == nullptr ? preset : found->value;
    }
};

// What is said of a setting that has no counterpart.
struct Word {
    Remark::Kind kind;
    const char* why;
    const char* remedy;
};

const std::map<std::string_view, Word>& words_without_counterpart() {
    using enum Remark::Kind;
    static const char* const one = "the director has no second one beside it";
    static const std::map<std::string_view, Word> words{
        {"serial_no", {needless, "it counts the changes of the old file", ""}},
        {"primary", {lost, one, "the address of the port in `ports`"}},
        {"primary_private", {lost, one, "the address of the port in `ports`"}},
        {"service", {needless, "virtual servers are what there is", ""}},
        {"rsh_command", {needless, "nothing is copied to another machine", ""}},
        {"backup_active", {lost, one, ""}},
        {"backup", {lost, one, ""}},
        {"backup_private", {lost, one, ""}},
        {"heartbeat", {lost, one, ""}},
        {"heartbeat_port", {lost, one, ""}},
        {"keepalive", {lost, one, ""}},
        {"deadtime", {lost, one, ""}},
        {"nat_router",
         {lost, "the real servers' gateway is an address of a port", "name it in `ports`"}},
        {"nat_nmask",
         {lost, "the real servers' gateway is an address of a port", "name it in `ports`"}},
        {"reservation_conflict_action", {lost, one, ""}},
        {"debug_level", {needless, "the log has levels of its own", ""}},
        {"monitor_links", {needless, "links of ports are watched", ""}},
        {"syncdaemon", {lost, one, ""}},
        {"syncd_iface", {lost, one, ""}},
        {"syncd_id", {lost, one, ""}},
        {"network", {needless, "no virtual server uses it", ""}},
        {"vip_nmask", {needless, "a VIP is one address", ""}},
        {"load_monitor",
         {lost, "weights do not follow the load of real servers",
          "scheduler = \"wlc\" follows "
          "their connections"}},
        {"hostname", {lost, "it has no counterpart", ""}},
    };
    return words;
}

class PiranhaImport {
  public:
    explicit PiranhaImport(const ImportSource& source) : draft_{source} {}

    Imported run() {
        read_blocks();
        for (Block& block : file_.blocks) {
            if (block.kind == "virtual") {
                add_service(block);
            } else {
                lose(block, "services that move between machines as they are have no counterpart");
            }
        }
        set_timeouts();
        tell_of_unused(file_);
        return draft_.take();
    }

  private:
    void read_blocks();
    void lose(const Block& block, const std::string& why);
    void leave_out(const Block& block);
    void add_service(Block& block);
    bool listen(Block& block);
    void set_placing(Block& block);
    void set_timeouts();
    void set_check(Block& block);
    void set_talk(Block& block);
    void add_real(Block& block);
    void set_sorry_server(Block& block);
    void tell_of_unused(const Block& block);
    bool is_active(Block& block);
    ForwardingMode way();

    Draft draft_;
    Block file_;
};

void PiranhaImport::read_blocks() {
    constexpr std::size_t depth_most = 8;
    std::vector<Block*> open{&file_};
    for (const OldLine& line : lines_in(draft_.source().path, draft_.source().text)) {
        const std::string_view text = trimmed(line.text);
        const OldLine shown{line.place, std::string{text}};
        const std::size_t equals = text.find('=');
        if (text.empty() || text.front() == '#') {
            continue;
        }
        if (text == "}") {
            if (open.size() == 1) {
                draft_.lost(shown, "it closes what was not opened");
            } else {
                open.pop_back();
            }
        } else if (text.back() == '{') {
            const std::vector<std::string> words = words_in(text.substr(0, text.size() - 1));
            if (open.size() > depth_most) {
                return draft_.lost(shown,
                                   "blocks stand in blocks too deep to be read from here on");
            }
            Block block{.line = shown, .kind = words.empty() ? "" : words[0]};
            block.name = words.size() > 1 ? words[1] : "";
            open.back()->blocks.push_back(std::move(block));
            open.push_back(&open.back()->blocks.back());
        } else if (equals == std::string_view::npos) {
            draft_.lost(shown, "it is neither KEY = VALUE nor a block");
        } else {
            std::string_view value = trimmed(text.substr(equals + 1));
            if (value.size() > 1 && value.front() == '"' && value.back() == '"') {
                value = value.substr(1, value.size() - 2);
            }
            const std::string key{trimmed(text.substr(0, equals))};
            std::list<Setting>& settings = open.back()->settings;
            if (const auto before = std::ranges::find(settings, key, &Setting::key);
                before != settings.end()) {
                draft_.needless(before->line, "a later line says it again, and that one counts");
                settings.erase(before);
            }
            settings.push_back({.line = shown, .key = key, .value = std::string{value}});
        }
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as read_blocks lets it be
void PiranhaImport::lose(const Block& block, const std::string& why) {
    draft_.lost(block.line, why);
    for (const Setting& each : block.settings) {
        draft_.lost(each.line, "its block is not said");
    }
    for (const Block& each : block.blocks) {
        lose(each, "its block is not said");
    }
}

// NOLINTNEXTLINE(misc-no-recursion): likewise
void PiranhaImport::leave_out(const Block& block) {
    draft_.needless(block.line, "it is not active, so it is left out");
    for (const Setting& each : block.settings) {
        draft_.needless(each.line, "its block is not active");
    }
    for (const Block& each : block.blocks) {
        leave_out(each);
    }
}

void PiranhaImport::tell_of_unused(const Block& block) {
    for (const Setting& each : block.settings) {
        if (each.is_used) {
            continue;
        }
        if (each.key == "load_monitor" && each.value == "none") {
            draft_.needless(each.line, "weights stay as they are");
            continue;
        }
        const auto word = words_without_counterpart().find(each.key);
        if (word == words_without_counterpart().end()) {
            draft_.lost(each.line, in_quotes(each.key) + " is not known here");
        } else if (word->second.kind == Remark::Kind::needless) {
            draft_.needless(each.line, word->second.why);
        } else {
            draft_.lost(each.line, word->second.why, word->second.remedy);
        }
    }
}

bool PiranhaImport::is_active(Block& block) { return block.value_of("active", "1") != "0"; }

ForwardingMode PiranhaImport::way() {
    const std::string network = file_.value_of("network", "nat");
    return network == "direct"   ? ForwardingMode::direct
           : network == "tunnel" ? ForwardingMode::ipip
                                 : ForwardingMode::nat;
}

// --- a virtual server --------------------------------------------------------------------------

void PiranhaImport::add_service(Block& block) {
    if (!is_active(block)) {
        return leave_out(block);
    }
    if (!listen(block)) {
        return lose(block, "its address cannot be said");
    }
    set_placing(block);
    for (Block& each : block.blocks) {
        if (each.kind == "server") {
            add_real(each);
        } else {
            lose(each, in_quotes(each.kind) + " is not a block that is known here");
        }
    }
    set_sorry_server(block);
    set_check(block);
    tell_of_unused(block);
}

bool PiranhaImport::listen(Block& block) {
    const Setting* const address = block.find("address");
    const Setting* const port = block.find("port");
    const std::string protocol = block.value_of("protocol", "tcp");
    if (const Setting* mark = block.find("fwmark"); mark != nullptr && mark->value != "0") {
        return draft_.begin_marked_service(mark->line, block.name, mark->value);
    }
    const std::vector<std::string> words =
        address == nullptr ? std::vector<std::string>{} : words_in(address->value);
    if (words.empty() || port == nullptr) {
        return false;
    }
    const auto vip = draft_.vip_of(address->line, words[0], IpFamily::v4);
    const auto number = draft_.port_of(port->line, port->value);
    if (!vip || !number) {
        return false;
    }
    draft_.begin_service(block.line, block.name);
    draft_.listen({.vip = IpPrefix::only(*vip),
                   .ports = PortRange::only(*number),
                   .protocol = protocol == "udp" ? L4Protocol::udp : L4Protocol::tcp,
                   .place = block.line.place});
    if (words.size() > 1) {
        draft_.changed(address->line,
                       "the VIP stands on the port whose network has it, instead of on " + words[1],
                       "bind says by which ports clients come");
    }
    return true;
}

void PiranhaImport::set_placing(Block& block) {
    VirtualService& service = draft_.service();
    service.scheduler = Scheduler::wlc;
    if (const Setting* said = block.find("scheduler")) {
        draft_.set_scheduler(said->line, said->value);
    }
    if (const Setting* said = block.find("persistent"); said != nullptr && said->value != "0") {
        draft_.set_affinity(said->line, said->value);
    }
    if (const Setting* said = block.find("pmask")) {
        if (service.affinity) {
            draft_.set_affinity_mask(said->line, said->value);
        } else {
            draft_.needless(said->line, "without `persistent` it has no effect");
        }
    }
    const bool is_quiet = block.value_of("quiesce_server", "0") == "1";
    service.on_failure = is_quiet ? SessionPolicy::keep : SessionPolicy::reset;
    service.quiescent = is_quiet;
}

void PiranhaImport::set_timeouts() {
    struct Timeout {
        const char* theirs;
        const char* ours;
        std::uint32_t SessionTimeouts::*member;
    };
    constexpr std::array all{
        Timeout{"tcp_timeout", "timeouts.tcp_established", &SessionTimeouts::tcp_established_s},
        Timeout{"tcpfin_timeout", "timeouts.tcp_half_closed", &SessionTimeouts::tcp_half_closed_s},
        Timeout{"udp_timeout", "timeouts.udp", &SessionTimeouts::udp_s}};
    SessionTimeouts timeouts;
    for (const Timeout& each : all) {
        const Setting* const said = file_.find(each.theirs);
        if (said == nullptr || said->value == "0") {
            continue;  // as it is
        }
        if (const auto seconds = draft_.seconds_of(said->line, each.ours, said->value)) {
            timeouts.*each.member = *seconds;
        }
    }
    draft_.set_timeouts(timeouts);
}

// --- checks ------------------------------------------------------------------------------------

void PiranhaImport::set_check(Block& block) {
    Check& check = draft_.service().check;
    check.interval = std::chrono::seconds{6};
    check.timeout = std::chrono::seconds{6};
    if (const Setting* said = block.find("timeout")) {
        if (draft_.set_seconds(said->line, "interval", said->value)) {
            draft_.set_seconds(said->line, "timeout", said->value);
        }
    }
    const std::int64_t interval_s = check.interval.count() / 1'000;
    constexpr std::int64_t reentry_most_s = 1'000'000'000;
    const std::int64_t reentry_s =
        std::min(number_in(block.value_of("reentry", "15")).value_or(15), reentry_most_s);
    const std::int64_t rise = std::max<std::int64_t>(1, (reentry_s + interval_s - 1) / interval_s);
    const Setting* const reentry = block.find("reentry");
    const OldLine& line = reentry != nullptr ? reentry->line : block.line;
    if (draft_.set(line, "rise", rise) && reentry != nullptr) {
        draft_.changed(line, "a server returns after " + std::to_string(rise) +
                                 " good checks in a row, which is about that time");
    }
    if (const Setting* program = block.find("send_program")) {
        if (draft_.set_check(program->line, "program")) {
            draft_.set_command(program->line, program->value);
        }
        if (const Setting* expect = block.find("expect")) {
            draft_.lost(expect->line, "what the program prints is not looked at",
                        "let the program's exit status say it");
        }
        block.find("use_regex");
        return;
    }
    set_talk(block);
}

// What is sent and what is expected. A request of HTTP is a check of its own, and known best.
void PiranhaImport::set_talk(Block& block) {
    const Setting* const send = block.find("send");
    const Setting* const expect = block.find("expect");
    const bool is_regex = block.value_of("use_regex", "0") == "1";
    if (send == nullptr && expect == nullptr) {
        draft_.set_check(block.line, "connect");
        return;
    }
    const std::string request = send == nullptr ? "" : send->value;
    const std::string answer = expect == nullptr ? "" : expect->value;
    const std::vector<std::string> words = words_in(request);
    const bool is_web = words.size() >= 2 && words[0] == "GET" && words[1].starts_with('/') &&
                        (answer.empty() || answer == "HTTP");
    if (is_web) {
        const std::string path = words[1].substr(0, words[1].find('\\'));
        draft_.set_check(send->line, "http");
        draft_.set(send->line, "path", path);
        draft_.set(expect != nullptr ? expect->line : send->line, "status", "100-599");
        return;
    }
    const OldLine& line = send != nullptr ? send->line : expect->line;
    if (!draft_.set_check(line, "tcp")) {
        if (send != nullptr && expect != nullptr) {
            draft_.lost(expect->line, "nothing is expected of an answer");
        }
        return;
    }
    if (send != nullptr) {
        draft_.set(send->line, "send", unescaped(send->value));
    }
    if (expect != nullptr && is_regex) {
        draft_.set_match(expect->line, expect->value);
    } else if (expect != nullptr) {
        draft_.set(expect->line, "expect", unescaped(expect->value));
    }
}

// --- real servers ------------------------------------------------------------------------------

void PiranhaImport::add_real(Block& block) {
    if (!is_active(block)) {
        return leave_out(block);
    }
    const Setting* const address = block.find("address");
    if (address == nullptr) {
        return lose(block, "it has no address");
    }
    RealServer real{.name = block.name, .forward = way()};
    const auto found = draft_.address_of(address->line, address->value, IpFamily::v4);
    if (!found) {
        return lose(block, "its address cannot be said");
    }
    real.endpoint.address = *found;
    if (const Setting* port = block.find("port")) {
        real.endpoint.port = be16{draft_.port_of(port->line, port->value).value_or(0)};
    }
    if (const Setting* weight = block.find("weight")) {
        real.weight = draft_.whole_of(weight->line, "services[].reals[].weight", weight->value)
                          .value_or(real.weight);
    }
    draft_.add_real(block.line, real);
    tell_of_unused(block);
}

void PiranhaImport::set_sorry_server(Block& block) {
    const Setting* const said = block.find("sorry_server");
    if (said == nullptr) {
        return;
    }
    RealServer real{.forward = way()};
    if (const auto address = draft_.address_of(said->line, said->value, IpFamily::v4)) {
        real.endpoint.address = *address;
        draft_.set_fallback(said->line, real);
    }
}

}  // namespace

Imported import_piranha(const ImportSource& source) { return PiranhaImport{source}.run(); }

}  // namespace fulcrum
