// Two directors that talk over a network that loses, delays, doubles and parts.
#include "controlplane/peer/peer_channel.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>

#include "tests/support/lossy_net.h"

namespace fulcrum {
namespace {

using test::LossyNet;
using test::NetWeather;

const std::string line(64, 'a');

Octets numbered(std::uint32_t n) {
    Octets message;
    OctetWriter{message}.number(n);
    return message;
}

// Two ends and what lies between them.
class Pair {
  public:
    explicit Pair(std::uint64_t seed, NetWeather weather = {}, std::size_t links = 1)
        : net_{seed, weather}, links_{links} {
        for (std::size_t side = 0; side < 2; ++side) {
            start(side);
        }
    }

    void start(std::size_t side, PeerSelf self, const std::string& key = line) {
        self.links = links_;
        ends_[side] = std::make_unique<PeerChannel>(
            *PairKey::from_line(key), self,
            [this, side](std::size_t link, std::span<const std::uint8_t> datagram) {
                net_.send(1 - side, link, datagram, now_);
            },
            [this] { return next_id(); });
        heard_[side].clear();
    }
    void start(std::size_t side) { start(side, self_of(side)); }
    static PeerSelf self_of(std::size_t side) {
        return {.name = side == 0 ? "a" : "b", .peer = side == 0 ? "b" : "a", .seed = 42};
    }

    // Lets time pass in steps of a millisecond.
    void pass(Duration length) {
        for (const Instant end = now_ + length; now_ < end; now_ += 1ms) {
            net_.deliver(now_, [&](const LossyNet::Datagram& datagram) {
                ends_[datagram.to]->hear(datagram.link, datagram.octets, now_);
            });
            for (std::size_t side = 0; side < 2; ++side) {
                while (auto message = ends_[side]->fetch()) {
                    heard_[side].push_back(OctetReader{*message}.number<std::uint32_t>());
                }
                while (!to_send_[side].empty() && ends_[side]->is_up(now_) &&
                       ends_[side]->free_count() > 0) {
                    ends_[side]->send(numbered(to_send_[side].front()));
                    to_send_[side].pop_front();
                }
                ends_[side]->tick(now_);
            }
        }
    }
    void say(std::size_t side, std::uint32_t count) {
        for (std::uint32_t n = 0; n < count; ++n) {
            to_send_[side].push_back(n);
        }
    }
    // That what `side` has heard is 0, 1, 2 and so on, as many as this.
    void expect_heard(std::size_t side, std::uint32_t count) const {
        ASSERT_EQ(heard_[side].size(), count);
        for (std::uint32_t n = 0; n < count; ++n) {
            ASSERT_EQ(heard_[side][n], n);
        }
    }
    bool are_up() const { return end(0).is_up(now_) && end(1).is_up(now_); }

    PeerChannel& end(std::size_t side) { return *ends_[side]; }
    const PeerChannel& end(std::size_t side) const { return *ends_[side]; }
    LossyNet& net() { return net_; }
    Instant now() const { return now_; }

  private:
    SessionId next_id() {
        SessionId id{};
        for (std::size_t i = 0; i < 4; ++i) {
            id[i] = static_cast<std::uint8_t>(ids_ >> (8 * i));
        }
        ++ids_;
        return id;
    }

