// What is told of one change of one real, or of a service that gains or loses its quorum, complete
// in itself: mail and hook know nothing else.
// Plain values.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

namespace fulcrum {

// What has become of a real: by a check, or by an operator's drain.
enum class RealNews : std::uint8_t {
    up,
    down,
    drained,
    undrained,
    quorum_up,  // of the service; no real is named
    quorum_down,
};

struct RealEvent {
    std::string service;
    std::string real;
    RealNews news = RealNews::up;
    std::string reason;
};

enum class TellingPhase : std::uint8_t { starting, running, reloading };

struct RealChange {
    std::time_t time = 0;
    std::string director;
    std::string service;
    std::string listeners;  // "203.0.113.80:80/tcp, 203.0.113.80:443/tcp"
    std::string real;       // empty: it is the service's quorum that is up or down
    std::string endpoint;   // "192.168.10.11:8080"
    std::string from;       // up, down, drained, unknown
    std::string to;
    std::string reason;
    TellingPhase phase = TellingPhase::running;
    std::size_t up_count = 0;  // reals of the service that are up now
    std::size_t real_count = 0;
    std::vector<std::string> mail_to;  // the service's own; empty: everybody's
};

}  // namespace fulcrum
