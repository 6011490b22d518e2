// Whose configuration goes to whom, and what becomes of it.
#include "controlplane/peer/config_sync.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <utility>

#include "controlplane/peer/replica_wire.h"

namespace fulcrum {
namespace {

// Two directors and a cable; each takes over whatever text does not begin with "bad".
class Pair {
  public:
    Pair() {
        for (std::size_t side = 0; side < 2; ++side) {
            start(side);
            serve(side, {1}, "old");
        }
        sides_[0].is_active = true;
        pass();
    }
    void start(std::size_t side) {
        Side& its = sides_[side];
        its.sync.reset();
        its.channel = std::make_unique<PeerChannel>(
            *PairKey::from_line(std::string(64, 'a')),
            PeerSelf{.name = side == 0 ? "a" : "b", .peer = side == 0 ? "b" : "a"},
            [this, side](std::size_t, std::span<const std::uint8_t> datagram) {
                said_.emplace_back(1 - side, Octets{datagram.begin(), datagram.end()});
            },
            [this] { return SessionId{++ids_}; });
        its.sync = std::make_unique<ConfigSync>(
            *its.channel, side == 0 ? "b" : "a",
            ConfigSync::Doors{[&its] { return its.is_active; },
                              [&its](const ConfigStanding& peers) { its.agreed = peers.version; },
                              [this, side](const std::string& text, ConfigVersion version,
                                           const ConfigSync::Doors::Judged& judged) {
                                  ++sides_[side].asked;
                                  if (text.starts_with("bad")) {
                                      return judged({version, false, 0, {"it is bad"}});
                                  }
                                  serve(side, version, text);
                                  judged({version, true, 7, {}});
                              }});
    }
    void serve(std::size_t side, ConfigVersion version, const std::string& text) {
        sides_[side].text = text;
        sides_[side].sync->set_own({version, std::hash<std::string>{}(text)},
                                   std::make_shared<const std::string>(text));
    }
    // Until nobody has anything to say.
    void pass(int rounds = 40) {
        for (int round = 0; round < rounds; ++round) {
            now_ += 110ms;
            for (Side& side : sides_) {
                side.channel->tick(now_);
            }
            while (!said_.empty()) {
                const auto [to, datagram] = std::move(said_.front());
                said_.pop_front();
                sides_[to].channel->hear(0, datagram, now_);
            }
            for (Side& side : sides_) {
                turn(side);
            }
        }
    }
    void set_active(std::size_t side, bool is_active) { sides_[side].is_active = is_active; }
    const std::string& text(std::size_t side) const { return sides_[side].text; }
    int asked(std::size_t side) const { return sides_[side].asked; }
    ConfigSyncReport report(std::size_t side) const { return sides_[side].sync->report(now_); }
    ConfigVersion agreed(std::size_t side) const { return sides_[side].agreed; }
    void silence(std::size_t side) { sides_[side].is_mute = true; }

  private:
    struct Side {
        std::unique_ptr<PeerChannel> channel;
        std::unique_ptr<ConfigSync> sync;
        std::string text;
        bool is_active = false;
        bool is_mute = false;  // takes no part
        int asked = 0;
        ConfigVersion agreed;
        std::uint64_t session = 0;
    };

    void turn(Side& side) {
        if (side.session != side.channel->session_number()) {
            side.session = side.channel->session_number();
            side.sync->meet(now_);
        }
        while (const auto octets = side.channel->fetch()) {
            const auto message = read_message(*octets);
            ASSERT_TRUE(message);
            if (side.is_mute) {
                continue;
            }
            if (message->kind == PeerMessageKind::standing) {
                side.sync->hear(message->standing);
            } else if (message->kind == PeerMessageKind::part) {
                side.sync->hear(message->part);
            } else {
                side.sync->hear(message->verdict);
            }
        }
        if (side.channel->is_up(now_) && !side.is_mute) {
            side.sync->pump();
        }
    }

