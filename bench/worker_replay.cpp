// The real worker loop on one CPU over a net_pcap port that replays a file for ever: packets a
// second and nanoseconds a packet, receive and transmit of the driver included. `bench/worker` runs
// it beside testpmd on the same file.
//
//   worker_replay FILE nat|direct established|new MBUFS SECONDS ROUNDS SESSIONS
//
// `established`: every flow of the file has a confirmed session before the clock starts; each round
// of SECONDS is one line. `new`: the table is empty, the file's first pass opens sessions and is
// timed; with fewer SESSIONS than flows every insert has to evict.
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/replay_scene.h"
#include "dataplane/choose.h"
#include "dataplane/memory_plan.h"
#include "dataplane/worker.h"

namespace {

using namespace fulcrum;

struct Arguments {
    std::string file;
    ForwardingMode mode = ForwardingMode::nat;
    bool are_established = true;
    unsigned mbuf_count = 0;
    unsigned seconds = 1;
    unsigned rounds = 5;
    std::uint64_t sessions = 1'000'000;
};

std::uint16_t start_port(const Arguments& arguments) {
    std::string vdev = "--vdev=net_pcap0,rx_pcap=" + arguments.file + ",infinite_rx=1";
    std::string words[] = {"worker_replay",         "--in-memory", "--no-pci", "--no-telemetry",
                           "--log-level=lib.eal:3", "-l",          "1",        vdev};
    char* argv[std::size(words)];
    for (std::size_t i = 0; i < std::size(words); ++i) {
        argv[i] = words[i].data();
    }
    if (rte_eal_init(std::size(words), argv) < 0) {
        std::exit(1);
    }
    rte_mempool* pool = rte_pktmbuf_pool_create("packets", arguments.mbuf_count, 250, 0,
                                                RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    rte_eth_conf conf{};
    if (pool == nullptr || rte_eth_dev_configure(0, 1, 1, &conf) != 0 ||
        rte_eth_rx_queue_setup(0, 0, 512, SOCKET_ID_ANY, nullptr, pool) != 0 ||
        rte_eth_tx_queue_setup(0, 0, 512, SOCKET_ID_ANY, nullptr) != 0 ||
        rte_eth_dev_start(0) != 0) {
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

// A confirmed session for each flow, with the real that the worker would choose.
void establish(const std::vector<std::uint8_t>& frames, std::size_t frame_count,
               const Snapshot& snapshot, SessionTable& table) {
    const Ages ages{snapshot, 1};
    for (std::size_t i = 0; i < frame_count; ++i) {
        ParsedPacket packet;
        parse({&frames[i * 60], 60}, 60, test::wan_mac, packet);
        Classified classified;
        classify(packet, snapshot, classified);
        Session session;
        session.client_address = packet.source;
        session.client_port = packet.source_port;
        session.listener = classified.listener;
        session.vip_port = packet.destination_port;
        session.real = choose_real(snapshot, snapshot.listeners[classified.listener],
                                   classified.client_key, [](std::uint16_t) { return false; });
        session.tag = SessionTag{SessionState::established, L4Protocol::tcp};
        session.last_seen = 1;
        table.insert(session, table.home_of(classified.client_key), ages);
    }
}

struct Rig {
    Rig(const Arguments& arguments, std::uint16_t port_id)
        : scene{bench::replay_scene(arguments.mode)},
          buckets{SessionTable::bucket_count_for(arguments.sessions)},
          memory{TableMemory::allocate(SessionTable::size_for(buckets), Memory::hugepages)} {
        if (!memory) {
            std::fprintf(stderr, "worker_replay: %s\n", memory.error().sentence.c_str());
            std::exit(1);
        }
        table = std::make_unique<SessionTable>(std::span{memory->data(), memory->size()}, buckets,
                                               derive_key("bench", "table"));
        publisher.publish(scene.snapshot());
        WorkerWiring wiring;
        wiring.ports = {{.port_id = port_id, .mac = test::wan_mac}};
        wiring.steering = &steering;
        wiring.table = table.get();
        wiring.board = &board;
        wiring.publication = &publication;
        worker = std::make_unique<Worker>(wiring);
        worker->online();
    }
    ~Rig() { worker->offline(); }

    test::Scene scene;
    std::size_t buckets;
    Result<TableMemory> memory;
    std::unique_ptr<SessionTable> table;
    CounterBoard board{1'024};
    Publication publication{1};
    SnapshotPublisher publisher{publication};
    Steering steering{owner_key("bench"), 1};
    std::unique_ptr<Worker> worker;
};

void print_rate(const char* what, std::uint64_t count, std::uint64_t cycles) {
    const double seconds = static_cast<double>(cycles) / static_cast<double>(rte_get_tsc_hz());
    const auto amount = static_cast<double>(count);
    std::printf("%s mpps %.3f ns %.2f\n", what, amount / seconds / 1e6, seconds * 1e9 / amount);
}

void run(const Arguments& arguments) {
    Rig rig{arguments, start_port(arguments)};
    const WorkerCounters& counters = rig.board.worker();
    std::size_t frame_count = 0;
    const std::vector<std::uint8_t> frames = read_frames(arguments.file, frame_count);
    if (arguments.are_established) {
        establish(frames, frame_count, *rig.publisher.current(), *rig.table);
        for (unsigned round = 0; round < arguments.rounds; ++round) {
            const std::uint64_t before = counters.transmitted.read();
            const std::uint64_t began = rte_rdtsc();
            const std::uint64_t end = began + rte_get_tsc_hz() * arguments.seconds;
            while (rte_rdtsc() < end) {
                for (int i = 0; i < 1'000; ++i) {
                    rig.worker->run_once();
                }
            }
            print_rate("established", counters.transmitted.read() - before, rte_rdtsc() - began);
        }
    } else {
        const std::uint64_t began = rte_rdtsc();
        while (counters.received.read() < frame_count) {
            rig.worker->run_once();
        }
        print_rate("new", counters.sessions_opened.read(), rte_rdtsc() - began);
    }
    std::uint64_t dropped = 0;
    for (const SingleWriterCounter& reason : counters.dropped) {
        dropped += reason.read();
    }
    std::printf("sessions %zu dropped %llu evicted %llu moved %zu\n", rig.table->live_count(),
                static_cast<unsigned long long>(dropped),
                static_cast<unsigned long long>(counters.sessions_evicted.read()),
                static_cast<std::size_t>(rig.table->moved_count()));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 8) {
        std::fprintf(stderr,
                     "usage: worker_replay FILE nat|direct established|new MBUFS SECONDS "
                     "ROUNDS SESSIONS\n");
        return 2;
    }
    const auto number = [&](int i) { return std::strtoul(argv[i], nullptr, 10); };
    Arguments arguments;
    arguments.file = argv[1];
    arguments.mode =
        std::string_view{argv[2]} == "nat" ? ForwardingMode::nat : ForwardingMode::direct;
    arguments.are_established = std::string_view{argv[3]} == "established";
    arguments.mbuf_count = static_cast<unsigned>(number(4));
    arguments.seconds = static_cast<unsigned>(number(5));
    arguments.rounds = static_cast<unsigned>(number(6));
    arguments.sessions = number(7);
    run(arguments);
    return 0;
}
