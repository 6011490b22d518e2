// The descent from octets to a packet: what is read from sound frames, and by which name each
// unsound neighbour of a sound frame is refused.
#include "dataplane/parse.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint client{Ipv4Address::of(203, 0, 113, 9), be16{40'000}};
constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Ipv4Address stranger = Ipv4Address::of(198, 51, 100, 7);

Frame tcp_frame() { return Packet::tcp(client, vip).flags(tcp_flag::syn).payload("abc").bytes(); }
Frame udp_frame() { return Packet::udp(client, vip).payload("abc").bytes(); }

void expect_refused(const Frame& frame, DropReason reason) {
    const ParsedPacket packet = parsed(frame);
    EXPECT_EQ(packet.kind, PacketKind::refused);
    EXPECT_EQ(text_of(packet.reason).name, text_of(reason).name);
}

// The first `segment` octets lie in the first segment of a buffer, the rest in a second one.
ParsedPacket parsed_in_segments(const Frame& frame, std::size_t segment) {
    ParsedPacket packet;
    const Frame first = cut(frame, segment);
    parse(first, static_cast<std::uint32_t>(frame.size()), wan_mac, packet);
    return packet;
}

// --- sound frames ----------------------------------------------------------------------------

TEST(Parse, ReadsATcpPacket) {
    const ParsedPacket packet = parsed(tcp_frame());
    EXPECT_EQ(packet.kind, PacketKind::flow);
    EXPECT_EQ(packet.protocol, L4Protocol::tcp);
    EXPECT_EQ((Endpoint{packet.source, packet.source_port}), client);
    EXPECT_EQ((Endpoint{packet.destination, packet.destination_port}), vip);
    EXPECT_EQ(packet.l4_offset, 34);
    EXPECT_EQ(packet.tcp_flags, tcp_flag::syn);
    EXPECT_EQ(packet.ip_length, 43);
    EXPECT_EQ(packet.time_to_live, 64);
    EXPECT_EQ(packet.ip_protocol, 6);
    EXPECT_EQ(packet.ip_version, 4);
    EXPECT_FALSE(packet.is_fragment);
    EXPECT_FALSE(packet.is_broadcast);
}

TEST(Parse, ReadsAUdpPacket) {
    const ParsedPacket packet = parsed(udp_frame());
    EXPECT_EQ(packet.kind, PacketKind::flow);
    EXPECT_EQ(packet.protocol, L4Protocol::udp);
    EXPECT_EQ((Endpoint{packet.source, packet.source_port}), client);
    EXPECT_EQ((Endpoint{packet.destination, packet.destination_port}), vip);
    EXPECT_EQ(packet.ip_length, 31);
}

TEST(Parse, SkipsIpv4OptionsOfAnyLength) {
    for (std::size_t length = 4; length <= 40; length += 4) {
        const ParsedPacket packet =
            parsed(Packet::tcp(client, vip).options(Frame(length, 1)).bytes());
        EXPECT_EQ(packet.kind, PacketKind::flow);
        EXPECT_EQ(packet.l4_offset, 34 + length);
        EXPECT_EQ(packet.destination_port, vip.port);
    }
}

TEST(Parse, TakesWhatLiesBehindThePacketForPadding) {
    Frame frame = tcp_frame();
    frame.resize(60, 0xEE);
    EXPECT_EQ(parsed(frame).kind, PacketKind::flow);
    EXPECT_EQ(parsed(frame).ip_length, 43);
}

TEST(Parse, AcceptsAnEmptyDatagram) {
    EXPECT_EQ(parsed(Packet::udp(client, vip).bytes()).kind, PacketKind::flow);
}

TEST(Parse, LeavesArpToTheKernel) {
    EXPECT_EQ(parsed(with_word(tcp_frame(), ethertype_at, 0x0806)).kind, PacketKind::not_ip);
}

