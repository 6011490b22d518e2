// Both ways, side by side: who changes one changes the other, and the layout's number.
#include "controlplane/peer/replica_wire.h"

namespace fulcrum {
namespace {

constexpr std::uint8_t kind_bits = 0x03;
constexpr std::uint8_t ipv6_bit = 0x04;
constexpr std::uint8_t full_nat_bit = 0x08;
constexpr std::uint8_t shifted_bit = 0x10;
constexpr std::uint8_t known_bits = 0x1F;

void put_end(OctetWriter& out, const Endpoint& end) {
    out.address(end.address);
    out.number(end.port.host());
}

Endpoint get_end(OctetReader& in, IpFamily family) {
    const IpAddress address = in.address(family);
    return {address, be16{in.number<std::uint16_t>()}};
}

bool is_protocol(std::uint8_t number) {
    return number == static_cast<std::uint8_t>(L4Protocol::tcp) ||
           number == static_cast<std::uint8_t>(L4Protocol::udp) ||
           number == static_cast<std::uint8_t>(L4Protocol::sctp);
}

// Confirmed ones alone are told of.
bool is_state(std::uint8_t number) {
    return number < session_state_count && is_confirmed(static_cast<SessionState>(number));
}

bool read_session(OctetReader& in, std::uint8_t what, IpFamily family, NamedReplica& replica) {
    const auto protocol = in.number<std::uint8_t>();
    const auto state = in.number<std::uint8_t>();
    replica.client = get_end(in, family);
    replica.vip = get_end(in, family);
    bool is_sound = is_protocol(protocol) && is_state(state);
    replica.protocol = static_cast<L4Protocol>(protocol);
    replica.state = static_cast<SessionState>(state);
    if ((what & full_nat_bit) != 0) {
        replica.local = get_end(in, family);
        const auto told_by = in.number<std::uint8_t>();
        is_sound = is_sound && replica.local.port.host() != 0 &&
                   told_by <= static_cast<std::uint8_t>(ClientAddressBy::toa);
        replica.told_by = static_cast<ClientAddressBy>(told_by);
    }
    if ((what & shifted_bit) != 0) {
        replica.shift.first = in.number<std::uint32_t>();
        replica.shift.length = in.number<std::uint8_t>();
        replica.shift.is_announced = in.flag();
        replica.shift.is_followed = in.flag();
        replica.shift.is_accepted = in.flag();
        is_sound = is_sound && (what & full_nat_bit) != 0 && replica.shift.length != 0;
    }
    return is_sound;
}

std::optional<NamedReplica> read_record(OctetReader& in) {
    const auto what = in.number<std::uint8_t>();
    const IpFamily family = (what & ipv6_bit) != 0 ? IpFamily::v6 : IpFamily::v4;
    NamedReplica replica;
    replica.kind = static_cast<ReplicaKind>(what & kind_bits);
    replica.service = in.number<std::uint64_t>();
    replica.real = in.number<std::uint64_t>();
    replica.idle_s = in.number<std::uint32_t>();
    bool is_sound = (what & ~known_bits) == 0 && replica.kind != ReplicaKind::all_told;
    if (replica.kind == ReplicaKind::client) {
        replica.client.address = in.address(family);
        replica.prefix = in.number<std::uint8_t>();
        is_sound = is_sound && (what & (full_nat_bit | shifted_bit)) == 0 &&
                   replica.prefix >= (family == IpFamily::v4 ? 97 : 1) && replica.prefix <= 128;
    } else {
        is_sound = is_sound && read_session(in, what, family, replica);
    }
    return is_sound && in.is_sound() ? std::optional{replica} : std::nullopt;
}

bool read_drain(OctetReader& in, PeerDrain& drain) {
    drain.service = in.text();
    drain.real = in.text();
    drain.is_drained = in.flag();
    drain.deadline_s = in.number<std::uint32_t>();
    const auto then = in.number<std::uint8_t>();
    drain.then = static_cast<SessionPolicy>(then);
    return in.is_sound() && in.is_at_end() &&
           then <= static_cast<std::uint8_t>(SessionPolicy::move) &&
           drain.deadline_s <= limits::timeout_max_s;
}

}  // namespace

void begin_message(Octets& message, PeerMessageKind kind) {
    message.clear();
    message.push_back(static_cast<std::uint8_t>(kind));
}

void append(Octets& message, const NamedReplica& replica) {
    const bool is_full_nat = replica.local.port.wire() != 0;
    const bool is_shifted = replica.shift.length != 0;
    OctetWriter out{message};
    out.number(static_cast<std::uint8_t>(
        static_cast<unsigned>(replica.kind) | (replica.client.address.is_v4() ? 0U : ipv6_bit) |
        (is_full_nat ? full_nat_bit : 0U) | (is_shifted ? shifted_bit : 0U)));
    out.number(replica.service);
    out.number(replica.real);
    out.number(replica.idle_s);
    if (replica.kind == ReplicaKind::client) {
        out.address(replica.client.address);
        out.number(replica.prefix);
        return;
    }
    out.number(static_cast<std::uint8_t>(replica.protocol));
    out.number(static_cast<std::uint8_t>(replica.state));
    put_end(out, replica.client);
    put_end(out, replica.vip);
    if (is_full_nat) {
        put_end(out, replica.local);
        out.number(static_cast<std::uint8_t>(replica.told_by));
    }
    if (is_shifted) {
        out.number(replica.shift.first);
        out.number(replica.shift.length);
        out.flag(replica.shift.is_announced);
        out.flag(replica.shift.is_followed);
        out.flag(replica.shift.is_accepted);
    }
}

Octets transfer_message(PeerMessageKind kind, std::uint32_t number) {
    Octets message;
    begin_message(message, kind);
    OctetWriter{message}.number(number);
    return message;
}

Octets drain_message(const PeerDrain& drain) {
    Octets message;
    begin_message(message, PeerMessageKind::drain);
    OctetWriter out{message};
    out.text(drain.service);
    out.text(drain.real);
    out.flag(drain.is_drained);
    out.number(drain.deadline_s);
    out.number(static_cast<std::uint8_t>(drain.then));
    return message;
}

std::optional<PeerMessage> read_message(std::span<const std::uint8_t> octets) {
    OctetReader in{octets};
    PeerMessage message;
    const auto kind = in.number<std::uint8_t>();
    message.kind = static_cast<PeerMessageKind>(kind);
    switch (message.kind) {
        case PeerMessageKind::sessions:
            while (!in.is_at_end()) {
                const std::optional<NamedReplica> replica = read_record(in);
                if (!replica) {
                    return std::nullopt;
                }
                message.replicas.push_back(*replica);
            }
            return in.is_sound() ? std::optional{std::move(message)} : std::nullopt;
        case PeerMessageKind::transfer_begins:
        case PeerMessageKind::transfer_ends:
            message.number = in.number<std::uint32_t>();
            return in.is_sound() && in.is_at_end() ? std::optional{std::move(message)}
                                                   : std::nullopt;
        case PeerMessageKind::drain:
            return read_drain(in, message.drain) ? std::optional{std::move(message)} : std::nullopt;
        case PeerMessageKind::standing:
            return read_rest(in, message.standing) ? std::optional{std::move(message)}
                                                   : std::nullopt;
        case PeerMessageKind::part:
            return read_rest(in, message.part) ? std::optional{std::move(message)} : std::nullopt;
        case PeerMessageKind::verdict:
            return read_rest(in, message.verdict) ? std::optional{std::move(message)}
                                                  : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace fulcrum
