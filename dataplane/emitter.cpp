// The ways out.
#include "dataplane/emitter.h"

#include <rte_ethdev.h>

#include "dataplane/vlan.h"

namespace fulcrum {
namespace {

// Frames a second and at once for the kernel, by class. The sum stays far below what would starve
// the control plane's CPU.
struct PuntRate {
    std::uint64_t frames_per_s;
    std::uint64_t burst;
};
constexpr std::array<PuntRate, punt_class_count> punt_rates{{
    {20'000, 1'000},   // keepalive
    {10'000, 1'000},   // link
    {100'000, 4'000},  // check: fifty thousand reals every five seconds
    {100'000, 4'000},  // peer: a million sessions told in seconds
    {50'000, 2'000},   // routing
    {50'000, 2'000},   // local
    {50'000, 2'000},   // transit
    {10'000, 1'000},   // rest
}};

}  // namespace

Emitter::Emitter(const WorkerWiring& wiring, const TurnClock& clock)
    : wiring_{wiring}, clock_{clock}, board_{*wiring.board}, counters_{board_.worker()} {
    for (std::size_t i = 0; i < punt_class_count; ++i) {
        punt_rates_[i] = TokenBucket{clock_.hz() / punt_rates[i].frames_per_s, punt_rates[i].burst,
                                     clock_.now_cycles()};
    }
}

void Emitter::punt(rte_mbuf* mbuf, PuntClass punt_class) {
    const auto index = static_cast<std::size_t>(punt_class);
    if (!punt_rates_[index].take(clock_.now_cycles())) {
        drop(mbuf, {DropReason::punt_policed});
    } else if (wiring_.twin == nullptr || !wiring_.twin->post(mbuf, punt_class)) {
        drop(mbuf, {DropReason::punt_full});
    } else {
        counters_.punted[index].add(1);
        wiring_.twin->ring_if_asleep();
    }
}

bool Emitter::hand_over(rte_mbuf* mbuf, unsigned owner) {
    const bool is_taken = wiring_.to_workers[owner]->post(mbuf);
    counters_.handed_over.add(is_taken ? 1 : 0);
    return is_taken;
}

void Emitter::flush() {
    for (std::size_t port = 0; port < wiring_.ports.size(); ++port) {
        if (outgoing_[port].count > 0) {
            flush_port(port);
        }
    }
}

void Emitter::flush_port(std::size_t port) {
    Outgoing& outgoing = outgoing_[port];
    const bool is_vlan = wiring_.ports[port].vlan != 0;
    if (is_vlan) {
        tag_all(port);
    }
    const PortQueues& queues = wiring_.ports[is_vlan ? wiring_.ports[port].parent : port];
    const auto count = static_cast<std::uint16_t>(outgoing.count);
    const std::uint16_t sent =
        rte_eth_tx_burst(queues.port_id, queues.transmit_queue, outgoing.mbufs.data(), count);
    counters_.transmitted.add(sent);
    for (std::uint16_t i = sent; i < count; ++i) {
        drop(outgoing.mbufs[i], {DropReason::transmit_full});
    }
    outgoing.count = 0;
}

void Emitter::make_room(std::size_t count) {
    for (std::size_t port = 0; port < wiring_.ports.size(); ++port) {
        if (outgoing_[port].count + count >= limits::burst_size_max) {
            flush_port(port);
        }
    }
}

Emitter::Mark Emitter::mark() const {
    Mark mark{};
    for (std::size_t port = 0; port < mark.size(); ++port) {
        mark[port] = outgoing_[port].count;
    }
    return mark;
}

// A VLAN's frames get their tags; every buffer that we fill or were given has room for one.
[[gnu::noinline]] void Emitter::tag_all(std::size_t port) {
    Outgoing& outgoing = outgoing_[port];
    VlanCounters& counters = wiring_.board->vlan(port);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < outgoing.count; ++i) {
        rte_mbuf* const mbuf = outgoing.mbufs[i];
        const std::uint32_t length = mbuf->pkt_len;
        char* const frame = rte_pktmbuf_prepend(mbuf, sizeof(VlanTag));
        if (frame == nullptr) {
            drop(mbuf, {DropReason::no_buffer});
            continue;
        }
        put_tag_in(reinterpret_cast<std::uint8_t*>(frame), wiring_.ports[port].vlan);
        counters.transmitted_packets.add(1);
        counters.transmitted_bytes.add(length);
        outgoing.mbufs[kept++] = mbuf;
    }
    outgoing.count = kept;
}

std::size_t Emitter::pending_count() const {
    std::size_t count = 0;
    for (const Outgoing& outgoing : outgoing_) {
        count += outgoing.count;
    }
    return count;
}

}  // namespace fulcrum
