// One function a group of the schema, one line a key. How a value is written, and whether it is the
// default and left out, follows from the key's row in the schema.
#include "config/writer.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "config/group_writer.h"
#include "config/role_writer.h"

namespace fulcrum {
namespace {

using std::string_view;

// "198.51.100.7", "198.51.100.0/24"
std::string block_in_words(const IpPrefix& prefix) {
    return prefix.is_single() ? to_string(prefix.address) : to_string(prefix);
}

void write_director(GroupWriter& out, const Director& director) {
    out.text("name", director.name);
    out.numbers("workers", director.workers);
    out.number("sessions", static_cast<std::int64_t>(director.sessions));
    if (director.sessions6) {
        out.number("sessions6", static_cast<std::int64_t>(*director.sessions6));
    }
    if (director.affinity_clients) {
        out.number("affinity_clients", static_cast<std::int64_t>(*director.affinity_clients));
    }
    out.text("seed", director.seed);
    out.word("idle", director.idle);
    out.word("memory", director.memory);
    out.text_if_any("session_file", director.session_file);
    out.text_if_any("maintenance", director.maintenance);
}

std::string device_of(const NicPort& port) {
    switch (port.kind) {
        case DeviceKind::af_packet:
            return "af_packet:" + port.device;
        case DeviceKind::af_xdp:
            return "af_xdp:" + port.device;
        case DeviceKind::vdev:
            return "vdev:" + port.device;
        case DeviceKind::pci:
        case DeviceKind::vlan:
            break;
    }
    return port.device;
}

void write_port(GroupWriter& out, const NicPort& port) {
    out.text("name", port.name);
    if (port.kind == DeviceKind::vlan) {
        out.text("parent", port.parent);
    } else {
        out.text("device", device_of(port));
    }
    out.number_unless(0, "vlan", port.vlan);
    out.texts("addresses", port.addresses, [](const IpPrefix& each) { return to_string(each); });
    out.texts("local_addresses", port.local_addresses,
              [](const IpAddress& each) { return to_string(each); });
    out.number_unless(0, "mtu", port.mtu);
}

std::int64_t word_index(L4Protocol protocol) {
    return protocol == L4Protocol::udp ? 1 : protocol == L4Protocol::sctp ? 2 : 0;
}

// What the service's own keys say, and the listeners that are left for `listen`.
struct ListenKeys {
    std::optional<IpPrefix> vip;  // none: each element of `listen` has its own
    PortRange ports;              // first 0: none
    L4Protocol protocol = L4Protocol::tcp;
    std::span<const Listener> listen;
};

ListenKeys listen_keys_of(const VirtualService& service) {
    const std::span<const Listener> all{service.listen};
    if (service.port.host() != 0) {
        return {IpPrefix::only(service.vip), PortRange::only(service.port.host()), service.protocol,
                all};
    }
    if (all.empty()) {
        return {};
    }
    const Listener& first = all.front();
    if (!first.vip.is_single() || !first.ports.is_single()) {
        return {first.vip, first.ports, first.protocol, all.subspan(1)};
    }
    // The service's own keys would make one address with one port the first listener of all.
    ListenKeys keys{.listen = all};
    const auto have_equal = [&](auto member) {
        return std::ranges::all_of(
            all, [&](const Listener& each) { return each.*member == first.*member; });
    };
    if (have_equal(&Listener::vip)) {
        keys.vip = first.vip;
    }
    if (have_equal(&Listener::protocol)) {
        keys.protocol = first.protocol;
    }
    return keys;
}

void write_listen(GroupWriter& out, const ListenKeys& keys) {
    if (keys.vip) {
        out.text("vip", block_in_words(*keys.vip));
    }
    out.number("protocol", word_index(keys.protocol));
    if (keys.ports.first != 0) {
        out.ports("port", keys.ports);
    }
    out.list("listen", keys.listen, [&keys](GroupWriter& inner, const Listener& listener) {
        if (listener.vip != keys.vip) {
            inner.text("vip", block_in_words(listener.vip));
        }
        inner.ports("port", listener.ports);
        if (listener.protocol != keys.protocol) {
            inner.number("protocol", word_index(listener.protocol));
        }
    });
}

// Those that differ from the ones that hold anyway.
void write_timeouts(GroupWriter& out, const SessionTimeouts& timeouts,
                    const SessionTimeouts& preset) {
    const auto write = [&](string_view name, std::uint32_t SessionTimeouts::*timeout) {
        if (timeouts.*timeout != preset.*timeout) {
            out.seconds(name, timeouts.*timeout);
        }
    };
    write("tcp_handshake", &SessionTimeouts::tcp_handshake_s);
    write("tcp_established", &SessionTimeouts::tcp_established_s);
    write("tcp_half_closed", &SessionTimeouts::tcp_half_closed_s);
    write("tcp_closed", &SessionTimeouts::tcp_closed_s);
    write("udp_one_way", &SessionTimeouts::udp_one_way_s);
    write("udp", &SessionTimeouts::udp_s);
    write("sctp_handshake", &SessionTimeouts::sctp_handshake_s);
    write("sctp_established", &SessionTimeouts::sctp_established_s);
    write("sctp_shutdown", &SessionTimeouts::sctp_shutdown_s);
    write("sctp_closed", &SessionTimeouts::sctp_closed_s);
}

// A file named by an included file may stand in another folder than the one that includes it.
std::string seen_from(const std::string& source_file, const SourcePlace& place,
                      const std::string& path) {
    const std::filesystem::path named_in = std::filesystem::path{place.file}.parent_path();
    const std::filesystem::path folder = std::filesystem::path{source_file}.parent_path();
    if (path.empty() || path.front() == '/' || place.file.empty() || named_in == folder) {
        return path;
    }
    return (named_in / path).lexically_relative(folder.empty() ? "." : folder).string();
}

void write_access(GroupWriter& out, const VirtualService& service, const std::string& source_file) {
    const Access& access = service.access;
    out.texts("allow", access.allow, block_in_words);
    out.texts("deny", access.deny, block_in_words);
    out.text_if_any("allow_file", seen_from(source_file, service.place, access.allow_file));
    out.text_if_any("deny_file", seen_from(source_file, service.place, access.deny_file));
}

void write_limits(GroupWriter& out, const RateLimits& limits) {
    out.number_unless(0, "client_sessions_per_s", limits.client_sessions_per_s);
    out.number_unless(0, "client_packets_per_s", limits.client_packets_per_s);
    out.number_unless(0, "sessions_per_s", limits.sessions_per_s);
    out.number_unless(0, "packets_per_s", limits.packets_per_s);
    out.number("prefix", limits.prefix);
    out.number("prefix6", limits.prefix6);
}

void write_affinity(GroupWriter& out, const Affinity& affinity) {
    out.seconds("timeout", affinity.timeout_s);
    out.number("prefix", affinity.prefix);
    out.number("prefix6", affinity.prefix6);
    out.word("on_drain", affinity.on_drain);
}

std::string in_hex(string_view octets) {
    std::string digits;
    for (const char octet : octets) {
        constexpr string_view of_nibble = "0123456789abcdef";
        const auto value = static_cast<std::uint8_t>(octet);
        digits += of_nibble[value >> 4];
        digits += of_nibble[value & 15];
    }
    return digits;
}

void write_asking(GroupWriter& out, const Check& check) {
    const auto as_is = [](const std::string& each) { return each; };
    out.text("path", check.path);
    out.text_if_any("host", check.host);
    out.text("method", check.method);
    out.texts("headers", check.headers, as_is);
    out.text("status", to_string(check.status));
    out.number_unless(0, "http2", check.http2 ? 1 : 0);
    // A file's text holds no zeros, and we write no octets into it that are not ASCII.
    const bool is_text = std::ranges::all_of(check.send, [](char c) { return c > 0; });
    out.text_if_any(is_text ? "send" : "send_hex", is_text ? check.send : in_hex(check.send));
    out.text_if_any("expect", check.expect);
    out.text_if_any("match", check.match);
    out.number_unless(0, "starttls", check.starttls ? 1 : 0);
    out.number_unless(0, "verify", check.verify ? 1 : 0);
    out.text_if_any("ca_file", check.ca_file);
    out.text_if_any("login", check.login);
    out.text_if_any("password", check.password);
    out.text_if_any("database", check.database);
    out.text_if_any("secret", check.secret);
    out.text_if_any("query", check.query);
    out.text("record", check.record);
    out.texts("command", check.command, as_is);
    out.number_unless(0, "exit_weight", check.exit_weight ? 1 : 0);
}

void write_check(GroupWriter& out, const Check& check, CheckType preset) {
    if (check.type != preset) {
        out.text("type", to_string(check.type));
    }
    write_asking(out, check);
    out.number_unless(0, "port", check.port);
    out.number("interval", check.interval.count());
    out.number("timeout", check.timeout.count());
    out.number("rise", check.rise);
    out.number("fall", check.fall);
    out.word("initial", check.initial);
    out.number("passive", check.passive ? 1 : 0);
}

void write_way(GroupWriter& out, const RealServer& real) {
    // The file says nat for the director itself, which its address tells.
    out.word("forward", real.forward == ForwardingMode::local ? ForwardingMode::nat : real.forward);
    out.number("tunnel_port", real.tunnel.port.host());
    out.number("tunnel_checksum", real.tunnel.has_checksum ? 1 : 0);
    out.word("client_address", real.client_address);
}

// What the rest of a service says about its reals.
struct RealPresets {
    be16 port;
    CheckType check;
};

// One check is a group, several are a list.
void write_own_checks(GroupWriter& out, const std::vector<Check>& checks, CheckType preset) {
    if (checks.size() == 1) {
        out.group("check", [&](GroupWriter& inner) { write_check(inner, checks[0], preset); });
    } else {
        out.list("checks", checks, [preset](GroupWriter& inner, const Check& check) {
            write_check(inner, check, preset);
        });
    }
}

void write_real(GroupWriter& out, const RealServer& real, const RealPresets& presets) {
    out.text("name", real.name);
    out.text("address", to_string(real.endpoint.address));
    out.number_unless(presets.port.host(), "port", real.endpoint.port.host());
    out.number("weight", real.weight);
    write_way(out, real);
    out.group_if_any("connections", [&real](GroupWriter& inner) {
        inner.number_unless(0, "upper", real.connections.upper);
        inner.number_unless(0, "lower", real.connections.lower);
    });
    write_own_checks(out, real.checks, presets.check);
}

void write_fallback(GroupWriter& out, const RealServer& real, be16 port_preset) {
    out.text("name", real.name);
    out.text("address", to_string(real.endpoint.address));
    out.number_unless(port_preset.host(), "port", real.endpoint.port.host());
    write_way(out, real);
}

void write_checks(GroupWriter& out, const VirtualService& service, CheckType preset) {
    const auto write = [preset](GroupWriter& inner, const Check& check) {
        write_check(inner, check, preset);
    };
    if (service.further_checks.empty()) {
        out.group_if_any("check", [&](GroupWriter& inner) { write(inner, service.check); });
        return;
    }
    std::vector<Check> checks = service.further_checks;
    checks.insert(checks.begin(), service.check);
    out.list("checks", checks, write);
}

void write_service(GroupWriter& out, const VirtualService& service, const Config& config) {
    const ListenKeys listen = listen_keys_of(service);
    const be16 port = only_port_of(service);
    out.text("name", service.name);
    out.number("enabled", service.enabled ? 1 : 0);
    write_listen(out, listen);
    out.number_unless(0, "mark", service.mark);
    out.number_unless(0, "mark6", service.mark6);
    out.texts("bind", service.bind, [](const std::string& each) { return each; });
    out.word("scheduler", service.scheduler);
    out.words("scheduler_flags", {service.scheduler_flags.fallback, service.scheduler_flags.port});
    out.number("ring_size", service.ring_size);
    out.word("on_failure", service.on_failure);
    out.word("on_removal", service.on_removal);
    out.word("no_real", service.no_real);
    out.number("one_packet", service.one_packet ? 1 : 0);
    out.number_unless(0, "mss_max", service.mss_max);
    out.word("syn_cookies", service.syn_cookies);
    out.group_if_any("timeouts", [&](GroupWriter& inner) {
        write_timeouts(inner, service.timeouts, config.timeouts);
    });
    write_access(out, service, config.source_file);
    out.group_if_any("limits", [&](GroupWriter& inner) { write_limits(inner, service.limits); });
    if (service.affinity) {
        out.group("affinity",
                  [&](GroupWriter& inner) { write_affinity(inner, *service.affinity); });
    }
    const CheckType check_preset =
        listen.protocol == L4Protocol::tcp ? CheckType::connect : CheckType::none;
    out.number("quorum", service.quorum);
    out.number("hysteresis", service.hysteresis);
    out.number_unless(0, "slow_start", std::int64_t{service.slow_start_s} * 1'000);
    out.number("quiescent", service.quiescent ? 1 : 0);
    write_checks(out, service, check_preset);
    const RealPresets presets{port, check_preset};
    out.list("reals", service.reals, [&presets](GroupWriter& inner, const RealServer& real) {
        write_real(inner, real, presets);
    });
    if (service.fallback) {
        out.group("fallback",
                  [&](GroupWriter& inner) { write_fallback(inner, *service.fallback, port); });
    }
    out.texts("mail_to", service.mail_to, [](const std::string& each) { return each; });
}

void write_telling(GroupWriter& out, const Config& config) {
    out.group_if_any("log", [&](GroupWriter& inner) {
        inner.word("to", config.log.to);
        inner.text_if_any("file", config.log.file);
        inner.word("level", config.log.level);
        inner.word("form", config.log.form);
        inner.number("facility", config.log.facility);
    });
    if (config.mail) {
        out.group("mail", [&](GroupWriter& inner) {
            const MailSettings& mail = *config.mail;
            inner.text("server", mail.server);
            inner.text("from", mail.from);
            inner.texts("to", mail.to, [](const std::string& each) { return each; });
            if (mail.when != MailSettings{}.when) {
                inner.words("when", {mail.when.starting, mail.when.running, mail.when.reloading});
            }
            inner.seconds("repeat", mail.repeat_s);
            inner.seconds("gather", mail.gather_s);
        });
    }
    if (config.hook) {
        out.group("hook", [&](GroupWriter& inner) {
            inner.text("program", config.hook->program);
            inner.seconds("timeout", config.hook->timeout_s);
        });
    }
}

void write_pair(GroupWriter& out, const PairSettings& pair) {
    out.text("peer", pair.peer);
    out.text("key", pair.key_file);
    out.list("links", pair.links, [](GroupWriter& inner, const PairLink& link) {
        inner.text("local", to_string(link.local));
        inner.text("peer", to_string(link.peer));
    });
    out.number("replicate_config", pair.replicates_config ? 1 : 0);
}

// What directors of a pair have in common, but for the seed.
void write_common(GroupWriter& out, const Config& config) {
    out.list("vips", config.vips, [](GroupWriter& inner, const VipPolicy& policy) {
        inner.text("address", block_in_words(policy.addresses));
        inner.word("other", policy.other);
    });
    out.group_if_any("timeouts", [&](GroupWriter& inner) {
        write_timeouts(inner, config.timeouts, SessionTimeouts{});
    });
    out.list("marks", config.marks, [](GroupWriter& inner, const MarkRule& rule) {
        inner.number("mark", rule.mark);
        inner.text("vip", block_in_words(rule.listener.vip));
        inner.number("protocol", word_index(rule.listener.protocol));
        inner.ports("port", rule.listener.ports);
    });
    out.list("services", config.services, [&](GroupWriter& inner, const VirtualService& service) {
        write_service(inner, service, config);
    });
}

}  // namespace

std::string write_config(const Config& config) {
    GroupWriter out{""};
    out.group("director", [&](GroupWriter& inner) { write_director(inner, config.director); });
    if (config.ports.empty()) {
        out.comment(
            "The NIC ports that the director takes: say them here.\n"
            "ports = (\n"
            "    { name = \"wan\"; device = \"af_packet:eth0\"; addresses = [ \"192.0.2.2/24\" ]; "
            "}\n"
            ");");
    }
    out.list("ports", config.ports, write_port);
    write_common(out, config);
    out.group_if_any("metrics", [&](GroupWriter& inner) {
        if (config.metrics.listen) {
            inner.text("listen", to_string(*config.metrics.listen));
        }
        inner.text_if_any("logins", config.metrics.logins);
        inner.text_if_any("certificate", config.metrics.certificate);
        inner.text_if_any("key", config.metrics.key);
    });
    out.group_if_any("control", [&](GroupWriter& inner) {
        inner.text("socket", config.control.socket);
        inner.text_if_any("group", config.control.group);
        inner.text_if_any("readers", config.control.readers);
    });
    out.group_if_any("reload", [&](GroupWriter& inner) {
        inner.number_unless(0, "watch", config.reload.watch.count());
        inner.number_unless(0, "rollback_within", config.reload.rollback_within.count());
    });
    write_telling(out, config);
    write_role_groups(out, config);
    if (config.pair) {
        out.group("pair", [&](GroupWriter& inner) { write_pair(inner, *config.pair); });
    }
    return lay_out(out.take().parts);
}

std::string write_common_part(const Config& config) {
    GroupWriter out{""};
    write_common(out, config);
    return lay_out(out.take().parts);
}

}  // namespace fulcrum
