// The real worker loop on one CPU over a net_pcap port that replays a file for ever: packets a second
// and nanoseconds a packet, receive and transmit of the driver included. `bench/worker` runs it beside
// testpmd on the same file.
//
//   worker_replay FILE nat|direct MBUFS SECONDS ROUNDS [SESSIONS]
//
// A first pass over the file opens the sessions and is timed by itself (new connections a second),
// then every round of SECONDS is one line.
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "bench/replay_scene.h"
#include "dataplane/memory_plan.h"
#include "dataplane/worker.h"

namespace {

using namespace fulcrum;

struct Arguments {
    std::string file;
    ForwardingMode mode = ForwardingMode::nat;
    unsigned mbuf_count = 0;
    unsigned seconds = 1;
    unsigned rounds = 5;
    std::uint64_t sessions = 1'000'000;
};

std::uint16_t start_port(const Arguments& arguments) {
    std::string vdev = "--vdev=net_pcap0,rx_pcap=" + arguments.file + ",infinite_rx=1";
    std::string words[] = {"worker_replay",  "--in-memory", "--no-pci", "--no-telemetry",
                           "--log-level=lib.eal:3", "-l", "1",           vdev};
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

void run(const Arguments& arguments) {
    const std::uint16_t port_id = start_port(arguments);
    test::Scene scene = bench::replay_scene(arguments.mode);
    const std::size_t buckets = SessionTable::bucket_count_for(arguments.sessions);
    auto memory = TableMemory::allocate(SessionTable::size_for(buckets), Memory::hugepages);
    if (!memory) {
        std::fprintf(stderr, "worker_replay: %s\n", memory.error().sentence.c_str());
        std::exit(1);
    }
    SessionTable table{{memory->data(), memory->size()}, buckets, derive_key("bench", "table")};
    CounterBoard board{1'024};
    Publication publication{1};
    SnapshotPublisher publisher{publication};
    publisher.publish(scene.snapshot());
    const Steering steering{owner_key("bench"), 1};

    WorkerWiring wiring;
    wiring.ports = {{.port_id = port_id, .mac = test::wan_mac}};
    wiring.steering = &steering;
    wiring.table = &table;
    wiring.board = &board;
    wiring.publication = &publication;
    Worker worker{wiring};
    worker.online();

    const WorkerCounters& counters = board.worker();
    const auto hz = static_cast<double>(rte_get_tsc_hz());
    // Until no further packet opens a session: the file has been through once.
    std::uint64_t began = rte_rdtsc();
    std::uint64_t opened = 0;
    std::uint64_t opening_cycles = 0;
    for (std::uint64_t quiet = 0; quiet < 50'000;) {
        worker.run_once();
        quiet = counters.sessions_opened.read() == opened ? quiet + 1 : 0;
        if (quiet == 0) {
            opened = counters.sessions_opened.read();
            opening_cycles = rte_rdtsc() - began;
        }
    }
    std::printf("opened %llu sessions_per_s %.0f\n", static_cast<unsigned long long>(opened),
                static_cast<double>(opened) * hz / static_cast<double>(opening_cycles));
    for (unsigned round = 0; round < arguments.rounds; ++round) {
        const std::uint64_t packets_before = counters.transmitted.read();
        began = rte_rdtsc();
        const std::uint64_t end = began + rte_get_tsc_hz() * arguments.seconds;
        while (rte_rdtsc() < end) {
            for (int i = 0; i < 1'000; ++i) {
                worker.run_once();
            }
        }
        const double seconds = static_cast<double>(rte_rdtsc() - began) / hz;
        const auto packets = static_cast<double>(counters.transmitted.read() - packets_before);
        std::printf("mpps %.3f ns_per_packet %.2f\n", packets / seconds / 1e6,
                    seconds * 1e9 / packets);
    }
    std::uint64_t dropped = 0;
    for (const SingleWriterCounter& reason : counters.dropped) {
        dropped += reason.read();
    }
    std::printf("sessions %zu dropped %llu\n", table.live_count(),
                static_cast<unsigned long long>(dropped));
    worker.offline();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 6) {
        std::fprintf(stderr,
                     "usage: worker_replay FILE nat|direct MBUFS SECONDS ROUNDS [SESSIONS]\n");
        return 2;
    }
    Arguments arguments;
    arguments.file = argv[1];
    arguments.mode = std::string{argv[2]} == "nat" ? ForwardingMode::nat : ForwardingMode::direct;
    arguments.mbuf_count = static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10));
    arguments.seconds = static_cast<unsigned>(std::strtoul(argv[4], nullptr, 10));
    arguments.rounds = static_cast<unsigned>(std::strtoul(argv[5], nullptr, 10));
    if (argc > 6) {
        arguments.sessions = std::strtoull(argv[6], nullptr, 10);
    }
    run(arguments);
    return 0;
}
