// The command protocol's octets: what is a request, what is refused with which sentence.
#include "controlplane/request.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

std::string refusal_of(std::string_view line) {
    const Result<Request> request = parse_request(line);
    return request ? "taken" : request.error().sentence;
}

std::string nested(std::size_t depth) {
    // The request itself and "arguments" are two levels.
    return R"({"command":"x","arguments":{"a":)" + std::string(depth - 2, '[') +
           std::string(depth - 2, ']') + "}}";
}

TEST(Request, HoldsACommandAndItsArguments) {
    const auto request =
        parse_request(R"({"command":"drain","arguments":{"service":"web","real":"web1"}})");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->command, "drain");
    EXPECT_EQ(request->arguments["service"], "web");
    EXPECT_EQ(request->arguments["real"], "web1");
}

TEST(Request, MayComeWithoutArgumentsAndWithACarriageReturn) {
    const auto request = parse_request("{\"command\":\"status\"}\r");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->command, "status");
    EXPECT_TRUE(request->arguments.is_object());
    EXPECT_TRUE(request->arguments.empty());
}

TEST(Request, IsRefusedWhenItIsNoObject) {
    const std::string sentence = "the request is no JSON object on one line";
    EXPECT_EQ(refusal_of(""), sentence);
    EXPECT_EQ(refusal_of("status"), sentence);
    EXPECT_EQ(refusal_of("[]"), sentence);
    EXPECT_EQ(refusal_of("null"), sentence);
    EXPECT_EQ(refusal_of("{\"command\":\"status\""), sentence);
    EXPECT_EQ(refusal_of("{\"command\":\"status\"} {}"), sentence);
    EXPECT_EQ(refusal_of("{\"command\":\"\xff\xfe\"}"), sentence);
    EXPECT_EQ(refusal_of(std::string_view{"\0\0\0", 3}), sentence);
    EXPECT_EQ(refusal_of("{\"command\":\"x\",\"arguments\":{\"n\":1e999}}"), sentence);
}

TEST(Request, IsRefusedWithoutACommand) {
    EXPECT_EQ(refusal_of("{}"), R"(the request names no "command")");
    EXPECT_EQ(refusal_of(R"({"command":""})"), R"(the request names no "command")");
}

TEST(Request, IsRefusedWithMembersOfOtherNamesOrTypes) {
    const std::string sentence =
        R"(the request holds more than "command" (text) and "arguments" (object))";
    EXPECT_EQ(refusal_of(R"({"command":1})"), sentence);
    EXPECT_EQ(refusal_of(R"({"command":"x","arguments":[]})"), sentence);
    EXPECT_EQ(refusal_of(R"({"command":"x","argument":{}})"), sentence);
}

TEST(Request, MayNestThirtyTwoLevelsAndNoMore) {
    EXPECT_EQ(refusal_of(nested(32)), "taken");
    EXPECT_EQ(refusal_of(nested(33)), "the request nests deeper than 32 levels");
    EXPECT_EQ(refusal_of(std::string(60'000, '[')), "the request nests deeper than 32 levels");
}

TEST(Request, CountsNoBracketsWithinText) {
    EXPECT_EQ(refusal_of(R"({"command":"x","arguments":{"a":")" + std::string(100, '[') + "\"}}"),
              "taken");
    EXPECT_EQ(
        refusal_of(R"({"command":"x","arguments":{"a":"\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}})"),
        "taken");
}

TEST(Request, IsRefusedBeyondItsSize) {
    const std::string head = R"({"command":"x","arguments":{"a":")";
    const std::string tail = "\"}}";
    const std::size_t room = 65'536 - head.size() - tail.size();
    EXPECT_EQ(refusal_of(head + std::string(room, 'y') + tail), "taken");
    EXPECT_EQ(refusal_of(head + std::string(room + 1, 'y') + tail),
              "the request is longer than 65536 octets");
}

TEST(Reply, IsOneLineWithAResultOrAnError) {
    EXPECT_EQ(render(Reply::of({{"epoch", 7}})), "{\"ok\":true,\"result\":{\"epoch\":7}}\n");
    EXPECT_EQ(
        render(Reply::refusal("unknown_real", "no such real")),
        "{\"ok\":false,\"error\":{\"code\":\"unknown_real\",\"sentence\":\"no such real\"}}\n");
    EXPECT_EQ(render(Reply::refusal("config_invalid", "two\nlines", {"a:1: x", "a:2: y"})),
              "{\"ok\":false,\"error\":{\"code\":\"config_invalid\",\"sentence\":\"two\\nlines\","
              "\"problems\":[\"a:1: x\",\"a:2: y\"]}}\n");
}

TEST(Reply, ShowsOctetsThatAreNoTextAsSuch) {
    EXPECT_EQ(render(Reply::of({{"check",
                                 "a\xff"
                                 "b"}})),
              "{\"ok\":true,\"result\":{\"check\":\"a\xEF\xBF\xBD"
              "b\"}}\n");
}

}  // namespace
}  // namespace fulcrum
