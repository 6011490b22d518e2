// What each event makes of the state, seen as the operator and the compiler see it.
#include "controlplane/director_state.h"

#include <gtest/gtest.h>

#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

using test::real;
using test::service;
using test::shared_config;
using test::web;

Instant at_s(int seconds) { return Instant{} + std::chrono::seconds{seconds}; }

// A director with service "web" of web1 and web2, both checked and up since second 1.
class Directed : public testing::Test {
  protected:
    Directed() {
        load({web({real("web1", 11), real("web2", 21)})}, 0);
        set_health("web1", true, 1);
        set_health("web2", true, 1);
        state_.compile_input();
    }

    Outcome load(std::vector<VirtualService> services, int second) {
        return state_.on_event(ConfigLoaded{shared_config(std::move(services))}, at_s(second));
    }
    Outcome set_health(const std::string& name, bool is_up, int second) {
        return state_.on_event(HealthChanged{"web", name, is_up, is_up ? "HTTP 200" : "refused"},
                               at_s(second));
    }
    Outcome drain(const std::string& name, int second = 5) {
        return state_.on_event(DrainAsked{"web", name}, at_s(second));
    }
    Outcome undrain(const std::string& name, int second = 6) {
        return state_.on_event(UndrainAsked{"web", name}, at_s(second));
    }
    RealView view(const std::string& name) const {
        const ServiceView web = state_.service("web").value();
        for (const RealView& found : web.reals) {
            if (found.name == name) {
                return found;
            }
        }
        ADD_FAILURE() << "no real " << name;
        return {};
    }
    RealPlan plan(const std::string& name) {
        const CompileInput input = state_.compile_input();
        for (const RealPlan& found : input.services[0].reals) {
            if (found.name == name) {
                return found;
            }
        }
        ADD_FAILURE() << "no plan of " << name;
        return {};
    }
    // As the control thread does once a second, with all workers up to date.
    Outcome see_workers(std::vector<std::uint32_t> idle_tallies) {
        return state_.on_event(WorkersSeen{.epoch_seen = state_.epoch(),
                                           .epoch_swept = state_.epoch(),
                                           .idle_tallies = std::move(idle_tallies)},
                               at_s(100));
    }

    DirectorState state_;
};

// --- health ------------------------------------------------------------------------------------

TEST(DirectorState, StartsWithCheckedRealsUnknownAndUnusable) {
    DirectorState state;
    const Outcome outcome =
        state.on_event(ConfigLoaded{shared_config({web({real("web1", 11)})})}, at_s(3));
    EXPECT_TRUE(outcome.needs_snapshot);
    EXPECT_FALSE(outcome.refusal.has_value());
    EXPECT_TRUE(outcome.changes.empty());
    const RealView view = state.services().at(0).reals.at(0);
    EXPECT_EQ(view.state, RealState::unknown);
    EXPECT_EQ(view.weight, 0U);
    EXPECT_EQ(view.weight_configured, 1U);
    EXPECT_EQ(view.check, "not checked yet");
    EXPECT_EQ(view.since, at_s(3));
    EXPECT_EQ(state.compile_input().services[0].reals[0].standing, RealStanding::draining);
}

TEST(DirectorState, HasUncheckedRealsAndFallbacksUpFromTheStart) {
    VirtualService asked = web({real("web1", 11)});
    asked.check.type = CheckType::none;
    asked.fallback = real("sorry", 99);
    DirectorState state;
    state.on_event(ConfigLoaded{shared_config({asked})}, at_s(0));
    const ServiceView view = state.service("web").value();
    EXPECT_EQ(view.reals.at(0).state, RealState::up);
    EXPECT_EQ(view.reals.at(1).state, RealState::up);
    EXPECT_TRUE(view.reals.at(1).is_fallback);
    EXPECT_EQ(view.usable_count, 1U);
    const CompileInput input = state.compile_input();
    EXPECT_EQ(input.services[0].fallback, 1);
    EXPECT_EQ(input.services[0].reals[1].standing, RealStanding::usable);
    EXPECT_EQ(input.services[0].reals[1].ring_weight, 0U);
    EXPECT_EQ(input.services[0].reals[0].ring_weight, 1U);
}

