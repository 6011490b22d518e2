// Every row of the command table, asked and misasked.
#include "controlplane/commands.h"

#include <gtest/gtest.h>

#include "tests/support/control_bench.h"

namespace fulcrum {
namespace {

class CommandsTest : public ControlBench {
  protected:
    void SetUp() override {
        begin_with({"web11", "web12"});
        DirectorFacts facts;
        facts.worker_cpus = {1, 3};
        facts.cycles_per_s = 1e9;
        facts.memory = {{"sessions", 1'024}};
        facts.ports = [this] {
            return std::vector<PortReport>{{"wan", "eth0", "wan", {}, is_link_up_}};
        };
        facts.kernel_forwards = [this] { return kernel_forwards_; };
        mail_ = std::make_unique<WorkerMail>(
            loop_, std::vector<WorkerDoors>{doors_of(*workers_[0]), doors_of(*workers_[1])},
            [this](std::uint8_t port, const IpAddress& neighbour) {
                wanted_.emplace_back(port, neighbour);
            },
            [](const IpAddress&, std::uint16_t) {});
        commands_ = std::make_unique<Commands>(
            Commands::Parts{loop_, helper_, *applier_, *mail_, captures_, std::move(facts)});
    }

    Json ask(const std::string& command, const Json& arguments = Json::object()) {
        std::optional<Json> reply;
        // By way of text, as a client sends them.
        commands_->serve({command, Json::parse(arguments.dump())},
                         [&](const Reply& told) { reply = Json::parse(render(told)); });
        EXPECT_TRUE(loop_until(loop_, [&] { return reply.has_value(); }));
        return reply.value_or(Json{});
    }
    Json result_of(const std::string& command, const Json& arguments = Json::object()) {
        const Json reply = ask(command, arguments);
        EXPECT_EQ(reply["ok"], true) << reply.dump();
        return reply["result"];
    }
    std::string refusal_of(const std::string& command, const Json& arguments = Json::object()) {
        const Json reply = ask(command, arguments);
        EXPECT_EQ(reply["ok"], false) << reply.dump();
        return reply["error"]["code"].get<std::string>() + ": " +
               reply["error"]["sentence"].get<std::string>();
    }
    static WorkerDoors doors_of(StandInWorker& worker) {
        return {worker.inbox.get(), worker.outbox.get(), worker.explanations.get()};
    }
    static SessionRecord session_of(std::uint16_t port, std::uint16_t real) {
        SessionRecord session;
        session.client = {Ipv4Address::of(10, 1, 0, 7), be16{port}};
        session.vip = {Ipv4Address::of(10, 1, 0, 80), be16{80}};
        session.real = real;
        session.state = SessionState::established;
        return session;
    }

    bool is_link_up_ = true;
    bool kernel_forwards_ = true;
    std::vector<std::pair<std::uint8_t, IpAddress>> wanted_;
    std::unique_ptr<WorkerMail> mail_;
    CaptureDesk captures_{{loop_, *applier_, {}, {"wan"}}};
    std::unique_ptr<Commands> commands_;
};

TEST_F(CommandsTest, RefusesACaptureThatCannotBe) {
    EXPECT_EQ(refusal_of("capture", {{"seconds", 0}}),
              "bad_arguments: seconds 0 is out of range: 1 to 3600");
    EXPECT_EQ(refusal_of("capture", {{"filter", "1,5 0 0 0"}}),
              "bad_arguments: instruction 0 of the filter is none of the machine's, or leads out "
              "of it");
}

TEST_F(CommandsTest, TellsStatusWithoutProblems) {
    const Json status = result_of("status");
    EXPECT_EQ(status["name"], "director");
    EXPECT_EQ(status["version"], FULCRUM_VERSION);
    EXPECT_EQ(status["role"], "active");
    EXPECT_EQ(status["epoch"], publisher_.current()->epoch);
    EXPECT_EQ(status["workers"].size(), 2U);
    EXPECT_EQ(status["workers"][1]["cpu"], 3);
    EXPECT_EQ(status["ports"][0]["link"], "up");
    EXPECT_EQ(status["services"]["total"], 1);
    EXPECT_EQ(status["services"]["up"], 1);
    EXPECT_EQ(status["memory"][0]["bytes"], 1'024);
    EXPECT_TRUE(status["problems"].empty()) << status.dump();
}

TEST_F(CommandsTest, TellsWhatStandsInTheWayOfService) {
    is_link_up_ = false;
    prober_->down[11] = prober_->down[12] = true;
    ASSERT_TRUE(becomes_usable(0));
    const Json status = result_of("status");
    EXPECT_EQ(status["services"]["up"], 0);
    EXPECT_EQ(status["problems"].dump(),
              R"(["service \"web\" has no usable real","port \"wan\" has no link"])");
}

TEST_F(CommandsTest, TellsOfAWorkerThatTakesUpNoSnapshot) {
    workers_[1]->is_frozen = true;
    prober_->down[11] = true;
    ASSERT_TRUE(loop_until(
        loop_, [&] { return !commands_->problems().empty(); }, 5s));
    EXPECT_EQ(commands_->problems().front(), "worker 1 has not taken up the present snapshot");
}

TEST_F(CommandsTest, TellsOfAWorkerThatStandsStill) {
    workers_[1]->is_halted = true;
    ASSERT_TRUE(loop_until(
        loop_, [&] { return !commands_->problems().empty(); }, 5s));
    EXPECT_EQ(commands_->problems().front(), "worker 1 stands still");
}

TEST_F(CommandsTest, TellsOfNewcomersForWhomTheTablesHadNoRoom) {
    boards_[0]->worker().dropped[static_cast<std::size_t>(DropReason::table_full)].add(2);
    boards_[1]->worker().dropped[static_cast<std::size_t>(DropReason::table_full)].add(1);
    boards_[1]->worker().sessions_untracked.add(4);
    ASSERT_TRUE(loop_until(
        loop_, [&] { return !commands_->problems().empty(); }, 5s));
    EXPECT_EQ(commands_->problems().front(),
              "the session table has no room for newcomers: packets refused: 3 in the last minute "
              "(3 in the last second), forwarded without a session: 4 in the last minute (4 in the "
              "last second): raise director.sessions");
}

TEST_F(CommandsTest, NotesRealsThatSendToElsewhereWhileTheKernelDoesNotForward) {
    kernel_forwards_ = false;
    EXPECT_TRUE(commands_->notes().empty());
    boards_[1]->worker().punted[static_cast<std::size_t>(PuntClass::transit)].add(1);
    ASSERT_TRUE(loop_until(
        loop_, [&] { return !commands_->notes().empty(); }, 5s));
    EXPECT_EQ(commands_->notes().front(),
              "real servers send to elsewhere through this director, and the kernel does not "
              "forward: if they are to, set sysctl net.ipv4.ip_forward=1");
    EXPECT_TRUE(commands_->problems().empty()) << "a late packet is no problem";
    kernel_forwards_ = true;
    EXPECT_TRUE(commands_->notes().empty());
}

TEST_F(CommandsTest, ListsServicesAndReals) {
    EXPECT_EQ(result_of("services")["services"][0]["reals_usable"], 2);
    const Json reals = result_of("reals")["reals"];
    ASSERT_EQ(reals.size(), 2U);
    EXPECT_EQ(reals[1]["name"], "web12");
    EXPECT_EQ(reals[1]["state"], "up");
    EXPECT_EQ(reals[1]["check"], "connection accepted");
    EXPECT_EQ(result_of("reals", {{"service", "web"}})["reals"].size(), 2U);
    EXPECT_EQ(refusal_of("reals", {{"service", "x"}}),
              "unknown_service: there is no service \"x\"");
}

TEST_F(CommandsTest, DrainsAndUndrains) {
    const std::uint32_t tally = applier_->listing().look()->services[0].reals[0].tally;
    boards_[0]->tally(tally).sessions_live.set(3);
    boards_[1]->tally(tally).sessions_live.set(4);
    const Json drained = result_of("drain", {{"service", "web"}, {"real", "web11"}});
    EXPECT_EQ(drained["sessions"], 7);
    EXPECT_EQ(drained["epoch"], publisher_.current()->epoch);
    EXPECT_EQ(result_of("reals")["reals"][0]["state"], "drained");
    EXPECT_EQ(result_of("reals")["reals"][0]["drain"]["sessions_at_start"], 7);
    result_of("drain",
              {{"service", "web"}, {"real", "web11"}, {"deadline_s", 600U}, {"then", "move"}});
    EXPECT_EQ(result_of("reals")["reals"][0]["drain"]["then"], "move");
    EXPECT_EQ(result_of("reals")["reals"][0]["weight"], 0);
    EXPECT_EQ(result_of("reals")["reals"][0]["weight_configured"], 1);
    result_of("undrain", {{"service", "web"}, {"real", "web11"}});
    EXPECT_EQ(result_of("reals")["reals"][0]["state"], "up");
    EXPECT_TRUE(
        refusal_of("drain", {{"service", "web"}, {"real", "x"}}).starts_with("unknown_real: "));
    EXPECT_TRUE(
        refusal_of("drain", {{"service", "x"}, {"real", "x"}}).starts_with("unknown_service: "));
}

TEST_F(CommandsTest, AppliesAnEditAndTellsWhatTheFileDoesNotKnow) {
    const Json operations = Json::parse(
        R"([{"operation":"change-real","service":"web","real":"web11","set":{"weight":9}},
            {"operation":"add-real","service":"web",
             "set":{"name":"web13","address":"10.2.0.13"}}])");
    const std::uint64_t epoch = publisher_.current()->epoch;
    const Json report = result_of("edit", {{"operations", operations}});
    EXPECT_GT(report["epoch"], epoch);
    ASSERT_EQ(report["changes"].size(), 2U);
    EXPECT_EQ(report["changes"][0], "service \"web\": real \"web11\": weight 1 becomes 9");
    EXPECT_EQ(report["changes"][1],
              "service \"web\": real \"web13\" added (10.2.0.13:80, weight 1, nat)");
    EXPECT_EQ(report["not_in_file"], report["changes"]);
    const Json status = result_of("status");
    EXPECT_EQ(status["not_in_file"].size(), 2U);
    EXPECT_EQ(status["notes"][0], "2 changes are not in the file: a reload would undo them");
}

TEST_F(CommandsTest, AReloadTellsWhatItUndoes) {
    const Json weight = Json::parse(
        R"([{"operation":"change-real","service":"web","real":"web11","set":{"weight":9}}])");
    result_of("edit", {{"operations", weight}});
    const Json report = result_of("reload");
    EXPECT_EQ(report["dropped"].dump(),
              R"(["service \"web\": real \"web11\": weight 1 becomes 9"])");
    EXPECT_EQ(report["changes"].dump(),
              R"(["service \"web\": real \"web11\": weight 9 becomes 1"])");
    EXPECT_TRUE(result_of("status")["not_in_file"].empty());
    EXPECT_TRUE(result_of("reload")["dropped"].empty());
}

TEST_F(CommandsTest, AnEditThatUndoesAnotherLeavesNothingToNote) {
    for (const unsigned weight : {9U, 1U}) {
        result_of("edit", {{"operations", Json::array({{{"operation", "change-real"},
                                                        {"service", "web"},
                                                        {"real", "web11"},
                                                        {"set", {{"weight", weight}}}}})}});
    }
    EXPECT_TRUE(result_of("status")["not_in_file"].empty());
}

TEST_F(CommandsTest, RefusesAnEditWholeAndTellsWhichOperationIsToBlame) {
    const std::uint64_t epoch = publisher_.current()->epoch;
    const Json operations = Json::parse(
        R"([{"operation":"remove-real","service":"web","real":"web11"},
            {"operation":"remove-real","service":"web","real":"web19"}])");
    const Json reply = ask("edit", {{"operations", operations}});
    EXPECT_EQ(reply["error"]["code"], "unknown_real");
    EXPECT_EQ(reply["error"]["operation"], 1);
    EXPECT_EQ(publisher_.current()->epoch, epoch);
    EXPECT_EQ(state_.config()->services[0].reals.size(), 2U);
    EXPECT_EQ(refusal_of("edit", {{"operations", 7}}),
              "bad_arguments: argument \"operations\" of edit is no list");
}

