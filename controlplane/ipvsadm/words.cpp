// Three tables: the words, what each verb allows, what each kind of tunnel allows.
#include "controlplane/ipvsadm/words.h"

#include <algorithm>
#include <array>

namespace fulcrum {
namespace {

using enum Takes;

constexpr Word verb(std::string_view name, char letter, Verb which, Takes takes = nothing) {
    return {name, letter, takes, Meaning::verb, which};
}
constexpr Word option(std::string_view name, char letter, Option which, Takes takes = nothing) {
    return {name, letter, takes, Meaning::option, Verb::list, which};
}
constexpr Word address(std::string_view name, char letter, Meaning meaning) {
    return {name, letter, text, meaning, Verb::list, Option::service_address};
}
constexpr Word method(std::string_view name, char letter, Meaning meaning) {
    return {name, letter, nothing, meaning, Verb::list, Option::forwarding_method};
}

constexpr std::array dictionary{
    verb("add-service", 'A', Verb::add_service),
    verb("edit-service", 'E', Verb::edit_service),
    verb("delete-service", 'D', Verb::delete_service),
    verb("clear", 'C', Verb::flush),
    verb("list", 'L', Verb::list),
    verb("list", 'l', Verb::list),
    verb("add-server", 'a', Verb::add_server),
    verb("edit-server", 'e', Verb::edit_server),
    verb("delete-server", 'd', Verb::delete_server),
    verb("set", '\0', Verb::set_timeouts),
    verb("start-daemon", '\0', Verb::start_daemon, text),
    verb("stop-daemon", '\0', Verb::stop_daemon, text),
    verb("restore", 'R', Verb::restore),
    verb("save", 'S', Verb::save),
    verb("zero", 'Z', Verb::zero),
    verb("help", 'h', Verb::help),
    verb("version", 'v', Verb::version),
    address("tcp-service", 't', Meaning::tcp),
    address("udp-service", 'u', Meaning::udp),
    address("sctp-service", '\0', Meaning::sctp),
    address("fwmark-service", 'f', Meaning::mark),
    Word{"ipv6", '6', nothing, Meaning::ipv6},
    option("scheduler", 's', Option::scheduler, text),
    option("persistent", 'p', Option::persistent, perhaps_text),
    option("netmask", 'M', Option::netmask, text),
    option("ops", 'o', Option::ops),
    option("pe", '\0', Option::pe, text),
    option("sched-flags", 'b', Option::sched_flags, text),
    option("real-server", 'r', Option::real_server, text),
    method("masquerading", 'm', Meaning::masquerade),
    method("gatewaying", 'g', Meaning::route),
    method("ipip", 'i', Meaning::tunnel),
    method("fullnat", '\0', Meaning::full_nat),
    option("weight", 'w', Option::weight, text),
    option("u-threshold", 'x', Option::u_threshold, text),
    option("l-threshold", 'y', Option::l_threshold, text),
    option("tun-type", '\0', Option::tun_type, text),
    option("tun-port", '\0', Option::tun_port, text),
    option("tun-nocsum", '\0', Option::tun_nocsum),
    option("tun-csum", '\0', Option::tun_csum),
    option("tun-remcsum", '\0', Option::tun_remcsum),
    option("numeric", 'n', Option::numeric),
    option("connection", 'c', Option::connection),
    option("timeout", '\0', Option::timeout),
    option("daemon", '\0', Option::daemon),
    option("stats", '\0', Option::stats),
    option("rate", '\0', Option::rate),
    option("exact", '\0', Option::exact),
    option("thresholds", '\0', Option::thresholds),
    option("persistent-conn", '\0', Option::persistent_conn),
    option("tun-info", '\0', Option::tun_info),
    option("nosort", '\0', Option::nosort),
    Word{"sort", '\0', nothing, Meaning::nothing},
    option("syncid", '\0', Option::syncid, text),
    option("sync-maxlen", '\0', Option::sync_maxlen, text),
    option("mcast-interface", '\0', Option::mcast_interface, text),
    option("mcast-group", '\0', Option::mcast_group, text),
    option("mcast-port", '\0', Option::mcast_port, text),
    option("mcast-ttl", '\0', Option::mcast_ttl, text),
    option("extended", '\0', Option::extended),
};

constexpr std::array<std::string_view, option_count> option_names{"numeric",
                                                                  "connection",
                                                                  "service-address",
                                                                  "scheduler",
                                                                  "persistent",
                                                                  "netmask",
                                                                  "real-server",
                                                                  "forwarding-method",
                                                                  "weight",
                                                                  "u-threshold",
                                                                  "l-threshold",
                                                                  "mcast-interface",
                                                                  "timeout",
                                                                  "daemon",
                                                                  "stats",
                                                                  "rate",
                                                                  "thresholds",
                                                                  "persistent-conn",
                                                                  "nosort",
                                                                  "syncid",
                                                                  "exact",
                                                                  "ops",
                                                                  "pe",
                                                                  "sched-flags",
                                                                  "mcast-group",
                                                                  "mcast-port",
                                                                  "mcast-ttl",
                                                                  "sync-maxlen",
                                                                  "tun-info",
                                                                  "tun-type",
                                                                  "tun-port",
                                                                  "tun-nocsum",
                                                                  "tun-csum",
                                                                  "tun-remcsum",
                                                                  "extended"};
constexpr std::array<std::string_view, 16> verb_names{
    "add-service", "edit-service", "delete-service", "flush",
    "list",        "add-server",   "delete-server",  "edit-server",
    "set",         "start-daemon", "stop-daemon",    "restore",
    "save",        "zero",         "help",           "version"};

using enum Option;
using Options = std::vector<Option>;

// What somebody may say beside it. Of `one_of` only one may be there.
struct Allowed {
    Options needed;
    Options one_of;
    Options free;
};

const Allowed& allowed_with(Verb verb) {
    static const Options service_options{scheduler, persistent, netmask, ops, pe, sched_flags};
    static const Options server_options{forwarding_method, weight,   u_threshold,
                                        l_threshold,       tun_type, tun_port,
                                        tun_nocsum,        tun_csum, tun_remcsum};
    static const std::array<Allowed, 16> table{
        Allowed{{service_address}, {}, service_options},
        Allowed{{service_address}, {}, service_options},
        Allowed{{service_address}, {}, {}},
        Allowed{},
        Allowed{
            {},
            {connection, service_address, timeout, daemon},
            {numeric, stats, rate, thresholds, persistent_conn, nosort, syncid, exact, tun_info}},
        Allowed{{service_address, real_server}, {}, server_options},
        Allowed{{service_address, real_server}, {}, {}},
        Allowed{{service_address, real_server}, {}, server_options},
        Allowed{},
        Allowed{{}, {}, {mcast_interface, syncid, mcast_group, mcast_port, mcast_ttl, sync_maxlen}},
        Allowed{{}, {}, {syncid}},
        Allowed{},
        Allowed{{}, {}, {numeric, extended}},
        Allowed{{}, {}, {service_address}},
        Allowed{},
        Allowed{}};
    return table[static_cast<std::size_t>(verb)];
}

const Allowed& allowed_in(TunnelType tunnel) {
    static const std::array<Allowed, 3> table{
        Allowed{}, Allowed{{tun_port}, {tun_nocsum, tun_csum, tun_remcsum}, {}},
        Allowed{{}, {tun_nocsum, tun_csum}, {}}};
    return table[static_cast<std::size_t>(tunnel)];
}

bool holds(const Options& options, Option wanted) {
    return std::ranges::find(options, wanted) != options.end();
}

std::string quoted(std::string_view name) { return "'" + std::string{name} + "'"; }

// The rules of a verb or of a tunnel, over these options in their order.
std::string misfit_of(const Invocation& invocation, const Allowed& allowed,
                      std::span<const Option> checked, const std::string& where) {
    std::optional<Option> chosen;
    for (const Option option : checked) {
        const std::string name = quoted(name_of(option));
        if (!invocation.has(option)) {
            if (holds(allowed.needed, option)) {
                return "You need to supply the " + name + " option for the " + where;
            }
        } else if (holds(allowed.one_of, option)) {
            if (chosen) {
                return "The option " + name + " conflicts with the " + quoted(name_of(*chosen)) +
                       " option in the " + where;
            }
            chosen = option;
        } else if (!holds(allowed.needed, option) && !holds(allowed.free, option)) {
            return "Illegal " + name + " option with the " + where;
        }
    }
    return {};
}

const Word* word_named(std::string_view name) {
    const auto found = std::ranges::find(dictionary, name, &Word::name);
    return found == dictionary.end() ? nullptr : &*found;
}
const Word* word_of(char letter) {
    const auto found = std::ranges::find(dictionary, letter, &Word::letter);
    return found == dictionary.end() ? nullptr : &*found;
}

constexpr std::string_view unknown = "unknown option";
constexpr std::string_view lacking = "missing argument";
constexpr std::string_view too_much = "option does not take an argument";

// One walk over the words, left to right.
class Ear {
  public:
    explicit Ear(const std::vector<std::string>& words) : words_{words} {}

