// ipvsadm's command line: the words that its users have in their fingers and their scripts, with
// the refusals that these know. What the words mean to a director is somebody else's business. Pure
// but for names of hosts and services, which the system resolves.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/model/address.h"

namespace fulcrum {

enum class Verb : std::uint8_t {
    add_service,
    edit_service,
    delete_service,
    flush,
    list,
    add_server,
    delete_server,
    edit_server,
    set_timeouts,
    start_daemon,
    stop_daemon,
    restore,
    save,
    zero,
    help,
    version,
};

// In the order in which a verb's fitting options are checked.
enum class Option : std::uint8_t {
    numeric,
    connection,
    service_address,
    scheduler,
    persistent,
    netmask,
    real_server,
    forwarding_method,
    weight,
    u_threshold,
    l_threshold,
    mcast_interface,
    timeout,
    daemon,
    stats,
    rate,
    thresholds,
    persistent_conn,
    nosort,
    syncid,
    exact,
    ops,
    pe,
    sched_flags,
    mcast_group,
    mcast_port,
    mcast_ttl,
    sync_maxlen,
    tun_info,
    tun_type,
    tun_port,
    tun_nocsum,
    tun_csum,
    tun_remcsum,
    extended,  // ours: with --save, also what ipvsadm's own --save leaves out
};
inline constexpr std::size_t option_count = 35;

struct ServiceAt {
    std::uint32_t mark = 0;  // 0: by protocol, VIP and port
    bool is_ipv6_mark = false;
    L4Protocol protocol = L4Protocol::tcp;
    IpAddress vip;
    std::uint16_t port = 0;  // 0: all ports

    bool is_ipv6() const { return mark != 0 ? is_ipv6_mark : !vip.is_v4(); }
    friend bool operator==(const ServiceAt&, const ServiceAt&) = default;
};

enum class Forwarding : std::uint8_t { route, tunnel, masquerade, full_nat };
enum class TunnelType : std::uint8_t { ipip, gue, gre };

struct Invocation {
    Verb verb = Verb::list;
    std::bitset<option_count> given;

    ServiceAt service;
    std::string scheduler = "wlc";
    bool falls_back = false;  // of the scheduler's flags
    bool uses_port = false;
    bool has_third_flag = false;
    std::uint32_t persistent_s = 0;              // 0: not persistent
    std::optional<std::uint8_t> netmask_length;  // none: of single clients
    Endpoint real;
    Forwarding forwarding = Forwarding::route;
    TunnelType tunnel = TunnelType::ipip;
    std::uint16_t tunnel_port = 0;
    std::uint32_t weight = 1;
    std::uint32_t upper = 0;
    std::uint32_t lower = 0;
    std::array<std::uint32_t, 3> timeouts_s{};  // 0: as it was

    bool has(Option option) const { return given[static_cast<std::size_t>(option)]; }
};

// What ends the program instead: a text for standard error and the exit status.
struct Complaint {
    std::string text;
    int status = 2;
};

// `words`: what follows the program's name. `program`: that name, for its hint at --help.
std::variant<Invocation, Complaint> read_command_line(const std::vector<std::string>& words,
                                                      const std::string& program);

}  // namespace fulcrum
