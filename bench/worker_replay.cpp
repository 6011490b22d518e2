// The real worker loop on one CPU over a net_pcap port that replays a file for ever: packets a
// second and nanoseconds a packet, receive and transmit of the driver included.
// `bench/worker_bench` runs it beside testpmd on the same file.
//
//   worker_replay FILE nat|direct established|new MBUFS SECONDS ROUNDS SESSIONS
//                 [--fill N] [--services N] [--reals N] [--ordinary-memory]
//
// `established`: every flow of the file has a confirmed session before the clock starts; each round
// of SECONDS is one line. `new`: the file's first pass opens sessions and is timed; with fewer
// SESSIONS than flows inserts have to evict. --fill puts so many sessions of other clients into the
// table beforehand: confirmed ones for `established`, those of a SYN flood for `new`. A line ends
// with the share of its time in which this thread had its CPU; which one, taskset says. Without
// huge pages figures are lower, and fewer machines refuse.
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "bench/replay_scene.h"
#include "dataplane/choose.h"
#include "dataplane/memory_plan.h"
#include "dataplane/worker.h"

namespace {

using namespace fulcrum;

struct Arguments {
    std::string file;
    std::string mode;
    std::string regime;
    unsigned mbuf_count = 0;
    unsigned seconds = 1;
    unsigned rounds = 5;
    std::uint64_t sessions = 1'000'000;
    std::uint64_t fill = 0;
    bool has_ordinary_memory = false;
    bench::Farm farm;

    ForwardingMode forwarding() const {
        return mode == "nat" ? ForwardingMode::nat : ForwardingMode::direct;
    }
    bool are_established() const { return regime == "established"; }
};

std::uint16_t start_port(const Arguments& arguments) {
    std::string vdev = "--vdev=net_pcap0,rx_pcap=" + arguments.file + ",infinite_rx=1";
    std::vector<std::string> words{"worker_replay",
                                   "--no-pci",
                                   "--no-telemetry",
                                   "--log-level=lib.eal:3",
                                   "-l",
                                   std::to_string(sched_getcpu()),
                                   vdev};
    if (arguments.has_ordinary_memory) {
        const std::size_t mebibytes = 64 + arguments.mbuf_count / 400;  // 2.5 KiB a buffer
        words.insert(words.end(), {"--no-huge", "--no-shconf", "-m", std::to_string(mebibytes)});
    } else {
        words.emplace_back("--in-memory");
    }
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
        std::exit(1);
    }
    rte_mempool* pool = rte_pktmbuf_pool_create("packets", arguments.mbuf_count, 250, 0,
                                                RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    rte_eth_conf conf{};
    constexpr auto any_socket = static_cast<unsigned>(SOCKET_ID_ANY);
    if (pool == nullptr || rte_eth_dev_configure(0, 1, 1, &conf) != 0 ||
        rte_eth_rx_queue_setup(0, 0, 512, any_socket, nullptr, pool) != 0 ||
        rte_eth_tx_queue_setup(0, 0, 512, any_socket, nullptr) != 0 || rte_eth_dev_start(0) != 0) {
        std::fprintf(stderr, "worker_replay: cannot start net_pcap over %s\n",
                     arguments.file.c_str());
        std::exit(1);
    }
    return 0;
}

// The frames of a file as flows_pcap.py writes it: all of one length.
std::vector<std::uint8_t> read_frames(const std::string& file, std::size_t& frame_count) {
    constexpr std::size_t file_header = 24;
    constexpr std::size_t record = 16 + 60;
    std::ifstream stream{file, std::ios::binary};
    std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>{stream}, {}};
    frame_count = (bytes.size() - file_header) / record;
    std::vector<std::uint8_t> frames(frame_count * 60);
    for (std::size_t i = 0; i < frame_count; ++i) {
        std::memcpy(&frames[i * 60], &bytes[file_header + i * record + 16], 60);
    }
    return frames;
}