    Instant now_{1'000s};
    std::uint8_t ids_ = 0;
    std::deque<std::pair<std::size_t, Octets>> said_;
    std::array<Side, 2> sides_;
};

TEST(ConfigSync, BringsTheStandbyWhatTheActiveOneServes) {
    Pair pair;
    EXPECT_EQ(pair.asked(1), 0) << "both serve the same";
    pair.serve(0, {5}, "new");
    pair.pass();
    EXPECT_EQ(pair.text(1), "new");
    const ConfigSyncReport told = pair.report(0);
    EXPECT_EQ(told.told.passage, ConfigPassage::applied);
    EXPECT_EQ(told.told.version, ConfigVersion{5});
    EXPECT_EQ(told.told.epoch, 7U);
    EXPECT_EQ(told.own, told.peer);
    EXPECT_EQ(pair.report(1).heard.applied, 1U);
    EXPECT_TRUE(told.problems.empty());
}

TEST(ConfigSync, WhatIsTheSameIsOfTheLaterVersion) {
    Pair pair;
    pair.serve(1, {4}, "old");
    pair.pass();
    EXPECT_EQ(pair.agreed(0), ConfigVersion{4});
    EXPECT_EQ(pair.report(0).own, pair.report(0).peer);
    EXPECT_EQ(pair.report(1).own, pair.report(1).peer);
    EXPECT_EQ(pair.asked(0) + pair.asked(1), 0);
}

TEST(ConfigSync, CarriesOneThatIsLongerThanAllMessagesUnderWay) {
    Pair pair;
    std::string text;
    for (int i = 0; i < 100'000; ++i) {
        text += std::to_string(i) + ",";
    }
    ASSERT_GT(text.size(), PeerStream::window * PeerChannel::message_max);
    pair.serve(0, {5}, text);
    pair.pass(200);
    EXPECT_EQ(pair.text(1), text);
}

TEST(ConfigSync, ALaterVersionTakesThePlaceOfOneThatIsUnderWay) {
    Pair pair;
    pair.serve(0, {5}, std::string(500'000, 'x'));
    pair.pass(1);
    pair.serve(0, {6}, "newest");
    pair.pass();
    EXPECT_EQ(pair.text(1), "newest");
    EXPECT_EQ(pair.asked(1), 1);
}

TEST(ConfigSync, TellsWhyOneWasRefusedAndTellsItOnce) {
    Pair pair;
    pair.serve(0, {5}, "bad");
    pair.pass();
    pair.pass();
    EXPECT_EQ(pair.asked(1), 1);
    EXPECT_EQ(pair.text(1), "old");
    EXPECT_EQ(pair.report(0).told.passage, ConfigPassage::refused);
    EXPECT_EQ(pair.report(0).problems,
              std::vector<std::string>{"pair: replicate_config: the director \"b\" refuses the "
                                       "configuration of 1970-01-01 00:00:00.000005 UTC: it is "
                                       "bad"});
    EXPECT_EQ(pair.report(1).problems,
              std::vector<std::string>{"pair: replicate_config: the configuration of the director "
                                       "\"a\" was refused here: it is bad"});
    pair.serve(0, {6}, "good");
    pair.pass();
    EXPECT_EQ(pair.text(1), "good");
    EXPECT_TRUE(pair.report(0).problems.empty());
}

TEST(ConfigSync, AStandbyTellsNobodyWhatToServe) {
    Pair pair;
    pair.serve(1, {5}, "mine");
    pair.pass();
    EXPECT_EQ(pair.text(0), "old");
    EXPECT_EQ(pair.text(1), "mine");
    EXPECT_EQ(pair.asked(0) + pair.asked(1), 0);
    EXPECT_EQ(pair.report(0).problems,
              std::vector<std::string>{
                  "pair: replicate_config: the director \"b\", which is not active, has the later "
                  "configuration, of 1970-01-01 00:00:00.000005 UTC, and keeps it: hand over to it "
                  "by fulcrumctl standby, or make the next change here, and one goes over"});
    pair.set_active(0, false);
    pair.set_active(1, true);  // handed over
    pair.pass();
    EXPECT_EQ(pair.text(0), "mine");
}

TEST(ConfigSync, ADirectorThatWasAwayIsToldWhenItIsBack) {
    Pair pair;
    pair.serve(0, {5}, "new");
    pair.start(1);
    pair.serve(1, {1}, "old");
    pair.pass();
    EXPECT_EQ(pair.text(1), "new");
}

TEST(ConfigSync, OfTwoActiveOnesNeitherObeys) {
    Pair pair;
    pair.set_active(1, true);
    pair.serve(0, {5}, "new");
    pair.pass();
    EXPECT_EQ(pair.text(1), "old");
    EXPECT_EQ(pair.report(0).told.sentences,
              std::vector<std::string>{"this director is active, too"});
}

TEST(ConfigSync, WhoTakesNoPartIsToldOf) {
    Pair pair;
    pair.silence(1);
    pair.start(1);
    pair.serve(0, {5}, "new");
    pair.pass(60);
    EXPECT_EQ(pair.asked(1), 0);
    EXPECT_EQ(pair.report(0).problems,
              std::vector<std::string>{"pair: replicate_config: the director \"b\" takes no part: "
                                       "say pair.replicate_config = true in its file, too, and "
                                       "restart it"});
}

TEST(ConfigWire, RefusesWhatNoDirectorSays) {
    const ConfigPart part{{{5}, 6}, 10, 4, "octets"};
    const Octets octets = part_message(part);
    ASSERT_TRUE(read_message(octets));
    EXPECT_EQ(read_message(octets)->part, part);
    for (std::size_t length = 1; length < octets.size() - 5; ++length) {
        EXPECT_FALSE(read_message(std::span{octets}.first(length))) << length;
    }
    EXPECT_FALSE(read_message(part_message({{{5}, 6}, 9, 4, "octets"}))) << "beyond its end";
    EXPECT_FALSE(read_message(part_message({{{5}, 6}, 0xFFFF'FFFF, 4, "octets"}))) << "too long";
    EXPECT_FALSE(read_message(verdict_message({{5}, false, 0, {}}))) << "refused without a reason";
    const ConfigVerdict verdict{{5}, false, 0, {"one", "two"}};
    EXPECT_EQ(read_message(verdict_message(verdict))->verdict, verdict);
    const Octets long_ones =
        verdict_message({{5}, false, 0, std::vector<std::string>(100, std::string(300, 'x'))});
    EXPECT_LE(long_ones.size(), PeerChannel::message_max);
    EXPECT_TRUE(read_message(long_ones));
}

}  // namespace
}  // namespace fulcrum
