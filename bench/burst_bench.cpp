// The path of a burst without any driver: parse to rewrite, as workers walk it, over frames in
// memory. Each row is one regime; beside it, in the same run and over the same frames, what cannot
// be avoided: `touch` reads one random cache line of the session table a frame, prefetched by
// bursts, and `macswap` swaps the MAC addresses of the frame, as the simplest forwarder does.
//
//   burst_bench [--sessions N]... [--rounds N] [--burst N] [--packets N] [--mode nat|direct]
//
// Frames are copied fresh from a template for every burst, because rewriting changes them; the copy
// is timed alone and taken off all rows. Nanoseconds a packet: median, least and greatest of the
// rounds; cycles are the TSC's.
#include <rte_cycles.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/replay_scene.h"
#include "dataplane/checksum.h"
#include "dataplane/memory_plan.h"
#include "dataplane/packet_path.h"

namespace {

using namespace fulcrum;

constexpr std::size_t frame_size = 64;  // one cache line; 60 octets are the frame
constexpr std::uint32_t frame_length = 60;

struct Options {
    std::vector<std::uint64_t> sessions{10'000, 1'000'000, 10'000'000};
    unsigned rounds = 7;
    std::size_t burst = limits::burst_size_max;
    std::vector<std::string> modes{"nat", "direct"};
    std::uint64_t packets = 4'000'000;
};

struct Client {
    Ipv4Address address;
    be16 port;
};

Client client_of(std::uint64_t number) {
    const std::uint32_t host =
        Ipv4Address::of(10, 64, 0, 0).host() | static_cast<std::uint32_t>(number & 0x3F'FFFF);
    return {Ipv4Address::from_host(host),
            be16{static_cast<std::uint16_t>(1'024 + (number >> 22) * 7'919 % 60'000)}};
}

void write_frame(std::uint8_t* at, const Client& client, std::uint8_t flags) {
    EthernetHeader ethernet{test::wan_mac, test::router_mac, ethertype::ipv4};
    Ipv4Header ip{};
    ip.version_and_length = 0x45;
    ip.total_length = be16{40};
    ip.time_to_live = 64;
    ip.protocol = 6;
    ip.source = client.address;
    ip.destination = bench::vip;
    ip.checksum = checksum_of(&ip, sizeof(ip));
    TcpHeader tcp{};
    tcp.source_port = client.port;
    tcp.destination_port = be16{80};
    tcp.data_offset_and_reserved = 0x50;
    tcp.flags = flags;
    std::memset(at, 0, frame_size);
    std::memcpy(at, &ethernet, sizeof(ethernet));
    std::memcpy(at + 14, &ip, sizeof(ip));
    std::memcpy(at + 34, &tcp, sizeof(tcp));
}

class Bench {
  public:
    Bench(ForwardingMode mode, std::uint64_t sessions, const Options& options)
        : options_{options},
          sessions_{sessions},
          scene_{bench::replay_scene(mode)},
          snapshot_{scene_.snapshot()},
          buckets_{SessionTable::bucket_count_for(sessions)},
          memory_{allocate(SessionTable::size_for(buckets_))},
          table_{memory_.octets(), buckets_, derive_key("b", "table")},
          tracker_{table_, board_, chooser_, *ends_, *cookies_},
          memory6_{allocate(SessionTable6::size_for(16))},
          table6_{memory6_.octets(), 16, derive_key("b", "table")},
          tracker6_{table6_, board_, chooser_, *ends_, *cookies_},
          path_{{{test::wan_mac, false}}, steering_, 0, 1, {tracker_, tracker6_}},
          burst_{std::make_unique<Burst>()},
          frames_(options.burst * frame_size) {}

    static TableMemory allocate(std::size_t size) {
        if (auto huge = TableMemory::allocate(size, Memory::hugepages)) {
            return std::move(*huge);
        }
        auto ordinary = TableMemory::allocate(size, Memory::ordinary);
        if (!ordinary) {
            std::fprintf(stderr, "burst_bench: %s\n", ordinary.error().sentence.c_str());
            std::exit(1);
        }
        return std::move(*ordinary);
    }

    // The clients whose packets come, in random order; as many as fit a file of frames.
    void draw_clients(bool are_new) {
        const std::uint64_t count = std::min<std::uint64_t>(sessions_, 1'000'000);
        std::mt19937_64 chance{7};
        templates_.resize(count * frame_size);
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t number = count == sessions_ ? i : chance() % sessions_;
            write_frame(&templates_[i * frame_size], client_of(number),
                        are_new ? tcp_flag::syn : tcp_flag::ack);
        }
        // Fisher-Yates over whole frames.
        for (std::uint64_t i = count - 1; i > 0; --i) {
            std::swap_ranges(&templates_[i * frame_size], &templates_[(i + 1) * frame_size],
                             &templates_[chance() % (i + 1) * frame_size]);
        }
        next_ = 0;
    }

    void establish() {
        const Ages ages{*snapshot_, 1};
        for (std::uint64_t i = 0; i < sessions_; ++i) {
            const Client client = client_of(i);
            Session session;
            session.client_address = client.address;
            session.client_port = client.port;
            session.listener = 0;
            session.vip_port = be16{80};
            session.real = static_cast<std::uint16_t>(i % bench::real_count);
            session.tag = SessionTag{SessionState::established, L4Protocol::tcp};
            session.last_seen = 1;
            table_.insert(
                session,
                table_.home_of(client_key_of(client.address, client.port, L4Protocol::tcp)), ages);
        }
    }

    void load_burst() {
        std::memcpy(frames_.data(), &templates_[next_ * frame_size], frames_.size());
        next_ += options_.burst;
        if ((next_ + options_.burst) * frame_size > templates_.size()) {
            next_ = 0;
        }
    }

    void carry() {
        burst_->count = options_.burst;
        for (std::size_t i = 0; i < burst_->count; ++i) {
            burst_->frames[i] = {&frames_[i * frame_size], frame_length, frame_length, 0};
        }
        path_.carry(*burst_, *snapshot_, 1, Origin::nic);
    }

    void macswap() {
        for (std::size_t i = 0; i < options_.burst; ++i) {
            std::uint8_t* frame = &frames_[i * frame_size];
            MacAddress first;
            std::memcpy(&first, frame, 6);
            std::memmove(frame, frame + 6, 6);
            std::memcpy(frame + 6, &first, 6);
        }
    }

    // One random line of the table a frame, prefetched by the burst.
    void touch() {
        std::array<std::size_t, limits::burst_size_max> lines;
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(memory_.octets().data());
        for (std::size_t i = 0; i < options_.burst; ++i) {
            random_ = random_ * 6'364'136'223'846'793'005ULL + 1;
            lines[i] = scaled(static_cast<std::uint32_t>(random_ >> 32),
                              static_cast<std::uint32_t>(buckets_)) *
                       limits::cache_line_size;
            __builtin_prefetch(bytes + lines[i]);
        }
        for (std::size_t i = 0; i < options_.burst; ++i) {
            touched_ += bytes[lines[i]];
        }
    }

    // Median, least and greatest nanoseconds a packet over the rounds.
    struct Figure {
        double median, least, greatest;
    };
    template <typename Work>
    Figure time(const Work& work, std::uint64_t packets) {
        std::vector<double> rounds;
        for (unsigned round = 0; round < options_.rounds; ++round) {
            const std::uint64_t began = rte_rdtsc();
            for (std::uint64_t done = 0; done < packets; done += options_.burst) {
                load_burst();
                work();
            }
            rounds.push_back(static_cast<double>(rte_rdtsc() - began) / cycles_per_ns() /
                             static_cast<double>(packets));
        }
        std::sort(rounds.begin(), rounds.end());
        return {rounds[rounds.size() / 2], rounds.front(), rounds.back()};
    }

    void run_established(const std::string& mode) {
        establish();
        draw_clients(/*are_new=*/false);
        const Figure copy = time([] {}, options_.packets);
        report("touch", mode, time([this] { touch(); }, options_.packets), copy);
        report("macswap", mode, time([this] { macswap(); }, options_.packets), copy);
        report("established", mode, time([this] { carry(); }, options_.packets), copy);
    }

    // One round alone: a second one would find its sessions.
    void run_new(const std::string& mode) {
        draw_clients(/*are_new=*/true);
        options_.rounds = 1;
        const std::uint64_t packets = templates_.size() / frame_size;
        const Figure copy = time([] {}, packets);
        next_ = 0;
        report("all new", mode, time([this] { carry(); }, packets), copy);
    }

    // Without EAL nobody has measured the TSC.
    static double cycles_per_ns() {
        static const double rate = [] {
            const auto clock_began = std::chrono::steady_clock::now();
            const std::uint64_t began = rte_rdtsc();
            std::chrono::duration<double, std::nano> passed{};
            while (passed < std::chrono::milliseconds{50}) {
                passed = std::chrono::steady_clock::now() - clock_began;
            }
            return static_cast<double>(rte_rdtsc() - began) / passed.count();
        }();
        return rate;
    }

  private:
    void report(const char* row, const std::string& mode, Figure figure, Figure copy) const {
        std::printf("%-12s %-7s %10llu %8.1f %8.1f %8.1f %8.0f\n", row, mode.c_str(),
                    static_cast<unsigned long long>(sessions_), figure.median - copy.median,
                    figure.least - copy.median, figure.greatest - copy.median,
                    (figure.median - copy.median) * cycles_per_ns());
        std::fflush(stdout);
    }

    Options options_;
    std::uint64_t sessions_;
    test::Scene scene_;
    std::unique_ptr<const Snapshot> snapshot_;
    std::size_t buckets_;
    TableMemory memory_;
    SessionTable table_;
    CounterBoard board_{1'024};
    Chooser chooser_{{.board = &board_, .others = {}}};
    std::unique_ptr<LocalEnds> ends_ = LocalEnds::create({}, {});
    std::unique_ptr<CookieDesk> cookies_ = CookieDesk::create(64, {});
    Tracker tracker_;
    TableMemory memory6_;
    SessionTable6 table6_;
    Tracker6 tracker6_;
    Steering steering_{owner_key("bench"), 1};
    PacketPath path_;
    std::unique_ptr<Burst> burst_;
    std::vector<std::uint8_t> frames_;
    std::vector<std::uint8_t> templates_;
    std::uint64_t next_ = 0;
    std::uint64_t random_ = 1;
    std::uint64_t touched_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"The path of a burst without any driver"};
    app.add_option("--sessions", options.sessions, "sessions in the table, one row each");
    app.add_option("--rounds", options.rounds, "rounds a row");
    app.add_option("--burst", options.burst, "packets a burst")
        ->check(CLI::Range(std::size_t{1}, limits::burst_size_max));
    app.add_option("--mode", options.modes, "nat, direct");
    app.add_option("--packets", options.packets, "packets a round");
    CLI11_PARSE(app, argc, argv);
    std::printf("%-12s %-7s %10s %8s %8s %8s %8s\n", "row", "mode", "sessions", "ns", "least",
                "most", "cycles");
    for (const std::string& mode : options.modes) {
        const ForwardingMode forward = mode == "nat" ? ForwardingMode::nat : ForwardingMode::direct;
        for (const std::uint64_t sessions : options.sessions) {
            Bench{forward, sessions, options}.run_established(mode);
            Bench{forward, sessions, options}.run_new(mode);
        }
    }
    return 0;
}