    Speech run() {
        bool are_options = true;
        while (at_ < words_.size() && !is_at_fault_) {
            const std::string& word = words_[at_++];
            if (!are_options || word.size() < 2 || word.front() != '-') {
                speech_.loose.push_back(word);
            } else if (word == "--") {
                are_options = false;
            } else if (word.starts_with("--")) {
                hear_name(word);
            } else {
                hear_letters(word);
            }
        }
        return std::move(speech_);
    }

  private:
    void hear_name(const std::string& written) {
        const std::size_t equals = written.find('=');
        const std::string name =
            written.substr(2, equals == std::string::npos ? equals : equals - 2);
        Spoken spoken{.word = word_named(name), .as_written = written};
        if (spoken.word != nullptr && equals != std::string::npos) {
            if (spoken.word->takes == Takes::nothing) {
                spoken = {.as_written = written, .fault = too_much};
            } else {
                spoken.text = written.substr(equals + 1);
                spoken.has_text = true;
            }
        }
        say(std::move(spoken));
    }
    void hear_letters(const std::string& written) {
        for (std::size_t i = 1; i < written.size() && !is_at_fault_; ++i) {
            Spoken spoken{.word = word_of(written[i]), .as_written = written};
            const bool is_last = i + 1 == written.size();
            if (spoken.word != nullptr && spoken.word->takes != Takes::nothing && !is_last) {
                spoken.text = written.substr(i + (written[i + 1] == '=' ? 2 : 1));
                spoken.has_text = true;
                i = written.size();
            }
            say(std::move(spoken));
        }
    }
    void say(Spoken spoken) {
        if (spoken.word == nullptr) {
            spoken.fault = spoken.fault.empty() ? unknown : spoken.fault;
        } else if (spoken.word->takes != Takes::nothing && !spoken.has_text) {
            const bool is_there = at_ < words_.size();
            if (spoken.word->takes == Takes::text && !is_there) {
                spoken.word = nullptr;
                spoken.fault = lacking;
            } else if (is_there &&
                       (spoken.word->takes == Takes::text || !words_[at_].starts_with('-'))) {
                spoken.text = words_[at_++];
                spoken.has_text = true;
            }
        }
        is_at_fault_ = spoken.word == nullptr;
        speech_.words.push_back(std::move(spoken));
    }

    const std::vector<std::string>& words_;
    std::size_t at_ = 0;
    bool is_at_fault_ = false;
    Speech speech_;
};

}  // namespace

Speech listen(const std::vector<std::string>& words) { return Ear{words}.run(); }

std::string_view name_of(Option option) { return option_names[static_cast<std::size_t>(option)]; }
std::string_view name_of(Verb verb) { return verb_names[static_cast<std::size_t>(verb)]; }

std::string misfit(const Invocation& invocation) {
    std::array<Option, option_count> all{};
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = static_cast<Option>(i);
    }
    return misfit_of(invocation, allowed_with(invocation.verb), all,
                     quoted(name_of(invocation.verb)) + " command");
}

std::string tunnel_misfit(const Invocation& invocation) {
    constexpr std::array of_tunnels{tun_port, tun_nocsum, tun_csum, tun_remcsum};
    constexpr std::array<std::string_view, 3> names{"ipip", "gue", "gre"};
    return misfit_of(invocation, allowed_in(invocation.tunnel), of_tunnels,
                     quoted(names[static_cast<std::size_t>(invocation.tunnel)]) + " tunnel type");
}

}  // namespace fulcrum
