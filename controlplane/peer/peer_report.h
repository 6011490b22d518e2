// What the director knows of its peer, for operators and metrics: a value that any thread may look
// at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/model/time.h"
#include "controlplane/listing.h"
#include "controlplane/peer/config_sync.h"
#include "controlplane/peer/peer_channel.h"
#include "controlplane/peer/session_sync.h"
#include "controlplane/request.h"

namespace fulcrum {

struct Figure;

struct PeerReport {
    std::string name;
    bool is_up = false;
    bool is_ready = false;  // this director, to take over
    bool is_peer_ready = false;
    bool is_peer_stale = false;   // it misses something that it has not been told again yet
    bool is_catching_up = false;  // this director
    bool has_our_configuration = false;
    struct Link {
        std::string local;
        std::string peer;
        bool is_up = false;
    };
    std::vector<Link> links;
    Duration round_trip{};
    Duration lag{};  // of the oldest message that the peer has not confirmed
    std::optional<ConfigSyncReport> replication;  // none: nothing goes over
    PeerFigures channel;
    SyncFigures sync;
    std::vector<std::string> problems;
};

// Member names are a promise to scripts.
Json report_peer(const PeerReport& peer, const Boards& boards);

std::vector<Figure> figures_of(const PeerReport& peer, const Boards& boards);

}  // namespace fulcrum