TEST_F(Directed, ShowsARealDownWithWeightZeroAndUpWithItsOwn) {
    EXPECT_EQ(view("web1").weight, 1U);
    EXPECT_EQ(view("web1").check, "HTTP 200");
    EXPECT_TRUE(set_health("web1", false, 9).needs_snapshot);
    EXPECT_EQ(view("web1").state, RealState::down);
    EXPECT_EQ(view("web1").weight, 0U);
    EXPECT_EQ(view("web1").weight_configured, 1U);
    EXPECT_EQ(view("web1").check, "refused");
    EXPECT_EQ(view("web1").since, at_s(9));
    EXPECT_EQ(state_.service("web")->usable_count, 1U);
    EXPECT_EQ(plan("web1").standing, RealStanding::down);
    EXPECT_EQ(plan("web1").ring_weight, 1U);
    EXPECT_TRUE(set_health("web1", true, 12).needs_snapshot);
    EXPECT_EQ(view("web1").weight, 1U);
    EXPECT_EQ(plan("web1").standing, RealStanding::usable);
}

TEST(DirectorState, HasRealsDownForGoodWhoseCheckIsOff) {
    VirtualService asked = web({real("web1", 11)});
    asked.check.type = CheckType::off;
    asked.fallback = real("sorry", 99);
    DirectorState state;
    state.on_event(ConfigLoaded{shared_config({asked})}, at_s(0));
    const ServiceView view = state.service("web").value();
    EXPECT_EQ(view.reals.at(0).state, RealState::down);
    EXPECT_EQ(view.reals.at(1).state, RealState::up);
    EXPECT_EQ(view.usable_count, 0U);
    EXPECT_FALSE(state.on_event(HealthChanged{"web", "web1", true, ""}, at_s(1)).needs_snapshot);
    EXPECT_EQ(state.compile_input().services[0].reals[0].standing, RealStanding::down);
}

TEST_F(Directed, NeedsNoSnapshotForTheSameVerdictAgain) {
    EXPECT_FALSE(set_health("web1", true, 9).needs_snapshot);
    EXPECT_EQ(view("web1").since, at_s(1));
}

TEST_F(Directed, IgnoresVerdictsOnWhatIsNoLongerThere) {
    EXPECT_FALSE(set_health("web9", false, 9).needs_snapshot);
    EXPECT_FALSE(state_.on_event(HealthChanged{"mail", "web1", false, ""}, at_s(9)).needs_snapshot);
    VirtualService unchecked = web({real("web1", 11), real("web2", 21)});
    unchecked.check.type = CheckType::none;
    load({unchecked}, 10);
    EXPECT_FALSE(set_health("web1", false, 11).needs_snapshot);
    EXPECT_EQ(view("web1").state, RealState::up);
    EXPECT_EQ(view("web1").check, "not checked");
}

// --- drains ------------------------------------------------------------------------------------

TEST_F(Directed, DrainsAndUndrainsOnRequest) {
    EXPECT_TRUE(drain("web1").needs_snapshot);
    EXPECT_EQ(view("web1").state, RealState::drained);
    EXPECT_EQ(view("web1").weight, 0U);
    EXPECT_EQ(plan("web1").standing, RealStanding::draining);
    EXPECT_EQ(plan("web1").ring_weight, 1U);
    EXPECT_FALSE(drain("web1", 8).needs_snapshot);
    EXPECT_EQ(view("web1").since, at_s(5));
    EXPECT_TRUE(undrain("web1").needs_snapshot);
    EXPECT_EQ(view("web1").state, RealState::up);
}

TEST_F(Directed, RefusesToDrainWhatItDoesNotKnow) {
    const Outcome no_real = drain("web9");
    ASSERT_TRUE(no_real.refusal.has_value());
    EXPECT_EQ(no_real.refusal->code, "unknown_real");
    EXPECT_EQ(no_real.refusal->sentences.at(0), "service \"web\" has no real \"web9\"");
    const Outcome no_service = state_.on_event(UndrainAsked{"wen", "web1"}, at_s(0));
    ASSERT_TRUE(no_service.refusal.has_value());
    EXPECT_EQ(no_service.refusal->code, "unknown_service");
    EXPECT_EQ(no_service.refusal->sentences.at(0), "there is no service \"wen\"");
}

