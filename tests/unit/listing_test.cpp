// Whose a line of counters is: sums over workers, lines given out again, services that forget
// nothing.
#include "controlplane/listing.h"

#include <gtest/gtest.h>

#include <memory>

#include "controlplane/reports.h"

namespace fulcrum {
namespace {

class ListingTest : public testing::Test {
  protected:
    ListedReal real_of(const std::string& name, std::uint32_t tally) {
        ListedReal real;
        real.name = name;
        real.endpoint = {Ipv4Address::of(10, 2, 0, 11), be16{8080}};
        real.state = RealState::up;
        real.tally = tally;
        return real;
    }
    Listing listing_of(std::vector<ListedReal> reals) {
        ListedService web;
        web.name = "web";
        web.listeners = {
            {.vip = {Ipv4Address::of(10, 1, 0, 80), 32}, .ports = PortRange::only(80)}};
        web.listener_indexes = {3};
        web.reals = std::move(reals);
        Listing listing;
        listing.services = {web};
        return listing;
    }
    Listing kept(std::vector<ListedReal> reals) {
        Listing listing = listing_of(std::move(reals));
        book_.keep(listing);
        return listing;
    }
    TallyTotals service_totals(const Listing& listing) {
        return listing.services.at(0).totals(boards_);
    }
    TallyTotals real_totals(const Listing& listing, std::size_t at = 0) {
        return listing.services.at(0).reals.at(at).totals(boards_);
    }

