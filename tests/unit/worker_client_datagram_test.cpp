// Datagrams that tell a real in full NAT of their client, over real buffers.
#include "tests/support/telling_rig.h"

namespace fulcrum::test {
namespace {

class WorkerProxiedDatagrams : public WorkerTelling {
  protected:
    WorkerProxiedDatagrams() : WorkerTelling{ClientAddressBy::proxy} {
        scene_.service("dns", vip(), L4Protocol::udp).real("a", real(), ForwardingMode::full_nat);
        scene_.last_service().reals[0].client_address = ClientAddressBy::proxy;
        rig_->publish();
    }
    static Endpoint vip() { return {who().vip.address, be16{53}}; }
    static Endpoint real() { return {who().real.address, be16{5'353}}; }

    static std::string told(std::string_view content) {
        std::string octets(header_length(), '\0');
        write_proxy_header(reinterpret_cast<std::uint8_t*>(octets.data()), L4Protocol::udp,
                           who().client, vip());
        return octets.append(content);
    }
    static Packet question(std::string_view content) {
        return Packet::udp(who().client, vip()).payload(content);
    }
    Packet at_real(std::string_view content) const {
        return Packet::udp(local_, real())
            .macs(lan_mac, mac_of(who().real.address))
            .ttl(63)
            .payload(content);
    }
    void open() { begin(question("who is")); }
    static std::size_t content_max(std::size_t mtu) {
        return mtu - (GetParam() ? 40 : 20) - 8 - header_length();
    }
};

TEST_P(WorkerProxiedDatagrams, CarryTheHeaderThereAndNoneBack) {
    const Frame asked = begin(question("who"));
    EXPECT_TRUE(same_frame(at_real(told("who")).bytes(), asked));
    sends(question("and where"), {at_real(told("and where"))});
    answers(Packet::udp(real(), local_).macs(mac_of(who().real.address), lan_mac).payload("here"),
            Packet::udp(vip(), who().client).macs(wan_mac, router_mac).ttl(63).payload("here"));
}

TEST_P(WorkerProxiedDatagrams, WithoutAChecksumHaveNoneThereEither) {
    if (!GetParam()) {
        open();
        sends(question("who").without_checksum(), {at_real(told("who")).without_checksum()});
    }
}

TEST_P(WorkerProxiedDatagrams, HaveTheirLengthLessTheHeaders) {
    open();
    const std::string longest(content_max(1'500), 'c');
    sends(question(longest).dont_fragment(), {at_real(told(longest)).dont_fragment()});
    rig_->receive(question(longest + 'c').dont_fragment().bytes());
    rig_->settle();
    EXPECT_EQ(rig_->dropped(DropReason::mtu_exceeded), 1U);
    const std::vector<Frame> errors = rig_->sent(0);
    ASSERT_EQ(errors.size(), 1U);
    const std::size_t mtu_at = GetParam() ? ip_at + 40 + 6 : ip_at + 20 + 6;
    EXPECT_EQ(errors[0][mtu_at] << 8 | errors[0][mtu_at + 1], 1'500 - int(header_length()));
}

TEST_P(WorkerProxiedDatagrams, ThatMayBeCutAreCutWithTheHeaderInFront) {
    if (!GetParam()) {
        open();
        const std::string content(content_max(1'500) + 100, 'c');
        rig_->receive(question(content).bytes());
        rig_->settle();
        const std::vector<Frame> pieces = rig_->sent(1);
        ASSERT_EQ(pieces.size(), 2U);
        Frame arrived{pieces[0].begin() + l4_at, pieces[0].end()};
        arrived.insert(arrived.end(), pieces[1].begin() + l4_at, pieces[1].end());
        const Frame whole = at_real(told(content)).bytes();
        EXPECT_EQ(arrived, Frame(whole.begin() + l4_at, whole.end()));
    }
}

TEST_P(WorkerProxiedDatagrams, InPiecesAreDroppedByName) {
    open();
    for (const std::uint8_t eighths : {std::uint8_t{0}, std::uint8_t{2}}) {
        const bool has_more = eighths == 0;
        const auto place = static_cast<std::uint8_t>(eighths << 3 | (has_more ? 1 : 0));
        Packet piece = question("12345678");
        rig_->receive(GetParam() ? piece.extensions(44, {17, 0, 0, place, 0, 0, 0, 9}).bytes()
                                 : piece.fragment(eighths, has_more).bytes());
    }
    rig_->settle();
    EXPECT_EQ(rig_->dropped(DropReason::local_fragment), 2U);
    EXPECT_EQ(rig_->dropped_for_any_reason(), 2U);
    EXPECT_TRUE(rig_->sent(1).empty());
}

TEST_P(WorkerProxiedDatagrams, AnErrorQuotesWhatTheClientSent) {
    open();
    const Packet quoted = at_real(told("nobody reads this")).ttl(64);
    const Packet meant = question("nobody reads this");
    const std::size_t whole = 8 + 17;
    for (const std::size_t octets : {8 + header_length() + 17, 8 + header_length(), 20U, 8U}) {
        const std::size_t left = octets > 8 + header_length() ? whole : 8;
        answers(error(who().real.address, local_.address)
                    .macs(mac_of(who().real.address), lan_mac)
                    .quoting(quoted, octets),
                error(who().vip.address, who().client.address)
                    .macs(wan_mac, router_mac)
                    .ttl(63)
                    .quoting(meant, left));
    }
}

TEST_P(WorkerProxiedDatagrams, AnErrorOfThePathsMtuTellsTheClientWhatIsLeft) {
    open();
    const IpAddress router = GetParam() ? IpAddress{*parse_ipv6_address("2001:db8:77::1")}
                                        : IpAddress{Ipv4Address::of(192, 0, 2, 1)};
    const auto too_long = [&](const IpAddress& to, std::uint32_t mtu) {
        return (GetParam() ? Packet::icmp6(router, to, 2) : Packet::icmp(router, to, 3, 4))
            .rest(mtu);
    };
    answers(too_long(local_.address, 1'400)
                .macs(mac_of(who().real.address), lan_mac)
                .quoting(at_real(told("long")).ttl(64), 8),
            too_long(who().client.address, 1'400 - header_length())
                .macs(wan_mac, router_mac)
                .ttl(63)
                .quoting(question("long"), 8));
}

INSTANTIATE_TEST_SUITE_P(OverBothVersions, WorkerProxiedDatagrams, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "IPv6" : "IPv4"; });

}  // namespace
}  // namespace fulcrum::test