TEST_F(CommandsTest, TakesAnEditInPartsAsOne) {
    const auto part = [](const char* real, bool has_more) {
        return Json{
            {"operations",
             Json::array({{{"operation", "remove-real"}, {"service", "web"}, {"real", real}}})},
            {"transaction", "t1"},
            {"more", has_more}};
    };
    EXPECT_EQ(result_of("edit", part("web11", true))["collected"], 1);
    EXPECT_EQ(state_.config()->services[0].reals.size(), 2U);
    result_of("edit", part("web12", false));
    EXPECT_TRUE(state_.config()->services[0].reals.empty());
    EXPECT_EQ(refusal_of("edit", {{"operations", Json::array()}, {"more", true}}),
              "bad_arguments: an edit in parts needs a \"transaction\", a name");
}

TEST_F(CommandsTest, KeepsFewEditsInPartsAtATime) {
    for (unsigned i = 0; i < 8; ++i) {
        result_of(
            "edit",
            {{"operations", Json::array()}, {"transaction", std::to_string(i)}, {"more", true}});
    }
    EXPECT_EQ(refusal_of("edit", {{"operations", Json::array()}, {"transaction", "8"}}),
              "bad_arguments: 8 edits in parts are under way: wait a minute");
}

TEST_F(CommandsTest, EditsThatComeTogetherFollowEachOther) {
    unsigned answered = 0;
    for (const char* real : {"web11", "web12"}) {
        commands_->serve({"edit",
                          {{"operations", Json::array({{{"operation", "change-real"},
                                                        {"service", "web"},
                                                        {"real", real},
                                                        {"set", {{"weight", 7}}}}})}}},
                         [&](const Reply& reply) {
                             EXPECT_TRUE(reply.is_ok) << reply.sentence;
                             ++answered;
                         });
    }
    ASSERT_TRUE(loop_until(loop_, [&] { return answered == 2; }));
    EXPECT_EQ(state_.config()->services[0].reals[0].weight, 7U);
    EXPECT_EQ(state_.config()->services[0].reals[1].weight, 7U);
}

