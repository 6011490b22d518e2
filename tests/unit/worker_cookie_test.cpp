// SYN cookies through a whole worker: what each side of a spliced session gets, octet by octet.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/support/cookie_rig.h"

namespace fulcrum::test {
namespace {

class WorkerCookie : public testing::TestWithParam<CookieCase>, protected CookieRig {
  protected:
    WorkerCookie() : CookieRig{GetParam()} {}

    void expect(const Packet& expected, const std::vector<Frame>& sent) {
        ASSERT_EQ(sent.size(), 1U);
        EXPECT_TRUE(same_segment(expected, sent[0]));
    }
};

INSTANTIATE_TEST_SUITE_P(Ways, WorkerCookie,
                         testing::Values(CookieCase{}, CookieCase{.is_ipv6 = true},
                                         CookieCase{.forward = ForwardingMode::full_nat},
                                         CookieCase{.is_ipv6 = true,
                                                    .forward = ForwardingMode::full_nat}),
                         name_of_case);

TEST_P(WorkerCookie, AnswersASynItselfAndRemembersNothing) {
    const Frame answer = ask(syn());
    ASSERT_FALSE(answer.empty());
    EXPECT_TRUE(same_segment(
        ours(at_client(cookie, client_first))
            .flags(syn_ack)
            .window(0)
            .tcp_options(handshake_options(unlearnt_mss(), our_time, client_time, promised_scale)),
        answer));
    EXPECT_TRUE(rig->sent(1).empty());
    EXPECT_EQ(rig->table().live_count() + rig->table6().live_count(), 0U);
    EXPECT_EQ(rig->counters().cookies_sent.read(), 1U);
    EXPECT_EQ(rig->counters().transmitted.read(), 1U);
}

TEST_P(WorkerCookie, OffersWhatFitsInANumberToWhoHasNoTimestamps) {
    const Frame answer = ask(from_client(client_isn, 0)
                                 .flags(tcp_flag::syn)
                                 .tcp_options(mss_alone(1'460) + Frame{4, 2, 3, 3, 9, 1, 1, 1}));
    EXPECT_TRUE(same_segment(ours(at_client(cookie, client_first))
                                 .flags(syn_ack)
                                 .window(0)
                                 .tcp_options(mss_alone(unlearnt_mss())),
                             answer));
    const Frame at = prove(from_client(client_first, cookie + 1).window(500));
    EXPECT_TRUE(same_segment(
        ours(at_real(client_isn, 0)).flags(tcp_flag::syn).window(500).tcp_options(mss_alone(1'460)),
        at));
}

TEST_P(WorkerCookie, OpensTheConnectionAtTheRealOnceTheCookieReturns) {
    ask(syn());
    const Frame at = prove(returning_ack());
    EXPECT_TRUE(
        same_segment(ours(at_real(client_isn, 0))
                         .flags(tcp_flag::syn)
                         .window(65'535)  // 500 << 9 is more than a SYN can say
                         .tcp_options(handshake_options(1'460, client_time + 1, 0, client_scale)),
                     at));
    EXPECT_EQ(rig->counters().cookies_accepted.read(), 1U);
    EXPECT_EQ(rig->counters().sessions_unconfirmed.read(), 1U);
    EXPECT_TRUE(rig->sent(0).empty());
}

TEST_P(WorkerCookie, GivesEachSideWhatItWaitsForWhenTheRealAnswers) {
    ask(syn());
    prove(returning_ack());
    expect(ours(at_client(cookie + 1, client_first))
               .window(65'000 >> promised_scale)
               .tcp_options(timestamps_of(our_time, client_time + 1)),
           answers(real_syn_ack()));
    expect(ours(at_real(client_first, real_isn + 1))
               .window(500)
               .tcp_options(timestamps_of(client_time + 1, real_time)),
           rig->sent(1));
    EXPECT_EQ(rig->counters().sessions_unconfirmed.read(), 0U);
    EXPECT_EQ(rig->counters().sessions_live.read(), 1U);
}

TEST_P(WorkerCookie, CountsForEachSideAsThatDoes) {
    open();
    expect(at_real(client_first, real_isn + 1, "hello")
               .window(400)
               .tcp_options(timestamps_of(client_time + 2, real_time + 5) +
                            sack_of(real_isn + 100, real_isn + 200)),
           sends(from_client(client_first, cookie + 1, "hello")
                     .window(400)
                     .tcp_options(timestamps_of(client_time + 2, real_time + 5 + time_shift) +
                                  sack_of(cookie + 100, cookie + 200))));
    expect(at_client(cookie + 1, client_first + 5, "world")
               .window(6'400 >> (promised_scale - real_scale))
               .tcp_options(timestamps_of(real_time + 9 + time_shift, client_time + 2) +
                            sack_of(client_first + 9, client_first + 12)),
           answers(from_real(real_isn + 1, client_first + 5, "world")
                       .window(6'400)
                       .tcp_options(timestamps_of(real_time + 9, client_time + 2) +
                                    sack_of(client_first + 9, client_first + 12))));
}

TEST_P(WorkerCookie, OpensAtTheRealOnceMoreWhateverTheClientSendsBeforeItAnswers) {
    ask(syn());
    const Frame at = prove(returning_ack());
    EXPECT_TRUE(same_frame(at, sends(returning_ack()).at(0)));
    EXPECT_TRUE(same_frame(at, sends(syn()).at(0)));  // late, and so a repetition
    // A probe of the window stands an octet before it.
    EXPECT_TRUE(same_frame(at, sends(from_client(client_isn, cookie + 1)
                                         .window(500)
                                         .tcp_options(timestamps_of(client_time + 1, our_time)))
                                   .at(0)));
    EXPECT_TRUE(same_frame(at, sends(from_client(client_first, cookie + 1, "too early")
                                         .window(500)
                                         .tcp_options(timestamps_of(client_time + 1, our_time)))
                                   .at(0)));
    EXPECT_EQ(rig->counters().sessions_opened.read(), 1U);
}

TEST_P(WorkerCookie, TakesAProbeOfTheClosedWindowForAProof) {
    ask(syn());
    const Frame at = prove(from_client(client_isn, cookie + 1)
                               .window(500)
                               .tcp_options(timestamps_of(client_time + 1, our_time)));
    ASSERT_FALSE(at.empty());
    EXPECT_EQ(number_at(at, tcp_at() + 4), client_isn);
}

TEST_P(WorkerCookie, AcknowledgesTheRealsAnswerAsOftenAsItComes) {
    ask(syn());
    prove(returning_ack());
    const std::vector<Frame> window = answers(real_syn_ack());
    const std::vector<Frame> acknowledgement = rig->sent(1);
    ASSERT_EQ(acknowledgement.size(), 1U);
    EXPECT_TRUE(same_frame(window.at(0), answers(real_syn_ack()).at(0)));
    EXPECT_TRUE(same_frame(acknowledgement[0], rig->sent(1).at(0)));
}

TEST_P(WorkerCookie, BeginsAnewWithASynOfAnotherAttempt) {
    ask(syn());
    prove(returning_ack());
    const std::uint32_t before = cookie;
    const Frame answer = ask(from_client(123, 0).flags(tcp_flag::syn));
    ASSERT_FALSE(answer.empty());
    EXPECT_NE(cookie, before);
    EXPECT_EQ(rig->counters().sessions_live.read(), 0U);
    const Frame at = prove(from_client(124, cookie + 1));
    ASSERT_FALSE(at.empty());
    EXPECT_EQ(number_at(at, tcp_at() + 4), 123U);
}

TEST_P(WorkerCookie, PassesResetsOnWhereTheyAreExpected) {
    ask(syn());
    prove(returning_ack());
    // The real refuses the SYN: the client is told behind the cookie.
    expect(at_client(cookie + 1, client_first).flags(tcp_flag::rst | tcp_flag::ack).window(0),
           answers(from_real(0, client_first).flags(tcp_flag::rst | tcp_flag::ack).window(0)));
    open();
    expect(at_real(client_first, 0).flags(tcp_flag::rst).window(0),
           sends(from_client(client_first, 0).flags(tcp_flag::rst).window(0)));
    expect(
        at_client(cookie + 1, client_first).flags(tcp_flag::rst | tcp_flag::ack).window(0),
        answers(
            from_real(real_isn + 1, client_first).flags(tcp_flag::rst | tcp_flag::ack).window(0)));
}

TEST_P(WorkerCookie, ResetsAnOlderConnectionThatTheRealStillHas) {
    ask(syn());
    prove(returning_ack());
    EXPECT_TRUE(answers(from_real(777, 888)).empty());
    expect(ours(at_real(888, 0)).flags(tcp_flag::rst).window(0), rig->sent(1));
    EXPECT_TRUE(answers(from_real(777, 888).flags(syn_ack)).empty());
    expect(ours(at_real(888, 0)).flags(tcp_flag::rst).window(0), rig->sent(1));
}

TEST_P(WorkerCookie, BreaksAPromiseOnceAndMakesItNoMore) {
    ask(syn());
    prove(returning_ack());
    // A real without timestamps, which the client has been promised.
    expect(ours(at_client(cookie + 1, client_first)).flags(tcp_flag::rst | tcp_flag::ack).window(0),
           answers(from_real(real_isn, client_first).flags(syn_ack).tcp_options(mss_alone(1'400))));
    expect(ours(at_real(client_first, 0)).flags(tcp_flag::rst).window(0), rig->sent(1));
    EXPECT_EQ(rig->dropped(DropReason::cookie_refused), 1U);
    const Frame answer =
        ask(from_client(123, 0)
                .flags(tcp_flag::syn)
                .tcp_options(handshake_options(1'460, client_time, 0, client_scale)));
    EXPECT_TRUE(same_segment(
        ours(at_client(cookie, 124)).flags(syn_ack).window(0).tcp_options(mss_alone(1'400)),
        answer));
}

TEST_P(WorkerCookie, PromisesWhatItsRealsHaveBeenSeenToGrant) {
    open();
    const Frame answer =
        ask(Packet::tcp({who().client.address, be16{40'001}}, who().vip)
                .flags(tcp_flag::syn)
                .sequence(9)
                .tcp_options(handshake_options(1'460, client_time, 0, client_scale)));
    ASSERT_EQ(answer.size(), tcp_at() + 40);
    EXPECT_EQ(number_at(answer, tcp_at() + 20), 0x0204'0000U | 1'400);
    EXPECT_EQ(number_at(answer, tcp_at() + 36), 0x0103'0300U | real_scale);
}

TEST_P(WorkerCookie, TheRealIsAskedWhenTheClientHasProvedItself) {
    const OpeningTally& real = rig->opening(rig->snapshot().reals[0].tally);
    ask(syn());
    EXPECT_EQ(real.asked.read(), 0U) << "we have answered";
    prove(returning_ack());
    EXPECT_EQ(real.asked.read(), 1U);
    EXPECT_EQ(real.answered.read(), 0U);
    answers(real_syn_ack());
    EXPECT_EQ(real.answered.read(), 1U);
    EXPECT_EQ(real.asked.read(), 1U);
}

TEST_P(WorkerCookie, ScalesWindowsForARealThatScalesNone) {
    ask(syn());
    prove(returning_ack());
    answers(from_real(real_isn, client_first)
                .flags(syn_ack)
                .window(65'000)
                .tcp_options(timestamps_of(real_time, client_time + 1)));
    expect(ours(at_real(client_first, real_isn + 1))
               .window(65'535)  // 500 << 9
               .tcp_options(timestamps_of(client_time + 1, real_time)),
           rig->sent(1));
    expect(at_real(client_first, real_isn + 1).window(7 << client_scale),
           sends(from_client(client_first, cookie + 1).window(7)));
    expect(at_client(cookie + 1, client_first).window(1'280 >> promised_scale),
           answers(from_real(real_isn + 1, client_first).window(1'280)));
}

TEST_P(WorkerCookie, TurnsBackWhatErrorsQuote) {
    open();
    const auto error = [&](const IpAddress& source, const IpAddress& destination) {
        return GetParam().is_ipv6 ? Packet::icmp6(source, destination, 1, 4)
                                  : Packet::icmp(source, destination, 3, 3);
    };
    const IpAddress hop = GetParam().is_ipv6 ? IpAddress{*parse_ip_address("2001:db8:5::1")}
                                             : IpAddress{Ipv4Address::of(192, 0, 2, 1)};
    // About what the real has sent: its position as it counts.
    const Packet got = at_client(cookie + 1, client_first, "world");
    const Packet had_sent = from_real(real_isn + 1, client_first, "world").ttl(63);
    const std::vector<Frame> at =
        sends(error(hop, who().vip.address).quoting(got, GetParam().is_ipv6 ? 25 : 8));
    ASSERT_EQ(at.size(), 1U);
    const std::size_t quoted = at[0].size() - (GetParam().is_ipv6 ? 25 : 8);
    EXPECT_EQ(number_at(at[0], quoted + 4), real_isn + 1);
    EXPECT_TRUE(GetParam().is_ipv6 || has_sound_checksums(at[0]));
    // About what the client has sent: what it acknowledges.
    const std::vector<Frame> back = answers(
        error(who().real.address,
              GetParam().forward == ForwardingMode::nat ? who().client.address : who().local)
            .macs(mac_of(who().real.address), lan_mac)
            .quoting(at_real(client_first, real_isn + 1, "hello"), 25));
    ASSERT_EQ(back.size(), 1U);
    EXPECT_EQ(number_at(back[0], back[0].size() - 25 + 8), cookie + 1);
    EXPECT_EQ(number_at(back[0], back[0].size() - 25 + 4), client_first);
    EXPECT_TRUE(GetParam().is_ipv6 || has_sound_checksums(back[0]));
}

TEST_P(WorkerCookie, RefusesWhatIsNoCookieOfItsOwn) {
    ask(syn());
    EXPECT_TRUE(sends(from_client(client_first, cookie + 2)).empty());
    EXPECT_TRUE(sends(from_client(client_first + 5, cookie + 1)).empty());
    EXPECT_TRUE(sends(from_client(client_first, cookie + 1)).empty());  // without its timestamp
    EXPECT_EQ(rig->dropped(DropReason::cookie_refused), 3U);
    EXPECT_EQ(rig->counters().sessions_live.read(), 0U);
    // Nor one that was damaged on its way.
    Frame damaged = returning_ack().bytes();
    damaged[tcp_at() + 15] ^= 1;
    rig->receive_on(0, damaged);
    rig->settle();
    EXPECT_EQ(rig->dropped(DropReason::cookie_refused), 4U);
    EXPECT_TRUE(rig->sent(1).empty());
}

TEST_P(WorkerCookie, ResetsBothSidesOfASplicedSessionWhoseRealHasFailed) {
    open();
    scene.set_health("web", "a", false);
    rig->publish();
    expect(ours(at_real(client_first, real_isn + 1)).flags(tcp_flag::rst | tcp_flag::ack).window(0),
           sends(from_client(client_first, cookie + 1)));
    expect(ours(at_client(cookie + 1, 0)).flags(tcp_flag::rst).window(0), rig->sent(0));
}

TEST_P(WorkerCookie, ForgetsASpliceWithItsSession) {
    open();
    EXPECT_EQ(rig->counters().sessions_spliced.read(), 1U);
    scene.config().director.sessions6 = sessions6_of(scene.config());
    scene.config().services.clear();
    rig->publish();
    const auto is_forgotten = [&] {
        rig->turn();
        return rig->counters().sessions_spliced.read() == 0;
    };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!is_forgotten() && std::chrono::steady_clock::now() < deadline) {
    }
    EXPECT_TRUE(is_forgotten());
}

TEST_P(WorkerCookie, AsksARealAgainThatDoesNotAnswer) {
    ask(syn());
    const Frame at = prove(returning_ack());
    std::vector<Frame> again;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (again.empty() && std::chrono::steady_clock::now() < deadline) {
        rig->turn();
        again = rig->sent(1);
    }
    ASSERT_EQ(again.size(), 1U);
    EXPECT_TRUE(same_frame(at, again[0]));
    EXPECT_TRUE(rig->worker().obeys_counter_law());
}

TEST_P(WorkerCookie, AnswersNobodyWhomTheServiceDoesNotLetIn) {
    scene.last_service().access.rules = std::make_shared<const AccessRules>(
        AccessRules{.allow = {}, .deny = {IpPrefix::only(who().client.address)}});
    rig->publish();
    EXPECT_TRUE(sends(syn(), 0).empty());
    EXPECT_EQ(rig->dropped(DropReason::denied), 1U);
}

TEST_P(WorkerCookie, AnswersNobodyWhileThereIsNobodyToServe) {
    scene.set_health("web", "a", false);
    rig->publish();
    const std::vector<Frame> sent = sends(syn(), 0);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0][tcp_at() + 13], tcp_flag::rst | tcp_flag::ack);
    EXPECT_EQ(rig->dropped(DropReason::no_real), 1U);
}

// The real is told of its client as soon as it has answered, though the client may have nothing to
// say: with the acknowledgement of its SYN-ACK.
TEST(WorkerCookieTold, HearsTheProxyHeaderWithItsHandshake) {
    for (const bool is_ipv6 : {false, true}) {
        CookieRig rig{{is_ipv6, ForwardingMode::full_nat, ClientAddressBy::proxy}};
        rig.ask(rig.syn());
        rig.prove(rig.returning_ack());
        ASSERT_EQ(rig.answers(rig.real_syn_ack()).size(), 1U);
        const std::vector<Frame> told = rig.rig->sent(1);
        ASSERT_EQ(told.size(), 1U);
        const std::uint32_t header_length = is_ipv6 ? 52 : 28;
        const std::uint32_t tcp_length = 20 + 12;  // timestamps
        EXPECT_EQ(number_at(told[0], rig.tcp_at() + 4), CookieRig::client_first);
        EXPECT_EQ(number_at(told[0], rig.tcp_at() + 8), CookieRig::real_isn + 1);
        EXPECT_EQ(told[0].size(), rig.tcp_at() + tcp_length + header_length);
        EXPECT_EQ(number_at(told[0], rig.tcp_at() + tcp_length), 0x0D0A'0D0AU);
        EXPECT_TRUE(is_ipv6 || has_sound_checksums(told[0]));
        // It is repeated with the first of the client's octets, unless the real has it by then.
        ASSERT_EQ(rig.answers(rig.from_real(CookieRig::real_isn + 1,
                                            CookieRig::client_first + header_length, "welcome"))
                      .size(),
                  1U);
        const std::vector<Frame> sent = rig.sends(
            rig.from_client(CookieRig::client_first, rig.cookie + 1, "hello").window(400));
        ASSERT_EQ(sent.size(), 1U);
        EXPECT_TRUE(same_segment(
            rig.at_real(CookieRig::client_first + header_length, CookieRig::real_isn + 1, "hello")
                .window(400),
            sent[0]));
        const std::vector<Frame> back = rig.answers(
            rig.from_real(CookieRig::real_isn + 8, CookieRig::client_first + header_length + 5));
        ASSERT_EQ(back.size(), 1U);
        EXPECT_EQ(number_at(back[0], rig.tcp_at() + 4), rig.cookie + 8);
        EXPECT_EQ(number_at(back[0], rig.tcp_at() + 8), CookieRig::client_first + 5);
    }
}

TEST(WorkerCookieTold, HearsOfItsClientByAnOptionInEverySegmentOfItsHandshake) {
    for (const bool is_ipv6 : {false, true}) {
        CookieRig rig{{is_ipv6, ForwardingMode::full_nat, ClientAddressBy::toa}};
        rig.ask(rig.syn());
        const Frame syn = rig.prove(rig.returning_ack());
        ASSERT_FALSE(syn.empty());
        rig.answers(rig.real_syn_ack());
        const std::vector<Frame> acknowledgement = rig.rig->sent(1);
        ASSERT_EQ(acknowledgement.size(), 1U);
        const std::size_t option = rig.tcp_at() + 20;
        const Frame named = Frame{254, static_cast<std::uint8_t>(is_ipv6 ? 20 : 8)};
        for (const Frame& frame : {syn, acknowledgement[0]}) {
            EXPECT_EQ(Frame(frame.begin() + static_cast<std::ptrdiff_t>(option),
                            frame.begin() + static_cast<std::ptrdiff_t>(option) + 2),
                      named);
            EXPECT_TRUE(is_ipv6 || has_sound_checksums(frame));
        }
    }
}

class WorkerCookieAuto : public testing::Test, protected CookieRig {
  protected:
    WorkerCookieAuto() : CookieRig{{}, SynCookies::automatic, 16} {}

    // A quarter of 64 places and one more.
    void flood() {
        for (std::uint16_t port = 1; port <= 17; ++port) {
            sends(Packet::tcp({Ipv4Address::of(198, 18, 0, 1), be16{port}}, who().vip)
                      .flags(tcp_flag::syn));
        }
        ASSERT_TRUE(rig->table().is_flooded());
        ASSERT_EQ(rig->counters().cookies_sent.read(), 0U);
    }
};

TEST_F(WorkerCookieAuto, AnswersItselfWhileTooManySessionsAreUnconfirmed) {
    flood();
    const std::uint64_t opened = rig->counters().sessions_opened.read();
    for (std::uint16_t port = 1; port <= 1'000; ++port) {
        const std::vector<Frame> sent =
            sends(Packet::tcp({Ipv4Address::of(198, 18, 0, 2), be16{port}}, who().vip)
                      .flags(tcp_flag::syn),
                  0);
        ASSERT_EQ(sent.size(), 1U);
    }
    EXPECT_EQ(rig->counters().cookies_sent.read(), 1'000U);
    EXPECT_EQ(rig->counters().sessions_opened.read(), opened);
    EXPECT_EQ(rig->counters().sessions_evicted.read(), 0U);
}

TEST_F(WorkerCookieAuto, LetsConnectionsThatItDoesNotKnowPassWithoutASession) {
    flood();
    const std::uint64_t opened = rig->counters().sessions_opened.read();
    ask(syn());
    EXPECT_EQ(sends(from_client(1'000, 2'000, "in mid-course")).size(), 1U);
    EXPECT_EQ(rig->counters().sessions_opened.read(), opened);
    EXPECT_EQ(rig->counters().sessions_untracked.read(), 1U);
    EXPECT_FALSE(prove(returning_ack()).empty());
    EXPECT_EQ(rig->counters().sessions_opened.read(), opened + 1);
}

}  // namespace
}  // namespace fulcrum::test
