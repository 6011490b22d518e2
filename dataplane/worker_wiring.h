// What a worker is connected to: its queues of every NIC port, its half of every mailbox, and what
// it shares with nobody. Filled in by the composition root, which keeps all of it alive.
#pragma once

#include <rte_config.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "config/model/capture.h"
#include "config/model/replica.h"
#include "config/model/service.h"
#include "config/model/worker_messages.h"
#include "dataplane/cookie_desk.h"
#include "dataplane/counters.h"
#include "dataplane/local_ends.h"
#include "dataplane/mailbox.h"
#include "dataplane/publication.h"
#include "dataplane/session_table.h"
#include "dataplane/steering.h"
#include "dataplane/twin.h"

struct rte_mbuf;

namespace fulcrum {

using PacketMailbox = Mailbox<rte_mbuf*>;

// A worker's queues of one NIC port. The index in WorkerWiring::ports is the port's index
// everywhere.
struct PortQueues {
    std::uint16_t port_id = 0;  // DPDK's; of a VLAN a number that DPDK does not give out
    std::uint16_t receive_queue = 0;
    std::uint16_t transmit_queue = 0;
    bool has_receive_queue = true;
    bool completes_partial_checksums =
        false;  // af_packet, af_xdp: the sender's kernel may not have
    MacAddress mac;
    std::uint16_t vlan = 0;   // of a VLAN: its tag
    std::uint8_t parent = 0;  // and the port by whose queues its frames come and go
};

// What a VLAN's packets are marked with, as others are with DPDK's number of their port.
constexpr std::uint16_t vlan_port_id(std::size_t port) {
    static_assert(2 * limits::ports_max <= RTE_MAX_ETHPORTS);
    return static_cast<std::uint16_t>(RTE_MAX_ETHPORTS - limits::ports_max + port);
}

// Everything that a worker is connected to. Made by the composition root, alive as long as it.
struct WorkerWiring {
    unsigned id = 0;
    std::vector<PortQueues> ports;
    const Steering* steering = nullptr;
    SessionTable* table = nullptr;
    SessionTable6* table6 = nullptr;
    LocalEnds* local_ends = nullptr;
    CookieDesk* cookies = nullptr;
    CounterBoard* board = nullptr;
    std::array<const CounterBoard*, limits::workers_max> others{};  // by worker; null for ourselves
    std::size_t affinity_record_count = 1'024;
    std::span<std::byte> affinity_memory;  // empty: the worker's own
    bool takes_up = false;                 // the tables hold what an earlier process has left
    std::size_t limit_record_count = 1'024;
    HashKey secret;  // who knew it could fill one bucket of the affinity table
    Publication* publication = nullptr;
    // By worker: [other] is our half of the mailbox to, and from, that worker; null for ourselves.
    std::array<PacketMailbox*, limits::workers_max> to_workers{};
    std::array<PacketMailbox*, limits::workers_max> from_workers{};
    unsigned worker_count = 1;
    TwinDoor* twin = nullptr;  // towards the kernel; null: what would be punted is dropped
    PacketMailbox* from_kernel = nullptr;  // null for all workers but one
    Mailbox<WorkerRequest>* inbox = nullptr;
    Mailbox<WorkerReport>* outbox = nullptr;
    Mailbox<Explanation>* explanations = nullptr;  // beside the outbox: they are large and rare
    Mailbox<CapturedFrame>* captured = nullptr;
    Mailbox<Replica>* replicas_told = nullptr;   // for the peer; null: there is none
    Mailbox<Replica>* replicas_heard = nullptr;  // of the peer's sessions; null with the other
    Idle idle = Idle::adaptive;
};

}  // namespace fulcrum
