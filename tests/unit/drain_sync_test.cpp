// What one operator drains is drained at both directors.
#include "controlplane/peer/drain_sync.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <utility>

namespace fulcrum {
namespace {

constexpr Instant now{1'000s};

class Pair {
  public:
    Pair() {
        for (std::size_t side = 0; side < 2; ++side) {
            start(side);
        }
        pass();
    }
    void start(std::size_t side) {
        Side& its = sides_[side];
        its.drains.reset();
        its.channel = std::make_unique<PeerChannel>(
            *PairKey::from_line(std::string(64, 'a')),
            PeerSelf{.name = side == 0 ? "a" : "b", .peer = side == 0 ? "b" : "a"},
            [this, side](std::size_t, std::span<const std::uint8_t> datagram) {
                said_.emplace_back(1 - side, Octets{datagram.begin(), datagram.end()});
            },
            [this] { return SessionId{++ids_}; });
        its.drains = std::make_unique<DrainSync>(
            *its.channel, DrainSync::Doors{[&its] { return its.reals; },
                                           [&its](const std::string&, const std::string& name) {
                                               return find(its, name);
                                           },
                                           [&its](const PeerDrain& drain) {
                                               its.asked.push_back(drain);
                                               set(its, drain.real, drain.is_drained);
                                           }});
        its.reals = {{"web", "web1"}, {"web", "web2"}};
    }
    // Until nobody has anything to say.
    void pass() {
        for (int round = 0; round < 12; ++round) {
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
                if (side.session != side.channel->session_number()) {
                    side.session = side.channel->session_number();
                    side.drains->meet();
                }
                while (const auto message = side.channel->fetch()) {
                    side.drains->hear(read_message(*message)->drain);
                }
                if (side.channel->is_up(now_)) {
                    side.drains->look();
                }
            }
        }
    }
    void drain(std::size_t side, const std::string& real, bool is_drained) {
        set(sides_[side], real, is_drained);
        pass();
    }
    std::vector<DrainSync::Real>& reals(std::size_t side) { return sides_[side].reals; }
    bool is_drained(std::size_t side, const std::string& real) {
        for (const DrainSync::Real& each : sides_[side].reals) {
            if (each.name == real) {
                return each.is_drained;
            }
        }
        return false;
    }
    const std::vector<PeerDrain>& asked(std::size_t side) const { return sides_[side].asked; }

  private:
    struct Side {
        std::unique_ptr<PeerChannel> channel;
        std::unique_ptr<DrainSync> drains;
        std::vector<DrainSync::Real> reals;
        std::vector<PeerDrain> asked;
        std::uint64_t session = 0;
    };
    static std::optional<DrainSync::Real> find(const Side& side, const std::string& name) {
        for (const DrainSync::Real& each : side.reals) {
            if (each.name == name) {
                return each;
            }
        }
        return std::nullopt;
    }
    static void set(Side& side, const std::string& real, bool is_drained) {
        for (DrainSync::Real& each : side.reals) {
            if (each.name == real) {
                each.is_drained = is_drained;
            }
        }
    }

    Instant now_ = now;
    std::uint8_t ids_ = 0;
    std::deque<std::pair<std::size_t, Octets>> said_;
    std::array<Side, 2> sides_;
};

TEST(DrainSync, TellsTheOtherDirectorAndTakesItBack) {
    Pair pair;
    pair.drain(0, "web1", true);
    EXPECT_TRUE(pair.is_drained(1, "web1"));
    EXPECT_FALSE(pair.is_drained(1, "web2"));
    pair.drain(1, "web1", false);  // whoever is asked
    EXPECT_FALSE(pair.is_drained(0, "web1"));
    EXPECT_EQ(pair.asked(0).size(), 1U);
    EXPECT_EQ(pair.asked(1).size(), 1U) << "nothing is told back";
}

TEST(DrainSync, TellsWhatFollowsADeadline) {
    Pair pair;
    pair.reals(0)[1].deadline_s = 90;
    pair.reals(0)[1].then = SessionPolicy::reset;
    pair.drain(0, "web2", true);
    ASSERT_EQ(pair.asked(1).size(), 1U);
    EXPECT_EQ(pair.asked(1).front(), (PeerDrain{.service = "web",
                                                .real = "web2",
                                                .is_drained = true,
                                                .deadline_s = 90,
                                                .then = SessionPolicy::reset}));
}

TEST(DrainSync, TellsADirectorThatHasStartedOfAllThatIsDrained) {
    Pair pair;
    pair.drain(0, "web1", true);
    pair.drain(0, "web2", true);
    pair.start(1);
    pair.pass();
    EXPECT_TRUE(pair.is_drained(1, "web1"));
    EXPECT_TRUE(pair.is_drained(1, "web2"));
    EXPECT_TRUE(pair.is_drained(0, "web1")) << "who has just started ends nothing";
}

TEST(DrainSync, LeavesAloneWhatOnlyOneOfThemHas) {
    Pair pair;
    pair.reals(1).pop_back();
    pair.drain(0, "web2", true);
    EXPECT_TRUE(pair.asked(1).empty());
    EXPECT_TRUE(pair.is_drained(0, "web2"));
    pair.drain(0, "web1", true);
    pair.reals(1).clear();  // a reload there
    pair.pass();
    EXPECT_TRUE(pair.is_drained(0, "web1"));
    EXPECT_TRUE(pair.asked(0).empty());
}

}  // namespace
}  // namespace fulcrum
