// An association's life through a whole worker, and its end when its real is lost.
#include <gtest/gtest.h>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr std::uint8_t init = 1, init_ack = 2, sack = 3, abort = 6, shutdown = 7, shutdown_ack = 8,
                       cookie_echo = 10, cookie_ack = 11, shutdown_complete = 14;
constexpr std::uint32_t client_tag = 0x1111'1111;
constexpr std::uint32_t real_tag = 0x2222'2222;

struct Places {
    Endpoint client;
    Endpoint vip;
    Endpoint real;
};

Ipv6Address v6(const char* text) { return *parse_ipv6_address(text); }

class SctpTest : public testing::TestWithParam<bool> {
  protected:
    SctpTest() {
        if (GetParam()) {
            places_ = {{v6("2001:db8:ff::7"), be16{40'000}},
                       {v6("2001:db8:1::80"), be16{3'868}},
                       {v6("2001:db8:2::11"), be16{13'868}}};
        }
        scene_.service("diameter", places_.vip, L4Protocol::sctp).real("a", places_.real);
        VirtualService& service = scene_.last_service();
        service.timeouts = {.sctp_handshake_s = 11,
                            .sctp_established_s = 12,
                            .sctp_shutdown_s = 13,
                            .sctp_closed_s = 14};
        service.check.type = CheckType::connect;
        service.on_failure = SessionPolicy::reset;
        scene_.snapshot();
        scene_.set_health("diameter", "a", true);
    }

    // A packet, with what its session has become and how long that may idle.
    void client_sends(WorkerRig& rig, std::uint8_t chunk) {
        const std::uint32_t tag = chunk == init ? 0 : real_tag;
        Packet packet = Packet::sctp(places_.client, places_.vip, tag).chunk(chunk, "some");
        Packet expected = Packet::sctp(places_.client, places_.real, tag).chunk(chunk, "some");
        expect_one(rig.answers(packet.bytes(), 1), to_real(expected).ttl(63));
    }
    void real_sends(WorkerRig& rig, std::uint8_t chunk) {
        Packet packet = Packet::sctp(places_.real, places_.client, client_tag).chunk(chunk, "some");
        packet.macs(mac_of(places_.real.address), lan_mac);
        Packet expected =
            Packet::sctp(places_.vip, places_.client, client_tag).chunk(chunk, "some");
        expect_one(rig.answers(packet.bytes(), 0), to_client(expected).ttl(63));
    }
    void establish(WorkerRig& rig) {
        client_sends(rig, init);
        real_sends(rig, init_ack);
        client_sends(rig, cookie_echo);
        real_sends(rig, cookie_ack);
    }
    static Packet& to_client(Packet& packet) { return packet.macs(wan_mac, router_mac); }
    Packet& to_real(Packet& packet) const {
        return packet.macs(lan_mac, mac_of(places_.real.address));
    }
    static void expect_one(const std::vector<Frame>& frames, const Packet& expected) {
        ASSERT_EQ(frames.size(), 1U);
        EXPECT_TRUE(same_frame(expected.bytes(), frames[0]));
    }
    SessionRecord session(WorkerRig& rig) {
        EXPECT_TRUE(rig.inbox().post({.kind = RequestKind::walk, .records_max = 10}));
        SessionRecord found;
        bool is_done = false;
        while (!is_done) {  // the walk goes on when its reports have been read
            rig.turn();
            for (const WorkerReport& report : rig.reports()) {
                found = report.kind == ReportKind::session ? report.session : found;
                is_done = is_done || report.kind == ReportKind::walk_done;
            }
        }
        return found;
    }
    void expect_session(WorkerRig& rig, SessionState state, std::uint32_t timeout_s) {
        const SessionRecord found = session(rig);
        EXPECT_EQ(found.protocol, L4Protocol::sctp);
        EXPECT_EQ(to_string(found.state), to_string(state));
        EXPECT_EQ(found.timeout_s, timeout_s);
    }

    Places places_{{Ipv4Address::of(198, 51, 100, 7), be16{40'000}},
                   {Ipv4Address::of(10, 1, 0, 80), be16{3'868}},
                   {Ipv4Address::of(10, 2, 0, 11), be16{13'868}}};
    Scene scene_;
};

TEST_P(SctpTest, AnAssociationOpensLivesAndShutsDown) {
    WorkerRig rig{scene_};
    client_sends(rig, init);
    expect_session(rig, SessionState::syn_seen, 11);
    real_sends(rig, init_ack);
    expect_session(rig, SessionState::syn_answered, 11);
    client_sends(rig, cookie_echo);
    expect_session(rig, SessionState::established, 12);
    real_sends(rig, cookie_ack);
    client_sends(rig, sack);
    expect_session(rig, SessionState::established, 12);
    client_sends(rig, shutdown);
    expect_session(rig, SessionState::client_closed, 13);
    real_sends(rig, shutdown_ack);
    expect_session(rig, SessionState::closed, 14);
    client_sends(rig, shutdown_complete);
    expect_session(rig, SessionState::closed, 14);
    client_sends(rig, init);
    expect_session(rig, SessionState::syn_seen, 11);
}

TEST_P(SctpTest, AnAbortEndsIt) {
    WorkerRig rig{scene_};
    establish(rig);
    real_sends(rig, abort);
    expect_session(rig, SessionState::reset_by_real, 14);
}

TEST_P(SctpTest, BothSidesOfALostRealsAssociationAreAborted) {
    WorkerRig rig{scene_};
    establish(rig);
    scene_.set_health("diameter", "a", false);
    rig.publish();
    rig.receive(Packet::sctp(places_.client, places_.vip, real_tag).chunk(sack, "some").bytes());
    rig.settle();
    const auto as_we_make_it = [](const Frame& frame) {
        // Not to be fragmented, so without an identification (RFC 6864).
        return GetParam() ? frame : fixed(with_word(frame, ip_at + 4, 0));
    };
    Packet onwards = Packet::sctp(places_.client, places_.real, real_tag);
    Packet back = Packet::sctp(places_.vip, places_.client, real_tag);
    onwards.chunk(abort, "").dont_fragment();
    back.chunk(abort, "", /*flags=*/1).dont_fragment();  // the tag that the client sent, reflected
    const std::vector<Frame> at_real = rig.sent(1);
    const std::vector<Frame> at_client = rig.sent(0);
    ASSERT_EQ(at_real.size(), 1U);
    ASSERT_EQ(at_client.size(), 1U);
    EXPECT_TRUE(same_frame(as_we_make_it(to_real(onwards).bytes()), at_real[0]));
    EXPECT_TRUE(same_frame(as_we_make_it(to_client(back).bytes()), at_client[0]));
    EXPECT_EQ(rig.dropped(DropReason::session_ended), 1U);
}

INSTANTIATE_TEST_SUITE_P(Over, SctpTest, testing::Values(false, true),
                         [](const testing::TestParamInfo<bool>& is_ipv6) {
                             return is_ipv6.param ? "Ipv6" : "Ipv4";
                         });

// Both ports change, and the checksum follows either.
TEST_P(SctpTest, IsServedUnderALocalEnd) {
    const IpAddress local =
        GetParam() ? IpAddress{v6("2001:db8:2::100")} : IpAddress{Ipv4Address::of(10, 2, 0, 100)};
    scene_.last_service().reals[0].forward = ForwardingMode::full_nat;
    scene_.config().ports[1].local_addresses = {local};
    scene_.kernel().addresses.push_back(local);
    WorkerRig rig{scene_};
    const std::vector<Frame> sent =
        rig.answers(Packet::sctp(places_.client, places_.vip, 0).chunk(init, "some").bytes(), 1);
    ASSERT_EQ(sent.size(), 1U);
    const std::size_t port_at = GetParam() ? std::size_t{ip_at + 40} : source_port_at;
    const Endpoint end{
        local, be16{static_cast<std::uint16_t>(sent[0][port_at] << 8 | sent[0][port_at + 1])}};
    Packet expected = Packet::sctp(end, places_.real, 0).chunk(init, "some");
    EXPECT_TRUE(same_frame(to_real(expected).ttl(63).bytes(), sent[0]));
    Packet answer = Packet::sctp(places_.real, end, client_tag).chunk(init_ack, "some");
    Packet back = Packet::sctp(places_.vip, places_.client, client_tag).chunk(init_ack, "some");
    answer.macs(mac_of(places_.real.address), lan_mac);
    expect_one(rig.answers(answer.bytes(), 0), to_client(back).ttl(63));
    EXPECT_EQ(session(rig).local, end);
    if (!GetParam()) {
        // Nobody knows yet how long the whole of it will be, and the port has to change.
        rig.receive(Packet::sctp(places_.client, places_.vip, real_tag)
                        .chunk(sack, "somemore")
                        .fragment(0, true)
                        .bytes());
        rig.settle();
        EXPECT_EQ(rig.dropped(DropReason::sctp_fragment), 1U);
    }
}

}  // namespace
}  // namespace fulcrum::test