TEST_F(Directed, KeepsADrainThroughHealthAndReload) {
    drain("web1");
    EXPECT_FALSE(set_health("web1", false, 7).needs_snapshot);
    EXPECT_FALSE(set_health("web1", true, 8).needs_snapshot);
    load({web({real("web1", 11), real("web3", 31)})}, 9);
    EXPECT_EQ(view("web1").state, RealState::drained);
    EXPECT_EQ(view("web1").since, at_s(5));
    load({web({real("web1", 12)})}, 10);  // the operator spoke of the name
    EXPECT_EQ(view("web1").state, RealState::drained);
    load({web({real("web3", 31)})}, 11);
    load({web({real("web3", 31), real("web1", 12)})}, 12);
    EXPECT_EQ(view("web1").state, RealState::unknown);
}

TEST_F(Directed, ReturnsFromADrainToWhatItsCheckSays) {
    drain("web1");
    set_health("web1", false, 7);
    EXPECT_TRUE(undrain("web1").needs_snapshot);
    EXPECT_EQ(view("web1").state, RealState::down);
}

TEST_F(Directed, DrainsByWeightZeroAndKeepsTheSlots) {
    load({web({real("web1", 11, 7), real("web2", 21)})}, 8);
    load({web({real("web1", 11, 0), real("web2", 21)})}, 9);
    EXPECT_EQ(view("web1").state, RealState::drained);
    EXPECT_EQ(view("web1").weight_configured, 0U);
    EXPECT_EQ(view("web1").since, at_s(9));
    EXPECT_EQ(plan("web1").standing, RealStanding::draining);
    EXPECT_EQ(plan("web1").ring_weight, 7U);
    load({web({real("web1", 11, 0)})}, 10);
    EXPECT_EQ(plan("web1").ring_weight, 7U);
    load({web({real("web1", 11, 2)})}, 11);
    EXPECT_EQ(plan("web1").ring_weight, 2U);
    EXPECT_EQ(view("web1").state, RealState::up);
}

TEST_F(Directed, GivesNoSlotsToARealThatNeverHadWeight) {
    load({web({real("web1", 11), real("web3", 31, 0)})}, 9);
    EXPECT_EQ(plan("web3").ring_weight, 0U);
    EXPECT_EQ(plan("web3").standing, RealStanding::draining);
}

// --- reloads -----------------------------------------------------------------------------------

TEST_F(Directed, KeepsTheHealthOfRealsThatStay) {
    const Outcome outcome = load({web({real("web2", 21, 5), real("web3", 31)})}, 20);
    EXPECT_TRUE(outcome.needs_snapshot);
    EXPECT_EQ(view("web2").state, RealState::up);
    EXPECT_EQ(view("web2").weight, 5U);
    EXPECT_EQ(view("web2").since, at_s(1));
    EXPECT_EQ(view("web2").index, 1);
    EXPECT_EQ(view("web3").state, RealState::unknown);
}

TEST_F(Directed, TakesARealThatMovedElsewhereForNew) {
    load({web({real("web1", 12), real("web2", 21)})}, 20);
    const ServiceView views = state_.service("web").value();
    EXPECT_EQ(views.reals.at(0).state, RealState::unknown);
    EXPECT_EQ(views.reals.at(0).index, 2);
    EXPECT_EQ(views.reals.at(2).name, "web1");
    EXPECT_EQ(views.reals.at(2).state, RealState::removed);
    EXPECT_EQ(views.reals.at(2).since, at_s(20));
    EXPECT_EQ(views.reals.at(2).index, 0);
}

TEST_F(Directed, KeepsTheHealthWhenTheCheckIsAnother) {
    VirtualService asked = web({real("web1", 11), real("web2", 21)});
    asked.check.path = "/other";
    load({asked}, 20);
    EXPECT_EQ(view("web1").state, RealState::up);
}

TEST_F(Directed, KeepsTheHealthOfARenamedService) {
    load({service("shop", 80, {real("web1", 11), real("web2", 21)})}, 20);
    const ServiceView views = state_.service("shop").value();
    EXPECT_EQ(views.reals.at(0).state, RealState::up);
    EXPECT_EQ(views.listeners, std::vector<std::uint16_t>{0});
    EXPECT_FALSE(state_.service("web").has_value());
}

TEST_F(Directed, NeedsNothingForTheSameConfigurationAgain) {
    const Outcome outcome = load({web({real("web1", 11), real("web2", 21)})}, 20);
    EXPECT_FALSE(outcome.needs_snapshot);
    EXPECT_TRUE(outcome.changes.empty());
}

