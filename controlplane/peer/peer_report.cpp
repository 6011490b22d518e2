// As JSON, and as metrics.
#include "controlplane/peer/peer_report.h"

#include <chrono>
#include <utility>

#include "controlplane/metrics.h"

namespace fulcrum {
namespace {

std::string_view to_string(ConfigPassage passage) {
    switch (passage) {
        case ConfigPassage::on_its_way:
            return "on its way";
        case ConfigPassage::applied:
            return "applied";
        case ConfigPassage::refused:
            return "refused";
        case ConfigPassage::none:
            break;
    }
    return "none";
}

std::uint64_t sum_of(const Boards& boards, SingleWriterCounter WorkerCounters::*counter) {
    std::uint64_t sum = 0;
    for (const CounterBoard* board : boards) {
        sum += (board->worker().*counter).read();
    }
    return sum;
}

std::uint64_t refused_of(const Boards& boards, std::size_t reason) {
    std::uint64_t sum = 0;
    for (const CounterBoard* board : boards) {
        sum += board->worker().replicas_refused[reason].read();
    }
    return sum;
}

double seconds(Duration length) { return std::chrono::duration<double>{length}.count(); }

// Why datagrams were not taken, and how often.
std::vector<std::pair<std::string, std::uint64_t>> refused_datagrams(const PeerFigures& channel) {
    return {{"strange", channel.refused_strange},
            {"forged", channel.refused_forged},
            {"replayed", channel.refused_replayed},
            {"old", channel.refused_old},
            {"stranger", channel.refused_stranger}};
}

// The same of sessions: those that this director has no name for, and those that workers refused.
std::vector<std::pair<std::string, std::uint64_t>> refused_replicas(const PeerReport& peer,
                                                                    const Boards& boards) {
    std::vector<std::pair<std::string, std::uint64_t>> refused;
    for (std::size_t reason = 0; reason < replica_refusal_count; ++reason) {
        refused.emplace_back(to_string(static_cast<ReplicaRefusal>(reason)),
                             refused_of(boards, reason));
    }
    refused[static_cast<std::size_t>(ReplicaRefusal::unknown)].second += peer.sync.unknown;
    return refused;
}

Json report_of(const ConfigSyncReport::Latest& latest) {
    Json report{{"state", to_string(latest.passage)}};
    if (latest.passage != ConfigPassage::none) {
        report["version"] = to_string(latest.version);
    }
    if (latest.passage == ConfigPassage::applied) {
        report["epoch"] = latest.epoch;
    }
    report["reasons"] = latest.sentences;
    return report;
}

Json report_replication(const ConfigSyncReport& replication) {
    Json report{{"version", to_string(replication.own.version)},
                {"told", report_of(replication.told)},
                {"heard", report_of(replication.heard)}};
    report["peers_version"] =
        replication.peer ? Json(to_string(replication.peer->version)) : Json(nullptr);
    return report;
}

}  // namespace

Json report_peer(const PeerReport& peer, const Boards& boards) {
    Json report;
    report["name"] = peer.name;
    report["state"] = peer.is_up ? "up" : "down";
    report["ready"] = peer.is_ready;
    report["peer_ready"] = peer.is_peer_ready;
    report["peer_stale"] = peer.is_peer_stale;
    report["catching_up"] = peer.is_catching_up;
    report["same_configuration"] = peer.has_our_configuration;
    if (peer.replication) {
        report["replication"] = report_replication(*peer.replication);
    }
    report["links"] = Json::array();
    for (const PeerReport::Link& link : peer.links) {
        report["links"].push_back(
            {{"local", link.local}, {"peer", link.peer}, {"state", link.is_up ? "up" : "down"}});
    }
    report["round_trip_ms"] = seconds(peer.round_trip) * 1e3;
    report["lag_ms"] = seconds(peer.lag) * 1e3;
    report["sessions"] = {{"sent", peer.sync.sent},
                          {"received", peer.sync.received},
                          {"taken", sum_of(boards, &WorkerCounters::replicas_taken)},
                          {"lost", sum_of(boards, &WorkerCounters::replicas_lost)},
                          {"unsent", peer.sync.unsent}};
    report["refused"] = Json::object();
    for (const auto& [reason, count] : refused_replicas(peer, boards)) {
        report["refused"][reason] = count;
    }
    report["transfers"] = {{"sent", peer.sync.transfers_sent},
                           {"received", peer.sync.transfers_received}};
    report["datagrams"] = {{"sent", peer.channel.datagrams_sent},
                           {"received", peer.channel.datagrams_received},
                           {"messages_sent_again", peer.channel.messages_sent_again}};
    report["refused_datagrams"] = Json::object();
    for (const auto& [reason, count] : refused_datagrams(peer.channel)) {
        report["refused_datagrams"][reason] = count;
    }
    report["problems"] = peer.problems;
    return report;
}

std::vector<Figure> figures_of(const PeerReport& peer, const Boards& boards) {
    std::vector<Figure> figures;
    const auto gauge = [&](const char* name, const char* help, double value) {
        figures.push_back({name, help, /*is_gauge=*/true, {}, value});
    };
    const auto counter = [&](const char* name, const char* help, std::uint64_t value,
                             std::vector<std::pair<std::string, std::string>> labels = {}) {
        figures.push_back({name, help, false, std::move(labels), static_cast<double>(value)});
    };
    gauge("peer_up", "Whether the peer answers.", peer.is_up);
    gauge("peer_ready", "Whether this director has caught up with its peer.", peer.is_ready);
    gauge("peer_stale", "Whether the peer misses sessions and is being told anew.",
          peer.is_peer_stale);
    gauge("peer_configuration_differs", "Whether the peer serves by another configuration.",
          peer.is_up && !peer.has_our_configuration);
    if (peer.replication) {
        for (const bool is_applied : {true, false}) {
            const char* const outcome = is_applied ? "applied" : "refused";
            const auto count = [&](const ConfigSyncReport::Latest& latest) {
                return is_applied ? latest.applied : latest.refused;
            };
            counter("peer_configurations_sent_total", "Configurations that the peer was told.",
                    count(peer.replication->told), {{"outcome", outcome}});
            counter("peer_configurations_received_total", "Configurations that the peer told of.",
                    count(peer.replication->heard), {{"outcome", outcome}});
        }
    }
    for (const PeerReport::Link& link : peer.links) {
        figures.push_back({"peer_link_up",
                           "Whether the peer is heard over this link.",
                           /*is_gauge=*/true,
                           {{"link", link.peer}},
                           link.is_up ? 1.0 : 0.0});
    }
    gauge("peer_round_trip_seconds", "Round trip to the peer.", seconds(peer.round_trip));
    gauge("peer_lag_seconds", "Age of the oldest message that the peer has not confirmed.",
          seconds(peer.lag));
    counter("peer_sessions_sent_total", "Sessions told to the peer.", peer.sync.sent);
    counter("peer_sessions_received_total", "Sessions that the peer told of.", peer.sync.received);
    counter("peer_sessions_taken_total", "Sessions of the peer's that workers took.",
            sum_of(boards, &WorkerCounters::replicas_taken));
    counter("peer_sessions_lost_total", "Sessions for which there was no room on their way.",
            sum_of(boards, &WorkerCounters::replicas_lost));
    for (const auto& [reason, count] : refused_replicas(peer, boards)) {
        counter("peer_sessions_refused_total", "Sessions of the peer's that were not taken.", count,
                {{"reason", reason}});
    }
    counter("peer_transfers_sent_total", "Full transfers to the peer.", peer.sync.transfers_sent);
    counter("peer_transfers_received_total", "Full transfers from the peer.",
            peer.sync.transfers_received);
    counter("peer_datagrams_sent_total", "Datagrams to the peer.", peer.channel.datagrams_sent);
    counter("peer_datagrams_received_total", "Datagrams at the peer's links.",
            peer.channel.datagrams_received);
    counter("peer_messages_sent_again_total", "Messages that were lost on their way.",
            peer.channel.messages_sent_again);
    for (const auto& [reason, count] : refused_datagrams(peer.channel)) {
        counter("peer_datagrams_refused_total", "Datagrams that were not taken.", count,
                {{"reason", reason}});
    }
    return figures;
}

}  // namespace fulcrum