TEST_F(CommandsTest, ZeroesWhatListingsShowAndLeavesTheTotals) {
    const auto packets_of = [&](std::size_t real) {
        return result_of("reals")["reals"][real]["in_packets"].get<unsigned>();
    };
    const auto listing = applier_->listing().look();
    for (const ListedReal& real : listing->services[0].reals) {
        boards_[0]->tally(real.tally).in_packets.add(10);
    }
    result_of("zero", {{"service", "web"}, {"real", "web11"}});
    EXPECT_EQ(packets_of(0), 0U);
    EXPECT_EQ(packets_of(1), 10U);
    EXPECT_EQ(result_of("services")["services"][0]["in_packets"], 20);
    result_of("zero");
    EXPECT_EQ(packets_of(1), 0U);
    EXPECT_EQ(result_of("services")["services"][0]["in_packets"], 0);
    boards_[0]->tally(listing->services[0].reals[0].tally).in_packets.add(3);
    EXPECT_EQ(packets_of(0), 3U);
    EXPECT_EQ(applier_->listing().look()->services[0].totals(applier_->boards()).in_packets, 23U);
    EXPECT_EQ(refusal_of("zero", {{"service", "wep"}}),
              "unknown_service: there is no service \"wep\": did you mean \"web\"?");
    EXPECT_EQ(refusal_of("zero", {{"service", "web"}, {"real", "web19"}}),
              "unknown_real: service \"web\": there is no real \"web19\": did you mean \"web11\"?");
}