TEST(Parse, SeesAGroupAddress) {
    EXPECT_TRUE(parsed(with_octet(tcp_frame(), 0, 0x01)).is_broadcast);
    EXPECT_TRUE(parsed(with_octet(tcp_frame(), 0, 0xFF)).is_broadcast);
}

TEST(Parse, TellsOtherProtocolsApartWithoutLookingIntoThem) {
    const ParsedPacket packet = parsed(Packet::ipv4(client.address, vip.address, 112).bytes());
    EXPECT_EQ(packet.kind, PacketKind::other_ip);
    EXPECT_EQ(packet.ip_protocol, 112);
}

TEST(Parse, LooksIntoTheFirstFragmentAndNoFurtherOne) {
    for (const Packet& whole :
         {Packet::tcp(client, vip).payload("1234"), Packet::udp(client, vip).payload("12345678")}) {
        const ParsedPacket first = parsed(Packet{whole}.fragment(0, true).bytes());
        EXPECT_EQ(first.kind, PacketKind::fragment);
        EXPECT_EQ(first.source_port, client.port);
        EXPECT_EQ(first.destination_port, vip.port);
        const ParsedPacket later = parsed(Packet{whole}.fragment(185, false).bytes());
        EXPECT_EQ(later.kind, PacketKind::fragment);
        EXPECT_EQ(later.destination_port, be16{});
        EXPECT_TRUE(first.is_fragment);
        EXPECT_TRUE(later.is_fragment);
    }
    EXPECT_EQ(parsed(Packet::tcp(client, vip).dont_fragment().bytes()).kind, PacketKind::flow);
    EXPECT_EQ(parsed(Packet::icmp(client.address, vip.address, 8).fragment(0, true).bytes()).kind,
              PacketKind::other_ip);
}

TEST(Parse, RefusesAFirstFragmentWithoutItsWholeL4Header) {
    const Frame first = Packet::tcp(client, vip).payload("1234").fragment(0, true).bytes();
    expect_refused(fixed(with_word(first, total_length_at, 20 + 16)), DropReason::l4_truncated);
}

// As a fragment header says it: what follows, offset and flags, identification.
Frame piece_of_ipv6(Packet packet, std::uint8_t next, std::uint16_t offset_and_flags) {
    return packet
        .extensions(44, {next, 0, static_cast<std::uint8_t>(offset_and_flags >> 8),
                         static_cast<std::uint8_t>(offset_and_flags), 0, 0, 0, 9})
        .bytes();
}

