// Which real a new flow draws: in proportion to weight, alike on two directors, and without moving
// anybody whose real is still there.
#include "dataplane/choose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/scene.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr std::uint32_t flow_count = 20'000;

ClientKey flow(std::uint32_t number) {
    return client_key_of(Ipv4Address::from_host(0x0A09'0000 + number / 100),
                         be16{static_cast<std::uint16_t>(20'000 + number % 100)}, L4Protocol::tcp);
}

constexpr auto nobody_is_refused = [](std::uint16_t) { return false; };

std::uint64_t draw_number(const Snapshot& snapshot, std::uint32_t number,
                          std::uint16_t listener = 0) {
    return draw_of(snapshot, snapshot.listeners[listener], flow(number));
}

std::uint16_t chosen(const Snapshot& snapshot, std::uint32_t number) {
    return choose_real(snapshot, snapshot.listeners[0], draw_number(snapshot, number),
                       nobody_is_refused);
}

Ipv4Address address_of(std::uint8_t number) { return Ipv4Address::of(10, 2, 0, number); }

Ipv4Address chosen_address(const Snapshot& snapshot, std::uint32_t number) {
    const std::uint16_t index = chosen(snapshot, number);
    return index == limits::index_none ? Ipv4Address{}
                                       : snapshot.real_of(snapshot.listeners[0], index).address;
}

Scene scene_with(const std::vector<std::uint32_t>& weights) {
    Scene scene;
    scene.service("web", vip);
    std::uint8_t number = 0;
    for (const std::uint32_t weight : weights) {
        ++number;
        scene.real("real" + std::to_string(number), {address_of(number), be16{8'080}},
                   ForwardingMode::nat, weight);
    }
    return scene;
}

std::map<Ipv4Address, std::uint32_t> shares(const Snapshot& snapshot) {
    std::map<Ipv4Address, std::uint32_t> counts;
    for (std::uint32_t number = 0; number < flow_count; ++number) {
        ++counts[chosen_address(snapshot, number)];
    }
    return counts;
}

TEST(Choose, SharesAreAsTheWeightsSay) {
    const auto counts = shares(*scene_with({1, 2, 5}).snapshot());
    // Four standard deviations of a binomial draw, and a percent for the ring.
    EXPECT_NEAR(counts.at(address_of(1)), flow_count / 8.0, 250);
    EXPECT_NEAR(counts.at(address_of(2)), flow_count / 4.0, 300);
    EXPECT_NEAR(counts.at(address_of(3)), flow_count * 5 / 8.0, 350);
}

TEST(Choose, ADownRealsFlowsMoveAndNobodyElses) {
    Scene scene = scene_with({1, 1, 1, 1});
    const auto before = scene.snapshot();
    scene.last_service().reals[1].weight = 0;
    const auto after = scene.snapshot();
    for (std::uint32_t number = 0; number < flow_count; ++number) {
        const Ipv4Address was = chosen_address(*before, number);
        if (was != address_of(2)) {
            ASSERT_EQ(chosen_address(*after, number), was);
        } else {
            ASSERT_NE(chosen_address(*after, number), was);
        }
    }
}

TEST(Choose, ADownRealsFlowsSpreadOverTheOthersByWeight) {
    Scene scene = scene_with({3, 1, 2});
    scene.last_service().reals[0].weight = 0;
    const auto down = scene.snapshot();
    const auto counts = shares(*down);
    EXPECT_NEAR(counts.at(address_of(2)), flow_count / 3.0, 350);
    EXPECT_NEAR(counts.at(address_of(3)), flow_count * 2 / 3.0, 350);
}

TEST(Choose, FlowsComeBackWithTheirReal) {
    Scene scene = scene_with({1, 1, 1});
    const auto before = scene.snapshot();
    scene.last_service().reals[0].weight = 0;
    const auto down = scene.snapshot();
    scene.last_service().reals[0].weight = 1;
    const auto after = scene.snapshot();
    for (std::uint32_t number = 0; number < flow_count; ++number) {
        ASSERT_EQ(chosen_address(*before, number), chosen_address(*after, number));
    }
}

TEST(Choose, TheLastUsableOfManyServesEverybody) {
    Scene scene = scene_with(std::vector<std::uint32_t>(100, 1));
    scene.snapshot();
    for (RealServer& real : scene.last_service().reals) {
        real.weight = real.name == "real77" ? 1 : 0;
    }
    const auto snapshot = scene.snapshot();
    for (std::uint32_t number = 0; number < 2'000; ++number) {
        ASSERT_EQ(chosen_address(*snapshot, number), address_of(77));
    }
}

TEST(Choose, TheFallbackComesLast) {
    Scene scene = scene_with({1});
    scene.fallback({address_of(99), be16{80}});
    EXPECT_EQ(chosen_address(*scene.snapshot(), 1), address_of(1));
    scene.last_service().reals[0].weight = 0;
    EXPECT_EQ(chosen_address(*scene.snapshot(), 1), address_of(99));
}

TEST(Choose, NobodyIsChosenWhenNobodyIsThere) {
    Scene scene = scene_with({0, 0});
    EXPECT_EQ(chosen(*scene.snapshot(), 1), limits::index_none);
    Scene empty = scene_with({});
    EXPECT_EQ(chosen(*empty.snapshot(), 1), limits::index_none);
}

TEST(Choose, TwoDirectorsThatListTheRealsDifferentlyDrawAlike) {
    Scene one = scene_with({1, 2, 3, 4});
    Scene other = scene_with({1, 2, 3, 4});
    std::reverse(other.last_service().reals.begin(), other.last_service().reals.end());
    const auto first = one.snapshot();
    const auto second = other.snapshot();
    for (std::uint32_t number = 0; number < flow_count; ++number) {
        ASSERT_EQ(chosen_address(*first, number), chosen_address(*second, number));
    }
}

TEST(Choose, AnotherSeedDrawsAnotherReal) {
    Scene one = scene_with({1, 1});
    Scene other = scene_with({1, 1});
    other.config().director.seed = "another";
    const auto first = one.snapshot();
    const auto second = other.snapshot();
    std::uint32_t different = 0;
    for (std::uint32_t number = 0; number < flow_count; ++number) {
        different += chosen_address(*first, number) != chosen_address(*second, number) ? 1 : 0;
    }
    EXPECT_NEAR(different, flow_count / 2.0, 400);
}

TEST(Choose, OneClientsServicesDrawIndependently) {
    Scene scene = scene_with({1, 1});
    scene.service("other", {Ipv4Address::of(10, 1, 0, 81), be16{80}})
        .real("real1", {address_of(1), be16{8'080}})
        .real("real2", {address_of(2), be16{8'080}});
    const auto snapshot = scene.snapshot();
    std::uint32_t different = 0;
    for (std::uint32_t number = 0; number < flow_count; ++number) {
        const auto index = choose_real(*snapshot, snapshot->listeners[1],
                                       draw_number(*snapshot, number, 1), nobody_is_refused);
        different += snapshot->real_of(snapshot->listeners[1], index).address !=
                             chosen_address(*snapshot, number)
                         ? 1
                         : 0;
    }
    EXPECT_NEAR(different, flow_count / 2.0, 400);
}

TEST(Choose, AFlowThatARealRefusesDrawsAgain) {
    const auto snapshot = scene_with({1, 1, 1}).snapshot();
    const SnapshotListener& listener = snapshot->listeners[0];
    for (std::uint32_t number = 0; number < 1'000; ++number) {
        const std::uint16_t first = chosen(*snapshot, number);
        const std::uint16_t second =
            choose_real(*snapshot, listener, draw_number(*snapshot, number),
                        [&](std::uint16_t index) { return index == first; });
        ASSERT_NE(second, first);
        ASSERT_NE(second, limits::index_none);
    }
}

TEST(Choose, AFlowThatEverybodyRefusesEndsSoon) {
    const auto snapshot = scene_with({1, 1, 1}).snapshot();
    std::uint32_t asked = 0;
    const std::uint16_t index = choose_real(*snapshot, snapshot->listeners[0],
                                            draw_number(*snapshot, 1), [&](std::uint16_t) {
                                                ++asked;
                                                return true;
                                            });
    EXPECT_EQ(index, limits::index_none);
    EXPECT_LE(asked, limits::ring_draws_max + limits::ring_refusals_max);
}

}  // namespace
}  // namespace fulcrum::test