TEST_F(CommandsTest, TellsTheTableAsItWasAskedFor) {
    const Json operations = Json::parse(R"([
        {"operation":"add-service","set":{"mark":7,"check":{"type":"none"}}},
        {"operation":"add-real","service":{"mark":7},
         "set":{"address":"127.0.0.1","weight":5}}])");
    result_of("edit", {{"operations", operations}});
    const Json table = result_of("table");
    EXPECT_EQ(table["timeouts_s"].dump(), "[900,120,300]");
    const Json& web = table["services"][0];
    EXPECT_EQ(web["listeners"].dump(), R"([{"vip":"10.1.0.80","protocol":"tcp","port":80}])");
    EXPECT_EQ(web["has_more"], true) << "it is checked";
    EXPECT_EQ(web["reals"][1]["address"], "10.2.0.12");
    EXPECT_EQ(web["reals"][1]["is_local"], false);
    const Json& marked = table["services"][1];
    EXPECT_EQ(marked["mark"], 7);
    EXPECT_TRUE(marked["listeners"].empty());
    EXPECT_EQ(marked["has_more"], false);
    EXPECT_EQ(marked["reals"][0]["is_local"], true);
    EXPECT_EQ(marked["reals"][0]["weight_configured"], 5);
    EXPECT_TRUE(result_of("services")["services"][1]["vip"].is_null());
}

