// A list of columns for each reply that lists.
#include "controlplane/fulcrumctl/tables.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <vector>

#include "controlplane/fulcrumctl/peer.h"
#include "controlplane/fulcrumctl/table_parts.h"

namespace fulcrum {
namespace {

// "fullnat, proxy"
std::string way_to(const Json& real) {
    const std::string told = cell(real, "client_address");
    return cell(real, "forward") + (told == "none" || told == "n/a" ? "" : ", " + told);
}

std::string size_of(std::uint64_t bytes) {
    const double mebibytes = static_cast<double>(bytes) / (1'024.0 * 1'024.0);
    return fixed(mebibytes, 1) + " MiB";
}

std::string show_workers(const Json& workers) {
    Table table{{{"WORKER"},
                 {"CPU", Side::right, 3},
                 {"BUSY", Side::right, 7},
                 {"SESSIONS", Side::right, 10},
                 {"TURNS", Side::right, 14},
                 {"LONGEST TURN", Side::right}}};
    for (const Json& worker : workers) {
        table.add({cell(worker, "worker"), cell(worker, "cpu"),
                   fixed(worker.value("busy_share", 0.0) * 100, 1) + " %", cell(worker, "sessions"),
                   cell(worker, "turns"), fixed(worker.value("longest_turn_us", 0.0), 1) + " us"});
    }
    return table.text();
}

std::string show_ports(const Json& ports) {
    Table table{{{"PORT", Side::left, 8},
                 {"LINK", Side::left, 4},
                 {"TWIN", Side::left, 8},
                 {"MAC", Side::left, 17},
                 {"QUEUES", Side::right, 6},
                 {"BY", Side::left, 7},
                 {"DEVICE"}}};
    for (const Json& port : ports) {
        table.add({cell(port, "name"), cell(port, "link"), cell(port, "twin"), cell(port, "mac"),
                   cell(port, "receive_queues"), cell(port, "queue_by"), cell(port, "device")});
    }
    return table.text();
}

// "lan: lost, wan: sound"
std::string paths_of(const Json& group) {
    std::string text;
    for (const Json& path : group.value("paths", Json::array())) {
        text += (text.empty() ? "" : ", ") + cell(path, "port") + ": " + cell(path, "state");
    }
    return text;
}

std::string show_groups(const Json& groups) {
    Table table{{{"GROUP", Side::left, 12},
                 {"STATE", Side::left, 10},
                 {"SINCE", Side::right, 8},
                 {"PRIORITY", Side::right, 8},
                 {"PEER", Side::left, 15},
                 {"ITS PRIORITY", Side::right, 12},
                 {"HEARD", Side::right, 8},
                 {"PATHS", Side::left},
                 {"", Side::left}}};
    for (const Json& group : groups) {
        const Json& peer = group.at("peer");
        const bool has_peer = !peer.is_null();
        table.add({cell(group, "name"), cell(group, "state"),
                   length_of(group.value("since_s", std::int64_t{0})), cell(group, "priority"),
                   has_peer ? cell(peer, "address") : "-", has_peer ? cell(peer, "priority") : "-",
                   has_peer ? length_of(peer.value("heard_s", std::int64_t{0})) : "never",
                   paths_of(group), cell(group, "reason")});
    }
    return table.text();
}

std::string show_memory(const Json& memory) {
    Table table{{{"MEMORY", Side::left, 24}, {"SIZE", Side::right, 12}}};
    std::uint64_t sum = 0;
    for (const Json& line : memory) {
        const auto bytes = line.value("bytes", std::uint64_t{0});
        sum += bytes;
        table.add({cell(line, "what"), size_of(bytes)});
    }
    table.add({"sum", size_of(sum)});
    return table.text();
}

std::string endpoint_of(const Json& row, const char* address, const char* port) {
    const std::string host = cell(row, address);
    const bool is_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
    return (is_ipv6 ? "[" + host + "]" : host) + ":" + cell(row, port);
}

// "12 of 340 left, older than 4m10s, end in about 7m0s, reset in 5m50s"
std::string progress_of(const Json& real) {
    const auto found = real.find("drain");
    if (found == real.end()) {
        return {};
    }
    const auto seconds = [&](const char* name) { return length_of((*found)[name]); };
    const std::uint64_t left = real.value("sessions", std::uint64_t{0});
    std::string text =
        cell(real, "sessions") + " of " + cell(*found, "sessions_at_start") + " left";
    if (left > 0) {
        text += ", older than " + seconds("oldest_age_s_min");
    }
    if (left > 0 && !(*found)["estimated_end_in_s"].is_null()) {
        text += ", end in about " + seconds("estimated_end_in_s");
    }
    if (found->contains("then")) {
        text += ", " + cell(*found, "then") + " in " + seconds("deadline_in_s");
    }
    return text;
}

// "sh+fallback+port"
std::string scheduler_of(const Json& service) {
    std::string text = cell(service, "scheduler");
    for (const Json& flag : service.value("scheduler_flags", Json::array())) {
        text.append("+").append(text_of(flag));
    }
    return text;
}

// And whether its SYNs have been answered by the director.
std::string protocol_of(const Json& service) {
    const Json cookies = service.value("syn_cookies", Json::object());
    return cell(service, "protocol") +
           (cookies.value("sent", std::uint64_t{0}) > 0 ? ", cookies" : "");
}

std::string limit_of(const Json& real) {
    const std::string limit = cell(real, "connections_upper");
    return limit == "n/a" ? "-" : limit;
}

// What the latest check said, and how often failing connections asked for one.
std::string check_of(const Json& real) {
    const auto hastened = real.value("checks_hastened", std::uint64_t{0});
    return cell(real, "check") +
           (hastened == 0 ? "" : ", hastened " + std::to_string(hastened) + " times");
}

}  // namespace

std::string show_status(const Json& result) {
    const Json& services = result.at("services");
    std::string text = cell(result, "name") + ": fulcrum " + cell(result, "version") + ", " +
                       cell(result, "role") + ", up " +
                       length_of(result.value("uptime_s", std::int64_t{0})) + ", epoch " +
                       cell(result, "epoch") + ", services up " + cell(services, "up") + " of " +
                       cell(services, "total") + "\n";
    if (const Json groups = result.value("groups", Json::array()); !groups.empty()) {
        text += "\n" + show_groups(groups);
    }
    text += "\n" + show_workers(result.at("workers"));
    text += "\n" + show_ports(result.at("ports"));
    text += "\n" + show_memory(result.at("memory"));
    text += show_peer_in_status(result);
    const Json& problems = result.at("problems");
    text += problems.empty() ? "\nno problems\n" : "\nproblems:\n";
    for (const Json& problem : problems) {
        text += "  " + text_of(problem) + "\n";
    }
    for (const Json& note : result.value("notes", Json::array())) {
        text += "note: " + text_of(note) + "\n";
    }
    return text;
}

std::string show_roles(const Json& result) { return show_groups(result.at("groups")); }

std::string show_doctor(const Json& result) {
    Table table{{{"VERDICT", Side::left, 9}, {"SUBJECT", Side::left, 16}, {"", Side::left}}};
    for (const Json& finding : result.at("findings")) {
        table.add({cell(finding, "verdict"), cell(finding, "subject"), cell(finding, "sentence")});
        if (const std::string remedy = cell(finding, "remedy"); !remedy.empty()) {
            table.add({"", "", "-> " + remedy});
        }
    }
    return table.text();
}

std::string show_services(const Json& result) {
    Table table{{{"SERVICE", Side::left, 12},
                 {"VIP", Side::left, 21},
                 {"PROTO", Side::left},
                 {"SCHEDULER", Side::left},
                 {"USABLE", Side::right, 7},
                 {"SESSIONS", Side::right, 9},
                 {"OPENED", Side::right, 10},
                 {"IN PACKETS", Side::right, 12},
                 {"IN BYTES", Side::right, 14},
                 {"OUT PACKETS", Side::right, 12},
                 {"OUT BYTES", Side::right, 14}}};
    for (const Json& service : result.at("services")) {
        table.add({cell(service, "name"), endpoint_of(service, "vip", "port"), protocol_of(service),
                   scheduler_of(service),
                   cell(service, "reals_usable") + "/" + cell(service, "reals"),
                   cell(service, "sessions"), cell(service, "sessions_opened"),
                   cell(service, "in_packets"), cell(service, "in_bytes"),
                   cell(service, "out_packets"), cell(service, "out_bytes")});
        const Json listeners = service.value("listeners", Json::array());
        for (std::size_t i = 1; i < listeners.size(); ++i) {
            std::vector<std::string> row(11);
            row[1] = endpoint_of(listeners[i], "vip", "port");
            row[2] = cell(listeners[i], "protocol");
            table.add(std::move(row));
        }
    }
    return table.text();
}

std::string show_service_drops(const Json& result) {
    Table table{{{"SERVICE", Side::left, 12},
                 {"REASON", Side::left, 20},
                 {"PACKETS", Side::right, 12},
                 {"MEANING"}}};
    for (const Json& service : result.at("services")) {
        for (const Json& drop : service.at("drops")) {
            table.add({cell(service, "name"), cell(drop, "reason"), cell(drop, "packets"),
                       cell(drop, "sentence")});
        }
    }
    return table.text();
}

std::string show_capture(const Json& result) {
    const std::string why = cell(result, "ended_by");
    return cell(result, "frames") + " frames captured, " + cell(result, "lost") + " lost; " +
           (why == "client" ? "ended by you" : "its limit of " + why + " is met") + "\n";
}

std::string show_reals(const Json& result) {
    std::vector<Column> columns{{"SERVICE", Side::left, 12},      {"REAL", Side::left, 12},
                                {"ADDRESS", Side::left, 21},      {"FORWARD"},
                                {"WEIGHT", Side::right},          {"STATE", Side::left, 7},
                                {"SINCE", Side::right, 7},        {"SESSIONS", Side::right, 9},
                                {"ACTIVE", Side::right, 9},       {"LIMIT", Side::right, 10},
                                {"OPENED", Side::right, 10},      {"IN PACKETS", Side::right, 12},
                                {"OUT PACKETS", Side::right, 12}, {"CHECK"}};
    const Json& reals = result.at("reals");
    const bool any_drains =
        std::ranges::any_of(reals, [](const Json& real) { return real.contains("drain"); });
    if (any_drains) {
        columns.push_back({"DRAIN"});
    }
    Table table{std::move(columns)};
    for (const Json& real : reals) {
        std::vector<std::string> row{cell(real, "service"),
                                     cell(real, "name"),
                                     endpoint_of(real, "address", "port"),
                                     way_to(real),
                                     cell(real, "weight"),
                                     cell(real, "state"),
                                     length_of(real.value("since_s", std::int64_t{0})),
                                     cell(real, "sessions"),
                                     cell(real, "sessions_active"),
                                     limit_of(real),
                                     cell(real, "sessions_opened"),
                                     cell(real, "in_packets"),
                                     cell(real, "out_packets"),
                                     check_of(real)};
        if (any_drains) {
            row.push_back(progress_of(real));
        }
        table.add(std::move(row));
    }
    return table.text();
}

std::string show_sessions(const Json& result) {
    Table table{{{"CLIENT", Side::left, 21},
                 {"VIP", Side::left, 21},
                 {"PROTO"},
                 {"SERVICE", Side::left, 12},
                 {"REAL", Side::left, 12},
                 {"FROM", Side::left, 21},
                 {"STATE", Side::left, 15},
                 {"IDLE", Side::right, 6},
                 {"TIMEOUT", Side::right},
                 {"WORKER", Side::right}}};
    for (const Json& session : result.at("sessions")) {
        table.add({cell(session, "client"), cell(session, "vip"), cell(session, "protocol"),
                   cell(session, "service"), cell(session, "real"),
                   session.value("local", Json{}).is_null() ? "client" : cell(session, "local"),
                   cell(session, "state"), length_of(session.value("idle_s", std::int64_t{0})),
                   length_of(session.value("timeout_s", std::int64_t{0})),
                   cell(session, "worker")});
    }
    std::string text = table.text();
    if (result.value("truncated", false)) {
        text += "there are more: narrow the question or raise --limit\n";
    }
    return text;
}

std::string show_affinity(const Json& result) {
    Table table{{{"CLIENT", Side::left, 21},
                 {"SERVICE", Side::left, 12},
                 {"REAL", Side::left, 12},
                 {"SESSIONS", Side::right, 9},
                 {"REMAINING", Side::right},
                 {"SERVED"},
                 {"WORKER", Side::right}}};
    for (const Json& client : result.at("clients")) {
        table.add({cell(client, "client"), cell(client, "service"), cell(client, "real"),
                   cell(client, "sessions"),
                   length_of(client.value("remaining_s", std::int64_t{0})),
                   client.value("confirmed", false) ? "yes" : "no", cell(client, "worker")});
    }
    std::string text = table.text();
    if (result.value("truncated", false)) {
        text += "there are more: narrow the question or raise --limit\n";
    }
    return text;
}

std::string show_explain(const Json& result) {
    const auto line = [](const char* title, const std::string& text) {
        const std::string name{title};
        return "  " + name + std::string(12 - name.size(), ' ') + text + "\n";
    };
    std::string text = "a packet that arrives at port " + cell(result, "arrives_at") +
                       ", by epoch " + cell(result, "epoch") + "\n";
    text += line("class", cell(result, result.at("punt_class").is_null() ? "class" : "punt_class") +
                              (result.at("punt_class").is_null() ? "" : " (for the kernel)"));
    text += line("worker", cell(result, "worker"));
    if (!result.at("service").is_null()) {
        text += line("service", cell(result, "service"));
    }
    if (const Json& session = result.at("session"); !session.is_null()) {
        text += line("session", cell(session, "state") + ", idle for " +
                                    length_of(session.value("idle_s", std::int64_t{0})) + " of " +
                                    length_of(session.value("timeout_s", std::int64_t{0})) +
                                    (session.value("local", Json{}).is_null()
                                         ? ""
                                         : ", from " + cell(session, "local")));
    } else if (result.value("opens_session", false)) {
        const bool has_slot = !result.at("ring_slot").is_null();
        text +=
            line("session", has_slot ? "none: one is opened, at slot " + cell(result, "ring_slot")
                                     : "none: one is opened, by the service's scheduler");
    }
    if (const Json& real = result.at("real"); !real.is_null()) {
        text += line("real", cell(real, "name") + " at " + endpoint_of(real, "address", "port") +
                                 ", " + way_to(real) + ", " + cell(real, "state"));
    }
    text += line("verdict",
                 cell(result, "verdict") +
                     (result.at("reason").is_null() ? "" : " " + cell(result, "reason")) +
                     (result.at("sentence").is_null() ? "" : ": " + cell(result, "sentence")));
    if (const Json& way = result.at("leaves"); !way.is_null()) {
        text += line("leaves", "by port " + cell(way, "port") + " to " + cell(way, "neighbour") +
                                   ", MAC " + cell(way, "destination_mac") + ", MTU " +
                                   cell(way, "mtu"));
        for (const Json& header : way.at("packet")) {
            text += line("", text_of(header));
        }
    }
    return text;
}

std::string show_version(const Json& result) { return "fulcrum " + cell(result, "version") + "\n"; }

}  // namespace fulcrum
