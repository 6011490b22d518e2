// Each kind of value at its bounds, one step beyond them, and in disguise.
#include "config/value_type.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace fulcrum {
namespace {

Node text_node(std::string_view text) { return {.kind = NodeKind::text, .text = text}; }
Node integer_node(std::int64_t integer) { return {.kind = NodeKind::integer, .integer = integer}; }

bool accepts(const ValueType& type, std::string_view text) {
    return read_value(type, text_node(text)).has_value();
}

std::int64_t number_of(const ValueType& type, std::string_view text) {
    const Result<Value> value = read_value(type, text_node(text));
    return value ? value->number : -1;
}

std::string refusal_of(const ValueType& type, const Node& node) {
    const Result<Value> value = read_value(type, node);
    return value ? "" : value.error().sentence;
}

TEST(ValueType, AcceptsIntegersWithinTheirRangeOnly) {
    EXPECT_EQ(read_value(integer(1, 65'535), integer_node(1))->number, 1);
    EXPECT_EQ(read_value(integer(1, 65'535), integer_node(65'535))->number, 65'535);
    EXPECT_EQ(refusal_of(integer(1, 65'535), integer_node(0)),
              "0 is not an integer from 1 to 65535");
    EXPECT_EQ(refusal_of(integer(1, 65'535), integer_node(65'536)),
              "65536 is not an integer from 1 to 65535");
    EXPECT_EQ(refusal_of(integer(0, 5), integer_node(-5)), "-5 is not an integer from 0 to 5");
}

TEST(ValueType, SaysWhatToDoAboutAWrongType) {
    EXPECT_EQ(refusal_of(integer(1, 9), text_node("8")),
              "\"8\" is not an integer from 1 to 9: write it without quotes");
    EXPECT_EQ(refusal_of(text(1, 9), integer_node(8)),
              "8 is not a text of 1 to 9 printable bytes: write it in quotes");
    EXPECT_EQ(refusal_of(integer(1, 9), {.kind = NodeKind::boolean, .integer = 1}),
              "true is not an integer from 1 to 9");
    EXPECT_EQ(refusal_of(integer(1, 9), {.kind = NodeKind::floating}),
              "a number with a fraction is not an integer from 1 to 9");
    EXPECT_EQ(refusal_of(text(1, 9), {.kind = NodeKind::group}),
              "a group is not a text of 1 to 9 printable bytes");
}

TEST(ValueType, ReadsDurationsWithAUnit) {
    const ValueType any = duration(1, 40 * 86'400'000LL);
    EXPECT_EQ(number_of(any, "1ms"), 1);
    EXPECT_EQ(number_of(any, "500ms"), 500);
    EXPECT_EQ(number_of(any, "5s"), 5'000);
    EXPECT_EQ(number_of(any, "10m"), 600'000);
    EXPECT_EQ(number_of(any, "8h"), 28'800'000);
    EXPECT_EQ(number_of(any, "31d"), 2'678'400'000);
    for (const char* text : {"", "5", "s", "5 s", " 5s", "5s ", "5S", "-5s", "+5s", "1.5s", "5sec",
                             "5s5", "99999999999999999999s", "9223372036854775807d", "0x5s"}) {
        EXPECT_FALSE(accepts(any, text)) << text;
    }
}

TEST(ValueType, BoundsDurations) {
    const ValueType interval = duration(100, 3'600'000);
    EXPECT_TRUE(accepts(interval, "100ms"));
    EXPECT_TRUE(accepts(interval, "1h"));
    EXPECT_EQ(refusal_of(interval, text_node("99ms")),
              "\"99ms\" is not a duration from \"100ms\" to \"1h\"");
    EXPECT_FALSE(accepts(interval, "3601s"));
    EXPECT_TRUE(accepts(whole_seconds(1, 60), "2000ms"));
    EXPECT_EQ(refusal_of(whole_seconds(1, 60), text_node("1500ms")),
              "\"1500ms\" is not a duration from \"1s\" to \"1m\" in whole seconds");
}

TEST(ValueType, AcceptsAddressesThatAHostCanHave) {
    const ValueType type{ValueKind::host_address};
    for (const char* text : {"1.0.0.0", "10.0.0.1", "126.255.255.255", "128.0.0.1",
                             "223.255.255.255", "100.64.0.1", "169.254.1.1"}) {
        EXPECT_TRUE(accepts(type, text)) << text;
    }
    for (const char* text :
         {"", "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255", "224.0.0.1", "239.1.1.1",
          "240.0.0.1", "255.255.255.255", "10.0.0", "10.0.0.256", "10.0.0.1/24", "10.0.0.1:80",
          "10.0.0.01", "::1", "web1", "10.0.0.1 "}) {
        EXPECT_FALSE(accepts(type, text)) << text;
    }
}

TEST(ValueType, AcceptsInterfaceAddressesWithALength) {
    const ValueType type{ValueKind::host_prefix};
    const Result<Value> value = read_value(type, text_node("192.0.2.1/24"));
    ASSERT_TRUE(value);
    EXPECT_EQ(value->prefix, (IpPrefix{Ipv4Address::of(192, 0, 2, 1), 24}));
    for (const char* text : {"192.0.2.1", "192.0.2.1/33", "192.0.2.1/0", "192.0.2.1/", "/24",
                             "127.0.0.1/8", "192.0.2.1/24/24", "192.0.2.1/-1"}) {
        EXPECT_FALSE(accepts(type, text)) << text;
    }
}

TEST(ValueType, AcceptsEndpointsOfThisMachine) {
    const ValueType type{ValueKind::endpoint};
    const Result<Value> value = read_value(type, text_node("127.0.0.1:9464"));
    ASSERT_TRUE(value);
    EXPECT_EQ(value->prefix.address, Ipv4Address::of(127, 0, 0, 1));
    EXPECT_EQ(value->port.host(), 9'464);
    EXPECT_TRUE(accepts(type, "0.0.0.0:1"));
    EXPECT_TRUE(accepts(type, "10.0.0.1:65535"));
    for (const char* text : {"", ":", "127.0.0.1", "127.0.0.1:", ":9464", "127.0.0.1:0",
                             "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "a:80"}) {
        EXPECT_FALSE(accepts(type, text)) << text;
    }
}

TEST(ValueType, TellsDevicesApart) {
    const ValueType type{ValueKind::device};
    struct Row {
        const char* text;
        DeviceKind kind;
        const char* device;
    };
    for (const Row& row : {Row{"af_packet:eth1", DeviceKind::af_packet, "eth1"},
                           Row{"af_xdp:enp1s0.7", DeviceKind::af_xdp, "enp1s0.7"},
                           Row{"0000:01:00.0", DeviceKind::pci, "0000:01:00.0"},
                           Row{"00ff:af:1f.7", DeviceKind::pci, "00ff:af:1f.7"},
                           Row{"vdev:net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap", DeviceKind::vdev,
                               "net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap"}}) {
        const Result<Value> value = read_value(type, text_node(row.text));
        ASSERT_TRUE(value) << row.text;
        EXPECT_EQ(value->number, static_cast<int>(row.kind)) << row.text;
        EXPECT_EQ(value->text, row.device);
    }
    for (const char* text :
         {"", "eth1", "af_packet:", "af_packet:sixteen_letters_", "af_packet:a/b", "af_packet:a b",
          "01:00.0", "0000:01:00.8", "0000:01:00.", "0000:01:0g.0", "0000:01:00.0 ",
          "vdev:", "vdev:eth_x", "vdev:net_a b", "tap:eth1"}) {
        EXPECT_FALSE(accepts(type, text)) << text;
    }
}

TEST(ValueType, ReadsHttpStatusesAndRangesOfThem) {
    const ValueType type{ValueKind::http_statuses};
    EXPECT_TRUE(accepts(type, "200-399, 401"));
    for (const char* text : {"", "99", "600", "200-", "-299", "299-200", "200-600", "2xx", "200 ",
                             "200,", ",200", "200, ", "200 300"}) {
        EXPECT_FALSE(accepts(type, text)) << text;
    }
}

TEST(ValueType, KeepsLineEndsAndBlanksOutOfARequest) {
    EXPECT_TRUE(accepts({ValueKind::http_path}, "/ping.html?a=b&c=%20"));
    EXPECT_TRUE(accepts({ValueKind::http_host}, "www.example.net:8080"));
    for (const char* text : {"", "ping.html", "/a b", "/a\r\nX-Evil: 1", "/\x7f", "/\xC3\xBC"}) {
        EXPECT_FALSE(accepts({ValueKind::http_path}, text)) << text;
    }
    for (const char* text : {"", "a b", "a\r\nX: 1", "-a", "a/b"}) {
        EXPECT_FALSE(accepts({ValueKind::http_host}, text)) << text;
    }
    EXPECT_TRUE(accepts({ValueKind::http_path}, "/" + std::string(1'023, 'a')));
    EXPECT_FALSE(accepts({ValueKind::http_path}, "/" + std::string(1'024, 'a')));
}

TEST(ValueType, BoundsTheSocketsPath) {
    const ValueType type{ValueKind::file_path};
    EXPECT_TRUE(accepts(type, "/" + std::string(106, 'a')));
    EXPECT_FALSE(accepts(type, "/" + std::string(107, 'a')));
    EXPECT_FALSE(accepts(type, "control.sock"));
    EXPECT_FALSE(accepts(type, ""));
}

TEST(ValueType, AcceptsNamesThatStandOnCommandLines) {
    const ValueType type{ValueKind::name, 1, 8};
    for (const char* text : {"a", "web1", "WEB-1", "a.b_c-d", "1", "12345678"}) {
        EXPECT_TRUE(accepts(type, text)) << text;
    }
    for (const char* text : {"", "-a", ".a", "_a", "a/b", "a b", "a*", "123456789", "\xC3\xBC"}) {
        EXPECT_FALSE(accepts(type, text)) << text;
    }
}

TEST(ValueType, AcceptsPrintableTextsInUtf8) {
    EXPECT_TRUE(accepts(text(1, 20), "gr\xC3\xBC\xC3\x9F dich"));
    EXPECT_FALSE(accepts(text(1, 20), "a\tb"));
    EXPECT_FALSE(accepts(text(1, 20), ""));
    EXPECT_FALSE(accepts(text(1, 3), "abcd"));
}

TEST(ValueType, AcceptsTheWordsOfAListAndGuessesAtOthers) {
    static constexpr std::array<std::string_view, 3> words{"none", "connect", "http"};
    EXPECT_EQ(number_of(one_of(words), "none"), 0);
    EXPECT_EQ(number_of(one_of(words), "http"), 2);
    EXPECT_EQ(
        refusal_of(one_of(words), text_node("conect")),
        "\"conect\" is not one of \"none\", \"connect\", \"http\": did you mean \"connect\"?");
    EXPECT_EQ(refusal_of(one_of(words), text_node("radius")),
              "\"radius\" is not one of \"none\", \"connect\", \"http\"");
    EXPECT_EQ(refusal_of(one_of(words), integer_node(1)),
              "1 is not one of \"none\", \"connect\", \"http\": write it in quotes");
}

TEST(ValueType, WritesADurationInItsLargestUnit) {
    EXPECT_EQ(describe_duration(1), "1ms");
    EXPECT_EQ(describe_duration(1'500), "1500ms");
    EXPECT_EQ(describe_duration(90'000), "90s");
    EXPECT_EQ(describe_duration(120'000), "2m");
    EXPECT_EQ(describe_duration(7'200'000), "2h");
    EXPECT_EQ(describe_duration(86'400'000), "1d");
    EXPECT_EQ(describe_duration(0), "0s");
}

}  // namespace
}  // namespace fulcrum
