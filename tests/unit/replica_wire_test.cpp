// What goes over the wire, octet by octet, and what is refused.
#include "controlplane/peer/replica_wire.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

NamedReplica session() {
    return {.kind = ReplicaKind::session,
            .protocol = L4Protocol::tcp,
            .state = SessionState::established,
            .service = 0x0102030405060708,
            .real = 0x1112131415161718,
            .client = {Ipv4Address::of(198, 51, 100, 7), be16{40'000}},
            .vip = {Ipv4Address::of(203, 0, 113, 80), be16{80}},
            .local = {},
            .idle_s = 9,
            .shift = {}};
}

NamedReplica session6() {
    NamedReplica replica = session();
    replica.client = *parse_endpoint("[2001:db8::7]:40000");
    replica.vip = *parse_endpoint("[2001:db8::80]:80");
    return replica;
}

NamedReplica shifted() {
    NamedReplica replica = session6();
    replica.local = *parse_endpoint("[2001:db8:2::5]:2000");
    replica.told_by = ClientAddressBy::proxy;
    replica.shift = {.first = 0xFFFF'FFF0,
                     .length = 28,
                     .is_announced = true,
                     .is_followed = true,
                     .is_accepted = false};
    return replica;
}

NamedReplica client() {
    return {.kind = ReplicaKind::client,
            .service = 1,
            .real = 2,
            .client = {Ipv4Address::of(198, 51, 100, 0), be16{}},
            .vip = {},
            .local = {},
            .prefix = 96 + 24,
            .idle_s = 3,
            .shift = {}};
}

Octets message_of(const std::vector<NamedReplica>& replicas) {
    Octets message;
    begin_message(message, PeerMessageKind::sessions);
    for (const NamedReplica& replica : replicas) {
        append(message, replica);
    }
    return message;
}

TEST(ReplicaWire, LaysASessionOutAsItIsWritten) {
    const Octets expected{1,                                               // sessions
                          0,                                               // a session of IPv4
                          1,    2,    3,    4,    5,    6,    7,    8,     // service
                          0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,  // real
                          0,    0,    0,    9,                             // idle
                          6,    6,                                         // TCP, established
                          198,  51,   100,  7,    0x9C, 0x40,              // client
                          203,  0,    113,  80,   0,    80};               // VIP
    EXPECT_EQ(message_of({session()}), expected);
}

TEST(ReplicaWire, ReadsWhatItHasWritten) {
    NamedReplica gone = session();
    gone.kind = ReplicaKind::gone;
    const std::vector<NamedReplica> replicas{session(), session6(), shifted(), client(), gone};
    const auto message = read_message(message_of(replicas));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->kind, PeerMessageKind::sessions);
    EXPECT_EQ(message->replicas, replicas);
}

TEST(ReplicaWire, KnowsItsLongestRecord) {
    EXPECT_EQ(message_of({shifted()}).size(), 1 + replica_record_max);
}

TEST(ReplicaWire, RefusesWhatIsNotWhole) {
    for (const NamedReplica& replica : {session(), session6(), shifted(), client()}) {
        const Octets whole = message_of({replica});
        for (std::size_t length = 2; length < whole.size(); ++length) {
            EXPECT_FALSE(read_message(std::span{whole}.first(length))) << length;
        }
        Octets longer = whole;
        longer.push_back(0);
        EXPECT_FALSE(read_message(longer));
    }
    EXPECT_FALSE(read_message({}));
}

TEST(ReplicaWire, RefusesWhatNoDirectorSays) {
    const auto with = [](NamedReplica replica, auto change) {
        change(replica);
        return read_message(message_of({replica})).has_value();
    };
    EXPECT_TRUE(with(session(), [](NamedReplica&) {}));
    EXPECT_FALSE(with(session(), [](NamedReplica& r) { r.state = SessionState::syn_seen; }));
    EXPECT_FALSE(with(session(), [](NamedReplica& r) { r.state = static_cast<SessionState>(13); }));
    EXPECT_FALSE(with(session(), [](NamedReplica& r) { r.protocol = L4Protocol::icmp; }));
    EXPECT_FALSE(with(session(), [](NamedReplica& r) { r.kind = ReplicaKind::all_told; }));
    EXPECT_FALSE(with(session(), [](NamedReplica& r) { r.shift.length = 1; })) << "no full NAT";
    EXPECT_FALSE(
        with(shifted(), [](NamedReplica& r) { r.told_by = static_cast<ClientAddressBy>(3); }));
    EXPECT_FALSE(with(client(), [](NamedReplica& r) { r.prefix = 96; })) << "0 bits of IPv4";
    EXPECT_FALSE(with(client(), [](NamedReplica& r) { r.prefix = 129; }));
    Octets odd = message_of({session()});
    odd[1] = 0x20;
    EXPECT_FALSE(read_message(odd));
    odd = message_of({session()});
    odd[0] = 9;
    EXPECT_FALSE(read_message(odd));
    odd = message_of({session6()});
    for (std::size_t i = 0; i < 12; ++i) {
        odd[24 + i] = i < 10 ? 0 : 0xFF;  // an IPv4 address in IPv6's place
    }
    EXPECT_FALSE(read_message(odd));
}

TEST(ReplicaWire, SaysWhereATransferBeginsAndEnds) {
    for (const PeerMessageKind kind :
         {PeerMessageKind::transfer_begins, PeerMessageKind::transfer_ends}) {
        const Octets octets = transfer_message(kind, 77);
        const auto message = read_message(octets);
        ASSERT_TRUE(message);
        EXPECT_EQ(message->kind, kind);
        EXPECT_EQ(message->number, 77U);
        EXPECT_FALSE(read_message(std::span{octets}.first(4)));
    }
}

TEST(ReplicaWire, SaysWhatAnOperatorHasDrained) {
    const PeerDrain drain{.service = "web",
                          .real = "web1",
                          .is_drained = true,
                          .deadline_s = 600,
                          .then = SessionPolicy::move};
    const Octets octets = drain_message(drain);
    const auto message = read_message(octets);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->kind, PeerMessageKind::drain);
    EXPECT_EQ(message->drain, drain);
    for (std::size_t length = 0; length < octets.size(); ++length) {
        EXPECT_FALSE(read_message(std::span{octets}.first(length))) << length;
    }
    Octets odd = octets;
    odd.back() = 3;
    EXPECT_FALSE(read_message(odd)) << "no policy";
    odd = octets;
    odd.push_back(0);
    EXPECT_FALSE(read_message(odd));
}

}  // namespace
}  // namespace fulcrum