// The confirmed session that a frame of the file belongs to: a request's with the real that the
// worker would choose, a reply's with the real that it comes from.
Session session_of(const ParsedPacket& packet, const Snapshot& snapshot) {
    Session session;
    session.tag = SessionTag{SessionState::established, L4Protocol::tcp};
    session.last_seen = 1;
    Classified classified;
    classify(packet, snapshot, classified);
    if (classified.packet_class == PacketClass::reply) {
        session.client_address = packet.destination;
        session.client_port = packet.destination_port;
        session.listener = 0;
        session.vip_port = be16{80};
        session.real = static_cast<std::uint16_t>(packet.source.host() - bench::first_real.host());
        return session;
    }
    session.client_address = packet.source;
    session.client_port = packet.source_port;
    session.listener = classified.listener;
    session.vip_port = packet.destination_port;
    session.real = choose_real(snapshot, snapshot.listeners[classified.listener],
                               classified.client_key, [](std::uint16_t) { return false; });
    return session;
}

void establish(const std::vector<std::uint8_t>& frames, std::size_t frame_count,
               const Snapshot& snapshot, SessionTable& table) {
    const Ages ages{snapshot, 1};
    for (std::size_t i = 0; i < frame_count; ++i) {
        ParsedPacket packet;
        parse({&frames[i * 60], 60}, 60, test::wan_mac, packet);
        const Session session = session_of(packet, snapshot);
        table.insert(session, table.home_of(client_key_of(session)), ages);
    }
}

