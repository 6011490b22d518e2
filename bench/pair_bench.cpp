// What the other director of a pair costs. Two rows:
//
//   transfer   all sessions of one director to another that has none: walked, named, laid into
//              messages, sealed, opened, read, placed and taken, all by one thread that plays both
//              sides; so what it takes here is more than it takes two machines
//   telling    new connections (SYN, SYN,ACK, ACK) through a worker's rooms, with a peer and
//              without, in turns over the same frames: what a worker pays for each
//
//   pair_bench [--sessions N] [--connections N] [--rounds N]
#include <rte_eal.h>
#include <rte_log.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "bench/replay_scene.h"
#include "controlplane/peer/session_sync.h"
#include "dataplane/checksum.h"
#include "dataplane/memory_plan.h"
#include "dataplane/packet_path.h"

namespace {

using namespace fulcrum;
using Clock = std::chrono::steady_clock;

constexpr std::size_t frame_size = 64;
constexpr std::uint32_t frame_length = 60;
constexpr Endpoint real{bench::first_real, be16{8'080}};

double seconds_since(Clock::time_point began) {
    return std::chrono::duration<double>{Clock::now() - began}.count();
}

Endpoint client_of(std::uint64_t number) {
    return {Ipv4Address::from_host(Ipv4Address::of(10, 64, 0, 0).host() +
                                   static_cast<std::uint32_t>(number & 0x3F'FFFF)),
            be16{static_cast<std::uint16_t>(1'024 + (number >> 22))}};
}

void write_frame(std::uint8_t* at, const Endpoint& from, const Endpoint& to, std::uint8_t flags) {
    const EthernetHeader ethernet{test::wan_mac, test::router_mac, ethertype::ipv4};
    Ipv4Header ip{};
    ip.version_and_length = 0x45;
    ip.total_length = be16{40};
    ip.time_to_live = 64;
    ip.protocol = 6;
    ip.source = from.address.v4();
    ip.destination = to.address.v4();
    ip.checksum = checksum_of(&ip, sizeof(ip));
    TcpHeader tcp{};
    tcp.source_port = from.port;
    tcp.destination_port = to.port;
    tcp.data_offset_and_reserved = 0x50;
    tcp.flags = flags;
    std::memset(at, 0, frame_size);
    std::memcpy(at, &ethernet, sizeof(ethernet));
    std::memcpy(at + 14, &ip, sizeof(ip));
    std::memcpy(at + 34, &tcp, sizeof(tcp));
}

TableMemory allocate(std::size_t size) {
    auto memory = TableMemory::allocate(size, Memory::ordinary);
    if (!memory) {
        std::fprintf(stderr, "pair_bench: %s\n", memory.error().sentence.c_str());
        std::exit(1);
    }
    return std::move(*memory);
}

// One worker's rooms over one service of `real_count` reals.
class Director {
  public:
    Director(const std::string& name, std::uint64_t sessions, unsigned real_count)
        : scene_{bench::replay_scene(ForwardingMode::nat, {.services = 1, .reals = real_count})},
          snapshot_{scene_.snapshot()},
          buckets_{SessionTable::bucket_count_for(sessions)},
          memory_{allocate(SessionTable::size_for(buckets_))},
          table_{memory_.octets(), buckets_, derive_key(name, "table")},
          memory6_{allocate(SessionTable6::size_for(16))},
          table6_{memory6_.octets(), 16, derive_key(name, "table")},
          path_{{{test::wan_mac, false}}, steering_, 0, 1, {tracker_, tracker6_}},
          told_{Mailbox<Replica>::create("told_" + name, limits::replicas_told_length)} {}

    void establish(std::uint64_t count) {
        const Ages ages{*snapshot_, 1};
        for (std::uint64_t i = 0; i < count; ++i) {
            tracker_.adopt(
                {.state = SessionState::established,
                 .client = client_of(i).address,
                 .client_port = client_of(i).port,
                 .vip_port = be16{80},
                 .listener = 0,
                 .real = static_cast<std::uint16_t>(i % scene_.config().services[0].reals.size())},
                ages);
        }
    }
    void carry(std::uint8_t* frames, std::size_t count) {
        burst_->count = count;
        for (std::size_t i = 0; i < count; ++i) {
            burst_->frames[i] = {frames + i * frame_size, frame_length, frame_length, 0};
        }
        path_.carry(*burst_, *snapshot_, 1, Origin::nic);
    }
    Tracker& tracker() { return tracker_; }
    const SessionTable& table() const { return table_; }
    const WorkerCounters& counters() const { return board_.worker(); }
    Ages ages() const { return {*snapshot_, 1}; }
    Mailbox<Replica>& told() { return *told_; }
    ReplicaNames names() { return {scene_.state().services(), "bench"}; }

  private:
    test::Scene scene_;
    std::unique_ptr<const Snapshot> snapshot_;
    std::size_t buckets_;
    TableMemory memory_;
    SessionTable table_;
    CounterBoard board_{1'024};
    Chooser chooser_{{.board = &board_, .others = {}}};
    std::unique_ptr<LocalEnds> ends_ = LocalEnds::create({}, {});
    std::unique_ptr<CookieDesk> cookies_ = CookieDesk::create(64, {});
    Tracker tracker_{table_, board_, chooser_, *ends_, *cookies_};
    TableMemory memory6_;
    SessionTable6 table6_;
    Tracker6 tracker6_{table6_, board_, chooser_, *ends_, *cookies_};
    Steering steering_{owner_key("bench"), 1};
    PacketPath path_;
    std::unique_ptr<Burst> burst_ = std::make_unique<Burst>();
    std::unique_ptr<Mailbox<Replica>> told_;
};

// --- transfer --------------------------------------------------------------------------------

// Two directors with nothing between them but a queue.
class Transfer {
  public:
    explicit Transfer(std::uint64_t sessions)
        : from_{"from", sessions, 100}, to_{"to", sessions, 100} {
        from_.establish(sessions);
        from_.tracker().tell(from_.told());
        for (std::size_t side = 0; side < 2; ++side) {
            channels_[side] = std::make_unique<PeerChannel>(
                *PairKey::from_line(std::string(64, 'a')),
                PeerSelf{.name = side == 0 ? "a" : "b", .peer = side == 0 ? "b" : "a"},
                [this, side](std::size_t, std::span<const std::uint8_t> datagram) {
                    under_way_.emplace_back(1 - side, Octets{datagram.begin(), datagram.end()});
                },
                random_session_id);
        }
        sides_[0] = std::make_unique<SessionSync>(*channels_[0], doors(from_), Clock::now());
        sides_[1] = std::make_unique<SessionSync>(*channels_[1], doors(to_), Clock::now());
        sides_[0]->set_names(from_.names());
        sides_[1]->set_names(to_.names());
    }

    void run(std::uint64_t sessions) {
        const auto began = Clock::now();
        while (sides_[1]->figures().transfers_received == 0) {
            turn();
        }
        const double took_s = seconds_since(began);
        std::printf("transfer  %9llu sessions in %6.2f s, %5.2f us each; %llu arrived\n",
                    static_cast<unsigned long long>(sessions), took_s,
                    took_s * 1e6 / static_cast<double>(sessions),
                    static_cast<unsigned long long>(to_.table().live_count()));
    }

  private:
    SyncDoors doors(Director& director) {
        SyncDoors doors;
        doors.workers = 1;
        doors.collect = [&director](std::size_t, Replica* into, unsigned count_max) {
            return director.told().collect(into, count_max);
        };
        doors.post = [&director](std::size_t, const Replica& replica) {
            director.tracker().adopt(replica, director.ages());
            return true;
        };
        doors.ask_for_all = [this, &director](std::size_t, std::uint32_t transfer) {
            if (&director == &to_) {  // it has nothing to tell
                return to_.told().post({.kind = ReplicaKind::all_told, .number = transfer});
            }
            walking_ = true;
            transfer_ = transfer;
            return true;
        };
        doors.lost_count = [] { return 0; };
        doors.owner_of = [](const IpAddress&) { return 0; };
        return doors;
    }
    // As Worker::transfer_some does.
    void walk() {
        if (!walking_ || from_.told().count() > limits::replicas_kept_free) {
            return;
        }
        walking_ = from_.tracker().tell_some(next_bucket_, limits::walk_buckets_per_turn_max,
                                             from_.ages());
        next_bucket_ += limits::walk_buckets_per_turn_max;
        if (!walking_) {
            from_.told().post({.kind = ReplicaKind::all_told, .number = transfer_});
        }
    }
    void turn() {
        walk();
        for (std::size_t side = 0; side < 2; ++side) {
            sides_[side]->pump(Clock::now());
            channels_[side]->tick(Clock::now());
        }
        while (!under_way_.empty()) {
            const auto [side, datagram] = std::move(under_way_.front());
            under_way_.pop_front();
            channels_[side]->hear(0, datagram, Clock::now());
        }
    }

    Director from_;
    Director to_;
    std::deque<std::pair<std::size_t, Octets>> under_way_;
    std::array<std::unique_ptr<PeerChannel>, 2> channels_;
    std::array<std::unique_ptr<SessionSync>, 2> sides_;
    bool walking_ = false;
    std::uint32_t transfer_ = 0;
    std::size_t next_bucket_ = 0;
};

// --- telling ---------------------------------------------------------------------------------

// Nanoseconds a connection. What was told is taken away outside of the time.
double open_connections(Director& director, std::uint64_t count) {
    constexpr std::size_t burst = limits::burst_size_max;
    std::vector<std::uint8_t> frames(3 * burst * frame_size);
    std::vector<Replica> taken(burst);
    Clock::duration spent{};
    const Endpoint vip{bench::vip, be16{80}};
    for (std::uint64_t first = 0; first < count; first += burst) {
        for (std::size_t i = 0; i < burst; ++i) {
            const Endpoint client = client_of(first + i);
            std::uint8_t* const at = &frames[i * frame_size];
            write_frame(at, client, vip, tcp_flag::syn);
            write_frame(at + burst * frame_size, real, client, tcp_flag::syn | tcp_flag::ack);
            write_frame(at + 2 * burst * frame_size, client, vip, tcp_flag::ack);
        }
        const auto began = Clock::now();
        for (std::size_t part = 0; part < 3; ++part) {
            director.carry(&frames[part * burst * frame_size], burst);
        }
        spent += Clock::now() - began;
        director.told().collect(taken.data(), static_cast<unsigned>(taken.size()));
    }
    return std::chrono::duration<double, std::nano>{spent}.count() / static_cast<double>(count);
}

void measure_telling(std::uint64_t connections, unsigned rounds) {
    std::vector<double> alone;
    std::vector<double> paired;
    for (unsigned round = 0; round < rounds; ++round) {
        for (const bool has_peer : {round % 2 == 0, round % 2 != 0}) {
            Director director{has_peer ? "paired" : "alone", connections, 1};
            if (has_peer) {
                director.tracker().tell(director.told());
            }
            (has_peer ? paired : alone).push_back(open_connections(director, connections));
            if (director.counters().replicas_told.read() != (has_peer ? connections : 0)) {
                std::fprintf(stderr, "pair_bench: not every connection was told of\n");
                std::exit(1);
            }
        }
    }
    std::sort(alone.begin(), alone.end());
    std::sort(paired.begin(), paired.end());
    const double without = alone[alone.size() / 2];
    const double with = paired[paired.size() / 2];
    std::printf(
        "telling   %6.1f ns a connection with a peer, %6.1f without: at 100,000 a second "
        "%.2f %% of a worker\n",
        with, without, (with - without) * 100'000 / 1e9 * 100);
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t sessions = 1'000'000;
    std::uint64_t connections = 262'144;
    unsigned rounds = 9;
    CLI::App app{"What the other director of a pair costs"};
    app.add_option("--sessions", sessions, "of the transfer");
    app.add_option("--connections", connections, "a round of telling; a multiple of 64");
    app.add_option("--rounds", rounds, "of telling");
    CLI11_PARSE(app, argc, argv);
    std::vector<std::string> words{
        "pair_bench", "--no-huge", "--no-pci", "--no-telemetry", "--no-shconf", "-m",
        "256",        "-l",        "0"};
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    rte_log_set_global_level(RTE_LOG_ERR);
    if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
        return 1;
    }
    Transfer{sessions}.run(sessions);
    measure_telling(connections - connections % limits::burst_size_max, rounds);
    return 0;
}
