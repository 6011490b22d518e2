// The promise to sessions: a number never changes its meaning while any session may hold it.
#include "controlplane/index_registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <utility>

#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

using test::config;
using test::numbered;
using test::real;
using test::service;
using test::web;
using Places = std::vector<IndexRegistry::ServicePlaces>;

// Adopts what must fit.
Places adopted(IndexRegistry& registry, const Config& asked, std::uint64_t epoch) {
    Result<Places> places = registry.adopt(asked, epoch);
    EXPECT_TRUE(places.has_value());
    return places ? *places : Places{};
}

TEST(IndexPool, GivesTheLowestFreeNumber) {
    IndexPool pool{10};
    EXPECT_EQ(pool.take(), 0U);
    EXPECT_EQ(pool.take(), 1U);
    EXPECT_EQ(pool.take(), 2U);
    pool.give_back(1);
    pool.give_back(0);
    EXPECT_EQ(pool.free_count(), 9U);
    EXPECT_EQ(pool.take(), 0U);
    EXPECT_EQ(pool.take(), 1U);
    EXPECT_EQ(pool.take(), 3U);
    EXPECT_EQ(pool.free_count(), 6U);
}

TEST(IndexRegistry, NumbersListenersOverallAndRealsWithinTheirService) {
    IndexRegistry registry;
    const Places places = adopted(registry,
                                  config({web({real("web1", 11), real("web2", 21)}),
                                          service("mail", 25, {real("web1", 11)})}),
                                  1);
    ASSERT_EQ(places.size(), 2U);
    EXPECT_EQ(places[0].listeners.at(0), 0);
    EXPECT_EQ(places[1].listeners.at(0), 1);
    EXPECT_EQ(places[0].reals[0].index, 0);
    EXPECT_EQ(places[0].reals[1].index, 1);
    EXPECT_EQ(places[1].reals[0].index, 0);
    EXPECT_EQ(places[0].reals[0].tally, 0U);
    EXPECT_EQ(places[0].reals[1].tally, 1U);
    EXPECT_EQ(places[1].reals[0].tally, 2U);
    EXPECT_EQ(places[0].formerly, "");
}