TEST(Parse, LooksIntoTheFirstFragmentOfIpv6AndNoFurtherOne) {
    const Endpoint from{*parse_ip_address("2001:db8:ff::7"), be16{40'000}};
    const Endpoint to{*parse_ip_address("2001:db8:1::80"), be16{80}};
    const Packet tcp = Packet::tcp(from, to).payload("1234");
    const ParsedPacket first = parsed(piece_of_ipv6(tcp, 6, 1));
    EXPECT_EQ(first.kind, PacketKind::fragment);
    EXPECT_EQ(first.source_port, from.port);
    const ParsedPacket later = parsed(piece_of_ipv6(tcp, 6, 1'448));
    EXPECT_EQ(later.kind, PacketKind::fragment);
    EXPECT_EQ(later.source_port, be16{});
    EXPECT_EQ(later.quotation_offset, ip_at + 40);
    // RFC 6946: in one piece, and no fragment at all.
    EXPECT_EQ(parsed(piece_of_ipv6(tcp, 6, 0)).kind, PacketKind::flow);
    EXPECT_EQ(parsed(piece_of_ipv6(Packet::icmp6(from.address, to.address, 128), 58, 1)).kind,
              PacketKind::other_ip);
}

TEST(Parse, RefusesFragmentsOfIpv6ThatCannotBe) {
    const Endpoint from{*parse_ip_address("2001:db8:ff::7"), be16{40'000}};
    const Endpoint to{*parse_ip_address("2001:db8:1::80"), be16{53}};
    // Octets and nothing else: what they are is said by the fragment header.
    const Packet none = Packet::ipv6(from.address, to.address, 59);
    const Packet eight = Packet{none}.payload("12345678");
    const Packet nine = Packet{none}.payload("123456789");
    expect_refused(piece_of_ipv6(none, 17, 8), DropReason::fragment_bounds);
    expect_refused(piece_of_ipv6(nine, 17, 9), DropReason::fragment_bounds);
    EXPECT_EQ(parsed(piece_of_ipv6(nine, 17, 8)).kind, PacketKind::fragment);
    EXPECT_EQ(parsed(piece_of_ipv6(eight, 17, 65'520)).kind, PacketKind::fragment);
    expect_refused(piece_of_ipv6(eight, 17, 65'528), DropReason::fragment_bounds);
    // A first one without its whole L4 header, without a checksum, and one that is cut twice.
    expect_refused(piece_of_ipv6(eight, 6, 1), DropReason::l4_truncated);
    expect_refused(piece_of_ipv6(Packet::udp(from, to).without_checksum(), 17, 1),
                   DropReason::udp_checksum_missing);
    expect_refused(Packet::udp(from, to)
                       .extensions(44, {44, 0, 0, 1, 0, 0, 0, 9, 17, 0, 0, 0, 0, 0, 0, 9})
                       .bytes(),
                   DropReason::ipv6_extension);
}

TEST(Parse, RefusesFragmentsThatCannotBe) {
    const Packet eight = Packet::ipv4(client.address, vip.address, 17);  // octets: a UDP header's
    const Frame later = Packet{eight}.fragment(3, true).bytes();
    expect_refused(fixed(with_word(later, total_length_at, 20)), DropReason::fragment_bounds);
    expect_refused(fixed(with_word(later, total_length_at, 27)), DropReason::fragment_bounds);
    // 20 + 8188 * 8 + 8 = 65532; another eight octets are more than a packet may have.
    EXPECT_EQ(parsed(Packet{eight}.fragment(8'188, false).bytes()).kind, PacketKind::fragment);
    expect_refused(Packet{eight}.fragment(8'189, false).bytes(), DropReason::fragment_bounds);
}

TEST(Parse, LeavesAHostWithoutAddressToTheKernel) {
    const Endpoint nobody{Ipv4Address{}, be16{68}};
    const Endpoint everybody{Ipv4Address::of(255, 255, 255, 255), be16{67}};
    EXPECT_EQ(parsed(Packet::udp(nobody, everybody).bytes()).kind, PacketKind::other_ip);
}

// --- Ethernet --------------------------------------------------------------------------------

TEST(Parse, RefusesAFrameForAnotherMacAddress) {
    expect_refused(with_octet(tcp_frame(), 5, 0x99), DropReason::destination);
}

TEST(Parse, RefusesAnUnknownEthertype) {
    expect_refused(with_word(tcp_frame(), ethertype_at, 0x88CC), DropReason::ethertype);
    expect_refused(with_word(tcp_frame(), ethertype_at, 0x0801), DropReason::ethertype);
}

TEST(Parse, RefusesAVlanTag) {
    expect_refused(with_word(tcp_frame(), ethertype_at, 0x8100), DropReason::vlan);
}

// --- every truncation ------------------------------------------------------------------------

TEST(Parse, RefusesEveryTruncationByTheHeaderThatItCuts) {
    const Frame whole = tcp_frame();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const DropReason reason = length < 14   ? DropReason::frame_truncated
                                  : length < 34 ? DropReason::ipv4_truncated
                                                : DropReason::ipv4_total_length;
        expect_refused(cut(whole, length), reason);
    }
}

TEST(Parse, RefusesEveryPacketThatEndsWithinItsTcpHeader) {
    for (std::uint16_t l4_length = 0; l4_length < 20; ++l4_length) {
        const Frame shortened = fixed(
            with_word(tcp_frame(), total_length_at, static_cast<std::uint16_t>(20 + l4_length)));
        expect_refused(shortened, DropReason::l4_truncated);
        expect_refused(cut(shortened, 34U + l4_length), DropReason::l4_truncated);
    }
}

TEST(Parse, RefusesEveryPacketThatEndsWithinItsUdpHeader) {
    for (std::uint16_t l4_length = 0; l4_length < 8; ++l4_length) {
        expect_refused(fixed(with_word(udp_frame(), total_length_at,
                                       static_cast<std::uint16_t>(20 + l4_length))),
                       DropReason::l4_truncated);
    }
}

// --- IPv4 lies -------------------------------------------------------------------------------

TEST(Parse, RefusesAnotherVersion) {
    expect_refused(with_octet(tcp_frame(), ip_at, 0x65), DropReason::ipv4_version);
}

TEST(Parse, RefusesAHeaderLengthBelowTwenty) {
    for (std::uint8_t words = 0; words < 5; ++words) {
        expect_refused(with_octet(tcp_frame(), ip_at, static_cast<std::uint8_t>(0x40 | words)),
                       DropReason::ipv4_header_length);
    }
}

TEST(Parse, RefusesAHeaderLengthBeyondTheFrame) {
    const Frame lone_header = cut(tcp_frame(), 34);
    expect_refused(with_octet(lone_header, ip_at, 0x46), DropReason::ipv4_header_length);
}

TEST(Parse, RefusesATotalLengthBelowItsHeader) {
    expect_refused(fixed(with_word(tcp_frame(), total_length_at, 19)),
                   DropReason::ipv4_total_length);
    expect_refused(fixed(with_word(tcp_frame(), total_length_at, 0)),
                   DropReason::ipv4_total_length);
}

TEST(Parse, RefusesATotalLengthBeyondTheFrameByOneOctet) {
    const Frame frame = tcp_frame();
    const auto length = static_cast<std::uint16_t>(frame.size() - 14);
    EXPECT_EQ(parsed(frame).kind, PacketKind::flow);
    expect_refused(fixed(with_word(frame, total_length_at, static_cast<std::uint16_t>(length + 1))),
                   DropReason::ipv4_total_length);
}

TEST(Parse, RefusesEverySingleBitWrongInTheIpv4Header) {
    const Frame sound = Packet::tcp(client, vip).options(Frame(8, 1)).bytes();
    for (std::size_t bit = 0; bit < std::size_t{28} * 8; ++bit) {
        Frame frame = sound;
        frame[ip_at + bit / 8] =
            static_cast<std::uint8_t>(frame[ip_at + bit / 8] ^ (1U << bit % 8));
        EXPECT_EQ(parsed(frame).kind, PacketKind::refused) << "bit " << bit;
    }
}

TEST(Parse, NamesAWrongHeaderChecksum) {
    expect_refused(with_word(tcp_frame(), ip_checksum_at, 0x0000), DropReason::ipv4_checksum);
    expect_refused(with_octet(tcp_frame(), ttl_at, 63), DropReason::ipv4_checksum);
}

TEST(Parse, RefusesSourcesThatNobodyCanHave) {
    for (const Ipv4Address source :
         {Ipv4Address::of(224, 0, 0, 1), Ipv4Address::of(239, 255, 255, 255),
          Ipv4Address::of(255, 255, 255, 255), Ipv4Address::of(127, 0, 0, 1)}) {
        expect_refused(Packet::tcp({source, be16{1'024}}, vip).bytes(), DropReason::ipv4_source);
    }
}

// --- TCP and UDP lies ------------------------------------------------------------------------

TEST(Parse, RefusesADataOffsetBelowTwenty) {
    for (unsigned words = 0; words < 5; ++words) {
        expect_refused(
            with_octet(tcp_frame(), tcp_offset_at, static_cast<std::uint8_t>(words << 4)),
            DropReason::l4_header_length);
    }
}

TEST(Parse, RefusesADataOffsetBeyondThePacket) {
    const Frame frame = tcp_frame();  // three octets of payload: 0x60 points one octet too far
    expect_refused(with_octet(frame, tcp_offset_at, 0x60), DropReason::l4_header_length);
    expect_refused(with_octet(frame, tcp_offset_at, 0xF0), DropReason::l4_header_length);
}

TEST(Parse, RefusesPortZero) {
    expect_refused(with_word(tcp_frame(), source_port_at, 0), DropReason::l4_port_zero);
    expect_refused(with_word(tcp_frame(), destination_port_at, 0), DropReason::l4_port_zero);
    expect_refused(with_word(udp_frame(), source_port_at, 0), DropReason::l4_port_zero);
    expect_refused(with_word(udp_frame(), destination_port_at, 0), DropReason::l4_port_zero);
}

TEST(Parse, RefusesFlagsThatContradictEachOther) {
    const auto parsed_with = [](unsigned flags) {
        return parsed(with_octet(tcp_frame(), tcp_flags_at, static_cast<std::uint8_t>(flags)));
    };
    constexpr unsigned fin = tcp_flag::fin;
    constexpr unsigned syn = tcp_flag::syn;
    constexpr unsigned rst = tcp_flag::rst;
    constexpr unsigned psh = tcp_flag::psh;
    constexpr unsigned ack = tcp_flag::ack;
    constexpr unsigned ece_cwr = 0xC0;
    for (const unsigned flags :
         {0U, psh, syn | fin, syn | rst, fin | rst, syn | fin | ack, syn | fin | rst, 0x3FU}) {
        EXPECT_EQ(parsed_with(flags).kind, PacketKind::refused) << flags;
        EXPECT_EQ(parsed_with(flags).reason, DropReason::tcp_flags) << flags;
    }
    for (const unsigned flags : {syn, syn | ack, ack, fin | ack, fin, rst, rst | ack, ack | psh,
                                 syn | ece_cwr, fin | psh | ack}) {
        EXPECT_EQ(parsed_with(flags).kind, PacketKind::flow) << flags;
        EXPECT_EQ(parsed_with(flags).tcp_flags, flags);
    }
}

TEST(Parse, RefusesAUdpLengthBelowEight) {
    for (std::uint16_t length = 0; length < 8; ++length) {
        expect_refused(with_word(udp_frame(), udp_length_at, length), DropReason::l4_length);
    }
}

TEST(Parse, RefusesAUdpLengthBeyondThePacket) {
    EXPECT_EQ(parsed(with_word(udp_frame(), udp_length_at, 11)).kind, PacketKind::flow);
    expect_refused(with_word(udp_frame(), udp_length_at, 12), DropReason::l4_length);
}

// --- ICMP ------------------------------------------------------------------------------------

const Packet& lost() {
    static const Packet packet = Packet::tcp(vip, client).payload("never arrived");
    return packet;
}

TEST(Parse, TurnsAnErrorsQuotationAround) {
    const ParsedPacket packet =
        parsed(Packet::icmp(stranger, vip.address, 3, 1).quoting(lost(), 8).bytes());
    EXPECT_EQ(packet.kind, PacketKind::icmp_error);
    EXPECT_EQ((Endpoint{packet.source, packet.source_port}), client);
    EXPECT_EQ((Endpoint{packet.destination, packet.destination_port}), vip);
    EXPECT_EQ(packet.protocol, L4Protocol::tcp);
    EXPECT_EQ(packet.ip_protocol, 1);
    EXPECT_EQ(packet.l4_offset, 34);
    EXPECT_EQ(packet.quotation_offset, 42);
}

TEST(Parse, FindsTheQuotedPortsBehindQuotedOptions) {
    const Packet with_options = Packet::tcp(vip, client).options(Frame(12, 1));
    const ParsedPacket packet = parsed(Packet::icmp(stranger, vip.address, 11)
                                           .options(Frame(4, 1))
                                           .quoting(with_options, 8)
                                           .bytes());
    EXPECT_EQ(packet.kind, PacketKind::icmp_error);
    EXPECT_EQ(packet.source_port, client.port);
    EXPECT_EQ(packet.quotation_offset, 46);
}

TEST(Parse, KnowsTheErrorsAmongIcmpMessages) {
    for (const auto type : std::initializer_list<std::uint8_t>{3, 4, 11, 12}) {
        EXPECT_EQ(parsed(Packet::icmp(stranger, vip.address, type).quoting(lost(), 8).bytes()).kind,
                  PacketKind::icmp_error);
    }
    for (const auto type : std::initializer_list<std::uint8_t>{0, 5, 8, 13}) {
        EXPECT_EQ(parsed(Packet::icmp(stranger, vip.address, type).quoting(lost(), 8).bytes()).kind,
                  PacketKind::other_ip);
    }
}

TEST(Parse, RefusesAnErrorThatQuotesTooLittle) {
    for (std::size_t octets = 0; octets < 8; ++octets) {
        expect_refused(Packet::icmp(stranger, vip.address, 3, 1).quoting(lost(), octets).bytes(),
                       DropReason::icmp_quotation);
    }
    expect_refused(Packet::icmp(stranger, vip.address, 3, 1).payload("short").bytes(),
                   DropReason::icmp_quotation);
    expect_refused(Packet::icmp(stranger, vip.address, 3, 1).bytes(), DropReason::icmp_quotation);
}

TEST(Parse, RefusesAQuotationThatIsNoIpv4) {
    const Frame frame = Packet::icmp(stranger, vip.address, 3, 1).quoting(lost(), 8).bytes();
    expect_refused(with_octet(frame, 42, 0x65), DropReason::icmp_quotation);
    expect_refused(with_octet(frame, 42, 0x44), DropReason::icmp_quotation);
    expect_refused(with_octet(frame, 42, 0x4F), DropReason::icmp_quotation);
}

TEST(Parse, RefusesAnIcmpMessageWithoutHeader) {
    const Frame frame = Packet::icmp(stranger, vip.address, 8).bytes();
    expect_refused(fixed(with_word(frame, total_length_at, 27)), DropReason::l4_truncated);
}

TEST(Parse, LeavesErrorsAboutOtherTrafficAlone) {
    const Packet ping = Packet::icmp(vip.address, stranger, 8);
    const Packet later = Packet::tcp(vip, client).fragment(100, false);
    EXPECT_EQ(parsed(Packet::icmp(stranger, vip.address, 3).quoting(ping, 8).bytes()).kind,
              PacketKind::other_ip);
    EXPECT_EQ(parsed(Packet::icmp(stranger, vip.address, 3).quoting(later, 8).bytes()).kind,
              PacketKind::other_ip);
}

TEST(Parse, DoesNotBelieveAnErrorThatIsNotAddressedToTheSenderOfWhatItQuotes) {
    const ParsedPacket packet =
        parsed(Packet::icmp(client.address, stranger, 3, 1).quoting(lost(), 8).bytes());
    EXPECT_EQ(packet.kind, PacketKind::other_ip);
    EXPECT_EQ(packet.source, client.address);
    EXPECT_EQ(packet.destination, stranger);
}

// --- buffers of several segments -------------------------------------------------------------

TEST(Parse, AcceptsAPayloadInASecondSegment) {
    EXPECT_EQ(parsed_in_segments(tcp_frame(), 54).kind, PacketKind::flow);
    EXPECT_EQ(parsed_in_segments(udp_frame(), 42).kind, PacketKind::flow);
}

TEST(Parse, RefusesHeadersThatReachIntoASecondSegment) {
    for (const std::size_t segment : {20U, 33U, 34U, 40U, 53U}) {
        const ParsedPacket packet = parsed_in_segments(tcp_frame(), segment);
        EXPECT_EQ(packet.kind, PacketKind::refused);
        EXPECT_EQ(text_of(packet.reason).name, "headers_scattered") << "segment " << segment;
    }
}

TEST(Parse, RefusesOptionsThatReachIntoASecondSegment) {
    const Frame frame = Packet::tcp(client, vip).options(Frame(8, 1)).bytes();
    EXPECT_EQ(text_of(parsed_in_segments(frame, 36).reason).name, "headers_scattered");
}

TEST(Parse, RefusesAnErrorWhoseQuotationIsScattered) {
    const Frame frame = Packet::icmp(stranger, vip.address, 3, 1).quoting(lost(), 20).bytes();
    const ParsedPacket packet = parsed_in_segments(frame, frame.size() - 1);
    EXPECT_EQ(packet.kind, PacketKind::refused);
    EXPECT_EQ(text_of(packet.reason).name, "headers_scattered");
}

// --- partial checksums -----------------------------------------------------------------------

Frame completed(Frame frame) {
    complete_partial_checksum(frame.data(), parsed(frame));
    return frame;
}

TEST(PartialChecksum, IsCompletedForTcp) {
    const Packet packet = Packet::tcp(client, vip).payload("odd");
    EXPECT_TRUE(
        same_frame(packet.bytes(), completed(Packet{packet}.with_partial_checksum().bytes())));
}

TEST(PartialChecksum, IsCompletedForUdp) {
    const Packet packet = Packet::udp(client, vip).payload("even");
    EXPECT_TRUE(
        same_frame(packet.bytes(), completed(Packet{packet}.with_partial_checksum().bytes())));
}

TEST(PartialChecksum, IsCompletedBehindOptionsAndBeforePadding) {
    const Packet packet = Packet::tcp(client, vip).options(Frame(4, 1)).payload("x");
    Frame partial = Packet{packet}.with_partial_checksum().bytes();
    Frame whole = packet.bytes();
    partial.resize(64, 0xEE);
    whole.resize(64, 0xEE);
    EXPECT_TRUE(same_frame(whole, completed(partial)));
}

TEST(PartialChecksum, LeavesWholeOnesWrongOnesAndNoneAlone) {
    const Frame whole = Packet::tcp(client, vip).payload("abc").bytes();
    const Frame wrong = with_word(whole, tcp_checksum_at, 0x1234);
    const Frame none = Packet::udp(client, vip).without_checksum().bytes();
    EXPECT_TRUE(same_frame(whole, completed(whole)));
    EXPECT_TRUE(same_frame(wrong, completed(wrong)));
    EXPECT_TRUE(same_frame(none, completed(none)));
}

TEST(PartialChecksum, OfUdpThatComesOutAsZeroIsAllOnes) {
    // The payload is chosen so that the whole sum is ffff: two octets that complete it.
    Frame frame = Packet::udp(client, vip).payload("ab").with_partial_checksum().bytes();
    Frame without = with_word(with_word(frame, udp_checksum_at, 0), 42, 0);
    const std::uint16_t rest = naive_sum(
        without, 34, 44, std::uint32_t{naive_sum(without, source_at, source_at + 8)} + 17 + 10);
    frame = with_word(frame, 42, static_cast<std::uint16_t>(~rest));
    frame = completed(frame);
    EXPECT_EQ(frame[udp_checksum_at], 0xFF);
    EXPECT_EQ(frame[udp_checksum_at + 1], 0xFF);
}

TEST(PartialChecksum, OfFragmentsIsNotTouched) {
    const Frame frame = Packet::udp(client, vip)
                            .fragment(0, true)
                            .payload("abcdefgh")
                            .with_partial_checksum()
                            .bytes();
    EXPECT_TRUE(same_frame(frame, completed(frame)));
}

}  // namespace
}  // namespace fulcrum::test