// Sessions of clients that the file does not have.
void fill(std::uint64_t count, SessionState state, const Snapshot& snapshot, SessionTable& table) {
    const Ages ages{snapshot, 1};
    const std::uint32_t first_client = Ipv4Address::of(100, 64, 0, 0).host();
    for (std::uint64_t i = 0; i < count; ++i) {
        Session session;
        session.client_address =
            Ipv4Address::from_host(first_client + static_cast<std::uint32_t>(i & 0x3F'FFFF));
        session.client_port = be16{static_cast<std::uint16_t>(1'024 + (i >> 22))};
        session.listener = 0;
        session.vip_port = be16{80};
        session.real = static_cast<std::uint16_t>(i % 10);
        session.tag = SessionTag{state, L4Protocol::tcp};
        session.last_seen = 1;
        table.insert(session, table.home_of(client_key_of(session)), ages);
    }
}

struct Rig {
    static constexpr std::size_t buckets6 = 16;

    Rig(const Arguments& arguments, std::uint16_t port_id)
        : scene{bench::replay_scene(arguments.forwarding(), arguments.farm)},
          buckets{SessionTable::bucket_count_for(arguments.sessions)},
          memory{TableMemory::allocate(
              SessionTable::size_for(buckets) + SessionTable6::size_for(buckets6),
              arguments.has_ordinary_memory ? Memory::ordinary : Memory::hugepages)},
          board{std::max(1'024U, arguments.farm.services * arguments.farm.reals)} {
        if (!memory) {
            std::fprintf(stderr, "worker_replay: %s\n", memory.error().sentence.c_str());
            std::exit(1);
        }
        table =
            std::make_unique<SessionTable>(memory->octets(), buckets, derive_key("bench", "table"));
        table6 = std::make_unique<SessionTable6>(
            memory->octets().subspan(SessionTable::size_for(buckets)), buckets6,
            derive_key("bench", "table"));
        publisher.publish(scene.snapshot());
        WorkerWiring wiring;
        wiring.ports = {{.port_id = port_id, .mac = test::wan_mac}};
        wiring.steering = &steering;
        wiring.table = table.get();
        wiring.table6 = table6.get();
        wiring.board = &board;
        wiring.local_ends = local_ends.get();
        wiring.cookies = cookies.get();
        wiring.publication = &publication;
        worker = std::make_unique<Worker>(wiring);
        worker->online();
    }
    ~Rig() { worker->offline(); }

    test::Scene scene;
    std::size_t buckets;
    Result<TableMemory> memory;
    std::unique_ptr<SessionTable> table;
    std::unique_ptr<SessionTable6> table6;
    CounterBoard board;
    std::unique_ptr<LocalEnds> local_ends = LocalEnds::create({0, 1}, {});
    std::unique_ptr<CookieDesk> cookies = CookieDesk::create(1'024, {});
    Publication publication{1};
    SnapshotPublisher publisher{publication};
    Steering steering{owner_key("bench"), 1};
    std::unique_ptr<Worker> worker;
};

// What happened between two moments on this thread.
class Stopwatch {
  public:
    Stopwatch() : cpu_began_{cpu_seconds()}, began_{rte_rdtsc()} {}

    double seconds() const {
        return static_cast<double>(rte_rdtsc() - began_) / static_cast<double>(rte_get_tsc_hz());
    }
    void print(const char* what, std::uint64_t count) const {
        const double passed = seconds();
        const double cpu_share = (cpu_seconds() - cpu_began_) / passed;
        const auto amount = static_cast<double>(count);
        std::printf("%s mpps %.3f ns %.2f cpu %.3f\n", what, amount / passed / 1e6,
                    passed * 1e9 / amount, cpu_share);
        std::fflush(stdout);
    }

  private:
    static double cpu_seconds() {
        timespec now{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
    }

    double cpu_began_;
    std::uint64_t began_;
};

void run_established(const Arguments& arguments, Rig& rig) {
    const WorkerCounters& counters = rig.board.worker();
    for (unsigned round = 0; round < arguments.rounds; ++round) {
        const std::uint64_t before = counters.transmitted.read();
        const Stopwatch watch;
        while (watch.seconds() < arguments.seconds) {
            for (int i = 0; i < 1'000; ++i) {
                rig.worker->run_once();
            }
        }
        watch.print("established", counters.transmitted.read() - before);
    }
}

void run_new(std::size_t frame_count, Rig& rig) {
    const WorkerCounters& counters = rig.board.worker();
    const Stopwatch watch;
    while (counters.received.read() < frame_count) {
        rig.worker->run_once();
    }
    watch.print("new", counters.sessions_opened.read());
}

void run(const Arguments& arguments) {
    Rig rig{arguments, start_port(arguments)};
    const Snapshot& snapshot = *rig.publisher.current();
    std::size_t frame_count = 0;
    const std::vector<std::uint8_t> frames = read_frames(arguments.file, frame_count);
    if (arguments.are_established()) {
        establish(frames, frame_count, snapshot, *rig.table);
        fill(arguments.fill, SessionState::established, snapshot, *rig.table);
        run_established(arguments, rig);
    } else {
        fill(arguments.fill, SessionState::syn_seen, snapshot, *rig.table);
        run_new(frame_count, rig);
    }
    const WorkerCounters& counters = rig.board.worker();
    std::uint64_t dropped = 0;
    for (const SingleWriterCounter& reason : counters.dropped) {
        dropped += reason.read();
    }
    std::size_t reals_that_served = 0;
    for (std::uint32_t real = 0; real < arguments.farm.services * arguments.farm.reals; ++real) {
        reals_that_served += rig.board.tally(real).in_packets.read() > 0 ? 1 : 0;
    }
    std::printf("reals %zu\n", reals_that_served);
    std::printf("sessions %zu opened %llu dropped %llu evicted %llu moved %llu table_bytes %zu\n",
                rig.table->live_count(),
                static_cast<unsigned long long>(counters.sessions_opened.read()),
                static_cast<unsigned long long>(dropped),
                static_cast<unsigned long long>(counters.sessions_evicted.read()),
                static_cast<unsigned long long>(rig.table->moved_count()),
                SessionTable::size_for(rig.buckets));
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    CLI::App app{"The real worker loop over a file that is replayed for ever"};
    app.add_option("FILE", arguments.file, "as flows_pcap.py writes it")->required();
    app.add_option("MODE", arguments.mode)->required()->check(CLI::IsMember({"nat", "direct"}));
    app.add_option("REGIME", arguments.regime)
        ->required()
        ->check(CLI::IsMember({"established", "new"}));
    app.add_option("MBUFS", arguments.mbuf_count, "more than the file has frames")->required();
    app.add_option("SECONDS", arguments.seconds, "of a round")->required();
    app.add_option("ROUNDS", arguments.rounds)->required();
    app.add_option("SESSIONS", arguments.sessions, "that the table is made for")->required();
    app.add_option("--fill", arguments.fill, "sessions of other clients");
    app.add_option("--services", arguments.farm.services, "virtual services");
    app.add_option("--reals", arguments.farm.reals, "of each service");
    app.add_flag("--ordinary-memory", arguments.has_ordinary_memory, "no huge pages");
    CLI11_PARSE(app, argc, argv);
    run(arguments);
    rte_eth_dev_stop(0);
    rte_eth_dev_close(0);
    return 0;
}
