// How a real in full NAT is told of its client, over real buffers: whole frames against frames that
// were built the way they should look.
#include "tests/support/telling_rig.h"

namespace fulcrum::test {
namespace {

class WorkerProxy : public WorkerTelling {
  protected:
    WorkerProxy() : WorkerTelling{ClientAddressBy::proxy} {}

    // The header is acknowledged.
    void open() {
        begin();
        answers(from_real(first).flags(syn_ack), at_client(first).flags(syn_ack));
        sends(from_client(first), {header()});
        answers(from_real(first + header_length()), at_client(first));
    }
};

TEST_P(WorkerProxy, TheAckOfTheHandshakeCarriesTheHeader) {
    begin();
    answers(from_real(first).flags(syn_ack), at_client(first).flags(syn_ack));
    sends(from_client(first).tcp_options(timestamps), {header(timestamps)});
    // The real has not heard it, and asks again.
    answers(from_real(first).flags(syn_ack), at_client(first).flags(syn_ack));
    sends(from_client(first).tcp_options(timestamps), {header(timestamps)});
}

TEST_P(WorkerProxy, ContentFollowsTheHeaderAndAcknowledgementsAreOfContent) {
    begin();
    sends(from_client(first), {header()});
    sends(from_client(first, "GET"), {at_real(first + header_length(), "GET")});
    answers(from_real(first + header_length()), at_client(first));
    answers(from_real(first + header_length() + 3, "200"), at_client(first + 3, "200"));
    sends(from_client(first + 3, "more"), {at_real(first + 3 + header_length(), "more")});
    EXPECT_EQ(rig_->counters().originated.read(), 0U);
}

TEST_P(WorkerProxy, ContentThatComesFirstOrAgainHasTheHeaderBeforeIt) {
    begin();
    const Packet request = from_client(first, "GET /odd").flags(push_ack).tcp_options(timestamps);
    const Packet behind =
        at_real(first + header_length(), "GET /odd").flags(push_ack).tcp_options(timestamps);
    sends(request, {header(timestamps), behind});
    sends(request, {header(timestamps), behind});
    EXPECT_EQ(rig_->counters().originated.read(), 2U);
    answers(from_real(first + header_length()), at_client(first));
    sends(request, {behind});
}

TEST_P(WorkerProxy, ContentAndFinInOneSegmentAreBothBehindTheHeader) {
    begin();
    const auto flags = static_cast<std::uint8_t>(ack | tcp_flag::fin);
    sends(from_client(first, "all").flags(flags),
          {header(), at_real(first + header_length(), "all").flags(flags)});
    answers(from_real(first + header_length() + 4), at_client(first + 4));
}

TEST_P(WorkerProxy, AFinWithoutContentIsBehindTheHeaderToo) {
    begin();
    const auto flags = static_cast<std::uint8_t>(ack | tcp_flag::fin);
    sends(from_client(first), {header()});
    sends(from_client(first).flags(flags), {at_real(first + header_length()).flags(flags)});
    sends(from_client(first).flags(flags),
          {header(), at_real(first + header_length()).flags(flags)});
}

TEST_P(WorkerProxy, OctetsInASynAreTakenOutAndComeAgainBehindTheHeader) {
    const Packet syn = from_client(first - 1, "early").flags(tcp_flag::syn);
    const Frame sent = begin(syn);
    EXPECT_TRUE(same_frame(at_real(first - 1).flags(tcp_flag::syn).bytes(), sent));
    sends(from_client(first, "early"), {header(), at_real(first + header_length(), "early")});
}

TEST_P(WorkerProxy, AKeepAliveProbeFindsTheRealWhereItIs) {
    begin();
    sends(from_client(first), {header()});
    sends(from_client(first - 1), {header()});
    sends(from_client(first - 1, "x"), {header()});
    answers(from_real(first + header_length()), at_client(first));
    sends(from_client(first - 1), {at_real(first - 1 + header_length())});
}

TEST_P(WorkerProxy, AResetMeetsTheRealWhereItIs) {
    begin();
    const auto flags = static_cast<std::uint8_t>(ack | tcp_flag::rst);
    sends(from_client(first).flags(flags), {at_real(first).flags(flags)});
    sends(from_client(first), {header()});
    sends(from_client(first).flags(flags), {at_real(first + header_length()).flags(flags)});
}

TEST_P(WorkerProxy, SackBlocksOfTheRealAreAboutTheClientsOctets) {
    open();
    const Frame at_the_real{1, 1, 5, 10, 0, 0, 0, 0x60, 0, 0, 0, 0x80};
    Frame as_told = at_the_real;
    as_told[7] = static_cast<std::uint8_t>(0x60 - header_length());
    as_told[11] = static_cast<std::uint8_t>(0x80 - header_length());
    answers(from_real(first + header_length() + 3).tcp_options(at_the_real),
            at_client(first + 3).tcp_options(as_told));
}

TEST_P(WorkerProxy, AWrongChecksumIsPassedOnAndNeverMadeGood) {
    begin();
    const std::size_t ack_at = (GetParam() ? ip_at + 40 : l4_at) + 8;
    rig_->receive(with_word(from_client(first).bytes(), ack_at, 0x1234));
    rig_->settle();
    const std::vector<Frame> sent = rig_->sent(1);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(
        same_frame(with_word(at_real(first + header_length()).bytes(), ack_at, 0x1234), sent[0]));
    sends(from_client(first), {header()});
}

TEST_P(WorkerProxy, ASegmentInPiecesHasTheHeaderBeforeIt) {
    begin();
    const auto first_piece = [](Packet packet) {
        return GetParam() ? packet.extensions(44, {6, 0, 0, 1, 0, 0, 0, 9})
                          : packet.fragment(0, true);
    };
    const std::string content(28, 'c');
    sends(first_piece(from_client(first, content)),
          {header(), first_piece(at_real(first + header_length(), content))});
}

TEST_P(WorkerProxy, AnErrorAboutTheClientsSegmentNamesThePositionThatTheClientKnows) {
    open();
    const Packet quoted = at_real(first + header_length() + 3, "lost").ttl(64);
    const Packet meant = from_client(first + 3, "lost");
    for (const std::size_t octets : {8U, 20U}) {
        answers(error(who().real.address, local_.address)
                    .macs(mac_of(who().real.address), lan_mac)
                    .quoting(quoted, octets),
                error(who().vip.address, who().client.address)
                    .macs(wan_mac, router_mac)
                    .ttl(63)
                    .quoting(meant, octets));
    }
}

TEST_P(WorkerProxy, AnErrorAboutTheRealsSegmentNamesTheAcknowledgementThatTheRealSent) {
    open();
    const Packet quoted = at_client(first + 3, "lost").ttl(64);
    const Packet meant = from_real(first + header_length() + 3, "lost");
    for (const std::size_t octets : {8U, 20U}) {
        sends(error(who().client.address, who().vip.address).quoting(quoted, octets),
              {error(local_.address, who().real.address)
                   .macs(lan_mac, mac_of(who().real.address))
                   .ttl(63)
                   .quoting(meant, octets)});
    }
}

TEST_P(WorkerProxy, ResetsOfOursMeetBothWhereTheyAre) {
    open();
    scene_.config().services[0].on_failure = SessionPolicy::reset;
    scene_.config().services[0].check.type = CheckType::connect;
    rig_->publish();
    scene_.set_health("web", "a", false);
    rig_->publish();
    const auto unnumbered = [](const Packet& packet) {
        const Frame frame = packet.bytes();
        return GetParam() ? frame : fixed(with_word(frame, ip_at + 4, 0));
    };
    const auto rst_ack = static_cast<std::uint8_t>(tcp_flag::rst | ack);
    rig_->receive(from_client(first + 3).bytes());
    rig_->settle();
    const std::vector<Frame> to_real = rig_->sent(1);
    ASSERT_EQ(to_real.size(), 1U);
    EXPECT_TRUE(same_frame(
        unnumbered(
            at_real(first + 3 + header_length()).flags(rst_ack).ttl(64).window(0).dont_fragment()),
        to_real[0]));
    rig_->sent(0);
    rig_->receive_on(1, from_real(first + header_length() + 3).bytes());
    rig_->settle();
    const std::vector<Frame> to_client = rig_->sent(0);
    ASSERT_EQ(to_client.size(), 1U);
    EXPECT_TRUE(same_frame(
        unnumbered(at_client(first + 3).flags(rst_ack).ttl(64).window(0).dont_fragment()),
        to_client[0]));
}

TEST_P(WorkerProxy, ASessionKeepsItsWayWhateverTheConfigurationBecomes) {
    open();
    scene_.config().services[0].reals[0].client_address = ClientAddressBy::none;
    rig_->publish();
    sends(from_client(first, "GET"), {at_real(first + header_length(), "GET")});
}

TEST_P(WorkerProxy, ANewConnectionOfThePortBeginsAnew) {
    open();
    const auto fin = static_cast<std::uint8_t>(ack | tcp_flag::fin);
    sends(from_client(first).flags(fin), {at_real(first + header_length()).flags(fin)});
    answers(from_real(first + header_length() + 1).flags(fin), at_client(first + 1).flags(fin));
    begin();
    sends(from_client(first), {header()});
}

TEST_P(WorkerProxy, AFlowThatWasPickedUpIsNotShifted) {
    rig_->receive(from_client(first, "GET").bytes());
    rig_->settle();
    const std::vector<Frame> sent = rig_->sent(1);
    ASSERT_EQ(sent.size(), 1U);
    const std::size_t at = GetParam() ? std::size_t{ip_at + 40} : source_port_at;
    local_ = {who().local, be16{static_cast<std::uint16_t>(sent[0][at] << 8 | sent[0][at + 1])}};
    EXPECT_TRUE(same_frame(at_real(first, "GET").bytes(), sent[0]));
}

INSTANTIATE_TEST_SUITE_P(OverBothVersions, WorkerProxy, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "IPv6" : "IPv4"; });

class WorkersProxy : public WorkerTelling {
  protected:
    WorkersProxy() : WorkerTelling{ClientAddressBy::proxy, 3} {}
};

// Whatever queue a packet comes in by, the session's owner alone knows where its octets lie.
TEST_P(WorkersProxy, PositionsAreShiftedByTheSessionsOwner) {
    begin();
    std::uint32_t at = 0;
    for (unsigned worker = 0; worker < 3; ++worker, at += 3) {
        rig_->receive_on(0, from_client(first + at, "GET").bytes(), worker);
        rig_->settle();
        const std::vector<Frame> asked = rig_->sent(1);
        ASSERT_FALSE(asked.empty());
        EXPECT_TRUE(same_frame(at_real(first + header_length() + at, "GET").bytes(), asked.back()));
        rig_->receive_on(1, from_real(first + header_length() + at + 3).bytes(), 2 - worker);
        rig_->settle();
        const std::vector<Frame> answered = rig_->sent(0);
        ASSERT_EQ(answered.size(), 1U);
        EXPECT_TRUE(same_frame(at_client(first + at + 3).bytes(), answered[0]));
    }
}

INSTANTIATE_TEST_SUITE_P(OverBothVersions, WorkersProxy, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "IPv6" : "IPv4"; });