TEST(IndexRegistry, NumbersEveryListenerOfAGroupAndKeepsThoseThatStay) {
    VirtualService group = web({real("web1", 11)});
    group.listen = {{.vip = {group.vip, 32}, .ports = PortRange::only(443)},
                    {.vip = {Ipv4Address::of(203, 0, 113, 96), 30}, .ports = {8'000, 8'099}}};
    IndexRegistry registry;
    const Places places = adopted(registry, config({group, service("mail", 25, {})}), 1);
    EXPECT_EQ(places[0].listeners, (std::vector<std::uint16_t>{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(places[1].listeners, std::vector<std::uint16_t>{6});
    EXPECT_NE(places[0].id, places[1].id);
    group.listen.erase(group.listen.begin());
    const Places fewer = adopted(registry, config({group, service("mail", 25, {})}), 2);
    EXPECT_EQ(fewer[0].listeners, (std::vector<std::uint16_t>{0, 2, 3, 4, 5}));
    EXPECT_EQ(fewer[0].id, places[0].id);
    ASSERT_EQ(registry.listener_remnants().size(), 1U);
    EXPECT_EQ(registry.listener_remnants()[0].index, 1);
    EXPECT_EQ(registry.listener_remnants()[0].point.ports, PortRange::only(443));
}

TEST(IndexRegistry, PlacesTheFallbackLast) {
    VirtualService asked = web({real("web1", 11)});
    asked.fallback = real("sorry", 99);
    IndexRegistry registry;
    const Places places = adopted(registry, config({asked}), 1);
    ASSERT_EQ(places[0].reals.size(), 2U);
    EXPECT_EQ(places[0].reals[1].index, 1);
}

TEST(IndexRegistry, KeepsNumbersWhateverTheOrderInTheFile) {
    IndexRegistry registry;
    adopted(registry, config({web({real("web1", 11), real("web2", 21)}), service("mail", 25, {})}),
            1);
    const Places places = adopted(
        registry, config({service("mail", 25, {}), web({real("web2", 21), real("web1", 11)})}), 2);
    EXPECT_EQ(places[0].listeners.at(0), 1);
    EXPECT_EQ(places[1].listeners.at(0), 0);
    EXPECT_EQ(places[1].reals[0].index, 1);
    EXPECT_EQ(places[1].reals[1].index, 0);
    EXPECT_EQ(places[1].formerly, "web");
}

TEST(IndexRegistry, LetsARemovedRealDrainUntilItIsFoundIdleTwice) {
    IndexRegistry registry;
    adopted(registry, config({web({real("web1", 11), real("web2", 21)})}), 1);
    adopted(registry, config({web({real("web2", 21)})}), 2);
    auto remnants = registry.real_remnants();
    ASSERT_EQ(remnants.size(), 1U);
    EXPECT_EQ(remnants[0].service, "web");
    EXPECT_EQ(remnants[0].name, "web1");
    EXPECT_EQ(remnants[0].endpoint, real("web1", 11).endpoint);
    EXPECT_FALSE(remnants[0].is_gone);

    const std::vector<std::uint32_t> idle{0};
    EXPECT_FALSE(registry.on_idle(idle, 2, 3));
    EXPECT_FALSE(registry.real_remnants()[0].is_gone);
    EXPECT_TRUE(registry.on_idle(idle, 2, 3));
    EXPECT_TRUE(registry.real_remnants()[0].is_gone);
}

TEST(IndexRegistry, CountsIdlenessAnewWhenASessionWasSeenInBetween) {
    IndexRegistry registry;
    adopted(registry, config({web({real("web1", 11)})}), 1);
    adopted(registry, config({web({})}), 2);
    const std::vector<std::uint32_t> idle{0};
    EXPECT_FALSE(registry.on_idle(idle, 2, 3));
    EXPECT_FALSE(registry.on_idle({}, 2, 3));
    EXPECT_FALSE(registry.on_idle(idle, 2, 3));
    EXPECT_TRUE(registry.on_idle(idle, 2, 3));
}

// A worker with the old snapshot may open a session the next moment.
TEST(IndexRegistry, DoesNotTrustIdlenessBeforeEveryWorkerHasSeenTheRemoval) {
    IndexRegistry registry;
    adopted(registry, config({web({real("web1", 11)})}), 7);
    adopted(registry, config({web({})}), 8);
    const std::vector<std::uint32_t> idle{0};
    EXPECT_FALSE(registry.on_idle(idle, 7, 9));
    EXPECT_FALSE(registry.on_idle(idle, 7, 9));
    EXPECT_FALSE(registry.on_idle(idle, 8, 9));
    EXPECT_TRUE(registry.on_idle(idle, 8, 9));
}

TEST(IndexRegistry, FreesAHoleOnlyAfterASweepBegunWithoutTheReal) {
    IndexRegistry registry;
    adopted(registry, config({web({real("web1", 11)})}), 1);
    adopted(registry, config({web({})}), 2);
    const std::vector<std::uint32_t> idle{0};
    registry.on_idle(idle, 2, 5);
    registry.on_idle(idle, 2, 5);  // gone as of 5
    EXPECT_FALSE(registry.on_swept(4));

    Places places = adopted(registry, config({web({real("web9", 19)})}), 6);
    EXPECT_EQ(places[0].reals[0].index, 1);
    EXPECT_EQ(places[0].reals[0].tally, 1U);

    EXPECT_TRUE(registry.on_swept(5));
    EXPECT_TRUE(registry.real_remnants().empty());
    places = adopted(registry, config({web({real("web9", 19), real("web8", 18)})}), 7);
    EXPECT_EQ(places[0].reals[1].index, 0);
    EXPECT_EQ(places[0].reals[1].tally, 0U);
}

TEST(IndexRegistry, NeverFreesARealThatStillDrains) {
    IndexRegistry registry;
    adopted(registry, config({web({real("web1", 11)})}), 1);
    adopted(registry, config({web({})}), 2);
    EXPECT_FALSE(registry.on_swept(1'000));
    EXPECT_EQ(registry.real_remnants().size(), 1U);
}

TEST(IndexRegistry, GivesARealThatComesBackItsOldNumber) {
    IndexRegistry registry;
    adopted(registry, config({web({real("web1", 11), real("web2", 21)})}), 1);
    adopted(registry, config({web({real("web2", 21)})}), 2);
    Places places = adopted(registry, config({web({real("web2", 21), real("web1", 11)})}), 3);
    EXPECT_EQ(places[0].reals[1].index, 0);
    EXPECT_EQ(places[0].reals[1].tally, 0U);
    EXPECT_TRUE(registry.real_remnants().empty());

    // And again from a hole that is not swept yet.
    adopted(registry, config({web({real("web2", 21)})}), 4);
    const std::vector<std::uint32_t> idle{0};
    registry.on_idle(idle, 4, 5);
    registry.on_idle(idle, 4, 5);
    places = adopted(registry, config({web({real("web1", 11), real("web2", 21)})}), 6);
    EXPECT_EQ(places[0].reals[0].index, 0);
    EXPECT_FALSE(registry.on_swept(100));
    EXPECT_TRUE(registry.real_remnants().empty());
}

TEST(IndexRegistry, TakesARealThatMovedElsewhereForAnother) {
    IndexRegistry registry;
    adopted(registry, config({web({real("web1", 11)})}), 1);
    Places places = adopted(registry, config({web({real("web1", 12)})}), 2);
    EXPECT_EQ(places[0].reals[0].index, 1);
    EXPECT_EQ(places[0].reals[0].tally, 1U);
    RealServer direct = real("web1", 12);
    direct.forward = ForwardingMode::direct;
    places = adopted(registry, config({web({direct})}), 3);
    EXPECT_EQ(places[0].reals[0].index, 2);
    EXPECT_EQ(registry.real_remnants().size(), 2U);
}

TEST(IndexRegistry, LeavesTheNumberAloneWhenOnlyTheWeightChanges) {
    IndexRegistry registry;
    adopted(registry, config({web({real("web1", 11, 1)})}), 1);
    const Places places = adopted(registry, config({web({real("web1", 11, 50)})}), 2);
    EXPECT_EQ(places[0].reals[0].index, 0);
    EXPECT_TRUE(registry.real_remnants().empty());
}

TEST(IndexRegistry, MakesHolesOfARemovedServiceAtOnce) {
    IndexRegistry registry;
    adopted(registry, config({web({real("web1", 11)}), service("mail", 25, {real("m", 31)})}), 1);
    adopted(registry, config({service("mail", 25, {real("m", 31)})}), 2);
    const auto listeners = registry.listener_remnants();
    ASSERT_EQ(listeners.size(), 1U);
    EXPECT_EQ(listeners[0].service, "web");
    EXPECT_EQ(listeners[0].index, 0);
    const auto reals = registry.real_remnants();
    ASSERT_EQ(reals.size(), 1U);
    EXPECT_TRUE(reals[0].is_gone);

    EXPECT_FALSE(registry.on_swept(1));
    EXPECT_TRUE(registry.on_swept(2));
    EXPECT_TRUE(registry.listener_remnants().empty());
    const Places places = adopted(
        registry,
        config({service("mail", 25, {real("m", 31)}), service("new", 90, {real("n", 41)})}), 3);
    EXPECT_EQ(places[1].listeners.at(0), 0);
    EXPECT_EQ(places[1].reals[0].tally, 0U);
}

TEST(IndexRegistry, NumbersServicesAndGivesANumberOutAgainOnlyAfterASweep) {
    IndexRegistry registry;
    const auto mail = service("mail", 25, {real("m", 31)});
    const auto late = service("late", 90, {real("n", 41)});
    Places places = adopted(registry, config({web({real("web1", 11)}), mail}), 1);
    EXPECT_EQ(places[0].number, 0);
    EXPECT_EQ(places[1].number, 1);
    places = adopted(registry, config({mail, late}), 2);
    EXPECT_EQ(places[0].number, 1) << "whatever its place in the file";
    EXPECT_EQ(places[1].number, 2);
    registry.on_swept(2);
    places = adopted(registry, config({mail, late, service("new", 91, {})}), 3);
    EXPECT_EQ(places[2].number, 0);
}

TEST(IndexRegistry, DrainingRealsOfARemovedServiceBecomeHolesToo) {
    IndexRegistry registry;
    adopted(registry, config({web({real("web1", 11)})}), 1);
    adopted(registry, config({web({})}), 2);
    adopted(registry, config({}), 3);
    ASSERT_EQ(registry.real_remnants().size(), 1U);
    EXPECT_TRUE(registry.real_remnants()[0].is_gone);
    EXPECT_FALSE(registry.on_swept(2));
    EXPECT_TRUE(registry.on_swept(3));
    EXPECT_TRUE(registry.real_remnants().empty());
}

TEST(IndexRegistry, GivesAServiceThatComesBackItsOldNumbers) {
    IndexRegistry registry;
    adopted(registry, config({service("mail", 25, {}), web({real("web1", 11)})}), 1);
    adopted(registry, config({service("mail", 25, {})}), 2);
    const Places places =
        adopted(registry, config({web({real("web1", 11)}), service("mail", 25, {})}), 3);
    EXPECT_EQ(places[0].listeners.at(0), 1);
    EXPECT_EQ(places[0].reals[0].index, 0);
    EXPECT_TRUE(registry.listener_remnants().empty());
}

TEST(IndexRegistry, GivesAServiceOnAnotherVipAnotherListenerAndTheSameReals) {
    IndexRegistry registry;
    adopted(registry, config({service("web", 80, {real("web1", 11)})}), 1);
    const Places places = adopted(registry, config({service("web", 81, {real("web1", 11)})}), 2);
    EXPECT_EQ(places[0].listeners.at(0), 1);
    EXPECT_EQ(places[0].reals[0].index, 0);
    ASSERT_EQ(registry.listener_remnants().size(), 1U);
    EXPECT_EQ(registry.listener_remnants()[0].index, 0);
    EXPECT_TRUE(registry.on_swept(2));
    EXPECT_TRUE(registry.listener_remnants().empty());
}

// Sessions of VIP 80 hold real indexes of "web"; under "shop" these would mean other machines.
TEST(IndexRegistry, GivesServicesThatSwapTheirVipsNewListeners) {
    IndexRegistry registry;
    adopted(
        registry,
        config({service("web", 80, {real("web1", 11)}), service("shop", 81, {real("shop1", 31)})}),
        1);
    const Places places = adopted(
        registry,
        config({service("web", 81, {real("web1", 11)}), service("shop", 80, {real("shop1", 31)})}),
        2);
    EXPECT_EQ(places[0].listeners.at(0), 2);
    EXPECT_EQ(places[1].listeners.at(0), 3);
    EXPECT_EQ(registry.listener_remnants().size(), 2U);
}

TEST(IndexRegistry, KnowsARenamedServiceByItsVipAndPort) {
    IndexRegistry registry;
    adopted(registry, config({service("web", 80, {real("web1", 11), real("web2", 21)})}), 1);
    const Places places =
        adopted(registry, config({service("shop", 80, {real("web2", 21), real("web1", 11)})}), 2);
    EXPECT_EQ(places[0].formerly, "web");
    EXPECT_EQ(places[0].listeners.at(0), 0);
    EXPECT_EQ(places[0].reals[0].index, 1);
    EXPECT_EQ(places[0].reals[1].index, 0);
    EXPECT_TRUE(registry.real_remnants().empty());
    EXPECT_TRUE(registry.listener_remnants().empty());
}

TEST(IndexRegistry, DoesNotTakeAServiceForARenamedOneWhileThatIsAskedForElsewhere) {
    IndexRegistry registry;
    adopted(registry, config({service("web", 80, {real("web1", 11)})}), 1);
    const Places places = adopted(
        registry,
        config({service("shop", 80, {real("web1", 11)}), service("web", 81, {real("web1", 11)})}),
        2);
    EXPECT_EQ(places[0].formerly, "");
    EXPECT_EQ(places[0].listeners.at(0), 1);
    EXPECT_EQ(places[1].formerly, "web");
    EXPECT_EQ(places[1].reals[0].tally, 0U);
}

TEST(IndexRegistry, RefusesWholeWhatExceedsTheTallies) {
    IndexRegistry registry{3};
    adopted(registry, config({web({real("a", 1), real("b", 2)})}), 1);
    const Config too_many = config({web({real("c", 3)}), service("x", 9, {real("d", 4)})});
    const Result<Places> refused = registry.adopt(too_many, 2);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().sentence,
              "reals: 2 are new and 1 indexes are free; those of removed ones become free once "
              "their sessions have ended, so reload again later or change less at once");
    EXPECT_TRUE(registry.real_remnants().empty());
    const Places places = adopted(registry, config({web({real("b", 2), real("a", 1)})}), 2);
    EXPECT_EQ(places[0].reals[0].index, 1);
}

TEST(IndexRegistry, RefusesMoreNewRealsThanAServiceHasIndexes) {
    VirtualService full = web({});
    for (std::size_t i = 0; i <= limits::reals_per_service_max; ++i) {
        full.reals.push_back(real(numbered("r", i), 1));
    }
    IndexRegistry registry;
    EXPECT_FALSE(registry.adopt(config({full}), 1).has_value());
    full.reals.pop_back();
    EXPECT_TRUE(registry.adopt(config({full}), 1).has_value());
}

// Numbers as sessions hold them, what each means, and until which epoch some session may hold it.
class Holders {
  public:
    using Number = std::pair<std::uint16_t, std::uint16_t>;  // listener, real

    void hold(Number number, Endpoint meaning, std::uint64_t epoch) {
        Held& held = held_.try_emplace(number, Held{meaning, epoch}).first->second;
        contradiction_count += held.meaning == meaning ? 0U : 1U;
        held.until_epoch = epoch;
    }
    void sweep(std::uint64_t epoch) {
        swept_count +=
            std::erase_if(held_, [&](const auto& one) { return one.second.until_epoch < epoch; });
    }

    std::size_t contradiction_count = 0;
    std::size_t swept_count = 0;

  private:
    struct Held {
        Endpoint meaning;
        std::uint64_t until_epoch;
    };
    std::map<Number, Held> held_;
};

// One to three services of up to six reals, of the same few names and addresses.
template <typename Random>
Config drawn_config(Random& random) {
    Config asked = config({});
    for (const char* name : {"a", "b", "c"}) {
        if (random(4) == 0) {
            continue;
        }
        VirtualService one = service(name, static_cast<std::uint8_t>(asked.services.size()), {});
        for (std::uint8_t octet = 0; octet < 6; ++octet) {
            if (random(2) == 0) {
                one.reals.push_back(real(numbered("r", octet), octet));
            }
        }
        asked.services.push_back(one);
    }
    return asked;
}

// Random reloads, idlings and sweeps, against the promise itself.
TEST(IndexRegistry, NeverGivesOutANumberThatASessionMayHold) {
    std::mt19937 generator{11};  // NOLINT: the same every time
    const auto random = [&](std::uint32_t bound) {
        return static_cast<std::uint32_t>(generator()) % bound;
    };
    IndexRegistry registry{64};
    Holders holders;
    for (std::uint64_t epoch = 1; epoch < 3'000; ++epoch) {
        const Config asked = drawn_config(random);
        const Places places = adopted(registry, asked, epoch);
        std::map<std::string_view, std::uint16_t> listener_of;
        for (std::size_t s = 0; s < places.size(); ++s) {
            listener_of[asked.services[s].name] = places[s].listeners.at(0);
            for (std::size_t r = 0; r < places[s].reals.size(); ++r) {
                holders.hold({places[s].listeners.at(0), places[s].reals[r].index},
                             asked.services[s].reals[r].endpoint, epoch);
            }
        }
        std::vector<std::uint32_t> idle;
        for (const auto& remnant : registry.real_remnants()) {
            if (remnant.is_gone || random(2) == 0) {
                idle.push_back(remnant.place.tally);
            } else {
                holders.hold({listener_of.at(remnant.service), remnant.place.index},
                             remnant.endpoint, epoch);
            }
        }
        registry.on_idle(idle, epoch, epoch + 1);
        if (random(3) == 0) {
            const std::uint64_t swept = epoch - std::min<std::uint64_t>(epoch, random(4));
            registry.on_swept(swept);
            holders.sweep(swept);
        }
    }
    EXPECT_EQ(holders.contradiction_count, 0U);
    EXPECT_GT(holders.swept_count, 1'000U);  // numbers did change their meaning
}

// --- over the end of the process -------------------------------------------------------------

TEST(IndexRegistry, GivesTheSameThingsTheSameNumbersInTheNextProcess) {
    IndexRegistry before;
    adopted(before,
            config({web({real("web1", 11), real("web2", 21), real("web3", 31)}),
                    service("mail", 25, {real("mx", 12)})}),
            1);
    // web2 leaves, and all of mail is gone.
    const Config later = config({web({real("web3", 31), real("web1", 11), real("web4", 41)})});
    const Places then = adopted(before, later, 2);

    IndexRegistry after;
    ASSERT_TRUE(after.recall(before.remember()));
    const Places now = adopted(after, later, 1);
    EXPECT_EQ(now[0].formerly, "web");
    EXPECT_EQ(now[0].number, then[0].number);
    EXPECT_EQ(now[0].listeners, then[0].listeners);
    ASSERT_EQ(now[0].reals.size(), then[0].reals.size());
    for (std::size_t i = 0; i < now[0].reals.size(); ++i) {
        EXPECT_EQ(now[0].reals[i].index, then[0].reals[i].index);
        EXPECT_EQ(now[0].reals[i].tally, then[0].reals[i].tally);
    }
    // What was leaving leaves still, and what was a hole is one.
    const auto remnants_of = [](const IndexRegistry& registry) {
        std::vector<std::tuple<std::string, std::string, std::uint32_t, bool>> found;
        for (const auto& remnant : registry.real_remnants()) {
            found.emplace_back(remnant.service, remnant.name, remnant.place.tally, remnant.is_gone);
        }
        return found;
    };
    EXPECT_EQ(remnants_of(after), remnants_of(before));
    EXPECT_EQ(after.listener_remnants().size(), 1U);
}

TEST(IndexRegistry, GivesNobodyANumberThatSessionsOfTheLastProcessMayHold) {
    IndexRegistry before;
    adopted(before, config({web({real("web1", 11), real("web2", 21)})}), 1);
    IndexRegistry after;
    ASSERT_TRUE(after.recall(before.remember()));
    const Places now = adopted(after, config({web({real("web2", 21), real("web9", 91)})}), 1);
    EXPECT_EQ(now[0].reals[0].index, 1U);
    EXPECT_EQ(now[0].reals[1].index, 2U) << "0 is web1's, whose sessions live on";
    EXPECT_FALSE(after.on_swept(0));
    // Found idle twice, then swept without it: now it is free.
    const std::vector<std::uint32_t> idle{0};
    EXPECT_FALSE(after.on_idle(idle, 1, 2));
    EXPECT_TRUE(after.on_idle(idle, 1, 2));
    EXPECT_TRUE(after.on_swept(2));
    const Places later =
        adopted(after, config({web({real("web2", 21), real("web9", 91), real("web5", 51)})}), 3);
    EXPECT_EQ(later[0].reals[2].index, 0U);
}

TEST(IndexRegistry, RecallsNothingThatItHasNoCountersFor) {
    IndexRegistry before;
    adopted(before, config({web({real("web1", 11), real("web2", 21)})}), 1);
    IndexRegistry small{1};
    EXPECT_FALSE(small.recall(before.remember()));
}

TEST(IndexRegistry, SaysWhenNumbersHaveChanged) {
    IndexRegistry registry;
    const std::uint64_t first = registry.revision();
    adopted(registry, config({web({real("web1", 11)})}), 1);
    const std::uint64_t second = registry.revision();
    EXPECT_GT(second, first);
    EXPECT_FALSE(registry.on_swept(1));
    EXPECT_EQ(registry.revision(), second);
}

}  // namespace
}  // namespace fulcrum
