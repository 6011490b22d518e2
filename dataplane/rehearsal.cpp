// The stage, who is on it, and what is told of the play.
#include "dataplane/rehearsal.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/choose.h"
#include "dataplane/encapsulate.h"
#include "dataplane/own_source.h"
#include "dataplane/refit.h"

namespace fulcrum {
namespace {

constexpr std::size_t stage_bucket_count = 8;
constexpr HashKey any_key{0x0123'4567'89AB'CDEF, 0xFEDC'BA98'7654'3211};

template <typename Session>
SessionRecord record_of(const Session& session, const Ages& ages, const LocalEnds& ends) {
    const SnapshotListener& listener = ages.snapshot().listeners[session.listener];
    return {.client = {IpAddress{session.client_address}, session.client_port},
            .vip = {ages.snapshot().address_of(listener.vip, listener.is_ipv6), session.vip_port},
            .local = local_end_of(session, ends, ages.snapshot()),
            .listener = session.listener,
            .real = session.real,
            .protocol = session.tag.protocol(),
            .state = session.tag.state(),
            .idle_s = ages.age_s(session),
            .timeout_s = ages.timeout_s(session)};
}

// Calls `visit(session)` for all sessions of this client port: nobody is the one looked for.
template <typename Table, typename Key, typename Visit>
void visit_client(Table& table, const Key& client, const Visit& visit) {
    table.find(table.home_of(client), client, [&](const typename Table::Session& session) {
        visit(session);
        return false;
    });
}

// All sessions of the client port, so that what meets another one does so on the stage.
template <typename Table, typename Key>
void bring_in_client(Table& stage, Table& live, const Key& client, const Ages& ages) {
    visit_client(live, client, [&](const typename Table::Session& session) {
        stage.insert(session, stage.home_of(client), ages);
    });
}

bool has_client(const Burst& burst) {
    return burst.classified[0].packet_class == PacketClass::request ||
           burst.classified[0].packet_class == PacketClass::reply;
}

std::string_view why_spliced(SpliceStep step) {
    switch (step) {
        case SpliceStep::offer:
            return "the director answers for the real, with a SYN cookie";
        case SpliceStep::open:
            return "the client has returned its SYN cookie: in place of this packet the real gets "
                   "the SYN";
        case SpliceStep::close_up:
            return "the real has accepted what began with a SYN cookie: each side gets the "
                   "segment that it waits for";
        case SpliceStep::rebuff:
            return "the real means an older connection: it is reset, and the SYN follows anew";
        case SpliceStep::translate:
            return "the session began with a SYN cookie, and both sides' numbers are translated";
        case SpliceStep::none:
            break;
    }
    return {};
}

std::string_view why_refitted(const ParsedPacket& packet, const Decision& decision) {
    if (decision.rewrite == Rewrite::tunnel) {
        return "it leaves within a tunnel's packet";
    }
    if (tells_client(decision)) {
        return "its real is told the client's address";
    }
    if (decision.mss_max != 0) {
        return "the segment size that it offers is held to a limit";
    }
    return packet.ip_length > decision.hop->mtu ? "it is cut into pieces for its next hop" : "";
}

// Of what goes on otherwise than as it came.
std::string_view why(const Burst& burst) {
    const Decision& decision = burst.decisions[0];
    switch (decision.verdict) {
        case Verdict::answer:
        case Verdict::splice:
            return why_spliced(burst.spliced[0].step);
        case Verdict::refit:
            return why_refitted(burst.packets[0], decision);
        default:
            return {};
    }
}

void tell_verdict(const Burst& burst, Explanation& explanation) {
    const Decision& decision = burst.decisions[0];
    explanation.verdict = name_of(decision.verdict);
    if (decision.verdict == Verdict::punt) {
        explanation.punt_class = name_of(decision.punt_class);
    }
    if (decision.verdict == Verdict::drop || decision.verdict == Verdict::reset) {
        explanation.reason = text_of(decision.reason).name;
        explanation.sentence = text_of(decision.reason).sentence;
    } else {
        explanation.sentence = why(burst);
    }
}

bool is_ipv6(const Burst& burst) { return burst.packets[0].ip_version == 6; }

}  // namespace

Rehearsal::Rehearsal(std::vector<PathPort> ports, const Steering& steering, unsigned worker_id,
                     unsigned worker_count, const Asked& asked)
    : ports_{std::move(ports)},
      steering_{steering},
      worker_id_{worker_id},
      memory_(SessionTable::size_for(stage_bucket_count) / sizeof(Line)),
      board_{asked.chooser.tally_count()},
      chooser_{asked.chooser},
      local_ends_{asked.local_ends},
      cookies_{asked.cookies},
      memory6_(SessionTable6::size_for(stage_bucket_count) / sizeof(Line)),
      tracker_{
          table_.emplace(std::as_writable_bytes(std::span{memory_}), stage_bucket_count, any_key),
          board_, chooser_, local_ends_, cookies_},
      tracker6_{
          table6_.emplace(std::as_writable_bytes(std::span{memory6_}), stage_bucket_count, any_key),
          board_, chooser_, local_ends_, cookies_},
      path_{ports_, steering, worker_id, worker_count, {tracker_, tracker6_}},
      burst_{std::make_unique<Burst>()} {}

void Rehearsal::play(const Question& question, LiveTables live, const Snapshot& snapshot,
                     std::uint32_t now_s, Explanation& explanation) {
    const std::uint8_t by_route = snapshot.paths->to(question.source).hop->port;
    const std::uint8_t wanted = question.port == port_none ? by_route : question.port;
    const std::uint8_t port = wanted < ports_.size() ? wanted : std::uint8_t{0};
    explanation = {};
    explanation.question_id = question.id;
    explanation.epoch = snapshot.epoch;
    explanation.port = port;
    explanation.worker = static_cast<std::uint8_t>(worker_id_);
    explanation.octets = question.octets;
    std::memcpy(explanation.octets.data(), &ports_[port].mac, sizeof(MacAddress));

    const Ages ages{snapshot, now_s};
    Burst& burst = *burst_;
    burst.count = 1;
    const std::uint16_t octet_count = std::min<std::uint16_t>(
        question.octet_count, static_cast<std::uint16_t>(limits::explained_octets_max));
    burst.frames[0] = {explanation.octets.data(), question.length, octet_count, port};
    burst.decisions[0] = {};
    burst.decisions[0].tally = limits::tallies_max;
    parse({explanation.octets.data(), octet_count}, question.length, ports_[port].mac,
          burst.packets[0]);
    classify(snapshot);
    note_holder();
    set_stage();
    bring_in(live, ages);
    const std::optional<SessionRecord> before = session_now(ages);
    opened_before_ = board_.worker().sessions_opened.read();

    chooser_.rehearse(true);
    local_ends_.begin_rehearsal();
    cookies_.rehearse(true);
    path_.carry(burst, snapshot, now_s, origin_of(question, snapshot));

    const Classified& classified = burst.classified[0];
    const Decision& decision = burst.decisions[0];
    explanation.owner = static_cast<std::uint8_t>(owner());
    explanation.the_class = name_of(classified.packet_class);
    tell_verdict(burst, explanation);
    explanation.listener = has_client(burst) ? classified.listener : limits::index_none;
    tell_session(before, ages, explanation);
    tell_real(snapshot, explanation);
    tell_way(snapshot, explanation);
    explanation.octet_count = is_rewritten(decision.verdict) ? octet_count : std::uint16_t{0};
    if (decision.verdict == Verdict::refit && decision.rewrite == Rewrite::tunnel) {
        explanation.octet_count =
            wrap(snapshot.tunnel_of(decision.tally), octet_count, explanation);
    }
    // Until here, because a session's local end is told as well.
    chooser_.rehearse(false);
    local_ends_.end_rehearsal();
    cookies_.rehearse(false);
}

// A program of the director's own answers by the kernel, unless a port is said where such a packet
// is to come from outside.
Origin Rehearsal::origin_of(const Question& question, const Snapshot& snapshot) const {
    const ParsedPacket& packet = burst_->packets[0];
    const bool is_ours = question.port == port_none &&
                         burst_->classified[0].packet_class == PacketClass::reply &&
                         is_of_local_real(packet.source, packet.ip_version == 6, snapshot);
    return is_ours ? Origin::kernel : Origin::nic;
}

// As it would leave for a tunnel's real; what is cut off has no part in a checksum.
std::uint16_t Rehearsal::wrap(const Tunnel& tunnel, std::uint16_t octet_count,
                              Explanation& explanation) const {
    std::array<std::uint8_t, Tunnel::header_size_max + limits::explained_octets_max> room;
    std::uint8_t* const frame = room.data() + Tunnel::header_size_max;
    std::memcpy(frame, explanation.octets.data(), octet_count);
    const ParsedPacket& packet = burst_->packets[0];
    WrapFields fields{.inner_length = packet.ip_length, .flow_hash = flow_hash_of(frame, packet)};
    fields.inner_sum.add(frame + sizeof(EthernetHeader), octet_count - sizeof(EthernetHeader));
    const std::uint8_t* const grown = encapsulate(frame, tunnel, fields);
    const auto length = static_cast<std::uint16_t>(std::min<std::size_t>(
        std::size_t{octet_count} + tunnel.header_length, limits::explained_octets_max));
    std::memcpy(explanation.octets.data(), grown, length);
    return length;
}

void Rehearsal::classify(const Snapshot& snapshot) {
    Burst& burst = *burst_;
    ParsedPacket& packet = burst.packets[0];
    if (packet.ip_version == 6 && packet.kind != PacketKind::refused) {
        classify_ipv6(burst.frames[0].octets, snapshot, packet, burst.classified[0],
                      burst.clients6[0]);
    } else {
        fulcrum::classify(packet, snapshot, burst.classified[0]);
    }
}

// A packet to a local end is its holder's, as the play will find out.
void Rehearsal::note_holder() {
    Classified& classified = burst_->classified[0];
    const ParsedPacket& packet = burst_->packets[0];
    if (classified.packet_class != PacketClass::local_reply) {
        return;
    }
    if (const LeasingFlow* flow = local_ends_.holder_of(
            {classified.local_place, packet.destination_port}, packet.protocol)) {
        classified.packet_class = PacketClass::reply;
        is_ipv6(*burst_) ? Ipv6Flows::name_client(*burst_, 0, *flow)
                         : Ipv4Flows::name_client(*burst_, 0, *flow);
    }
}

unsigned Rehearsal::owner() const {
    const Classified& classified = burst_->classified[0];
    if (classified.packet_class == PacketClass::local_reply) {
        return steering_.owner_of_local_port(burst_->packets[0].destination_port);
    }
    return !has_client(*burst_) ? worker_id_
           : is_ipv6(*burst_)   ? steering_.owner_of(burst_->clients6[0].address)
                                : steering_.owner_of(classified.client);
}

void Rehearsal::set_stage() {
    burst_->forget_steps();
    std::fill(memory_.begin(), memory_.end(), Line{});
    std::fill(memory6_.begin(), memory6_.end(), Line{});
    // In the place of those before: who refers to them goes on doing so.
    table_.emplace(std::as_writable_bytes(std::span{memory_}), stage_bucket_count, any_key);
    table6_.emplace(std::as_writable_bytes(std::span{memory6_}), stage_bucket_count, any_key);
}

void Rehearsal::bring_in(LiveTables live, const Ages& ages) {
    if (!has_client(*burst_)) {
        return;
    }
    if (is_ipv6(*burst_)) {
        bring_in_client(*table6_, live.of_v6, burst_->clients6[0], ages);
    } else {
        bring_in_client(*table_, live.of_v4, burst_->classified[0].client_key, ages);
    }
}

// The one on the stage that the packet belongs to.
std::optional<SessionRecord> Rehearsal::session_now(const Ages& ages) {
    if (!has_client(*burst_)) {
        return std::nullopt;
    }
    return is_ipv6(*burst_) ? session_in(*table6_, burst_->clients6[0], ages)
                            : session_in(*table_, burst_->classified[0].client_key, ages);
}

template <typename Table, typename Key>
std::optional<SessionRecord> Rehearsal::session_in(Table& stage, const Key& client,
                                                   const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    const ParsedPacket& packet = burst_->packets[0];
    const Classified& classified = burst_->classified[0];
    const bool is_request = classified.packet_class == PacketClass::request;
    std::optional<SessionRecord> found;
    visit_client(stage, client, [&](const typename Table::Session& session) {
        if (ages.is_nameless(session)) {
            return;
        }
        const SnapshotListener& listener = snapshot.listeners[session.listener];
        const SnapshotReal& real = snapshot.real_of(listener, session.real);
        const bool matches = is_request
                                 ? session.listener == classified.listener &&
                                       session.vip_port == packet.destination_port
                                 : real.address == packet.source &&
                                       port_towards(real, session.vip_port) == packet.source_port;
        if (matches) {
            found = record_of(session, ages, local_ends_);
            found->worker = static_cast<std::uint8_t>(worker_id_);
        }
    });
    return found;
}

void Rehearsal::tell_session(const std::optional<SessionRecord>& before, const Ages& ages,
                             Explanation& explanation) {
    const std::optional<SessionRecord> after = session_now(ages);
    const std::uint64_t opened = board_.worker().sessions_opened.read();
    explanation.opens_session = after && opened != opened_before_;
    explanation.has_session = before && !explanation.opens_session;
    if (explanation.opens_session) {
        const SnapshotListener& listener = ages.snapshot().listeners[after->listener];
        const SnapshotService& service = ages.snapshot().services[listener.service];
        const std::uint64_t draw =
            is_ipv6(*burst_) ? draw_of(ages.snapshot(), listener, burst_->clients6[0])
                             : draw_of(ages.snapshot(), listener, burst_->classified[0].client_key);
        if (service.schedule == nullptr) {  // else the ring may have had no say
            explanation.ring_slot = scaled(static_cast<std::uint32_t>(draw),
                                           static_cast<std::uint32_t>(service.ring->size()));
        }
    }
    if (before || after) {
        explanation.session = explanation.opens_session || !before ? *after : *before;
        explanation.listener = explanation.session.listener;
        explanation.real = explanation.session.real;
    }
}

// Where there is no session, the decision's counters tell the real.
void Rehearsal::tell_real(const Snapshot& snapshot, Explanation& explanation) const {
    if (explanation.real != limits::index_none || explanation.listener == limits::index_none) {
        return;
    }
    const SnapshotListener& listener = snapshot.listeners[explanation.listener];
    for (std::uint16_t index = 0; index < listener.real_count; ++index) {
        const SnapshotReal& real = snapshot.real_of(listener, index);
        if (real.standing != RealStanding::absent && real.tally == burst_->decisions[0].tally) {
            explanation.real = index;
        }
    }
}

void Rehearsal::tell_way(const Snapshot& snapshot, Explanation& explanation) const {
    const Decision& decision = burst_->decisions[0];
    if (!is_rewritten(decision.verdict) && decision.verdict != Verdict::hold) {
        return;
    }
    const ParsedPacket& packet = burst_->packets[0];
    const IpAddress client = is_ipv6(*burst_) ? IpAddress{burst_->clients6[0].address}
                                              : IpAddress{burst_->classified[0].client};
    const IpAddress destination = decision.is_reply ? client : real_of(decision, packet, snapshot);
    explanation.has_hop = true;
    explanation.hop = *decision.hop;
    explanation.neighbour = snapshot.paths->to(destination).neighbour;
}

}  // namespace fulcrum