TEST_F(CommandsTest, LogsNoLessThanAskedFor) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    dup2(ends[1], silence_);
    result_of("log-level", {{"level", "error"}});
    log_.notice(LogArea::director, "left out");
    result_of("log-level", {{"level", "notice"}});
    log_.notice(LogArea::director, "written");
    std::array<char, 1000> text{};
    ASSERT_GT(read(ends[0], text.data(), text.size() - 1), 0);
    EXPECT_EQ(std::string{text.data()}.find("left out"), std::string::npos);
    EXPECT_NE(std::string{text.data()}.find("written"), std::string::npos);
    EXPECT_EQ(refusal_of("log-level", {{"level", "loud"}}),
              "bad_arguments: level \"loud\" is none of error, warning, notice, debug");
    close(ends[0]);
    close(ends[1]);
}

TEST_F(CommandsTest, ReloadsTheFileItStartedFrom) {
    write(text_of({"web11", "web12", "web13"}));
    const Json report = result_of("reload");
    EXPECT_EQ(report["changes"].size(), 1U) << report.dump();
    EXPECT_GT(report["slots_moved"]["web"], 0);
    EXPECT_EQ(result_of("reals")["reals"].size(), 3U);
}

TEST_F(CommandsTest, NamesEveryProblemOfAnInvalidFile) {
    write(
        "director = { workers = [ 1 ]; sessions = \"many\"; };\nservices = ( { nane = \"web\"; } "
        ");\n");
    const Json reply = ask("reload");
    EXPECT_EQ(reply["ok"], false);
    EXPECT_EQ(reply["error"]["code"], "config_invalid");
    EXPECT_GE(reply["error"]["problems"].size(), 2U) << reply.dump();
    EXPECT_EQ(result_of("reals")["reals"].size(), 2U) << "the running one stays";
}

