// EAL, the pool, and the ring ports.
#include "tests/support/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fulcrum::test {
namespace {

constexpr unsigned ring_length = 1'024;
constexpr unsigned buffer_count = 8'191;

void require(bool is_true, const char* what) {
    if (!is_true) {
        std::fprintf(stderr, "%s: %s\n", what, rte_strerror(rte_errno));
        std::exit(1);
    }
}

rte_ring* make_ring(const char* port, const char* direction, unsigned queue) {
    const std::string name = std::string{port} + direction + std::to_string(queue);
    rte_ring* ring =
        rte_ring_create(name.c_str(), ring_length, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    require(ring != nullptr, "no ring for tests");
    return ring;
}

}  // namespace

void start_eal_for_tests() {
    static const bool is_started = [] {
        std::array<std::string, 9> words{
            "tests", "--no-huge", "--no-pci", "--no-telemetry", "--no-shconf", "-m",
            "256",   "-l",        "0"};
        std::array<char*, words.size()> arguments;
        std::transform(words.begin(), words.end(), arguments.begin(),
                       [](std::string& word) { return word.data(); });
        rte_log_set_global_level(RTE_LOG_ERR);
        require(rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) >= 0,
                "no EAL for tests");
        return true;
    }();
    static_cast<void>(is_started);
}

rte_mempool* packet_pool() {
    static rte_mempool* const pool = [] {
        start_eal_for_tests();
        rte_mempool* made = rte_pktmbuf_pool_create("test_packets", buffer_count, 0, 0,
                                                    RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
        require(made != nullptr, "no packet buffers for tests");
        return made;
    }();
    return pool;
}

RingPort::RingPort(const char* name) {
    rte_mempool* pool = packet_pool();
    for (unsigned queue = 0; queue < rig_workers_max; ++queue) {
        receive_.push_back(make_ring(name, "_rx", queue));
        transmit_.push_back(make_ring(name, "_tx", queue));
    }
    const int id = rte_eth_from_rings(name, receive_.data(), rig_workers_max, transmit_.data(),
                                      rig_workers_max, 0);
    require(id >= 0, "no ring port for tests");
    id_ = static_cast<std::uint16_t>(id);
    rte_eth_conf conf{};
    require(rte_eth_dev_configure(id_, rig_workers_max, rig_workers_max, &conf) == 0,
            "cannot configure a ring port");
    for (std::uint16_t queue = 0; queue < rig_workers_max; ++queue) {
        require(rte_eth_rx_queue_setup(id_, queue, ring_length, 0, nullptr, pool) == 0 &&
                    rte_eth_tx_queue_setup(id_, queue, ring_length, 0, nullptr) == 0,
                "cannot set up the queues of a ring port");
    }
    require(rte_eth_dev_start(id_) == 0, "cannot start a ring port");
}

const RingPort& ring_port(std::size_t index) {
    static const std::array<RingPort, 2> ports{RingPort{"wan"}, RingPort{"lan"}};
    return ports.at(index);
}

rte_mbuf* buffer_of(const Frame& frame, std::uint16_t port_id, std::size_t segment) {
    rte_mbuf* first = rte_pktmbuf_alloc(packet_pool());
    if (first == nullptr) {
        return nullptr;
    }
    const std::size_t length = std::min(segment, frame.size());
    std::memcpy(rte_pktmbuf_append(first, static_cast<std::uint16_t>(length)), frame.data(),
                length);
    first->port = port_id;
    if (length < frame.size()) {
        rte_mbuf* second =
            buffer_of(Frame{frame.begin() + static_cast<std::ptrdiff_t>(length), frame.end()},
                      port_id, segment);
        require(second != nullptr && rte_pktmbuf_chain(first, second) == 0, "no second segment");
    }
    return first;
}

Frame frame_of(rte_mbuf* mbuf) {
    Frame frame;
    for (const rte_mbuf* segment = mbuf; segment != nullptr; segment = segment->next) {
        const auto* octets = rte_pktmbuf_mtod(segment, const std::uint8_t*);
        frame.insert(frame.end(), octets, octets + segment->data_len);
    }
    rte_pktmbuf_free(mbuf);
    return frame;
}

}  // namespace fulcrum::test
