// The filter machine beside libpcap's own, whose compiler writes the programs; and programs that
// nobody may run.
#include "config/model/packet_filter.h"

#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "config/model/limits.h"

namespace fulcrum {
namespace {

using Octets = std::vector<std::uint8_t>;

// 198.51.100.7:40000 > 10.1.0.80:80, a SYN.
Octets syn() {
    return {0x02, 0, 0,  0, 0, 1, 0x02, 0,    0,    0,    1,  1, 0x08, 0,  0x45, 0,    0, 40, 0, 0,
            0x40, 0, 64, 6, 0, 0, 198,  51,   100,  7,    10, 1, 0,    80, 0x9C, 0x40, 0, 80, 0, 0,
            0,    0, 0,  0, 0, 0, 0x50, 0x02, 0xFF, 0xFF, 0,  0, 0,    0};
}

class Program {
  public:
    explicit Program(const std::string& expression) {
        const std::unique_ptr<pcap_t, void (*)(pcap_t*)> machine{pcap_open_dead(DLT_EN10MB, 65'535),
                                                                 pcap_close};
        EXPECT_EQ(pcap_compile(machine.get(), &program_, expression.c_str(), 1, 0), 0)
            << pcap_geterr(machine.get());
    }
    ~Program() { pcap_freecode(&program_); }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    std::string text() const {
        std::string text = std::to_string(program_.bf_len);
        for (unsigned at = 0; at < program_.bf_len; ++at) {
            const bpf_insn& i = program_.bf_insns[at];
            text.append(",").append(std::to_string(i.code));
            for (const std::uint32_t number : {std::uint32_t{i.jt}, std::uint32_t{i.jf}, i.k}) {
                text.append(" ").append(std::to_string(number));
            }
        }
        return text;
    }
    bool accepts(const Octets& octets) const {
        const auto length = static_cast<unsigned>(octets.size());
        return bpf_filter(program_.bf_insns, octets.data(), length, length) != 0;
    }

  private:
    bpf_program program_{};
};

const char* const expressions[]{
    "tcp port 80",
    "host 198.51.100.7",
    "host 198.51.100.7 and not tcp dst port 443",
    "net 10.1.0.0/16 and tcp[tcpflags] & tcp-syn != 0",
    "ip6 host 2001:db8::1 or udp portrange 8000-8099",
    "ip[2:2] - ((ip[0] & 0xf) << 2) > 20 and len <= 60",
    "icmp[icmptype] = icmp-unreach or arp",
    "vlan 5 and ip",
    "ip[8] * 3 / 2 % 7 = 5 or (ip[8] ^ 0x40) | 1 = 1",
    "greater 56 or less 50",
    "tcp[13] >> 1 & 1 = 1 and -ip[8] + 70 = 6",
};

TEST(PacketFilter, AgreesWithLibpcapAboutEveryFrame) {
    std::mt19937 random{7};
    for (const char* const expression : expressions) {
        const Program program{expression};
        const Result<PacketFilter> filter = parse_packet_filter(program.text());
        ASSERT_TRUE(filter) << expression << ": " << filter.error().sentence;
        unsigned accepted = 0;
        for (int round = 0; round < 2'000; ++round) {
            Octets frame = syn();
            for (unsigned changes = random() % 4; changes > 0; --changes) {
                frame[random() % frame.size()] = static_cast<std::uint8_t>(random());
            }
            frame.resize(frame.size() - random() % 30 * (random() % 2));
            const auto length = static_cast<std::uint32_t>(frame.size());
            ASSERT_EQ(matches(*filter, frame, length), program.accepts(frame)) << expression;
            accepted += program.accepts(frame) ? 1 : 0;
        }
        EXPECT_LT(accepted, 2'000U) << expression << " says yes to everything";
    }
}

TEST(PacketFilter, SaysYesToASyn) {
    const auto filter = parse_packet_filter(Program{"tcp dst port 80 and src 198.51.100.7"}.text());
    const Octets frame = syn();
    EXPECT_TRUE(matches(*filter, frame, 54));
    EXPECT_FALSE(matches(*filter, std::span{frame}.first(20), 54)) << "it cannot see that far";
    EXPECT_TRUE(matches({}, frame, 54)) << "nothing is asked for";
}

TEST(PacketFilter, RefusesWhatMayNotEndOrLeadsOut) {
    const char* const bad[]{
        "",
        "0,",
        "1",
        "2,6 0 0 1",          // one is missing
        "1,6 0 0 1,6 0 0 1",  // one is too many
        "1,6 0 0",            // no operand
        "1,6 0 0 -1",
        "1,x 0 0 1",
        "1,32 0 0 0",                  // no verdict at the end
        "2,5 0 0 4294967295,6 0 0 1",  // a jump back
        "2,5 0 0 1,6 0 0 1",           // beyond the end
        "3,21 2 0 1,6 0 0 0,6 0 0 1",  // likewise
        "2,2 0 0 16,6 0 0 1",          // memory that there is not
        "2,96 0 0 16,6 0 0 1",
        "2,52 0 0 0,6 0 0 1",  // a division by nought
        "2,148 0 0 0,6 0 0 1",
        "2,56 0 0 0,6 0 0 1",  // a load of no width
        "2,255 0 0 0,6 0 0 1",
        "1,262 0 0 1",
    };
    for (const char* const text : bad) {
        EXPECT_FALSE(parse_packet_filter(text)) << text;
    }
    EXPECT_TRUE(parse_packet_filter("2,5 0 0 0,6 0 0 1"));
    EXPECT_FALSE(parse_packet_filter(std::to_string(limits::filter_length_max + 1) + ","));
}

TEST(PacketFilter, DividesByNothingAtRunTimeAsANo) {
    // The index register is nought.
    const auto filter = parse_packet_filter("3,0 0 0 8,60 0 0 0,6 0 0 1");
    ASSERT_TRUE(filter);
    EXPECT_FALSE(matches(*filter, syn(), 54));
}

}  // namespace
}  // namespace fulcrum
