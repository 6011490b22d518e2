// From an operator's words to a frame, and from a worker's answer to a report.
#include "controlplane/explain.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

const std::vector<std::string> ports{"wan", "lan"};

Json asked(const Json& more = Json::object()) {
    Json arguments{
        {"protocol", "tcp"}, {"source", "198.51.100.7:40000"}, {"destination", "10.1.0.80:80"}};
    arguments.update(more);
    return arguments;
}

std::string refusal_of(const Json& more) {
    const Result<Question> question = question_of(asked(more), ports);
    return question ? "none" : question.error().sentence;
}

std::vector<std::uint8_t> octets_of(const Question& question) {
    return {question.octets.begin(), question.octets.begin() + question.octet_count};
}

// Scapy: Ether(dst="00:00:00:00:00:00", src="02:00:00:00:00:00")/IP(src="198.51.100.7",
// dst="10.1.0.80", id=0, flags="DF", ttl=64)/TCP(sport=40000, dport=80, seq=1, flags="S",
// window=65535, chksum=0)
TEST(Explain, MakesTheFrameThatIsAskedFor) {
    const Result<Question> question = question_of(asked(), ports);
    ASSERT_TRUE(question);
    EXPECT_EQ(
        octets_of(question.value()),
        (std::vector<std::uint8_t>{0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
                                   0x00, 0x08, 0x00, 0x45, 0x00, 0x00, 0x28, 0x00, 0x00, 0x40, 0x00,
                                   0x40, 0x06, 0x06, 0x45, 0xc6, 0x33, 0x64, 0x07, 0x0a, 0x01, 0x00,
                                   0x50, 0x9c, 0x40, 0x00, 0x50, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
                                   0x00, 0x00, 0x50, 0x02, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00}));
    EXPECT_EQ(question.value().length, 54U);
    EXPECT_EQ(question.value().port, port_none);
    EXPECT_EQ(question.value().source, Ipv4Address::of(198, 51, 100, 7));
}

TEST(Explain, TakesFlagsPortAndSize) {
    const Result<Question> question =
        question_of(asked({{"flags", "psh,ack"}, {"from", "lan"}, {"size", 1'400}}), ports);
    ASSERT_TRUE(question);
    EXPECT_EQ(question.value().octets[14 + 20 + 13], 0x18);
    EXPECT_EQ(question.value().port, 1);
    EXPECT_EQ(question.value().length, 1'414U);
    EXPECT_EQ(question.value().octets[14 + 2], 1'400 >> 8);
    EXPECT_EQ(question.value().octets[14 + 3], 1'400 & 255);
    EXPECT_EQ(question.value().octet_count, 54);
}

TEST(Explain, MakesDatagramsToo) {
    const Result<Question> question = question_of(asked({{"protocol", "udp"}}), ports);
    ASSERT_TRUE(question);
    EXPECT_EQ(question.value().octet_count, 42);
    EXPECT_EQ(question.value().octets[14 + 9], 17);
    EXPECT_EQ(question.value().octets[14 + 20 + 5], 8) << "the datagram's length";
}

TEST(Explain, MakesFramesOfIpv6) {
    const Result<Question> question = question_of(asked({{"protocol", "udp"},
                                                         {"source", "[2001:db8::7]:40000"},
                                                         {"destination", "[2001:db8::80]:53"},
                                                         {"size", 1'000}}),
                                                  ports);
    ASSERT_TRUE(question);
    EXPECT_EQ(octets_of(question.value()),
              (std::vector<std::uint8_t>{
                  0,    0,    0,   0,    0, 0,    2,    0,   0, 0, 0, 0, 0x86, 0xDD,  // Ethernet
                  0x60, 0,    0,   0,    3, 0xC0, 17,   64,                           // IPv6
                  0x20, 1,    0xD, 0xB8, 0, 0,    0,    0,   0, 0, 0, 0, 0,    0,    0, 7,     //
                  0x20, 1,    0xD, 0xB8, 0, 0,    0,    0,   0, 0, 0, 0, 0,    0,    0, 0x80,  //
                  0x9C, 0x40, 0,   53,   3, 0xC0, 0xFF, 0xFF}));
    EXPECT_EQ(question.value().length, 1'014U);
    EXPECT_EQ(question.value().source, *parse_ip_address("2001:db8::7"));
}

TEST(Explain, SaysWhatItDoesNotUnderstand) {
    EXPECT_EQ(refusal_of({{"protocol", "gre"}}), "protocol \"gre\" is not one of tcp, udp, sctp");
    EXPECT_EQ(refusal_of({{"source", "198.51.100.7"}}),
              "source \"198.51.100.7\" does not read ADDRESS:PORT, as in 192.0.2.7:40000 or "
              "[2001:db8::7]:40000");
    EXPECT_EQ(
        refusal_of({{"destination", "10.1.0.80:70000"}}),
        "destination \"10.1.0.80:70000\" does not read ADDRESS:PORT, as in 192.0.2.7:40000 or "
        "[2001:db8::7]:40000");
    EXPECT_EQ(refusal_of({{"flags", "syn,urgent"}}),
              "flags \"syn,urgent\" are not some of fin, syn, rst, psh, ack");
    EXPECT_EQ(refusal_of({{"destination", "[2001:db8::80]:53"}}),
              "source and destination are not of one IP version");
    EXPECT_EQ(refusal_of({{"from", "dmz"}}), "there is no port \"dmz\"");
    EXPECT_EQ(refusal_of({{"size", 39}}), "size 39 is out of range: 40 to 65535");
}

TEST(Explain, ReportsByName) {
    Listing listing;
    listing.services.resize(1);
    listing.services[0].name = "web";
    listing.services[0].listener_indexes = {7};
    listing.services[0].reals.resize(1);
    listing.services[0].reals[0].name = "web1";
    listing.services[0].reals[0].index = 3;
    listing.services[0].reals[0].state = RealState::up;
    Explanation told;
    told.epoch = 12;
    told.the_class = "request";
    told.verdict = "transmit";
    told.listener = 7;
    told.real = 3;
    told.opens_session = true;
    told.ring_slot = 4'711;
    told.has_hop = true;
    told.hop.port = 1;
    told.hop.mtu = 1'500;
    told.neighbour = Ipv4Address::of(10, 2, 0, 11);
    const Json report = report_explanation(told, listing, ports);
    EXPECT_EQ(report["service"], "web");
    EXPECT_EQ(report["real"]["name"], "web1");
    EXPECT_EQ(report["ring_slot"], 4'711);
    EXPECT_EQ(report["session"], nullptr);
    EXPECT_EQ(report["leaves"]["port"], "lan");
    EXPECT_EQ(report["leaves"]["destination_mac"], nullptr) << "not resolved";
    told.reason = "ttl_expired";
    told.listener = 8;
    const Json other = report_explanation(told, listing, ports);
    EXPECT_EQ(other["reason"], "ttl_expired");
    EXPECT_EQ(other["service"], nullptr) << "removed meanwhile";
}

}  // namespace
}  // namespace fulcrum