TEST_F(Directed, SaysWhatAReloadChanges) {
    const Outcome outcome = load({web({real("web1", 11, 3), real("web2", 21)})}, 20);
    EXPECT_EQ(outcome.changes,
              std::vector<std::string>{"service \"web\": real \"web1\": weight 1 becomes 3"});
}

TEST_F(Directed, RefusesWhatOnlyAStartCanChange) {
    Config other = *shared_config({web({real("web9", 19)})});
    other.director.workers = {1, 2};
    const Outcome outcome =
        state_.on_event(ConfigLoaded{std::make_shared<const Config>(other)}, at_s(20));
    ASSERT_TRUE(outcome.refusal.has_value());
    EXPECT_EQ(outcome.refusal->code, "restart_needed");
    EXPECT_FALSE(outcome.needs_snapshot);
    EXPECT_EQ(state_.service("web")->reals.size(), 2U);
    EXPECT_EQ(view("web1").state, RealState::up);
}

TEST(DirectorState, RefusesAShorterAffinityPrefixThanAnyAtStartAndTakesBackThatOne) {
    const auto with_prefix = [](std::uint8_t prefix) {
        VirtualService service = web({real("web1", 11)});
        service.affinity = Affinity{.prefix = prefix};
        Config config = test::config({service});
        config.director.workers = {1, 2};
        return ConfigLoaded{std::make_shared<const Config>(std::move(config))};
    };
    DirectorState state;
    state.on_event(with_prefix(24), at_s(0));
    EXPECT_FALSE(state.on_event(with_prefix(32), at_s(1)).refusal.has_value());
    EXPECT_FALSE(state.on_event(with_prefix(24), at_s(2)).refusal.has_value());
    const Outcome outcome = state.on_event(with_prefix(23), at_s(3));
    ASSERT_TRUE(outcome.refusal.has_value());
    EXPECT_EQ(outcome.refusal->code, "restart_needed");
    EXPECT_EQ(outcome.refusal->sentences,
              (std::vector<std::string>{
                  "service \"web\": affinity: prefix 23 is shorter than 24, by which clients were "
                  "given to workers at start: restart fulcrumd to change it, or set it back"}));
}

TEST(DirectorState, RefusesMoreRealsThanThereAreTallies) {
    DirectorState state{2};
    state.on_event(ConfigLoaded{shared_config({web({real("a", 1), real("b", 2)})})}, at_s(0));
    const Outcome outcome =
        state.on_event(ConfigLoaded{shared_config({web({real("c", 3)})})}, at_s(1));
    ASSERT_TRUE(outcome.refusal.has_value());
    EXPECT_EQ(outcome.refusal->code, "indexes_exhausted");
    EXPECT_EQ(state.service("web")->reals.size(), 2U);
    EXPECT_EQ(state.config()->services[0].reals[0].name, "a");
}

// --- what leaves -------------------------------------------------------------------------------

TEST_F(Directed, LetsTheSessionsOfARemovedRealLiveThenForgetsIt) {
    load({web({real("web2", 21)})}, 20);
    EXPECT_EQ(view("web1").state, RealState::removed);
    EXPECT_EQ(state_.leaving_tallies(), std::vector<std::uint32_t>{0});
    CompileInput input = state_.compile_input();
    ASSERT_EQ(input.services[0].reals.size(), 2U);
    EXPECT_EQ(input.services[0].reals[1].standing, RealStanding::draining);
    EXPECT_EQ(input.services[0].reals[1].index, 0);
    EXPECT_EQ(input.services[0].reals[1].ring_weight, 0U);

    EXPECT_FALSE(see_workers({}).needs_snapshot);
    EXPECT_FALSE(see_workers({0}).needs_snapshot);
    EXPECT_TRUE(see_workers({0}).needs_snapshot);
    EXPECT_TRUE(state_.leaving_tallies().empty());
    EXPECT_EQ(state_.service("web")->reals.size(), 1U);
    input = state_.compile_input();  // a hole, with its tally
    EXPECT_EQ(input.services[0].reals[1].standing, RealStanding::absent);
    EXPECT_EQ(input.services[0].reals[1].tally, 0U);

    EXPECT_FALSE(see_workers({}).needs_snapshot);  // swept
    EXPECT_EQ(state_.compile_input().services[0].reals.size(), 1U);
}