class WorkerToa : public WorkerTelling {
  protected:
    WorkerToa() : WorkerTelling{ClientAddressBy::toa} {}

    static Frame option() {
        Frame octets(GetParam() ? 20 : 8);
        write_toa_option(octets.data(), who().client);
        return octets;
    }
    static Frame with_option(const Frame& others) {
        Frame octets = option();
        octets.insert(octets.end(), others.begin(), others.end());
        return octets;
    }
};

TEST_P(WorkerToa, TheClientIsNamedFromTheSynOnUntilTheRealHasLeftTheHandshake) {
    const Frame syn = begin(from_client(first - 1).flags(tcp_flag::syn).tcp_options(timestamps));
    EXPECT_TRUE(same_frame(
        at_real(first - 1).flags(tcp_flag::syn).tcp_options(with_option(timestamps)).bytes(), syn));
    answers(from_real(first).flags(syn_ack), at_client(first).flags(syn_ack));
    sends(from_client(first), {at_real(first).tcp_options(option())});
    sends(from_client(first, "GET /odd").tcp_options(timestamps),
          {at_real(first, "GET /odd").tcp_options(with_option(timestamps))});
    answers(from_real(first + 8), at_client(first + 8));
    sends(from_client(first + 8, "more"), {at_real(first + 8, "more")});
    EXPECT_EQ(rig_->counters().client_addresses_left_out.read(), 0U);
}

