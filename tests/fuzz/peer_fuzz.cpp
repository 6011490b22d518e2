// What comes by the peer's links. The first octet says how the rest is believed: as a datagram of a
// stranger's, as the inside of a greeting or of a session's datagram from who has the key, as a
// message of the stream. It must refuse or take; a record that it takes must come back the same
// when it is written again; and a session that there is must go on.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>
#include <utility>

#include "controlplane/peer/peer_channel.h"
#include "controlplane/peer/replica_wire.h"

namespace {

using namespace fulcrum;  // NOLINT: a program of one file

constexpr Instant begin{1'000s};

void read_and_write_again(std::span<const std::uint8_t> octets) {
    const auto message = read_message(octets);
    if (!message || message->kind != PeerMessageKind::sessions) {
        return;
    }
    Octets again;
    begin_message(again, PeerMessageKind::sessions);
    for (const NamedReplica& replica : message->replicas) {
        append(again, replica);
    }
    const auto reread = read_message(again);
    if (!reread || reread->replicas != message->replicas) {
        std::abort();
    }
}

// Two that have greeted each other; what `b` says goes nowhere any more.
struct Ends {
    std::deque<std::pair<int, Octets>> said;
    PairKey key = *PairKey::from_line(std::string(64, 'a'));
    SessionId id_a{1};
    SessionId id_b{2};
    PeerChannel a{key,
                  {.name = "a", .peer = "b"},
                  [this](std::size_t, std::span<const std::uint8_t> datagram) {
                      said.emplace_back(1, Octets{datagram.begin(), datagram.end()});
                  },
                  [this] { return id_a; }};
    PeerChannel b{key,
                  {.name = "b", .peer = "a"},
                  [this](std::size_t, std::span<const std::uint8_t> datagram) {
                      said.emplace_back(0, Octets{datagram.begin(), datagram.end()});
                  },
                  [this] { return id_b; }};

    Ends() {
        for (int round = 0; round < 10; ++round) {
            a.tick(begin);
            b.tick(begin);
            while (!said.empty()) {
                const auto [to, datagram] = std::move(said.front());
                said.pop_front();
                (to == 0 ? a : b).hear(0, datagram, begin);
            }
        }
        if (!a.is_up(begin) || !b.is_up(begin)) {
            std::abort();
        }
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::span<const std::uint8_t> rest{octets + 1, size - 1};
    if (octets[0] % 4 == 3) {
        read_and_write_again(rest);
        return 0;
    }
    Ends ends;
    const std::uint64_t session = ends.a.session_number();
    switch (octets[0] % 4) {
        case 0:
            ends.a.hear(0, rest, begin);
            break;
        case 1:
            ends.a.hear(0, seal_greeting(ends.key.greeting_key(), ends.id_b, rest), begin);
            break;
        default:
            ends.a.hear(0, seal(ends.key.key_for(ends.id_b, ends.id_a), ends.id_b, 1'000, rest),
                        begin);
            break;
    }
    while (const auto message = ends.a.fetch()) {
        read_and_write_again(*message);
    }
    ends.a.tick(begin + 1ms);
    if (octets[0] % 4 == 0 && ends.a.session_number() != session) {
        std::abort();  // who has no key has ended a session
    }
    return 0;
}
