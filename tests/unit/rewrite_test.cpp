// The bytes after a rewriting, whole frames against frames built the way they should look.
#include "dataplane/rewrite.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/reset.h"
#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Ipv4Address far_router = Ipv4Address::of(192, 0, 2, 1);

const NextHop to_real{mac_of(real.address), lan_mac, 1, true, 1'500};
const NextHop to_router{router_mac, wan_mac, 0, true, 1'500};

Frame rewritten(Frame frame, Rewrite rewriting, const NextHop& hop) {
    const ParsedPacket packet = parsed(frame);
    Decision decision;
    decision.verdict = Verdict::transmit;
    decision.rewrite = rewriting;
    decision.hop = &hop;
    const bool is_request = rewriting == Rewrite::nat_request || rewriting == Rewrite::icmp_request;
    const Endpoint& replacement = is_request ? real : vip;
    decision.replacement = {replacement.address.v4(), replacement.port};
    rewrite(frame.data(), packet, decision);
    return frame;
}

// As the real receives it.
Frame at_real(Packet packet) { return packet.macs(lan_mac, mac_of(real.address)).ttl(63).bytes(); }
// As it goes out to the client.
Frame at_client(Packet packet) { return packet.macs(wan_mac, router_mac).ttl(63).bytes(); }

// --- NAT -------------------------------------------------------------------------------------

TEST(Rewrite, ANatRequestOfTcpIsAddressedToTheReal) {
    EXPECT_TRUE(
        same_frame(at_real(Packet::tcp(client, real).flags(tcp_flag::syn).payload("GET /")),
                   rewritten(Packet::tcp(client, vip).flags(tcp_flag::syn).payload("GET /").bytes(),
                             Rewrite::nat_request, to_real)));
}

TEST(Rewrite, ANatReplyOfTcpComesFromTheVip) {
    EXPECT_TRUE(same_frame(
        at_client(Packet::tcp(vip, client).sequence(7).acknowledges(8).payload("200 OK")),
        rewritten(Packet::tcp(real, client).sequence(7).acknowledges(8).payload("200 OK").bytes(),
                  Rewrite::nat_reply, to_router)));
}

TEST(Rewrite, NatOfUdpBothWays) {
    EXPECT_TRUE(same_frame(at_real(Packet::udp(client, real).payload("who?")),
                           rewritten(Packet::udp(client, vip).payload("who?").bytes(),
                                     Rewrite::nat_request, to_real)));
    EXPECT_TRUE(same_frame(
        at_client(Packet::udp(vip, client).payload("me")),
        rewritten(Packet::udp(real, client).payload("me").bytes(), Rewrite::nat_reply, to_router)));
}

TEST(Rewrite, UdpWithoutChecksumStaysWithout) {
    EXPECT_TRUE(
        same_frame(at_real(Packet::udp(client, real).payload("x").without_checksum()),
                   rewritten(Packet::udp(client, vip).payload("x").without_checksum().bytes(),
                             Rewrite::nat_request, to_real)));
}

TEST(Rewrite, ReachesPortsBehindOptions) {
    EXPECT_TRUE(same_frame(at_real(Packet::tcp(client, real).options(Frame(40, 1))),
                           rewritten(Packet::tcp(client, vip).options(Frame(40, 1)).bytes(),
                                     Rewrite::nat_request, to_real)));
}

TEST(Rewrite, LeavesPaddingAlone) {
    Frame before = Packet::tcp(client, vip).bytes();
    Frame after = at_real(Packet::tcp(client, real));
    before.resize(60, 0xEE);
    after.resize(60, 0xEE);
    EXPECT_TRUE(same_frame(after, rewritten(before, Rewrite::nat_request, to_real)));
}

TEST(Rewrite, NatAndBackIsTheIdentityButForMacsAndTtl) {
    std::mt19937 random{23};
    for (unsigned i = 0; i < 20'000; ++i) {
        const Endpoint someone{Ipv4Address::from_host(0x0B00'0000 + (random() & 0xFF'FFFF)),
                               be16{static_cast<std::uint16_t>(1 + random() % 65'535)}};
        std::string octets(random() % 32, '\0');
        for (char& octet : octets) {
            octet = static_cast<char>(random());
        }
        const bool is_tcp = i % 2 == 0;
        const auto packet = [&](Endpoint from, Endpoint to) {
            return (is_tcp ? Packet::tcp(from, to) : Packet::udp(from, to)).payload(octets);
        };
        const Frame there = rewritten(packet(someone, vip).bytes(), Rewrite::nat_request, to_real);
        ASSERT_TRUE(has_sound_checksums(there));
        ASSERT_TRUE(same_frame(at_real(packet(someone, real)), there));
        const Frame back = rewritten(packet(real, someone).bytes(), Rewrite::nat_reply, to_router);
        ASSERT_TRUE(has_sound_checksums(back));
        ASSERT_TRUE(same_frame(at_client(packet(vip, someone)), back));
    }
}

TEST(Rewrite, AWrongL4ChecksumStaysWrong) {
    const Frame wrong =
        with_octet(Packet::tcp(client, vip).payload("GET /").bytes(), l4_at + 20, 'P');
    ASSERT_FALSE(has_sound_checksums(wrong));
    EXPECT_FALSE(has_sound_checksums(rewritten(wrong, Rewrite::nat_request, to_real)));
}

// --- direct routing --------------------------------------------------------------------------

TEST(Rewrite, DirectRoutingChangesMacsAndTtlAlone) {
    EXPECT_TRUE(same_frame(
        at_real(Packet::tcp(client, vip).payload("GET /")),
        rewritten(Packet::tcp(client, vip).payload("GET /").bytes(), Rewrite::direct, to_real)));
}

TEST(Rewrite, TheHeaderChecksumIsSoundAtEveryTtl) {
    for (unsigned ttl = 2; ttl < 256; ++ttl) {
        const Frame frame =
            rewritten(Packet::tcp(client, vip).ttl(static_cast<std::uint8_t>(ttl)).bytes(),
                      Rewrite::direct, to_real);
        ASSERT_EQ(frame[ttl_at], ttl - 1);
        ASSERT_TRUE(has_sound_checksums(frame));
    }
}

// --- ICMP errors -----------------------------------------------------------------------------

// A client (or a router before it) says that an answer did not arrive. The client saw the VIP.
Packet answer_seen_by_client() { return Packet::tcp(vip, client).payload("lost answer"); }
Packet answer_sent_by_real() { return Packet::tcp(real, client).payload("lost answer"); }
// A real (or a router before it) says that a request did not arrive. The real saw itself.
Packet request_seen_by_real() { return Packet::tcp(client, real).payload("lost request"); }
Packet request_sent_by_client() { return Packet::tcp(client, vip).payload("lost request"); }

TEST(Rewrite, AnErrorForTheRealQuotesWhatTheRealSent) {
    for (const std::size_t quoted : {20U, 31U}) {
        EXPECT_TRUE(same_frame(at_real(Packet::icmp(far_router, real.address, 3, 4)
                                           .rest(1'400)
                                           .quoting(answer_sent_by_real(), quoted)),
                               rewritten(Packet::icmp(far_router, vip.address, 3, 4)
                                             .rest(1'400)
                                             .quoting(answer_seen_by_client(), quoted)
                                             .bytes(),
                                         Rewrite::icmp_request, to_real)));
    }
}

TEST(Rewrite, AnErrorOfARealComesFromTheVip) {
    EXPECT_TRUE(same_frame(
        at_client(
            Packet::icmp(vip.address, client.address, 3, 3).quoting(request_sent_by_client(), 20)),
        rewritten(Packet::icmp(real.address, client.address, 3, 3)
                      .quoting(request_seen_by_real(), 20)
                      .bytes(),
                  Rewrite::icmp_reply, to_router)));
}

TEST(Rewrite, AnErrorOfARouterStaysTheRouters) {
    const Ipv4Address inner_router = Ipv4Address::of(10, 2, 0, 254);
    EXPECT_TRUE(same_frame(
        at_client(
            Packet::icmp(inner_router, client.address, 11).quoting(request_sent_by_client(), 20)),
        rewritten(Packet::icmp(inner_router, client.address, 11)
                      .quoting(request_seen_by_real(), 20)
                      .bytes(),
                  Rewrite::icmp_reply, to_router)));
}

TEST(Rewrite, AQuotationOfEightOctetsHoldsUdpsChecksum) {
    EXPECT_TRUE(same_frame(at_client(Packet::icmp(vip.address, client.address, 3, 3)
                                         .quoting(Packet::udp(client, vip).payload("query"), 8)),
                           rewritten(Packet::icmp(real.address, client.address, 3, 3)
                                         .quoting(Packet::udp(client, real).payload("query"), 8)
                                         .bytes(),
                                     Rewrite::icmp_reply, to_router)));
}

TEST(Rewrite, AQuotationOfEightOctetsOfTcpEndsBeforeTheChecksum) {
    // What lies behind the packet is padding, and must not be taken for a checksum.
    Frame before =
        Packet::icmp(real.address, client.address, 3, 3).quoting(request_seen_by_real(), 8).bytes();
    Frame after = at_client(
        Packet::icmp(vip.address, client.address, 3, 3).quoting(request_sent_by_client(), 8));
    before.resize(before.size() + 20, 0xEE);
    after.resize(after.size() + 20, 0xEE);
    EXPECT_TRUE(same_frame(after, rewritten(before, Rewrite::icmp_reply, to_router)));
}

TEST(Rewrite, AQuotationThatEndsWithinTcpsChecksumLeavesItAlone) {
    // 17 octets: one of the checksum's two.
    const Frame frame = rewritten(Packet::icmp(real.address, client.address, 3, 3)
                                      .quoting(request_seen_by_real(), 17)
                                      .bytes(),
                                  Rewrite::icmp_reply, to_router);
    EXPECT_TRUE(has_sound_checksums(frame));
}

TEST(Rewrite, AQuotedDatagramWithoutChecksumStaysWithout) {
    EXPECT_TRUE(same_frame(at_client(Packet::icmp(vip.address, client.address, 3, 3)
                                         .quoting(Packet::udp(client, vip).without_checksum(), 8)),
                           rewritten(Packet::icmp(real.address, client.address, 3, 3)
                                         .quoting(Packet::udp(client, real).without_checksum(), 8)
                                         .bytes(),
                                     Rewrite::icmp_reply, to_router)));
}

TEST(Rewrite, QuotedOptionsAreSkipped) {
    EXPECT_TRUE(
        same_frame(at_client(Packet::icmp(vip.address, client.address, 3, 3)
                                 .quoting(Packet::tcp(client, vip).options(Frame(12, 1)), 20)),
                   rewritten(Packet::icmp(real.address, client.address, 3, 3)
                                 .quoting(Packet::tcp(client, real).options(Frame(12, 1)), 20)
                                 .bytes(),
                             Rewrite::icmp_reply, to_router)));
}

// --- resets ----------------------------------------------------------------------------------

Frame reset_for(const Packet& packet) {
    Frame frame = packet.bytes();
    const std::uint16_t length = turn_into_reset(frame.data(), parsed(frame), to_router);
    frame.resize(length);
    return frame;
}

// Of ours: identification zero, "don't fragment".
Frame reset_from_vip(std::uint32_t sequence, std::uint32_t acknowledges, std::uint8_t flags) {
    Frame frame = Packet::tcp(vip, client)
                      .macs(wan_mac, router_mac)
                      .flags(flags)
                      .sequence(sequence)
                      .acknowledges(acknowledges)
                      .dont_fragment()
                      .bytes();
    frame = with_word(with_word(frame, ip_at + 4, 0), l4_at + 14, 0);  // and no window
    // One's complement: what the window of 64,240 no longer adds.
    const std::uint16_t sum =
        naive_sum(with_word(frame, tcp_checksum_at, 0), l4_at, l4_at + 20,
                  std::uint32_t{naive_sum(frame, source_at, source_at + 8)} + 6 + 20);
    return fixed(with_word(frame, tcp_checksum_at, static_cast<std::uint16_t>(~sum)));
}

TEST(Reset, AnswersASynByAcknowledgingIt) {
    // RFC 9293, 3.10.7.1: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>; a SYN counts one.
    EXPECT_TRUE(
        same_frame(reset_from_vip(0, 5'001, tcp_flag::rst | tcp_flag::ack),
                   reset_for(Packet::tcp(client, vip).flags(tcp_flag::syn).sequence(5'000))));
}

TEST(Reset, CountsPayloadAndFin) {
    EXPECT_TRUE(same_frame(
        reset_from_vip(0, 5'006, tcp_flag::rst | tcp_flag::ack),
        reset_for(Packet::tcp(client, vip).flags(tcp_flag::syn).sequence(5'000).payload("hello"))));
    EXPECT_TRUE(same_frame(
        reset_from_vip(0, 5'006, tcp_flag::rst | tcp_flag::ack),
        reset_for(Packet::tcp(client, vip).flags(tcp_flag::fin).sequence(5'000).payload("hello"))));
}

TEST(Reset, WrapsRoundWithTheSequenceNumber) {
    EXPECT_TRUE(
        same_frame(reset_from_vip(0, 0, tcp_flag::rst | tcp_flag::ack),
                   reset_for(Packet::tcp(client, vip).flags(tcp_flag::syn).sequence(0xFFFF'FFFF))));
}

TEST(Reset, AnswersAnAcknowledgmentFromItsOwnNumber) {
    // <SEQ=SEG.ACK><CTL=RST>
    EXPECT_TRUE(same_frame(
        reset_from_vip(777, 0, tcp_flag::rst),
        reset_for(
            Packet::tcp(client, vip).flags(tcp_flag::ack).acknowledges(777).payload("data"))));
}

TEST(Reset, LeavesOptionsBehind) {
    EXPECT_TRUE(same_frame(
        reset_from_vip(0, 5'001, tcp_flag::rst | tcp_flag::ack),
        reset_for(
            Packet::tcp(client, vip).options(Frame(8, 1)).flags(tcp_flag::syn).sequence(5'000))));
}

}  // namespace
}  // namespace fulcrum::test