    std::uint32_t ids_ = 1;
    Instant now_{1'000s};
    LossyNet net_;
    std::size_t links_;
    std::array<std::unique_ptr<PeerChannel>, 2> ends_;
    std::array<std::deque<std::uint32_t>, 2> to_send_;
    std::array<std::vector<std::uint32_t>, 2> heard_;
};

TEST(PeerChannel, GreetsAndTalks) {
    Pair pair{1};
    pair.pass(50ms);
    EXPECT_TRUE(pair.are_up());
    EXPECT_EQ(pair.end(0).session_number(), 1U);
    pair.say(0, 10);
    pair.say(1, 20);
    pair.pass(50ms);
    pair.expect_heard(1, 10);
    pair.expect_heard(0, 20);
}

TEST(PeerChannel, CarriesAllMessagesInOrderThroughEveryWeather) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Pair pair{seed, {.loss = 0.3, .duplication = 0.1, .delay_least = 0ms, .delay_most = 40ms}};
        pair.say(0, 1'000);
        pair.say(1, 500);
        pair.pass(15s);
        pair.expect_heard(1, 1'000);
        pair.expect_heard(0, 500);
        EXPECT_EQ(pair.end(0).session_number(), 1U);
        EXPECT_EQ(pair.end(1).session_number(), 1U);
    }
}

TEST(PeerChannel, GoesOnAfterAPartition) {
    Pair pair{3, {.loss = 0.05, .duplication = 0, .delay_least = 1ms, .delay_most = 5ms}};
    pair.pass(100ms);
    pair.say(0, 300);
    pair.pass(20ms);
    pair.net().part_all(true);
    pair.pass(1'200ms);
    EXPECT_FALSE(pair.end(0).is_up(pair.now()));
    EXPECT_FALSE(pair.end(1).is_up(pair.now()));
    pair.pass(30s);
    pair.net().part_all(false);
    pair.pass(3s);
    EXPECT_TRUE(pair.are_up());
    pair.expect_heard(1, 300);
    EXPECT_EQ(pair.end(0).session_number(), 1U) << "nothing has started anew";
}

TEST(PeerChannel, BeginsASessionWithAPeerThatHasStartedAnew) {
    Pair pair{4};
    pair.say(0, 100);
    pair.pass(200ms);
    pair.expect_heard(1, 100);
    pair.start(1);
    pair.pass(2s);
    EXPECT_TRUE(pair.are_up());
    EXPECT_EQ(pair.end(0).session_number(), 2U);
    pair.say(0, 50);
    pair.pass(200ms);
    pair.expect_heard(1, 50);
}

TEST(PeerChannel, BothMayStartAnewInALossyNetwork) {
    Pair pair{5, {.loss = 0.4, .duplication = 0.2, .delay_least = 0ms, .delay_most = 100ms}};
    for (int round = 0; round < 10; ++round) {
        pair.start(static_cast<std::size_t>(round) % 2);
        pair.pass(6s);
        EXPECT_TRUE(pair.are_up()) << "round " << round;
    }
}

TEST(PeerChannel, StopsTheStreamOfWhoDoesNotFetch) {
    Pair pair{6};
    pair.pass(50ms);
    for (std::uint32_t n = 0; pair.end(0).free_count() > 0; ++n) {
        pair.end(0).send(numbered(n));
    }
    for (int step = 0; step < 500; ++step) {  // nobody fetches at the other end
        pair.end(0).tick(pair.now() + step * 1ms);
        pair.net().deliver(pair.now() + step * 1ms, [&](const LossyNet::Datagram& datagram) {
            pair.end(datagram.to).hear(datagram.link, datagram.octets, pair.now() + step * 1ms);
        });
        pair.end(1).tick(pair.now() + step * 1ms);
    }
    EXPECT_EQ(pair.end(0).free_count(), PeerStream::window) << "they are at the other end";
    pair.end(0).send(numbered(PeerStream::window));
    pair.pass(500ms);
    pair.expect_heard(1, PeerStream::window + 1);
}

TEST(PeerChannel, TakesNothingThatWasSaidBefore) {
    Pair pair{7};
    pair.net().keep_copies();
    pair.say(0, 50);
    pair.pass(500ms);
    const std::vector<LossyNet::Datagram> said = pair.net().copies();
    const PeerFigures before = pair.end(1).figures();
    std::uint64_t repeated = 0;
    for (const LossyNet::Datagram& datagram : said) {
        if (datagram.to == 1 && read_envelope(datagram.octets)->kind == EnvelopeKind::session) {
            pair.end(1).hear(0, datagram.octets, pair.now());
            ++repeated;
        }
    }
    EXPECT_GT(repeated, 0U);
    EXPECT_EQ(pair.end(1).figures().refused_replayed, before.refused_replayed + repeated);
    EXPECT_FALSE(pair.end(1).fetch().has_value());
}

TEST(PeerChannel, IsNotMisledByGreetingsOfSessionsThatAreOver) {
    Pair pair{8};
    pair.net().keep_copies();
    pair.pass(100ms);
    pair.start(1);
    pair.pass(2s);
    ASSERT_TRUE(pair.are_up());
    const std::uint64_t session = pair.end(0).session_number();
    const std::vector<LossyNet::Datagram> said = pair.net().copies();
    for (const LossyNet::Datagram& datagram : said) {
        pair.end(datagram.to).hear(0, datagram.octets, pair.now());
    }
    pair.say(0, 20);
    pair.pass(500ms);
    EXPECT_EQ(pair.end(0).session_number(), session);
    pair.expect_heard(1, 20);
    EXPECT_GT(pair.end(0).figures().refused_old, 0U);
}

TEST(PeerChannel, OutlivesMorePeersThanItCanRemember) {
    Pair pair{9};
    for (int start = 0; start < 150; ++start) {
        pair.start(1);
        pair.pass(700ms);
        ASSERT_TRUE(pair.are_up()) << "start " << start;
    }
}

TEST(PeerChannel, DoesNotTalkWithoutTheKey) {
    Pair pair{10};
    pair.start(1, Pair::self_of(1), std::string(64, 'b'));
    pair.pass(3s);
    EXPECT_FALSE(pair.end(0).is_up(pair.now()));
    EXPECT_FALSE(pair.end(1).is_up(pair.now()));
    EXPECT_GT(pair.end(0).figures().refused_forged, 0U);
}

TEST(PeerChannel, DoesNotTalkWithItself) {
    std::vector<Octets> said;
    PeerChannel channel{*PairKey::from_line(line), Pair::self_of(0),
                        [&](std::size_t, std::span<const std::uint8_t> datagram) {
                            said.emplace_back(datagram.begin(), datagram.end());
                        },
                        [] { return SessionId{1}; }};
    channel.tick(Instant{1s});
    ASSERT_EQ(said.size(), 1U);
    channel.hear(0, said.front(), Instant{1s});
    EXPECT_FALSE(channel.is_up(Instant{1s}));
    EXPECT_EQ(channel.figures().refused_strange, 1U);
}

TEST(PeerChannel, RefusesAPeerOfAnotherSeedWithASentence) {
    Pair pair{11};
    PeerSelf other = Pair::self_of(1);
    other.seed = 43;
    pair.start(1, other);
    pair.pass(2s);
    EXPECT_FALSE(pair.end(0).is_up(pair.now()));
    EXPECT_EQ(pair.end(0).problem(),
              "pair: the director \"b\" has another director.seed, so both would place sessions "
              "differently");
    pair.start(1);
    pair.pass(2s);
    EXPECT_TRUE(pair.are_up());
    EXPECT_EQ(pair.end(0).problem(), "");
}

TEST(PeerChannel, RefusesAPeerThatFindsWorkersByAnotherPrefix) {
    Pair pair{12};
    PeerSelf other = Pair::self_of(1);
    other.owner_prefix = {24, 64};
    pair.start(1, other);
    pair.pass(1s);
    EXPECT_EQ(pair.end(0).problem(),
              "pair: the director \"b\" finds the worker of a client by /24 and /64, this one by "
              "/32 and /64: start both with the same affinity and limits");
}

TEST(PeerChannel, RefusesADirectorThatIsNotItsPeer) {
    Pair pair{13};
    PeerSelf other = Pair::self_of(1);
    other.name = "c";
    pair.start(1, other);
    pair.pass(1s);
    EXPECT_EQ(pair.end(0).problem(), "pair: the director \"c\" greets, and pair.peer is \"b\"");
    EXPECT_EQ(pair.end(0).figures().refused_strange, 0U);
    EXPECT_GT(pair.end(0).figures().refused_stranger, 0U);
}

TEST(PeerChannel, GoesOnOverTheOtherLinkWhenOneDies) {
    Pair pair{14, {}, 2};
    pair.pass(300ms);
    EXPECT_TRUE(pair.end(0).is_link_up(0, pair.now()));
    EXPECT_TRUE(pair.end(0).is_link_up(1, pair.now()));
    for (const std::size_t dead : {0U, 1U}) {
        pair.start(1);
        pair.pass(2s);
        pair.net().part(dead, true);
        pair.say(0, 400);
        pair.pass(2s);
        pair.expect_heard(1, 400);
        EXPECT_FALSE(pair.end(0).is_link_up(dead, pair.now()));
        EXPECT_TRUE(pair.are_up());
        pair.net().part(dead, false);
        pair.pass(1s);
        EXPECT_TRUE(pair.end(0).is_link_up(dead, pair.now())) << "it is found again";
    }
}

TEST(PeerChannel, TellsOfItsConfigurationAndReadiness) {
    Pair pair{15};
    pair.end(1).set_configuration(77);
    pair.end(1).set_ready(true);
    pair.pass(300ms);
    EXPECT_EQ(pair.end(0).peers_configuration(), 77U);
    EXPECT_TRUE(pair.end(0).is_peer_ready());
    EXPECT_FALSE(pair.end(1).is_peer_ready());
}

TEST(PeerChannel, HoldsAFullMessageInOneDatagram) {
    Pair pair{16};
    pair.net().keep_copies();
    pair.pass(100ms);
    pair.end(0).send(Octets(PeerChannel::message_max, 1));
    pair.pass(100ms);
    std::size_t longest = 0;
    for (const LossyNet::Datagram& datagram : pair.net().copies()) {
        longest = std::max(longest, datagram.octets.size());
    }
    EXPECT_LE(longest, peer_datagram_max);
    EXPECT_GT(longest, peer_datagram_max - 10);
}

TEST(PeerChannel, SaysLittleWhenThereIsNothingToSay) {
    Pair pair{17};
    pair.pass(1s);
    const std::uint64_t before = pair.net().sent_count();
    pair.pass(10s);
    EXPECT_LE(pair.net().sent_count() - before, 210U) << "ten signs of life a second and side";
}

}  // namespace
}  // namespace fulcrum
