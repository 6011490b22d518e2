// Calls of the rooms, in the worker's order.
#include "tests/support/rooms.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace fulcrum::test {
namespace {

ParsedPacket nonsense_packet() {
    ParsedPacket packet;
    packet.source = packet.destination = Ipv4Address::of(9, 9, 9, 9);
    packet.source_port = packet.destination_port = be16{9};
    packet.protocol = L4Protocol::icmp;
    packet.kind = PacketKind::icmp_error;
    packet.l4_offset = 99;
    packet.tcp_flags = 0xFF;
    packet.ip_length = 9'999;
    packet.quotation_offset = 9'999;
    packet.time_to_live = 99;
    packet.ip_protocol = 99;
    packet.is_fragment = packet.is_broadcast = true;
    packet.ip_version = 99;
    return packet;
}

Classified nonsense_class() {
    Classified classified;
    classified.packet_class = PacketClass::reply;
    classified.punt_class = PuntClass::keepalive;
    classified.reason = DropReason::handed_over_twice;
    classified.listener = 9;
    classified.client = Ipv4Address::of(9, 9, 9, 9);
    classified.client_key = 9;
    return classified;
}

Decision nonsense_decision() {
    Decision decision;
    decision.verdict = Verdict::pending;
    decision.reason = DropReason::handed_over_twice;
    decision.punt_class = PuntClass::keepalive;
    decision.rewrite = Rewrite::icmp_reply;
    decision.is_reply = true;
    decision.tally = 9;
    return decision;
}

std::byte* zeroed_lines(std::size_t size) {
    void* memory = std::aligned_alloc(limits::cache_line_size, size);
    if (memory == nullptr) {
        throw std::bad_alloc{};
    }
    std::memset(memory, 0, size);
    return static_cast<std::byte*>(memory);
}

}  // namespace

ParsedPacket parsed(const Frame& frame, const MacAddress& port_mac) {
    ParsedPacket packet = nonsense_packet();
    parse(frame, static_cast<std::uint32_t>(frame.size()), port_mac, packet);
    return packet;
}

Classified classified(const Frame& frame, const Snapshot& snapshot, const MacAddress& port_mac) {
    Classified classified = nonsense_class();
    ParsedPacket packet = parsed(frame, port_mac);
    packet.port = port_mac == lan_mac ? 1 : 0;
    classify(packet, snapshot, classified);
    return classified;
}

Decision decided_request(const ParsedPacket& packet, const Binding& binding,
                         const Snapshot& snapshot) {
    Decision decision = nonsense_decision();
    decide_request(packet, snapshot.real_of(snapshot.listeners[binding.listener], binding.real),
                   decision);
    return decision;
}

Decision decided_reply(const ParsedPacket& packet, const Binding& binding,
                       const Snapshot& snapshot) {
    Decision decision = nonsense_decision();
    const SnapshotListener& listener = snapshot.listeners[binding.listener];
    const std::uint32_t tally = binding.real == limits::index_none
                                    ? static_cast<std::uint32_t>(limits::tallies_max)
                                    : snapshot.real_of(listener, binding.real).tally;
    decide_reply(packet, {listener.vip, binding.vip_port}, tally,
                 *snapshot.paths->to(packet.destination).hop, decision);
    return decision;
}

template <typename Table>
OwnedTableOf<Table>::OwnedTableOf(std::size_t bucket_count, HashKey key)
    : memory_{zeroed_lines(Table::size_for(bucket_count))},
      table_{std::make_unique<Table>(std::span{memory_.get(), Table::size_for(bucket_count)},
                                     bucket_count, key)} {}

template class OwnedTableOf<SessionTable>;
template class OwnedTableOf<SessionTable6>;

MacAddress arrival_of(const Frame& frame) {
    const bool is_for_lan =
        frame.size() >= 6 && std::equal(lan_mac.bytes.begin(), lan_mac.bytes.end(), frame.begin());
    return is_for_lan ? lan_mac : wan_mac;
}

TrackingRoom::TrackingRoom(std::unique_ptr<const Snapshot> snapshot, std::size_t bucket_count,
                           std::size_t affinity_record_count)
    : snapshot_{std::move(snapshot)},
      table_{bucket_count},
      board_{4'096},
      chooser_{{.board = &board_,
                .others = {},
                .affinity_record_count = affinity_record_count,
                .key = OwnedTable::default_key,
                .hz = 1'000'000'000}},
      tracker_{*table_, board_, chooser_, *ends_, *cookies_},
      burst_{std::make_unique<Burst>()} {}

std::vector<Decision> TrackingRoom::carry(const std::vector<Frame>& frames) {
    Burst& burst = *burst_;
    std::vector<Frame> octets = frames;
    burst.count = frames.size();
    burst.flow_count = 0;
    burst.forget_steps();
    std::fill(burst.decisions.begin(), burst.decisions.end(), nonsense_decision());
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const std::size_t length = octets[i].size();
        burst.frames[i] = {octets[i].data(), static_cast<std::uint32_t>(length),
                           static_cast<std::uint16_t>(length),
                           arrival_of(frames[i]) == lan_mac ? std::uint8_t{1} : std::uint8_t{0}};
        burst.packets[i] = parsed(frames[i], arrival_of(frames[i]));
        burst.packets[i].port = burst.frames[i].port;
        burst.classified[i] = classified(frames[i], *snapshot_, arrival_of(frames[i]));
        const PacketClass packet_class = burst.classified[i].packet_class;
        if (packet_class == PacketClass::request || packet_class == PacketClass::reply) {
            burst.flows[burst.flow_count++] = static_cast<std::uint8_t>(i);
            burst.homes[i] = table_->home_of(burst.classified[i].client_key);
        }
    }
    tracker_.decide(burst, *snapshot_, now_s_);
    return {burst.decisions.begin(),
            burst.decisions.begin() + static_cast<std::ptrdiff_t>(frames.size())};
}

void TrackingRoom::sweep_all() {
    affinity().begin_round();
    affinity().sweep(affinity().bucket_count(), {*snapshot_, now_s_});
    while (!tracker_.sweep(table_->swept_count(), *snapshot_, now_s_)) {
    }
}

std::vector<Session> TrackingRoom::sessions_of(Endpoint client) {
    std::vector<Session> found;
    table_->walk(0, table_->swept_count(), [&](const Session& session) {
        if (IpAddress{session.client_address} == client.address &&
            session.client_port == client.port) {
            found.push_back(session);
        }
    });
    return found;
}

}  // namespace fulcrum::test
