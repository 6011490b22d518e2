// Cut, wrap, send.
#include "dataplane/refit.h"

#include <rte_mbuf.h>

#include "config/model/hash.h"
#include "dataplane/cut.h"
#include "dataplane/encapsulate.h"
#include "dataplane/mss.h"
#include "dataplane/parse_ipv6.h"

namespace fulcrum {
namespace {

constexpr std::uint64_t hash_seed = 0x9E3779B97F4A7C15ULL;

static_assert(Tunnel::header_size_max <= RTE_PKTMBUF_HEADROOM,
              "every received buffer has room for an outer header before its frame");

// Over what follows the Ethernet header, in however many segments.
ChecksumSum sum_of_packet(const rte_mbuf* mbuf) {
    ChecksumSum sum;
    std::size_t skipped = sizeof(EthernetHeader);
    bool is_odd = false;
    for (const rte_mbuf* segment = mbuf; segment != nullptr; segment = segment->next) {
        const auto* octets = rte_pktmbuf_mtod(segment, const std::uint8_t*) + skipped;
        const std::size_t length = segment->data_len - skipped;
        skipped = 0;
        ChecksumSum part;
        part.add(octets, length);
        // An octet that begins in the middle of a word counts in the word's other half.
        const std::uint16_t folded = part.folded();
        sum.add(is_odd ? static_cast<std::uint16_t>((folded << 8) | (folded >> 8)) : folded);
        is_odd ^= length % 2 != 0;
    }
    return sum;
}

std::uint16_t ip_length_of(const rte_mbuf* mbuf) {
    const auto* ip = rte_pktmbuf_mtod_offset(mbuf, const Ipv4Header*, sizeof(EthernetHeader));
    if (ip->version() == 6) {
        const auto& ip6 = *reinterpret_cast<const Ipv6Header*>(ip);
        return static_cast<std::uint16_t>(sizeof(ip6) + ip6.payload_length.host());
    }
    return ip->total_length.host();
}

std::uint64_t addresses_word(const std::uint8_t* frame, const ParsedPacket& packet) {
    if (packet.ip_version == 6) {
        const Ipv6Header& ip = ipv6_header_of(frame);
        return folded_multiply(ip.source.word(0) ^ ip.destination.word(1),
                               ip.source.word(1) ^ ip.destination.word(0) ^ hash_seed);
    }
    return (std::uint64_t{packet.source.value.wire()} << 32) | packet.destination.value.wire();
}

// What lies behind the IP packet was padding of the frame that it came in.
void trim_padding(rte_mbuf* mbuf) {
    const std::uint32_t length = sizeof(EthernetHeader) + ip_length_of(mbuf);
    if (mbuf->nb_segs == 1 && mbuf->pkt_len > length) {
        mbuf->data_len = static_cast<std::uint16_t>(length);
        mbuf->pkt_len = length;
    }
}

}  // namespace

std::uint32_t flow_hash_of(const std::uint8_t* frame, const ParsedPacket& packet) {
    std::uint64_t ports = packet.ip_protocol;
    if (!packet.is_fragment) {
        ports |= (std::uint64_t{packet.source_port.wire()} << 32) |
                 (std::uint64_t{packet.destination_port.wire()} << 16);
    }
    const std::uint64_t mixed =
        folded_multiply(addresses_word(frame, packet) ^ hash_seed, ports + 1);
    return static_cast<std::uint32_t>(mixed ^ (mixed >> 32));
}

Refitter::Refitter(Emitter& emitter, WorkerCounters& counters, unsigned worker_id,
                   unsigned worker_count)
    : emitter_{emitter},
      counters_{counters},
      identification_{static_cast<std::uint16_t>(worker_id)},
      identification_step_{static_cast<std::uint16_t>(worker_count)} {}

void Refitter::send(rte_mbuf* mbuf, const ParsedPacket& packet, const Decision& decision,
                    const Snapshot& snapshot) {
    if (decision.mss_max != 0) {
        limit_mss(rte_pktmbuf_mtod_offset(mbuf, std::uint8_t*, packet.l4_offset),
                  mbuf->data_len - std::size_t{packet.l4_offset}, decision.mss_max);
    }
    const std::uint32_t flow_hash =
        flow_hash_of(rte_pktmbuf_mtod(mbuf, const std::uint8_t*), packet);
    if (packet.ip_length <= decision.hop->mtu) {
        return send_piece(mbuf, flow_hash, decision, snapshot);
    }
    Pieces pieces;
    if (!cut(mbuf, decision.hop->mtu, pieces)) {
        return emitter_.drop(mbuf,
                             {DropReason::no_buffer, snapshot.service_number_of(decision.tally)});
    }
    // One packet came, several go.
    counters_.originated.add(pieces.count - 1);
    rte_pktmbuf_free(mbuf);
    for (std::size_t i = 0; i < pieces.count; ++i) {
        send_piece(pieces.mbufs[i], flow_hash, decision, snapshot);
    }
}

void Refitter::send_piece(rte_mbuf* mbuf, std::uint32_t flow_hash, const Decision& decision,
                          const Snapshot& snapshot) {
    if (decision.rewrite == Rewrite::tunnel) {
        const Tunnel& tunnel = snapshot.tunnel_of(decision.tally);
        if (rte_pktmbuf_headroom(mbuf) < tunnel.header_length) {
            return emitter_.drop(
                mbuf, {DropReason::no_buffer, snapshot.service_number_of(decision.tally)});
        }
        trim_padding(mbuf);
        wrap(mbuf, flow_hash, tunnel);
    }
    emitter_.transmit(mbuf, decision.hop->port);
}

void Refitter::wrap(rte_mbuf* mbuf, std::uint32_t flow_hash, const Tunnel& tunnel) {
    WrapFields fields{.inner_length = ip_length_of(mbuf), .flow_hash = flow_hash};
    if (tunnel.has_checksum) {
        fields.inner_sum = sum_of_packet(mbuf);
    }
    fields.identification = identification_;
    identification_ = static_cast<std::uint16_t>(identification_ + identification_step_);
    encapsulate(rte_pktmbuf_mtod(mbuf, std::uint8_t*), tunnel, fields);
    rte_pktmbuf_prepend(mbuf, tunnel.header_length);
}

}  // namespace fulcrum