TEST_F(Directed, ShowsARemovedRealWithItsServiceSinceItsRemoval) {
    load({web({real("web2", 21)}), service("mail", 25, {real("m1", 31)})}, 20);
    load({web({real("web2", 21)}), service("mail", 25, {real("m1", 31, 2)})}, 25);
    EXPECT_EQ(view("web1").state, RealState::removed);
    EXPECT_EQ(view("web1").since, at_s(20));
    EXPECT_EQ(state_.service("mail")->reals.size(), 1U);
}

// The workers had seen everything, but the snapshot without the real was still to be compiled.
TEST_F(Directed, DoesNotCountIdlenessBeforeTheRemovalIsCompiled) {
    load({web({real("web2", 21)})}, 20);
    EXPECT_FALSE(see_workers({0}).needs_snapshot);
    EXPECT_FALSE(see_workers({0}).needs_snapshot);
    state_.compile_input();
    EXPECT_FALSE(see_workers({0}).needs_snapshot);
    EXPECT_TRUE(see_workers({0}).needs_snapshot);
}

TEST_F(Directed, MakesHolesOfARemovedServiceAtOnce) {
    load({service("mail", 25, {real("m1", 31)})}, 20);
    EXPECT_FALSE(state_.service("web").has_value());
    const CompileInput input = state_.compile_input();
    ASSERT_EQ(input.services.size(), 2U);
    EXPECT_EQ(input.services[0].asked->name, "mail");
    EXPECT_EQ(input.services[1].asked, nullptr);
    ASSERT_EQ(input.services[1].reals.size(), 2U);
    EXPECT_EQ(input.services[1].reals[0].standing, RealStanding::absent);
    ASSERT_EQ(input.listeners.size(), 2U);
    EXPECT_EQ(input.listeners[0].index, 1);
    EXPECT_TRUE(input.listeners[0].is_present);
    EXPECT_EQ(input.listeners[1].index, 0);
    EXPECT_FALSE(input.listeners[1].is_present);
    EXPECT_EQ(input.listeners[1].service, 1U);
    EXPECT_TRUE(state_.leaving_tallies().empty());
    see_workers({});
    EXPECT_EQ(state_.compile_input().services.size(), 1U);
}

TEST_F(Directed, FindsTheHoleOfAServiceThatTookAnotherVip) {
    load({service("web", 81, {real("web1", 11), real("web2", 21)})}, 20);
    const CompileInput input = state_.compile_input();
    ASSERT_EQ(input.services.size(), 1U);
    ASSERT_EQ(input.listeners.size(), 2U);
    EXPECT_EQ(input.listeners[0].point.vip, Ipv4Address::of(203, 0, 113, 81));
    EXPECT_EQ(input.listeners[1].index, 0);
    EXPECT_EQ(input.listeners[1].service, 0U);
}

// --- the kernel, epochs ------------------------------------------------------------------------

TEST_F(Directed, PassesTheKernelsTablesOnWhenTheyDiffer) {
    KernelTables tables;
    tables.ports.push_back({});
    const auto shared = std::make_shared<const KernelTables>(tables);
    EXPECT_TRUE(state_.on_event(KernelChanged{shared}, at_s(0)).needs_snapshot);
    EXPECT_EQ(state_.compile_input().kernel, shared);
    const auto same = std::make_shared<const KernelTables>(tables);
    EXPECT_FALSE(state_.on_event(KernelChanged{same}, at_s(0)).needs_snapshot);
}

TEST(DirectorState, NeedsNoSnapshotBeforeThereIsAConfiguration) {
    DirectorState state;
    KernelTables tables;
    tables.ports.push_back({});
    EXPECT_FALSE(
        state.on_event(KernelChanged{std::make_shared<const KernelTables>(tables)}, at_s(0))
            .needs_snapshot);
}

