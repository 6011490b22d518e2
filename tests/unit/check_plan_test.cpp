// Which probes a configuration asks for.
#include "controlplane/health/check_plan.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

RealServer real_at(const std::string& name, std::uint8_t last_octet, std::uint16_t port = 80) {
    RealServer real;
    real.name = name;
    real.endpoint = {Ipv4Address::of(10, 2, 0, last_octet), be16{port}};
    return real;
}

VirtualService service_of(const std::string& name, std::vector<RealServer> reals) {
    VirtualService service;
    service.name = name;
    service.reals = std::move(reals);
    return service;
}

TEST(CheckPlan, SendsOneProbeForTwoServicesThatAskTheSame) {
    Config config;
    config.services = {service_of("a", {real_at("one", 11)}),
                       service_of("b", {real_at("uno", 11)})};
    const CheckPlan plan = plan_checks(config);
    EXPECT_EQ(plan.probes.size(), 1U);
    ASSERT_EQ(plan.subjects.size(), 2U);
    EXPECT_EQ(plan.subjects[0].probe, 0U);
    EXPECT_EQ(plan.subjects[1].probe, 0U);
}

TEST(CheckPlan, AsksARealItsOwnChecksInPlaceOfTheServices) {
    Config config;
    config.services = {
        service_of("a", {real_at("one", 11), real_at("two", 12), real_at("off", 13)})};
    config.services[0].further_checks = {{.type = CheckType::ping}};
    config.services[0].reals[1].checks = {{.type = CheckType::http, .path = "/x"}};
    config.services[0].reals[2].checks = {{.type = CheckType::none}};
    const CheckPlan plan = plan_checks(config);
    std::vector<std::string> asked;
    for (const CheckSubject& subject : plan.subjects) {
        asked.push_back(subject.real + " " + std::to_string(subject.ordinal) + " " +
                        std::string{to_string(plan.probes[subject.probe].check.type)});
    }
    EXPECT_EQ(asked, (std::vector<std::string>{"one 0 connect", "one 1 ping", "two 0 http"}));
}

TEST(CheckPlan, HeedsConnectionsOfRealsWhoseAnswersPassUnlessItMayNot) {
    Config config;
    config.services = {
        service_of("a", {real_at("direct", 11), real_at("fullnat", 12), real_at("ipip", 13),
                         real_at("nat", 14), real_at("told", 15)})};
    std::vector<RealServer>& reals = config.services[0].reals;
    reals[0].forward = ForwardingMode::direct;
    reals[1].forward = ForwardingMode::full_nat;
    reals[2].forward = ForwardingMode::ipip;
    reals[4].checks = {{.passive = false}};
    std::vector<std::string> passive;
    for (const CheckSubject& subject : plan_checks(config).subjects) {
        if (subject.is_passive) {
            passive.push_back(subject.real);
        }
    }
    EXPECT_EQ(passive, (std::vector<std::string>{"fullnat", "nat"}));
}

TEST(CheckPlan, KeepsProbesApartThatDifferInAnything) {
    Config config;
    config.services = {service_of("a", {real_at("one", 11)}), service_of("b", {real_at("one", 11)}),
                       service_of("c", {real_at("one", 11)}),
                       service_of("d", {real_at("one", 12)})};
    config.services[1].check.timeout = 1s;
    config.services[2].check.type = CheckType::http;
    EXPECT_EQ(plan_checks(config).probes.size(), 4U);
}

TEST(CheckPlan, SharesAProbeAcrossDifferentRiseAndFall) {
    Config config;
    config.services = {service_of("a", {real_at("one", 11)}),
                       service_of("b", {real_at("one", 11)})};
    config.services[1].check.fall = 5;
    config.services[1].check.passive = false;
    const CheckPlan plan = plan_checks(config);
    EXPECT_EQ(plan.probes.size(), 1U);
    EXPECT_EQ(plan.subjects[0].thresholds.fall, 1U);
    EXPECT_EQ(plan.subjects[1].thresholds.fall, 5U);
}

TEST(CheckPlan, LeavesOutServicesWithoutACheckAndFallbacks) {
    Config config;
    config.services = {service_of("a", {real_at("one", 11)}),
                       service_of("b", {real_at("two", 12)})};
    config.services[0].check.type = CheckType::none;
    config.services[1].fallback = real_at("fallback", 99);
    const CheckPlan plan = plan_checks(config);
    ASSERT_EQ(plan.subjects.size(), 1U);
    EXPECT_EQ(plan.subjects[0].real, "two");
    EXPECT_EQ(plan.probes.size(), 1U);
}

TEST(CheckPlan, AsksTheCheckPortWhereOneIsGiven) {
    Config config;
    config.services = {service_of("a", {real_at("one", 11, 8080)})};
    config.services[0].check.port = 9000;
    const CheckPlan plan = plan_checks(config);
    EXPECT_EQ(plan.probes[0].target, (Endpoint{Ipv4Address::of(10, 2, 0, 11), be16{9000}}));
    EXPECT_EQ(plan.subjects[0].endpoint.port, be16{8080});
}

TEST(CheckPlan, OrdersSubjectsByServiceAndReal) {
    Config config;
    config.services = {service_of("b", {real_at("y", 1), real_at("x", 2)}),
                       service_of("a", {real_at("z", 3)})};
    const CheckPlan plan = plan_checks(config);
    ASSERT_EQ(plan.subjects.size(), 3U);
    EXPECT_EQ(plan.subjects[0].service + plan.subjects[0].real, "az");
    EXPECT_EQ(plan.subjects[1].service + plan.subjects[1].real, "bx");
    EXPECT_EQ(plan.subjects[2].service + plan.subjects[2].real, "by");
}

}  // namespace
}  // namespace fulcrum