    CounterBoard first_{8, 4};
    CounterBoard second_{8, 4};
    Boards boards_{&first_, &second_};
    TallyBook book_{boards_};
};

TEST_F(ListingTest, SumsALineOverAllWorkers) {
    first_.tally(5).in_packets.add(10);
    second_.tally(5).in_packets.add(3);
    second_.tally(5).sessions_live.add(2);
    second_.tally(4).in_packets.add(100);
    const TallyTotals totals = read_tally(boards_, 5);
    EXPECT_EQ(totals.in_packets, 13U);
    EXPECT_EQ(totals.sessions_live, 2U);
}

TEST_F(ListingTest, StartsARealFromZeroOnALineThatWasAnothers) {
    kept({real_of("old", 5)});
    first_.tally(5).in_packets.add(1'000);
    kept({});
    const Listing listing = kept({real_of("new", 5)});
    EXPECT_EQ(real_totals(listing).in_packets, 0U);
    first_.tally(5).in_packets.add(7);
    EXPECT_EQ(real_totals(listing).in_packets, 7U);
}

TEST_F(ListingTest, KeepsWhatARemovedRealCountedInItsService) {
    kept({real_of("old", 5), real_of("other", 6)});
    first_.tally(5).in_packets.add(1'000);
    second_.tally(5).sessions_opened.add(40);
    first_.tally(6).in_packets.add(1);
    EXPECT_EQ(service_totals(kept({real_of("other", 6)})).in_packets, 1'001U);
    // The line is taken by another real of the same service, at once or later.
    const Listing listing = kept({real_of("other", 6), real_of("new", 5)});
    first_.tally(5).in_packets.add(5);
    EXPECT_EQ(service_totals(listing).in_packets, 1'006U);
    EXPECT_EQ(service_totals(listing).sessions_opened, 40U);
}

TEST_F(ListingTest, HandsALineOverWithinOneChange) {
    kept({real_of("old", 5)});
    first_.tally(5).in_packets.add(1'000);
    const Listing listing = kept({real_of("new", 5)});
    first_.tally(5).in_packets.add(5);
    EXPECT_EQ(real_totals(listing).in_packets, 5U);
    EXPECT_EQ(service_totals(listing).in_packets, 1'005U);
}

TEST_F(ListingTest, ChangesNothingWhenNothingHasChanged) {
    kept({real_of("one", 5)});
    first_.tally(5).in_packets.add(10);
    kept({real_of("one", 5)});
    EXPECT_EQ(real_totals(kept({real_of("one", 5)})).in_packets, 10U);
}

TEST_F(ListingTest, ForgetsAServiceWithItsPast) {
    kept({real_of("old", 5)});
    first_.tally(5).in_packets.add(10);
    Listing none;
    book_.keep(none);
    EXPECT_EQ(service_totals(kept({real_of("new", 6)})).in_packets, 0U);
}

constexpr auto no_real = static_cast<std::size_t>(DropReason::no_real);

TEST_F(ListingTest, SumsAServicesDropsOverAllWorkers) {
    const Listing listing = kept({});
    first_.drops(0).by_reason[no_real].add(4);
    second_.drops(0).by_reason[no_real].add(3);
    second_.drops(1).by_reason[no_real].add(100);
    const DropTotals drops = listing.services[0].drops(boards_);
    EXPECT_EQ(drops[no_real], 7U);
    EXPECT_EQ(drops[static_cast<std::size_t>(DropReason::no_session)], 0U);
}

TEST_F(ListingTest, StartsAServiceFromZeroOnALineOfDropsThatWasAnothers) {
    Listing old = listing_of({});
    old.services[0].id = 1;
    book_.keep(old);
    first_.drops(0).by_reason[no_real].add(9);
    book_.keep(old);
    EXPECT_EQ(old.services[0].drops(boards_)[no_real], 9U) << "its own it goes on counting";
    Listing next = listing_of({});
    next.services[0].id = 2;
    book_.keep(next);
    EXPECT_EQ(next.services[0].drops(boards_)[no_real], 0U);
    second_.drops(0).by_reason[no_real].add(2);
    EXPECT_EQ(next.services[0].drops(boards_)[no_real], 2U);
}

TEST_F(ListingTest, ReportsTheDropsThatThereHaveBeen) {
    first_.drops(0).by_reason[no_real].add(4);
    EXPECT_EQ(report_services(listing_of({}), boards_)["services"][0]["drops"].dump(),
              R"([{"reason":"no_real","packets":4,)"
              R"("sentence":"the service has no usable real and no fallback"}])");
}

TEST_F(ListingTest, ShowsTheLatestProbesSentence) {
    ListedReal real = real_of("web1", 5);
    real.check = "not checked";
    EXPECT_EQ(real.check_sentence(), "not checked");
    auto checks = std::make_shared<CheckTally>();
    checks->sentence.show("HTTP 503, wanted 200-299");
    real.checks = checks;
    EXPECT_EQ(real.check_sentence(), "HTTP 503, wanted 200-299");
}

TEST_F(ListingTest, ReportsServicesByName) {
    first_.tally(5).in_packets.add(10);
    first_.tally(5).in_bytes.add(600);
    first_.tally(5).out_packets.add(9);
    first_.tally(5).sessions_live.add(2);
    first_.tally(5).sessions_active.add(1);
    Listing listing = listing_of({real_of("web1", 5), real_of("spare", 6)});
    listing.services[0].usable_count = 1;
    listing.services[0].reals[1].is_fallback = true;
    EXPECT_EQ(report_services(listing, boards_).dump(),
              R"({"services":[{"name":"web","vip":"10.1.0.80","port":80,"protocol":"tcp",)"
              R"("scheduler":"maglev","scheduler_flags":[],"affinity":null,"allow":0,)"
              R"("deny":0,"limits":null,"syn_cookies":{"when":"auto","sent":0},"reals":1,)"
              R"("reals_usable":1,"quorum":1,"hysteresis":0,"has_quorum":false,"enabled":true,)"
              R"("sessions":2,"sessions_active":1,"sessions_opened":0,)"
              R"("in_packets":10,"in_bytes":600,"out_packets":9,)"
              R"("out_bytes":0,"drops":[]}]})");
}

TEST_F(ListingTest, ReportsWhoIsLetInAndHowOften) {
    Listing listing = listing_of({});
    listing.services[0].deny_count = 1'000'000;
    listing.services[0].limits = {.client_sessions_per_s = 10, .prefix = 24};
    const Json service = report_services(listing, boards_)["services"][0];
    EXPECT_EQ(service["allow"], 0);
    EXPECT_EQ(service["deny"], 1'000'000);
    EXPECT_EQ(service["limits"].dump(),
              R"({"client_sessions_per_s":10,"client_packets_per_s":null,"sessions_per_s":null,)"
              R"("packets_per_s":null,"prefix":24,"prefix6":64})");
}

TEST_F(ListingTest, ReportsNoRepliesUnderDirectRouting) {
    ListedReal real = real_of("web1", 5);
    real.forward = ForwardingMode::direct;
    real.weight_configured = 4;
    real.state = RealState::down;
    real.check = "connection refused";
    real.since = Instant{100s};
    const Listing listing = listing_of({real});
    EXPECT_EQ(report_reals(listing, boards_, "", Instant{107s}).dump(),
              R"({"reals":[{"service":"web","name":"web1","address":"10.2.0.11","port":8080,)"
              R"("forward":"direct","client_address":"none","path_mtu":null,)"
              R"("weight":0,"weight_configured":4,)"
              R"("connections_upper":null,"connections_lower":null,"state":"down",)"
              R"("sessions":0,"sessions_active":0,"sessions_opened":0,"in_packets":0,"in_bytes":0,)"
              R"("out_packets":null,"out_bytes":null,"check":"connection refused",)"
              R"("since_s":7}]})");
    EXPECT_TRUE(report_services(listing, boards_)["services"][0]["out_packets"].is_null());
    EXPECT_TRUE(report_reals(listing, boards_, "other", {})["reals"].empty());
}

TEST_F(ListingTest, ReportsHowFarADrainHasCome) {
    ListedReal real = real_of("web1", 5);
    real.state = RealState::drained;
    real.drain = Drain{.since = Instant{100s}, .sessions_at_start = 8};
    first_.tally(5).sessions_live.set(2);
    const auto drain = [&](Instant now) {
        return report_reals(listing_of({real}), boards_, "", now)["reals"][0]["drain"].dump();
    };
    // A quarter is left after 100 s: one halving takes 50 s, and it takes log2(3) of them.
    EXPECT_EQ(drain(Instant{200s}),
              R"({"since_s":100,"sessions_at_start":8,"oldest_age_s_min":100,)"
              R"("estimated_end_in_s":79})");
    real.drain->deadline = Instant{240s};
    real.drain->then = SessionPolicy::reset;
    EXPECT_EQ(drain(Instant{200s}),
              R"({"since_s":100,"sessions_at_start":8,"oldest_age_s_min":100,)"
              R"("deadline_in_s":40,"then":"reset","estimated_end_in_s":40})");
    first_.tally(5).sessions_live.set(0);
    EXPECT_EQ(drain(Instant{300s}),
              R"({"since_s":200,"sessions_at_start":8,"oldest_age_s_min":null,)"
              R"("deadline_in_s":0,"then":"reset","estimated_end_in_s":0})");
}

TEST_F(ListingTest, ReportsSessionsByTheNamesTheyStandFor) {
    ListedReal real = real_of("web1", 5);
    real.index = 2;
    SessionRecord session;
    session.client = {Ipv4Address::of(10, 1, 0, 7), be16{40'000}};
    session.vip = {Ipv4Address::of(10, 1, 0, 80), be16{80}};
    session.listener = 3;
    session.real = 2;
    session.state = SessionState::established;
    session.idle_s = 4;
    session.timeout_s = 900;
    session.worker = 1;
    SessionRecord stranger = session;
    stranger.real = 9;
    const Json report = report_sessions(listing_of({real}), {{session, stranger}, true});
    EXPECT_EQ(report["sessions"][0].dump(),
              R"({"client":"10.1.0.7:40000","vip":"10.1.0.80:80","local":null,"service":"web",)"
              R"("real":"web1","protocol":"tcp","state":"established","idle_s":4,)"
              R"("timeout_s":900,"worker":1})");
    EXPECT_TRUE(report["sessions"][1]["real"].is_null());
    session.local = {Ipv4Address::of(10, 2, 0, 100), be16{2'049}};
    const Json in_full_nat = report_sessions(listing_of({real}), {{session}, false});
    EXPECT_EQ(in_full_nat["sessions"][0]["local"], "10.2.0.100:2049");
    EXPECT_EQ(report["truncated"], true);
}

}  // namespace
}  // namespace fulcrum