TEST_F(Directed, RemembersThePathMtuOfATunnelsRealForTenMinutes) {
    RealServer far = real("far", 31);
    far.forward = ForwardingMode::ipip;
    load({web({real("web1", 11), real("web2", 21), far})}, 2);
    const IpAddress address = far.endpoint.address;
    EXPECT_EQ(view("far").path_mtu, 0);
    EXPECT_TRUE(state_.on_event(PathMtuHeard{address, 1'400}, at_s(10)).needs_snapshot);
    EXPECT_FALSE(state_.on_event(PathMtuHeard{address, 1'400}, at_s(20)).needs_snapshot);
    EXPECT_TRUE(state_.on_event(PathMtuHeard{address, 1'300}, at_s(30)).needs_snapshot);
    EXPECT_EQ(state_.compile_input().path_mtus,
              (std::map<IpAddress, std::uint16_t>{{address, std::uint16_t{1'300}}}));
    EXPECT_EQ(view("far").path_mtu, 1'300);
    EXPECT_EQ(view("web1").path_mtu, 0);

    EXPECT_FALSE(state_.on_event(WorkersSeen{}, at_s(30 + 599)).needs_snapshot);
    EXPECT_TRUE(state_.on_event(WorkersSeen{}, at_s(30 + 600)).needs_snapshot);
    EXPECT_EQ(view("far").path_mtu, 0);
    EXPECT_TRUE(state_.compile_input().path_mtus.empty());
}

TEST_F(Directed, NumbersEverySnapshotOnce) {
    const std::uint64_t before = state_.epoch();
    EXPECT_EQ(state_.compile_input().epoch, before + 1);
    EXPECT_EQ(state_.compile_input().epoch, before + 2);
    EXPECT_EQ(state_.epoch(), before + 2);
}

// The helper may still be compiling from an input when the next configuration is adopted.
TEST_F(Directed, GivesInputsThatOutliveTheStateTheyCameFrom) {
    const CompileInput input = state_.compile_input();
    load({service("mail", 25, {real("m1", 31)})}, 20);
    load({service("dns", 53, {real("n1", 41)})}, 21);
    EXPECT_EQ(input.services[0].asked->name, "web");
    EXPECT_EQ(input.services[0].reals[1].name, "web2");
}

// --- roles -------------------------------------------------------------------------------------

std::shared_ptr<const Config> config_with_group(std::vector<IpPrefix> vips) {
    auto asked = std::make_shared<Config>(
        test::config({web({real("web1", 11)}), service("mail", 25, {real("mx", 12)})}));
    asked->groups.push_back({.name = "front", .vips = std::move(vips)});
    return asked;
}

TEST(DirectorState, HasEveryListenerServedWhereThereAreNoGroups) {
    DirectorState state;
    state.on_event(ConfigLoaded{shared_config({web({real("web1", 11)})})}, at_s(0));
    EXPECT_FALSE(state.compile_input().listeners.at(0).is_standby);
}

TEST(DirectorState, IsOnStandbyInItsGroupUntilToldOtherwise) {
    DirectorState state;
    state.on_event(ConfigLoaded{config_with_group({})}, at_s(0));
    for (const ListenerPlan& listener : state.compile_input().listeners) {
        EXPECT_TRUE(listener.is_standby);
    }
    EXPECT_TRUE(
        state.on_event(RolesChanged{{{"front", GroupRole::active}}}, at_s(1)).needs_snapshot);
    EXPECT_FALSE(
        state.on_event(RolesChanged{{{"front", GroupRole::active}}}, at_s(2)).needs_snapshot);
    EXPECT_FALSE(state.compile_input().listeners.at(0).is_standby);
    state.on_event(RolesChanged{{{"front", GroupRole::leaving}}}, at_s(3));
    EXPECT_FALSE(state.compile_input().listeners.at(0).is_standby);
    state.on_event(RolesChanged{{{"front", GroupRole::standby}}}, at_s(4));
    EXPECT_TRUE(state.compile_input().listeners.at(0).is_standby);
}

TEST(DirectorState, ServesAVipOfNoGroupWhateverTheRoles) {
    DirectorState state;
    state.on_event(
        ConfigLoaded{config_with_group({IpPrefix::only(Ipv4Address::of(203, 0, 113, 80))})},
        at_s(0));
    const CompileInput input = state.compile_input();
    EXPECT_TRUE(input.listeners.at(0).is_standby);
    EXPECT_FALSE(input.listeners.at(1).is_standby);
}

TEST(DirectorState, KeepsItsRolesOverAReload) {
    DirectorState state;
    state.on_event(ConfigLoaded{config_with_group({})}, at_s(0));
    state.on_event(RolesChanged{{{"front", GroupRole::active}}}, at_s(1));
    state.on_event(
        ConfigLoaded{config_with_group({IpPrefix::only(Ipv4Address::of(203, 0, 113, 80))})},
        at_s(2));
    EXPECT_FALSE(state.compile_input().listeners.at(0).is_standby);
}

}  // namespace
}  // namespace fulcrum
