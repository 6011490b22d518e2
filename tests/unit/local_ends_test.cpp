// Who leases which local end, and for how long nobody else does. What a port's slot and owner are
// is computed here by hand: the low six bits, and workers in turn.
#include "dataplane/local_ends.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "dataplane/steering.h"

namespace fulcrum {
namespace {

constexpr std::uint32_t now_s = 5'000;
constexpr LocalEnds::Wish to_lan{IpFamily::v4, 1, L4Protocol::tcp};

const std::vector<LocalAddress> one_address{{Ipv4Address::of(10, 2, 0, 100), 3, 1, false}};

LeasingFlow flow(unsigned number, std::uint16_t vip_port = 80) {
    return {.client = IpAddress{Ipv4Address::from_host(0x0A000000U + number / 60'000)}.v6(),
            .client_port = be16{static_cast<std::uint16_t>(1 + number % 60'000)},
            .vip_port = be16{vip_port},
            .listener = 0};
}

std::unique_ptr<LocalEnds> ends_of(unsigned worker = 0, unsigned workers = 1) {
    return LocalEnds::create({worker, workers}, {0x1234, 0x5678});
}

TEST(LocalEnds, LeadsFromTheFlowToItsEndAndBack) {
    const auto ends = ends_of();
    const auto end = ends->take(flow(7), to_lan, one_address, now_s);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->place, 3);
    EXPECT_GE(end->port.host(), 1'024);
    EXPECT_EQ(ends->end_of(flow(7), L4Protocol::tcp), end);
    ASSERT_NE(ends->holder_of(*end, L4Protocol::tcp), nullptr);
    EXPECT_EQ(*ends->holder_of(*end, L4Protocol::tcp), flow(7));
    EXPECT_EQ(ends->taken_count(), 1U);
}

TEST(LocalEnds, KeepsProtocolsListenersAndPortsOfTheVipApart) {
    const auto ends = ends_of();
    const auto tcp = ends->take(flow(7), to_lan, one_address, now_s);
    const auto udp = ends->take(flow(7), {IpFamily::v4, 1, L4Protocol::udp}, one_address, now_s);
    const auto other_port = ends->take(flow(7, 81), to_lan, one_address, now_s);
    EXPECT_EQ(ends->end_of(flow(7), L4Protocol::tcp), tcp);
    EXPECT_EQ(ends->end_of(flow(7), L4Protocol::udp), udp);
    EXPECT_EQ(ends->end_of(flow(7, 81), L4Protocol::tcp), other_port);
    EXPECT_NE(tcp, other_port);
    EXPECT_EQ(ends->end_of(flow(7, 82), L4Protocol::tcp), std::nullopt);
    EXPECT_EQ(ends->holder_of(*other_port, L4Protocol::udp), nullptr);
}

TEST(LocalEnds, GivesEveryPortOfAnAddressToOneFlowAndThenNone) {
    const auto ends = ends_of();
    std::set<unsigned> ports;
    for (unsigned n = 0; n < 64'512; ++n) {
        const auto end = ends->take(flow(n), to_lan, one_address, now_s);
        ASSERT_TRUE(end) << n;
        ports.insert(end->port.host());
    }
    EXPECT_EQ(ports.size(), 64'512U);
    EXPECT_EQ(*ports.begin(), 1'024U);
    EXPECT_EQ(ends->take(flow(99'999), to_lan, one_address, now_s), std::nullopt);
    for (unsigned n = 0; n < 64'512; n += 1'000) {
        const auto end = ends->end_of(flow(n), L4Protocol::tcp);
        ASSERT_TRUE(end);
        EXPECT_EQ(*ends->holder_of(*end, L4Protocol::tcp), flow(n));
    }
}

TEST(LocalEnds, LetsAPortRestBeforeItServesAnother) {
    const auto ends = ends_of();
    for (unsigned n = 0; n < 64'512; ++n) {
        ASSERT_TRUE(ends->take(flow(n), to_lan, one_address, now_s));
    }
    const auto first = ends->end_of(flow(11), L4Protocol::tcp);
    const auto second = ends->end_of(flow(12), L4Protocol::tcp);
    ends->give_back(flow(11), L4Protocol::tcp, now_s + 60, now_s);
    ends->give_back(flow(12), L4Protocol::tcp, now_s + 61, now_s);
    EXPECT_EQ(ends->holder_of(*first, L4Protocol::tcp), nullptr);
    EXPECT_EQ(ends->end_of(flow(11), L4Protocol::tcp), std::nullopt);
    EXPECT_EQ(ends->take(flow(70'000), to_lan, one_address, now_s + 59), std::nullopt);
    EXPECT_EQ(ends->take(flow(70'000), to_lan, one_address, now_s + 60), first);
    EXPECT_EQ(ends->take(flow(70'001), to_lan, one_address, now_s + 60), std::nullopt);
    EXPECT_EQ(ends->take(flow(70'001), to_lan, one_address, now_s + 61), second);
    EXPECT_EQ(ends->taken_count(), 64'512U);
}

TEST(LocalEnds, GivesOutFirstWhatHasRestedWhenItIsGivenBack) {
    const auto ends = ends_of();
    for (unsigned n = 0; n < 64'512; ++n) {
        ASSERT_TRUE(ends->take(flow(n), to_lan, one_address, now_s));
    }
    const auto resting = ends->end_of(flow(11), L4Protocol::tcp);
    const auto rested = ends->end_of(flow(12), L4Protocol::tcp);
    ends->give_back(flow(11), L4Protocol::tcp, now_s + 60, now_s);
    ends->give_back(flow(12), L4Protocol::tcp, now_s, now_s);
    EXPECT_EQ(ends->take(flow(70'000), to_lan, one_address, now_s), rested);
    EXPECT_EQ(ends->take(flow(70'001), to_lan, one_address, now_s), std::nullopt);
    EXPECT_EQ(ends->take(flow(70'001), to_lan, one_address, now_s + 60), resting);
}

TEST(LocalEnds, AsksItsLeasesInTheOrderInWhichTheyWereTaken) {
    const auto ends = ends_of();
    for (unsigned n = 0; n < 64'512; ++n) {
        ASSERT_TRUE(ends->take(flow(n), to_lan, one_address, now_s));
    }
    ends->give_back(flow(1), L4Protocol::tcp, now_s + 60, now_s);
    ASSERT_NE(ends->next_to_ask(to_lan, one_address), nullptr);
    EXPECT_EQ(ends->next_to_ask(to_lan, one_address), nullptr) << "this one rests";
    for (unsigned n = 2; n < 64'512; ++n) {
        ASSERT_EQ(*ends->next_to_ask(to_lan, one_address), flow(n));
    }
    EXPECT_EQ(*ends->next_to_ask(to_lan, one_address), flow(0));
    constexpr LocalEnds::Wish elsewhere{IpFamily::v4, 0, L4Protocol::tcp};
    EXPECT_EQ(ends->next_to_ask(elsewhere, one_address), nullptr);
}

TEST(LocalEnds, SharesThePortsAmongWorkersAsTheirLowSixBitsSay) {
    constexpr unsigned workers = 3;
    const Steering steering{owner_key("x"), workers};
    std::size_t total = 0;
    for (unsigned worker = 0; worker < workers; ++worker) {
        const auto ends = ends_of(worker, workers);
        for (unsigned n = 0;; ++n, ++total) {
            const auto end = ends->take(flow(n), to_lan, one_address, now_s);
            if (!end) {
                break;
            }
            ASSERT_EQ(end->port.host() % 64 % workers, worker);
            ASSERT_EQ(steering.owner_of_local_port(end->port), worker);
            ASSERT_EQ(*ends->holder_of(*end, L4Protocol::tcp), flow(n));
        }
    }
    EXPECT_EQ(total, 64'512U);
}

TEST(LocalEnds, KnowsNobodyAtPortsOfOtherWorkersOrBelowItsOwn) {
    const auto ends = ends_of(1, 2);
    for (unsigned n = 0; n < 32'256; ++n) {
        ASSERT_TRUE(ends->take(flow(n), to_lan, one_address, now_s));
    }
    EXPECT_EQ(ends->holder_of({3, be16{2'048}}, L4Protocol::tcp), nullptr);  // slot 0: worker 0's
    EXPECT_NE(ends->holder_of({3, be16{2'049}}, L4Protocol::tcp), nullptr);
    EXPECT_EQ(ends->holder_of({3, be16{1'023}}, L4Protocol::tcp), nullptr);
    EXPECT_EQ(ends->holder_of({4, be16{2'049}}, L4Protocol::tcp), nullptr);
    EXPECT_EQ(ends->holder_of({64, be16{2'049}}, L4Protocol::tcp), nullptr);
}

TEST(LocalEnds, UsesTheAddressesOfTheWayAndFamilyInTurn) {
    const std::vector<LocalAddress> addresses{{Ipv4Address::of(10, 2, 0, 100), 0, 1, false},
                                              {Ipv4Address::of(10, 1, 0, 100), 1, 0, false},
                                              {Ipv4Address::from_host(0), 2, 1, true},
                                              {Ipv4Address::of(10, 2, 0, 101), 3, 1, false}};
    const auto ends = ends_of();
    std::multiset<unsigned> places;
    for (unsigned n = 0; n < 6; ++n) {
        places.insert(ends->take(flow(n), to_lan, addresses, now_s)->place);
    }
    EXPECT_EQ(places, (std::multiset<unsigned>{0, 0, 0, 3, 3, 3}));
    EXPECT_EQ(ends->take(flow(9), {IpFamily::v6, 1, L4Protocol::tcp}, addresses, now_s)->place, 2);
    EXPECT_EQ(ends->take(flow(9), {IpFamily::v6, 0, L4Protocol::tcp}, addresses, now_s),
              std::nullopt);
}

// Whose replies would be handed over comes second: better so than not at all.
TEST(LocalEnds, TakesAnAddressThatIsAnotherWorkersWhenItsOwnIsExhausted) {
    const Steering steering{owner_key("seed"), 2};
    std::vector<LocalAddress> addresses;  // one of each worker
    for (std::uint8_t last = 1; addresses.size() < 2; ++last) {
        const Ipv4Address address = Ipv4Address::of(10, 2, 0, last);
        if (steering.owner_of(address) == addresses.size()) {
            const auto place = static_cast<std::uint16_t>(addresses.size());
            addresses.push_back({address, place, 1, false, address});
        }
    }
    const auto ends = LocalEnds::create({1, 2, &steering}, {0x1234, 0x5678});
    constexpr unsigned of_a_worker = 64'512 / 2;
    for (unsigned n = 0; n < of_a_worker; ++n) {
        ASSERT_EQ(ends->take(flow(n), to_lan, addresses, now_s)->place, 1);
    }
    EXPECT_EQ(ends->take(flow(of_a_worker), to_lan, addresses, now_s)->place, 0);
}

TEST(LocalEnds, LendsInARehearsalWhatItWouldTakeAndThenHasItBack) {
    const auto ends = ends_of();
    ends->begin_rehearsal();
    const auto told = ends->take(flow(1), {IpFamily::v4, 1, L4Protocol::tcp, ClientAddressBy::toa},
                                 one_address, now_s);
    ASSERT_TRUE(told);
    EXPECT_EQ(ends->end_of(flow(1), L4Protocol::tcp), told);
    EXPECT_EQ(ends->telling_of(*told, L4Protocol::tcp).by, ClientAddressBy::toa);
    ends->end_rehearsal();
    EXPECT_EQ(ends->end_of(flow(1), L4Protocol::tcp), std::nullopt);
    EXPECT_EQ(ends->holder_of(*told, L4Protocol::tcp), nullptr);
    EXPECT_EQ(ends->taken_count(), 0U);
    EXPECT_EQ(ends->take(flow(1), to_lan, one_address, now_s), told);
    ends->begin_rehearsal();
    ends->give_back(flow(1), L4Protocol::tcp, now_s, now_s);
    ends->end_rehearsal();
    EXPECT_EQ(ends->end_of(flow(1), L4Protocol::tcp), told);
}

TEST(LocalEnds, GivesOutRestedPortsInTheSameOrderAfterARehearsal) {
    const auto rehearsing = ends_of();
    const auto plain = ends_of();
    for (LocalEnds* const ends : {rehearsing.get(), plain.get()}) {
        for (unsigned n = 0; n < 64'512; ++n) {
            ASSERT_TRUE(ends->take(flow(n), to_lan, one_address, now_s));
        }
        for (const unsigned n : {5U, 17U, 3U}) {
            ends->give_back(flow(n), L4Protocol::tcp, now_s + n, now_s);
        }
    }
    const std::uint32_t later_s = now_s + 60;
    for (unsigned n = 0; n < 3; ++n) {
        rehearsing->begin_rehearsal();
        const auto told = rehearsing->take(flow(100'000), to_lan, one_address, later_s);
        rehearsing->end_rehearsal();
        const auto taken = rehearsing->take(flow(70'000 + n), to_lan, one_address, later_s);
        ASSERT_TRUE(taken);
        EXPECT_EQ(told, taken);
        EXPECT_EQ(taken, plain->take(flow(70'000 + n), to_lan, one_address, later_s));
    }
    EXPECT_EQ(rehearsing->take(flow(80'000), to_lan, one_address, later_s), std::nullopt);
}

// --- ends that a session had at another director ---------------------------------------------

TEST(LocalEnds, AreClaimedForWhoHadThemAtThePeer) {
    const auto ends = ends_of();
    const LocalEnd end{3, be16{20'000}};
    EXPECT_TRUE(ends->claim(end, flow(7), L4Protocol::tcp, ClientAddressBy::proxy));
    EXPECT_EQ(ends->end_of(flow(7), L4Protocol::tcp), end);
    EXPECT_EQ(ends->telling_of(end, L4Protocol::tcp).by, ClientAddressBy::proxy);
    EXPECT_EQ(ends->taken_count(), 1U);
    EXPECT_TRUE(ends->claim(end, flow(7), L4Protocol::tcp, ClientAddressBy::proxy)) << "it has it";
    EXPECT_FALSE(ends->claim(end, flow(8), L4Protocol::tcp, ClientAddressBy::none));
    EXPECT_TRUE(ends->claim(end, flow(8), L4Protocol::udp, ClientAddressBy::none));
    EXPECT_FALSE(ends->claim({3, be16{1'023}}, flow(9), L4Protocol::tcp, {}));
    EXPECT_FALSE(ends->claim({64, be16{2'000}}, flow(9), L4Protocol::tcp, {}));
}

TEST(LocalEnds, OfAnotherWorkersSlotCannotBeClaimed) {
    const auto ends = ends_of(1, 2);
    EXPECT_FALSE(ends->claim({3, be16{2'048}}, flow(1), L4Protocol::tcp, {}));
    EXPECT_TRUE(ends->claim({3, be16{2'049}}, flow(1), L4Protocol::tcp, {}));
}

TEST(LocalEnds, ThatAreClaimedAreGivenToNobodyElse) {
    const auto ends = ends_of();
    std::set<unsigned> ports;
    for (unsigned n = 0; n < 64'512; n += 3) {
        const LocalEnd end{3, be16{static_cast<std::uint16_t>(1'024 + n)}};
        ASSERT_TRUE(ends->claim(end, flow(n), L4Protocol::tcp, {}));
        ports.insert(end.port.host());
    }
    for (unsigned n = 0; n < 64'512; ++n) {
        if (n % 3 != 0) {
            const auto end = ends->take(flow(n), to_lan, one_address, now_s);
            ASSERT_TRUE(end);
            ASSERT_TRUE(ports.insert(end->port.host()).second);
        }
    }
    EXPECT_EQ(ports.size(), 64'512U);
    EXPECT_EQ(ends->take(flow(64'512), to_lan, one_address, now_s), std::nullopt);
}

TEST(LocalEnds, ThatWereClaimedRestAsAllOthersDo) {
    const auto ends = ends_of();
    for (unsigned n = 0; n < 64'512; ++n) {
        const LocalEnd end{3, be16{static_cast<std::uint16_t>(1'024 + n)}};
        ASSERT_TRUE(ends->claim(end, flow(n), L4Protocol::tcp, {}));
    }
    ends->give_back(flow(5), L4Protocol::tcp, now_s + 60, now_s);
    EXPECT_EQ(ends->take(flow(70'000), to_lan, one_address, now_s + 59), std::nullopt);
    const auto rested = ends->take(flow(70'000), to_lan, one_address, now_s + 60);
    EXPECT_EQ(rested, (LocalEnd{3, be16{1'029}}));
    EXPECT_EQ(ends->take(flow(70'001), to_lan, one_address, now_s + 60), std::nullopt);
}

// Claiming takes an end from wherever it stands among those that rest.
TEST(LocalEnds, CanBeClaimedWhileTheyRest) {
    const auto ends = ends_of();
    std::vector<LocalEnd> given;
    for (unsigned n = 0; n < 64'512; ++n) {
        given.push_back(*ends->take(flow(n), to_lan, one_address, now_s));
    }
    for (unsigned n = 0; n < 5; ++n) {
        ends->give_back(flow(n), L4Protocol::tcp, now_s + 60, now_s);
    }
    for (const unsigned n : {2U, 0U, 4U}) {  // from the middle, the front and the back
        ASSERT_TRUE(ends->claim(given[n], flow(100'000 + n), L4Protocol::tcp, {}));
    }
    EXPECT_EQ(ends->take(flow(200'000), to_lan, one_address, now_s + 60), given[1]);
    EXPECT_EQ(ends->take(flow(200'001), to_lan, one_address, now_s + 60), given[3]);
    EXPECT_EQ(ends->take(flow(200'002), to_lan, one_address, now_s + 60), std::nullopt);
    ends->give_back(flow(100'002), L4Protocol::tcp, now_s + 60, now_s);
    EXPECT_EQ(ends->take(flow(200'002), to_lan, one_address, now_s + 60), given[2]);
}

}  // namespace
}  // namespace fulcrum
