// Frames from the kernel. Most leave as they are; but the director may be a real of its own:
// clients' packets go to the kernel by a port's twin, and what its programs answer comes back among
// the kernel's frames, to be translated like any real's reply.
#include <rte_mbuf.h>

#include <cstring>

#include "dataplane/mss.h"
#include "dataplane/own_source.h"
#include "dataplane/parse_ipv6.h"
#include "dataplane/worker.h"

namespace fulcrum {
namespace {

// A frame of the kernel's, addressed to whom it goes to by the link.
bool may_be_local_reply(std::span<const std::uint8_t> frame, std::uint32_t length,
                        const Snapshot& snapshot) {
    MacAddress receiver;
    if (frame.size() < sizeof(EthernetHeader) || (frame[0] & 1) != 0) {
        return false;
    }
    std::memcpy(&receiver, frame.data(), sizeof(receiver));
    ParsedPacket packet;
    parse(frame, length, receiver, packet);
    const bool has_ports = packet.kind == PacketKind::flow || packet.kind == PacketKind::icmp_error;
    if (!has_ports && packet.kind != PacketKind::fragment) {
        return false;
    }
    const bool is_ipv6 = packet.ip_version == 6;
    const AddressName source =
        is_ipv6 ? snapshot.name_of(ipv6_ends_of(frame.data(), packet).source) : packet.source;
    return is_of_local_real(source, is_ipv6, snapshot) &&
           (!has_ports || snapshot.reply_source_of({source, packet.source_port}, packet.protocol,
                                                   family_of(is_ipv6)) != EndpointMap::absent);
}

}  // namespace

// Frames from the kernel are whole and addressed already: they leave by their twin's port.
bool Worker::serve_kernel() {
    if (wiring_.from_kernel == nullptr) {
        return false;
    }
    std::array<rte_mbuf*, limits::from_kernel_per_turn_max> mbufs;
    const unsigned count = wiring_.from_kernel->collect(mbufs.data(), mbufs.size());
    counters_.from_kernel.add(count);
    if (const Snapshot& snapshot = *reader_.current(); !snapshot.local_reals.empty()) {
        serve_kernel_beside_local_reals({mbufs.data(), count}, snapshot);
        return count > 0;
    }
    for (unsigned i = 0; i < count; ++i) {
        emitter_.transmit(mbufs[i], port_index_[mbufs[i]->port]);
    }
    return count > 0;
}

// Those that may be replies walk the path of a NIC's packets, as if a real behind that port had
// sent them; the others leave as they are.
void Worker::serve_kernel_beside_local_reals(std::span<rte_mbuf*> mbufs, const Snapshot& snapshot) {
    burst_->count = 0;
    for (rte_mbuf* mbuf : mbufs) {
        auto* const frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
        const std::uint8_t port = port_index_[mbuf->port];
        if (may_be_local_reply({frame, mbuf->data_len}, mbuf->pkt_len, snapshot)) {
            std::memcpy(frame, &wiring_.ports[port].mac, sizeof(MacAddress));
            burst_->mbufs[burst_->count++] = mbuf;
        } else {
            emitter_.transmit(mbuf, port);
        }
    }
    if (burst_->count > 0) {
        carry(snapshot, Origin::kernel);
    }
}

// By the twin of the port that holds the address: whose MAC address the frame has.
void Worker::deliver(std::size_t i) {
    rte_mbuf* const mbuf = burst_->mbufs[i];
    const ParsedPacket& packet = burst_->packets[i];
    const Decision& decision = burst_->decisions[i];
    if (decision.mss_max != 0) {
        limit_mss(burst_->frames[i].octets + packet.l4_offset,
                  mbuf->data_len - std::size_t{packet.l4_offset}, decision.mss_max);
    }
    deliver(mbuf, *decision.hop);
}

void Worker::deliver(rte_mbuf* mbuf, const NextHop& hop) {
    mbuf->port = wiring_.ports[hop.port].port_id;
    emitter_.punt(mbuf, PuntClass::local);
}

}  // namespace fulcrum