TEST_P(WorkerToa, WithoutRoomInItsHeaderOrOnItsWayASegmentGoesWithoutAndIsCounted) {
    begin();
    const Frame long_options(40, 1);
    sends(from_client(first).tcp_options(long_options), {at_real(first).tcp_options(long_options)});
    EXPECT_EQ(rig_->counters().client_addresses_left_out.read(), 1U);
    const std::size_t headers = (GetParam() ? 40U : 20U) + 20U;
    const std::string fits(1'500 - headers - option().size(), 'c');
    sends(from_client(first, fits), {at_real(first, fits).tcp_options(option())});
    sends(from_client(first, fits + 'c'), {at_real(first, fits + 'c')});
    EXPECT_EQ(rig_->counters().client_addresses_left_out.read(), 2U);
}

TEST_P(WorkerToa, SegmentsAreAskedToLeaveRoomForTheOption) {
    begin();
    const auto mss = [](std::size_t octets) {
        return Frame{2, 4, static_cast<std::uint8_t>(octets >> 8),
                     static_cast<std::uint8_t>(octets)};
    };
    const std::size_t whole = 1'500 - (GetParam() ? 60U : 40U);
    answers(from_real(first).flags(syn_ack).tcp_options(mss(whole)),
            at_client(first).flags(syn_ack).tcp_options(mss(whole - option().size())));
}

TEST_P(WorkerToa, AResetNamesNobody) {
    begin();
    const auto flags = static_cast<std::uint8_t>(ack | tcp_flag::rst);
    sends(from_client(first).flags(flags), {at_real(first).flags(flags)});
    EXPECT_EQ(rig_->counters().client_addresses_left_out.read(), 0U);
}

INSTANTIATE_TEST_SUITE_P(OverBothVersions, WorkerToa, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "IPv6" : "IPv4"; });

}  // namespace
}  // namespace fulcrum::test
