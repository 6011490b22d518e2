// What a packet's chunks amount to, and what is no SCTP. Checksums are tried by golden packets,
// whose maker shares no code with us.
#include "dataplane/sctp.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "tests/support/packet.h"
#include "tests/support/scene.h"

namespace fulcrum::test {
namespace {

constexpr std::uint8_t chunk_data = 0, init = 1, init_ack = 2, sack = 3, heartbeat = 4, abort = 6,
                       shutdown = 7, shutdown_ack = 8, cookie_echo = 10, cookie_ack = 11,
                       shutdown_complete = 14;
constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;
constexpr std::uint8_t fin_ack = tcp_flag::fin | tcp_flag::ack;

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{3'868}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};

Packet packet_of(std::initializer_list<std::uint8_t> chunks) {
    Packet packet = Packet::sctp(client, vip, 0x0102'0304);
    for (const std::uint8_t type : chunks) {
        packet.chunk(type, "octets to five");  // which takes padding
    }
    return packet;
}

ParsedPacket parsed(const Frame& frame) {
    ParsedPacket packet;
    parse(frame, static_cast<std::uint32_t>(frame.size()), wan_mac, packet);
    return packet;
}

std::uint8_t flags_of(std::initializer_list<std::uint8_t> chunks) {
    const ParsedPacket packet = parsed(packet_of(chunks).bytes());
    EXPECT_EQ(packet.kind, PacketKind::flow);
    EXPECT_EQ(packet.protocol, L4Protocol::sctp);
    return packet.tcp_flags;
}

DropReason refusal_of(const Frame& frame) {
    const ParsedPacket packet = parsed(frame);
    EXPECT_EQ(packet.kind, PacketKind::refused);
    return packet.reason;
}

TEST(Sctp, ChunksAmountToFlags) {
    EXPECT_EQ(flags_of({init}), tcp_flag::syn);
    EXPECT_EQ(flags_of({init_ack}), syn_ack);
    for (const std::uint8_t type : {chunk_data, sack, heartbeat, cookie_echo, cookie_ack}) {
        EXPECT_EQ(flags_of({type}), tcp_flag::ack) << unsigned{type};
    }
    for (const std::uint8_t type : {shutdown, shutdown_ack, shutdown_complete}) {
        EXPECT_EQ(flags_of({type}), fin_ack) << unsigned{type};
    }
    EXPECT_EQ(flags_of({abort}), tcp_flag::rst);
}

TEST(Sctp, AnEndMayStandBehindOtherChunks) {
    EXPECT_EQ(flags_of({sack, chunk_data, shutdown}), fin_ack);
    EXPECT_EQ(flags_of({sack, abort}), tcp_flag::rst);
    EXPECT_EQ(flags_of({shutdown, abort}), tcp_flag::rst);
}

TEST(Sctp, AnInitBehindOtherChunksIsNone) {
    EXPECT_EQ(flags_of({chunk_data, init}), tcp_flag::ack);
}

TEST(Sctp, LooksAtEightChunksAtMost) {
    EXPECT_EQ(flags_of({sack, sack, sack, sack, sack, sack, sack, abort}), tcp_flag::rst);
    EXPECT_EQ(flags_of({sack, sack, sack, sack, sack, sack, sack, sack, abort}), tcp_flag::ack);
}

TEST(Sctp, ShortPacketsAreRefused) {
    const Frame whole = packet_of({init}).bytes();
    const auto ending_at = [&](std::uint16_t l4_length) {
        return fixed(with_word(whole, total_length_at, static_cast<std::uint16_t>(20 + l4_length)));
    };
    EXPECT_EQ(refusal_of(ending_at(11)), DropReason::l4_truncated);
    EXPECT_EQ(refusal_of(ending_at(15)), DropReason::l4_truncated);
    EXPECT_EQ(refusal_of(ending_at(19)), DropReason::l4_truncated);  // within an INIT's tag
    EXPECT_EQ(parsed(ending_at(20)).kind, PacketKind::flow);
}

TEST(Sctp, PortsAndLengthsOfNothingAreRefused) {
    const Frame whole = packet_of({chunk_data}).bytes();
    constexpr std::size_t chunk_length_at = l4_at + 14;
    EXPECT_EQ(refusal_of(with_word(whole, source_port_at, 0)), DropReason::l4_port_zero);
    EXPECT_EQ(refusal_of(with_word(whole, destination_port_at, 0)), DropReason::l4_port_zero);
    EXPECT_EQ(refusal_of(with_word(whole, chunk_length_at, 3)), DropReason::l4_length);
    EXPECT_EQ(parsed(with_word(whole, chunk_length_at, 4)).kind, PacketKind::flow);
}

TEST(Sctp, AnAbortHasTheTagThatItsReceiverBelieves) {
    const Frame asks = packet_of({init}).bytes();
    const AbortTag to_asker = abort_tag_back(asks.data() + l4_at);
    EXPECT_EQ(to_asker.tag, be32{0x6F63'7465});  // "octe", where its own tag is
    EXPECT_FALSE(to_asker.is_reflected);
    const Frame goes_on = packet_of({chunk_data}).bytes();
    EXPECT_EQ(abort_tag_back(goes_on.data() + l4_at).tag, be32{0x0102'0304});
    EXPECT_TRUE(abort_tag_back(goes_on.data() + l4_at).is_reflected);
    EXPECT_EQ(abort_tag_onwards(goes_on.data() + l4_at).tag, be32{0x0102'0304});
    EXPECT_FALSE(abort_tag_onwards(goes_on.data() + l4_at).is_reflected);
}

TEST(Sctp, AChecksumThatAKernelLeftOpenIsCompleted) {
    const Frame sound = packet_of({chunk_data, sack}).bytes();
    Frame open = with_word(with_word(sound, l4_at + 8, 0), l4_at + 10, 0);
    EXPECT_TRUE(complete_partial_checksum(open.data(), parsed(open)));
    EXPECT_TRUE(same_frame(sound, open));
    EXPECT_FALSE(complete_partial_checksum(open.data(), parsed(open)));
}

}  // namespace
}  // namespace fulcrum::test