TEST_F(CommandsTest, CollectsSessionsFromAllWorkers) {
    workers_[0]->sessions = {session_of(1'000, 0), session_of(1'001, 1)};
    workers_[1]->sessions = {session_of(1'002, 1)};
    const Json all = result_of("sessions");
    EXPECT_EQ(all["sessions"].size(), 3U);
    EXPECT_EQ(all["truncated"], false);
    const Json some = result_of("sessions", {{"service", "web"}, {"real", "web12"}});
    ASSERT_EQ(some["sessions"].size(), 2U);
    EXPECT_EQ(some["sessions"][0]["real"], "web12");
}

TEST_F(CommandsTest, ListsClientsWithTheRealTheyAreBoundTo) {
    ClientReport client;
    client.client = cut(client_prefix_of(Ipv4Address::of(198, 51, 100, 77)), 96 + 24);
    client.service = 0;
    client.real = 1;
    client.sessions = 2;
    client.remaining_s = 300;
    client.is_confirmed = true;
    workers_[1]->clients = {client};
    const Json found = result_of("affinity", {{"service", "web"}});
    EXPECT_EQ(found.dump(),
              R"({"clients":[{"client":"198.51.100.0/24","service":"web","real":"web12",)"
              R"("sessions":2,"remaining_s":300,"confirmed":true,"worker":0}],)"
              R"("truncated":false})");
    EXPECT_EQ(refusal_of("affinity", {{"service", "nobody"}}),
              "bad_arguments: there is no service \"nobody\"");
}

TEST_F(CommandsTest, SaysWhenThereAreMoreSessions) {
    workers_[0]->sessions = {session_of(1'000, 0), session_of(1'001, 1)};
    EXPECT_EQ(result_of("sessions", {{"limit", 2}})["truncated"], false);
    const Json one = result_of("sessions", {{"limit", 1}});
    EXPECT_EQ(one["sessions"].size(), 1U);
    EXPECT_EQ(one["truncated"], true);
}

TEST_F(CommandsTest, WaitsNoLongerThanTwoSecondsForAWorkersSessions) {
    workers_[0]->sessions = {session_of(1'000, 0)};
    workers_[1]->is_mute = true;
    const Instant start = std::chrono::steady_clock::now();
    const Json found = result_of("sessions");
    EXPECT_LT(std::chrono::steady_clock::now() - start, 4s);
    EXPECT_EQ(found["sessions"].size(), 1U);
    EXPECT_EQ(found["truncated"], true);
}

TEST_F(CommandsTest, IgnoresReportsOfAWalkThatWasGivenUp) {
    workers_[0]->is_mute = workers_[1]->is_mute = true;
    std::optional<Json> reply;
    commands_->serve({"sessions"}, [&](const Reply& told) { reply = Json::parse(render(told)); });
    WorkerReport late;
    late.walk_id = 77;
    late.session = session_of(1'000, 0);
    for (const auto& worker : workers_) {  // mute, so that this thread alone posts
        late.kind = ReportKind::session;
        worker->outbox->post(late);
        late.kind = ReportKind::walk_done;
        worker->outbox->post(late);
    }
    ASSERT_TRUE(loop_until(loop_, [&] { return reply.has_value(); }));
    EXPECT_TRUE((*reply)["result"]["sessions"].empty());
    EXPECT_EQ((*reply)["result"]["truncated"], true);
}

TEST_F(CommandsTest, WalksForOneAfterTheOther) {
    workers_[0]->sessions = {session_of(1'000, 0), session_of(1'001, 1)};
    std::vector<std::size_t> counts;
    for (const unsigned limit : {1U, 2U, 1U}) {
        commands_->serve({"sessions", {{"limit", limit}}}, [&](const Reply& told) {
            counts.push_back(Json::parse(render(told))["result"]["sessions"].size());
        });
    }
    ASSERT_TRUE(loop_until(loop_, [&] { return counts.size() == 3; }));
    EXPECT_EQ(counts, (std::vector<std::size_t>{1, 2, 1}));
}

const Json some_packet{
    {"protocol", "tcp"}, {"source", "10.1.0.7:1000"}, {"destination", "10.1.0.80:80"}};

TEST_F(CommandsTest, ExplainsByTheWorkerWhoseClientItIs) {
    EXPECT_EQ(result_of("explain", some_packet)["worker"], 0);
    workers_[0]->owner = workers_[1]->owner = 1;
    const Json told = result_of("explain", some_packet);
    EXPECT_EQ(told["worker"], 1);
    EXPECT_EQ(told["class"], "request");
    EXPECT_EQ(told["arrives_at"], "wan");
}

TEST_F(CommandsTest, ExplainsForOneAfterTheOther) {
    int answered_count = 0;
    for (int i = 0; i < 10; ++i) {
        commands_->serve({"explain", some_packet},
                         [&](const Reply& told) { answered_count += told.is_ok ? 1 : 0; });
    }
    EXPECT_TRUE(loop_until(loop_, [&] { return answered_count == 10; }));
}

TEST_F(CommandsTest, SaysWhenNobodyExplains) {
    workers_[0]->is_mute = true;
    EXPECT_EQ(refusal_of("explain", some_packet),
              "no_answer: no worker answered within two seconds");
    EXPECT_TRUE(refusal_of("explain", {{"protocol", "x"}, {"source", ""}, {"destination", ""}})
                    .starts_with("bad_arguments: protocol \"x\""));
}

TEST_F(CommandsTest, PassesOnWhichNeighboursWorkersWant) {
    WorkerReport report;
    report.kind = ReportKind::neighbour_wanted;
    report.port = 1;
    report.neighbour = Ipv4Address::of(10, 2, 0, 77);
    ASSERT_TRUE(workers_[0]->outbox->post(report));
    ASSERT_TRUE(loop_until(loop_, [&] { return !wanted_.empty(); }));
    EXPECT_EQ(wanted_[0].first, 1);
    EXPECT_EQ(wanted_[0].second, Ipv4Address::of(10, 2, 0, 77));
}

TEST_F(CommandsTest, LetsReadersAskAndChangeNothing) {
    begin_with({"web11"});
    for (const char* command : {"reload", "drain", "edit", "rollback", "plan", "capture", "zero"}) {
        std::string code;
        commands_->serve({.command = command, .may_change = false},
                         [&](const Reply& reply) { code = reply.code; });
        EXPECT_EQ(code, "not_permitted") << command;
    }
    bool is_told = false;
    commands_->serve({.command = "version", .may_change = false},
                     [&](const Reply& reply) { is_told = reply.is_ok; });
    EXPECT_TRUE(is_told);
}

TEST_F(CommandsTest, HasNoRolesToChangeWhereTheDirectorIsAlone) {
    begin_with({"web11"});
    for (const char* command : {"standby", "takeover"}) {
        EXPECT_EQ(refusal_of(command),
                  "no_groups: the director is alone: its file has no groups, whose roles could "
                  "change");
    }
}

TEST_F(CommandsTest, RefusesWhatItDoesNotKnowInASentence) {
    EXPECT_EQ(refusal_of("stauts"),
              "unknown_command: unknown command \"stauts\": known are status, services, reals, "
              "table, sessions, affinity, peer, doctor, explain, capture, events, reload, plan, "
              "history, rollback, drain, undrain, edit, save, config, zero, log-level, standby, "
              "takeover, fence-confirm, version");
    EXPECT_EQ(refusal_of("drain"), "bad_arguments: drain needs the argument \"service\"");
    EXPECT_EQ(refusal_of("drain", {{"service", "web"}, {"real", "web11"}, {"then", "reset"}}),
              "bad_arguments: then says what follows a deadline: give one with deadline_s");
    EXPECT_EQ(
        refusal_of("drain",
                   {{"service", "web"}, {"real", "web11"}, {"deadline_s", 60U}, {"then", "stop"}}),
        "bad_arguments: then \"stop\" is none of keep, reset, move");
    EXPECT_EQ(refusal_of("drain", {{"service", 1}, {"real", "x"}}),
              "bad_arguments: argument \"service\" of drain is no text");
    EXPECT_EQ(refusal_of("status", {{"verbose", true}}),
              "bad_arguments: status knows no argument \"verbose\"");
    EXPECT_EQ(refusal_of("sessions", {{"limit", -1}}),
              "bad_arguments: argument \"limit\" of sessions is no count");
    EXPECT_EQ(refusal_of("sessions", {{"limit", 10'001}}),
              "bad_arguments: limit 10001 is out of range: 1 to 10000");
    EXPECT_EQ(refusal_of("sessions", {{"client", "10.1.0"}}),
              "bad_arguments: client \"10.1.0\" is no IP address");
    EXPECT_EQ(refusal_of("sessions", {{"real", "web11"}}),
              "bad_arguments: a real is named only within a service: name that too");
    EXPECT_EQ(refusal_of("sessions", {{"service", "web"}, {"real", "x"}}),
              "bad_arguments: service \"web\" has no real \"x\"");
}

}  // namespace
}  // namespace fulcrum
