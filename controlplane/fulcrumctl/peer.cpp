// A table of the links, what stands in the way, and the key's file.
#include "controlplane/fulcrumctl/peer.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "controlplane/fulcrumctl/table_parts.h"

namespace fulcrum {
namespace {

// "b refused the configuration of 2026-11-21 23:50:12.000000 UTC"
std::string show_latest(const Json& latest, const std::string& subject, const std::string& object) {
    const std::string state = latest.value("state", "none");
    if (state == "none") {
        return {};
    }
    std::string text = subject + (state == "on its way" ? " is being told" : " " + state) + " " +
                       object + " of " + cell(latest, "version");
    if (state == "applied") {
        text += ", as epoch " + cell(latest, "epoch");
    }
    text += "\n";
    for (const Json& reason : latest.at("reasons")) {
        text += "  " + text_of(reason) + "\n";
    }
    return text;
}

std::string show_replication(const Json& result) {
    const auto found = result.find("replication");
    const std::string peer = cell(result, "name");
    if (found == result.end()) {
        return {};
    }
    const Json& replication = *found;
    return "\nconfiguration of " + cell(replication, "version") + " here, " +
           (replication.at("peers_version").is_null()
                ? "of " + peer + " nothing is known"
                : cell(replication, "peers_version") + " at " + peer) +
           "\n" + show_latest(replication.at("told"), peer, "this director's") +
           show_latest(replication.at("heard"), "this director", peer + "'s");
}

bool is_set(const Json& peer, const char* name) { return peer.value(name, false); }

}  // namespace

std::string show_peer(const Json& result) {
    std::string text = "peer " + cell(result, "name") + " is " + cell(result, "state") + ", " +
                       (is_set(result, "peer_ready") ? "ready" : "not ready") +
                       "; this director is " + (is_set(result, "ready") ? "ready" : "not ready") +
                       "\n";
    Table links{{{"LINK", Side::left, 21}, {"TO", Side::left, 21}, {"STATE"}}};
    for (const Json& link : result.at("links")) {
        links.add({cell(link, "local"), cell(link, "peer"), cell(link, "state")});
    }
    text += "\n" + links.text();
    const Json& sessions = result.at("sessions");
    text += "\nsessions: " + cell(sessions, "sent") + " sent, " + cell(sessions, "received") +
            " received, " + cell(sessions, "taken") + " taken, " + cell(sessions, "lost") +
            " lost\nround trip " + fixed(result.value("round_trip_ms", 0.0), 1) + " ms, lag " +
            fixed(result.value("lag_ms", 0.0), 1) + " ms, " +
            (is_set(result, "peer_stale") ? "being told anew" : "up to date") + "\n";
    text += show_replication(result);
    for (const char* refused : {"refused", "refused_datagrams"}) {
        for (const auto& [reason, count] : result.at(refused).items()) {
            if (count != 0) {
                text += std::string{refused} + ", " + reason + ": " + text_of(count) + "\n";
            }
        }
    }
    for (const Json& problem : result.at("problems")) {
        text += "problem: " + text_of(problem) + "\n";
    }
    return text;
}

std::string show_peer_in_status(const Json& status) {
    const auto peer = status.find("peer");
    if (peer == status.end()) {
        return {};
    }
    return "\npeer " + cell(*peer, "name") + ": " + cell(*peer, "state") + "\n";
}

int make_pair_key(const Options& options) {
    std::array<unsigned char, 32> octets{};
    if (getrandom(octets.data(), octets.size(), 0) != static_cast<ssize_t>(octets.size())) {
        complain("this machine gives no random numbers");
        return failed;
    }
    std::string line;
    for (const unsigned char octet : octets) {
        std::array<char, 3> digits{};
        std::snprintf(digits.data(), digits.size(), "%02x", octet);
        line += digits.data();
    }
    line += "\n";
    const int file = open(options.target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool is_written =
        file >= 0 && write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    const int error = errno;
    if (file >= 0) {
        close(file);
    }
    if (!is_written) {
        complain(options.target + ": " + std::generic_category().message(error));
        return failed;
    }
    print(options.target +
          " has a new key; copy it to the other director, and name it as pair.key on both\n");
    return done_status;
}

}  // namespace fulcrum
