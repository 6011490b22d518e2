// DPDK for tests: one start a process, without hugepages, devices or files, and NIC ports made of
// rings, so that a test lays frames into a receive queue and reads what leaves by a transmit queue.
#pragma once

#include <rte_mempool.h>

#include <cstdint>
#include <vector>

#include "dataplane/worker_wiring.h"
#include "tests/support/packet.h"

struct rte_mbuf;
struct rte_ring;

namespace fulcrum::test {

inline constexpr unsigned rig_workers_max = 16;

// Starts EAL if it has not been started. Ends the process with a sentence when it cannot.
void start_eal_for_tests();

// Packet buffers for all tests of the process.
rte_mempool* packet_pool();

// A NIC port made of rings, with a queue pair for each of `rig_workers_max` workers.
class RingPort {
  public:
    explicit RingPort(const char* name);

    std::uint16_t id() const { return id_; }
    rte_ring* receive_queue(unsigned worker) const { return receive_[worker]; }
    rte_ring* transmit_queue(unsigned worker) const { return transmit_[worker]; }

  private:
    std::uint16_t id_ = 0;
    std::vector<rte_ring*> receive_;
    std::vector<rte_ring*> transmit_;
};

// The ports 0 and 1 of every rig, made once: DPDK's devices outlive the tests.
const RingPort& ring_port(std::size_t index);

// A buffer with this frame, as if received by `port_id`; in two segments if `segment` is less than
// the frame's size. Null when the pool is empty.
rte_mbuf* buffer_of(const Frame& frame, std::uint16_t port_id, std::size_t segment = SIZE_MAX);
// The octets of all segments. Frees the buffer.
Frame frame_of(rte_mbuf* mbuf);

}  // namespace fulcrum::test
