// Whose a packet is when a mark and a service name it both.
#include "config/mark_rules.h"

#include <gtest/gtest.h>

#include "config/loader.h"
#include "config/writer.h"

namespace fulcrum {
namespace {

constexpr const char* head =
    "director = { workers = [ 1 ]; };\n"
    "ports = ( { name = \"wan\"; device = \"vdev:net_null0\"; } );\n";

LoadOutcome loaded(const std::string& rest) { return load_config_text(head + rest, "d.cfg"); }

std::string marks_of(const std::string& rules) { return "marks = ( " + rules + " );\n"; }

TEST(MarkRules, GiveAServiceWhatItsMarkNamesByIpVersion) {
    const LoadOutcome outcome = loaded(
        marks_of("{ mark = 7; vip = \"10.0.0.80\"; port = 80; },"
                 "{ mark = 7; vip = \"10.0.0.80\"; port = \"8000-8099\"; protocol = \"udp\"; },"
                 "{ mark = 7; vip = \"2001:db8::80\"; port = 80; },"
                 "{ mark = 8; vip = \"10.0.0.80\"; port = 81; }") +
        "services = ( { name = \"a\"; mark = 7; check = { type = \"none\"; }; },"
        " { name = \"b\"; mark6 = 7; } );\n");
    EXPECT_EQ(outcome.problems, std::vector<std::string>{});
    const auto& services = outcome.config.services;
    ASSERT_EQ(listeners_of(services[0]).size(), 2U);
    EXPECT_EQ(to_string(listeners_of(services[0])[0]), "10.0.0.80:80/tcp");
    EXPECT_EQ(to_string(listeners_of(services[0])[1]), "10.0.0.80:8000-8099/udp");
    ASSERT_EQ(listeners_of(services[1]).size(), 1U);
    EXPECT_EQ(to_string(listeners_of(services[1])[0]), "[2001:db8::80]:80/tcp");
}

TEST(MarkRules, LetAServiceWaitForItsMark) {
    const LoadOutcome outcome = loaded("services = ( { name = \"a\"; mark = 7; } );\n");
    EXPECT_EQ(outcome.problems, std::vector<std::string>{});
    EXPECT_TRUE(listen_points(outcome.config.services[0]).empty());
}

// A real that names no port, in a service with the port 443.
std::string reals_of(const std::string& forward) {
    return "reals = ( { name = \"r\"; address = \"10.2.0.11\"; forward = \"" + forward +
           "\"; } ); fallback = { address = \"10.2.0.12\"; };";
}

class PortsOfMarks : public testing::TestWithParam<const char*> {};

TEST_P(PortsOfMarks, MakeOneOfSeveralThatItsRealsKeep) {
    const LoadOutcome outcome =
        loaded(marks_of("{ mark = 7; vip = \"10.0.0.80\"; port = 80; }") +
               "services = ( { name = \"a\"; vip = \"10.0.0.80\"; port = 443; mark = 7;"
               " check = { type = \"none\"; }; " +
               reals_of(GetParam()) + " } );\n");
    EXPECT_EQ(outcome.problems, std::vector<std::string>{});
    const VirtualService& service = outcome.config.services.at(0);
    EXPECT_EQ(service.reals.at(0).endpoint.port, be16{}) << "the client's";
    EXPECT_EQ(service.fallback.value().endpoint.port, be16{});
    const LoadOutcome again = load_config_text(write_config(outcome.config), "d.cfg");
    EXPECT_EQ(again.problems, std::vector<std::string>{});
    EXPECT_EQ(again.config.services.at(0).reals, service.reals);
}

TEST_P(PortsOfMarks, AreTheRealsOwnWhereThereIsNoOther) {
    const LoadOutcome outcome =
        loaded(marks_of("{ mark = 7; vip = \"10.0.0.80\"; port = 80; }") +
               "services = ( { name = \"a\"; mark = 7; " + reals_of(GetParam()) + " } );\n");
    EXPECT_EQ(outcome.problems, std::vector<std::string>{});
    EXPECT_EQ(outcome.config.services.at(0).reals.at(0).endpoint.port, be16{80})
        << "where its check goes too";
}

INSTANTIATE_TEST_SUITE_P(By, PortsOfMarks, testing::Values("nat", "direct", "ipip"),
                         [](const auto& chosen) { return std::string{chosen.param}; });

TEST(MarkRules, AMarkIsOneServices) {
    EXPECT_EQ(
        loaded("services = ( { name = \"a\"; mark = 7; },\n { name = \"b\"; mark = 7; } );\n")
            .problems,
        std::vector<std::string>{
            "d.cfg:4: service \"b\": mark: 7 is already that of the service \"a\" at d.cfg:3"});
}

// A mark's port or range, and another service's: who has the latter?
struct Meeting {
    const char* marked;
    const char* other;
    bool is_the_marks;
};

TEST(MarkRules, AMarkHasWhatItCoversAndLeavesTheRest) {
    for (const Meeting& meeting : {Meeting{"80", "80", true},
                                   {"80", "\"any\"", false},
                                   {"\"8000-8099\"", "8080", true},
                                   {"\"any\"", "80", true},
                                   {"\"any\"", "\"any\"", true},
                                   {"80", "\"1-100\"", false},
                                   {"\"8000-8099\"", "\"8010-8020\"", true},
                                   {"80", "81", false}}) {
        const LoadOutcome outcome = loaded(
            marks_of("{ mark = 7; vip = \"10.0.0.80\"; port = " + std::string{meeting.marked} +
                     "; }") +
            "services = ( { name = \"b\"; vip = \"10.0.0.80\"; port = " + meeting.other +
            "; },"
            " { name = \"a\"; mark = 7; check = { type = \"none\"; }; } );\n");
        ASSERT_EQ(outcome.problems, std::vector<std::string>{}) << meeting.marked << meeting.other;
        const VirtualService& other = outcome.config.services[0];
        const MarkedPoints marked{outcome.config};
        EXPECT_EQ(marked.have(other, listen_points(other)[0]), meeting.is_the_marks)
            << meeting.marked << " and " << meeting.other;
        const VirtualService& own = outcome.config.services[1];
        EXPECT_FALSE(marked.have(own, listen_points(own)[0]));
    }
}

TEST(MarkRules, RefuseARangeThatMeetsAPartOfAnother) {
    EXPECT_EQ(
        loaded(marks_of("{ mark = 7; vip = \"10.0.0.80\"; port = \"8000-8099\"; }") +
               "services = ( { name = \"b\"; vip = \"10.0.0.80\"; port = \"8050-8150\"; },"
               " { name = \"a\"; mark = 7; check = { type = \"none\"; }; } );\n")
            .problems,
        std::vector<std::string>{"d.cfg:3: mark 7: port: 8000-8099 meets 8050-8150 of the service "
                                 "\"b\" at d.cfg:4, of which it has to have all or nothing"});
}

TEST(MarkRules, TwoMarksMayNotNameTheSamePort) {
    EXPECT_EQ(loaded(marks_of("{ mark = 7; vip = \"10.0.0.80\"; port = 80; },\n"
                              "{ mark = 8; vip = \"10.0.0.80\"; port = 80; }") +
                     "services = ( { name = \"a\"; mark = 7; }, { name = \"b\"; mark = 8; } );\n")
                  .problems,
              std::vector<std::string>{"d.cfg:4: service \"b\": 10.0.0.80:80 by tcp is already the "
                                       "service \"a\" at d.cfg:3"});
}

}  // namespace
}  // namespace fulcrum
