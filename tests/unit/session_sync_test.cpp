// Sessions of one director that come to the workers of another, through a bad network, restarts and
// full mailboxes. The workers are maps.
#include "controlplane/peer/session_sync.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "tests/support/lossy_net.h"
#include "tests/support/scene.h"

namespace fulcrum {
namespace {

using test::LossyNet;
using test::NetWeather;

const std::string line(64, 'a');
const Endpoint web_vip = *parse_endpoint("203.0.113.80:80");
const Endpoint mail_vip = *parse_endpoint("203.0.113.80:25");

// A director: its numbers of services and reals follow from the order in which it met them.
class Side {
  public:
    Side(bool is_reversed, PeerSelf self, std::size_t workers, PeerChannel::Send send,
         std::uint8_t id, Instant now)
        : workers_(workers) {
        const auto add = [&](bool is_web) {
            scene_.service(is_web ? "web" : "mail", is_web ? web_vip : mail_vip);
            for (int n = 0; n < 4; ++n) {
                const int host = is_reversed ? 14 - n : 11 + n;
                scene_.real("real" + std::to_string(host),
                            *parse_endpoint("10.2.0." + std::to_string(host) + ":8080"));
            }
        };
        add(!is_reversed);
        add(is_reversed);
        scene_.snapshot();
        channel_ = std::make_unique<PeerChannel>(*PairKey::from_line(line), self, std::move(send),
                                                 [id] { return SessionId{id}; });
        SyncDoors doors;
        doors.workers = workers;
        doors.collect = [this](std::size_t worker, Replica* into, unsigned count_max) {
            return collect(workers_[worker], into, count_max);
        };
        doors.post = [this](std::size_t worker, const Replica& replica) {
            return post(workers_[worker], replica);
        };
        doors.ask_for_all = [this](std::size_t worker, std::uint32_t transfer) {
            for (const auto& [key, replica] : workers_[worker].sessions) {
                workers_[worker].told.push_back(replica);
            }
            workers_[worker].told.push_back({.kind = ReplicaKind::all_told, .number = transfer});
            return true;
        };
        doors.lost_count = [this] { return lost_; };
        doors.owner_of = [this](const IpAddress& client) {
            return client.v4().host() % workers_.size();
        };
        sync_ = std::make_unique<SessionSync>(*channel_, std::move(doors), now);
        sync_->set_names(ReplicaNames{scene_.state().services(), "fulcrum"});
    }

    // As it is named here; `real` by its host.
    Replica session(std::uint32_t client, const std::string& service, int real) {
        Replica replica{.client = Ipv4Address::from_host(0x0A01'0000 + client),
                        .client_port = be16{1'000},
                        .vip_port = service == "web" ? web_vip.port : mail_vip.port};
        const std::optional<ServiceView> view = scene_.state().service(service);
        replica.state = SessionState::established;
        replica.listener = view->listeners.front();
        for (const RealView& each : view->reals) {
            if (each.name == "real" + std::to_string(real)) {
                replica.real = each.index;
            }
        }
        return replica;
    }
    // Opened here, and told of.
    void open(std::uint32_t client, const std::string& service, int real) {
        const Replica replica = session(client, service, real);
        Worker& worker = workers_[replica.client.v4().host() % workers_.size()];
        worker.sessions[client] = replica;
        worker.told.push_back(replica);
    }
    void open_untold(std::uint32_t client, const std::string& service, int real) {
        const Replica replica = session(client, service, real);
        workers_[replica.client.v4().host() % workers_.size()].sessions[client] = replica;
        ++lost_;
    }
    void end(std::uint32_t client) {
        for (Worker& worker : workers_) {
            if (const auto found = worker.sessions.find(client); found != worker.sessions.end()) {
                worker.told.push_back(found->second);
                worker.told.back().kind = ReplicaKind::gone;
                worker.sessions.erase(found);
            }
        }
    }
    // "web/real12", or nothing.
    std::string serving(std::uint32_t client) {
        const Worker& worker = workers_[(0x0A01'0000 + client) % workers_.size()];
        const auto found = worker.sessions.find(client);
        if (found == worker.sessions.end()) {
            return {};
        }
        for (const ServiceView& view : scene_.state().services()) {
            for (const RealView& real : view.reals) {
                if (view.listeners.front() == found->second.listener &&
                    real.index == found->second.real) {
                    return view.asked->name + "/" + std::string{real.name};
                }
            }
        }
        return "nobody";
    }
    std::size_t count() const {
        std::size_t sum = 0;
        for (const Worker& worker : workers_) {
            sum += worker.sessions.size();
        }
        return sum;
    }
    void set_room(std::size_t room) { room_ = room; }

    PeerChannel& channel() { return *channel_; }
    SessionSync& sync() { return *sync_; }

  private:
    struct Worker {
        std::deque<Replica> told;
        std::map<std::uint32_t, Replica> sessions;  // by client
    };

    static unsigned collect(Worker& worker, Replica* into, unsigned count_max) {
        unsigned count = 0;
        for (; count < count_max && !worker.told.empty(); ++count) {
            into[count] = worker.told.front();
            worker.told.pop_front();
        }
        return count;
    }
    bool post(Worker& worker, const Replica& replica) {
        if (room_ == 0) {
            return false;
        }
        --room_;
        const std::uint32_t client = replica.client.v4().host() - 0x0A01'0000;
        if (replica.kind == ReplicaKind::gone) {
            worker.sessions.erase(client);
        } else {
            worker.sessions[client] = replica;
        }
        return true;
    }

    test::Scene scene_;
    std::vector<Worker> workers_;
    std::uint64_t lost_ = 0;
    std::size_t room_ = SIZE_MAX;
    std::unique_ptr<PeerChannel> channel_;
    std::unique_ptr<SessionSync> sync_;
};

class Directors {
  public:
    explicit Directors(std::uint64_t seed, NetWeather weather = {}) : net_{seed, weather} {
        start(0);
        start(1);
    }
    // With other numbers than the other one, and more workers.
    void start(std::size_t side) {
        sides_[side] = std::make_unique<Side>(
            side == 1,
            PeerSelf{.name = side == 0 ? "a" : "b", .peer = side == 0 ? "b" : "a", .seed = 1},
            side == 0 ? 2 : 3,
            [this, side](std::size_t link, std::span<const std::uint8_t> datagram) {
                net_.send(1 - side, link, datagram, now_);
            },
            ++ids_, now_);
    }
    void pass(Duration length) {
        for (const Instant end = now_ + length; now_ < end; now_ += 1ms) {
            net_.deliver(now_, [&](const LossyNet::Datagram& datagram) {
                sides_[datagram.to]->channel().hear(datagram.link, datagram.octets, now_);
            });
            for (const auto& side : sides_) {
                side->sync().pump(now_);
                side->channel().tick(now_);
            }
        }
    }
    Side& a() { return *sides_[0]; }
    Side& b() { return *sides_[1]; }
    LossyNet& net() { return net_; }
    Instant now() const { return now_; }

  private:
    std::uint8_t ids_ = 0;
    Instant now_{1'000s};
    LossyNet net_;
    std::array<std::unique_ptr<Side>, 2> sides_;
};

TEST(SessionSync, NamesAreTheSameHoweverTheNumbersDiffer) {
    Directors directors{1};
    directors.pass(100ms);
    directors.a().open(1, "web", 12);
    directors.a().open(2, "mail", 14);
    EXPECT_NE(directors.a().session(1, "web", 12).real, directors.b().session(1, "web", 12).real);
    EXPECT_NE(directors.a().session(1, "web", 12).listener,
              directors.b().session(1, "web", 12).listener);
    directors.pass(10ms);
    EXPECT_EQ(directors.b().serving(1), "web/real12");
    EXPECT_EQ(directors.b().serving(2), "mail/real14");
}

TEST(SessionSync, TellsOfASessionWithinAHundredMilliseconds) {
    Directors directors{2, {.loss = 0, .duplication = 0, .delay_least = 5ms, .delay_most = 20ms}};
    directors.pass(500ms);
    for (std::uint32_t client = 0; client < 500; ++client) {
        directors.a().open(client, "web", 11);
    }
    directors.pass(100ms);
    EXPECT_EQ(directors.b().count(), 500U);
}

TEST(SessionSync, TellsWhoJoinsOfAllThatThereIs) {
    Directors directors{3};
    directors.pass(100ms);
    for (std::uint32_t client = 0; client < 20'000; ++client) {
        directors.a().open(client, "web", 11 + static_cast<int>(client % 4));
    }
    directors.pass(2s);
    directors.start(1);
    EXPECT_EQ(directors.b().count(), 0U);
    EXPECT_FALSE(directors.b().sync().is_ready(directors.now()));
    directors.pass(3s);
    EXPECT_EQ(directors.b().count(), 20'000U);
    EXPECT_EQ(directors.b().serving(7), "web/real14");
    EXPECT_TRUE(directors.b().sync().is_ready(directors.now()));
    EXPECT_FALSE(directors.a().sync().is_peer_stale());
}

TEST(SessionSync, IsReadyOnlyWhenAllHasComeOver) {
    Directors directors{4};
    directors.pass(100ms);
    for (std::uint32_t client = 0; client < 30'000; ++client) {
        directors.a().open(client, "web", 11);
    }
    directors.pass(3s);
    directors.start(1);
    for (int step = 0; step < 5'000 && !directors.b().sync().is_ready(directors.now()); ++step) {
        directors.pass(1ms);
    }
    EXPECT_EQ(directors.b().count(), 30'000U);
}

TEST(SessionSync, IsReadyWithoutAPeerAfterAWhile) {
    Directors directors{5};
    directors.net().part_all(true);
    directors.pass(2'900ms);
    EXPECT_FALSE(directors.a().sync().is_ready(directors.now()));
    directors.pass(200ms);
    EXPECT_TRUE(directors.a().sync().is_ready(directors.now()));
}

TEST(SessionSync, ConvergesThroughEveryWeather) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Directors directors{
            seed, {.loss = 0.3, .duplication = 0.1, .delay_least = 0ms, .delay_most = 60ms}};
        directors.pass(3s);
        for (std::uint32_t client = 0; client < 3'000; ++client) {
            directors.a().open(client, "web", 11 + static_cast<int>(client % 4));
            if (client % 100 == 0) {
                directors.pass(10ms);
            }
            if (client % 3 == 0) {
                directors.a().end(client);
            }
        }
        directors.pass(5s);
        EXPECT_EQ(directors.a().count(), 2'000U);
        EXPECT_EQ(directors.b().count(), 2'000U);
        EXPECT_EQ(directors.b().serving(2'999), "web/real14");
        EXPECT_EQ(directors.b().serving(2'997), "") << "what has ended does not come back";
    }
}

TEST(SessionSync, HealsAfterAPartitionByTellingAllAnew) {
    Directors directors{6};
    directors.pass(500ms);
    directors.net().part_all(true);
    directors.pass(2s);
    for (std::uint32_t client = 0; client < 5'000; ++client) {
        directors.a().open(client, "mail", 13);
    }
    directors.pass(10s);
    EXPECT_EQ(directors.b().count(), 0U);
    EXPECT_EQ(directors.a().sync().figures().unsent, 5'000U);
    EXPECT_TRUE(directors.a().sync().is_peer_stale());
    directors.net().part_all(false);
    directors.pass(5s);
    EXPECT_EQ(directors.b().count(), 5'000U);
    EXPECT_FALSE(directors.a().sync().is_peer_stale());
}

TEST(SessionSync, TellsAllAnewWhenAWorkerHadNoRoomToTell) {
    Directors directors{7};
    directors.pass(2s);
    const std::uint64_t transfers = directors.a().sync().figures().transfers_sent;
    for (std::uint32_t client = 0; client < 100; ++client) {
        directors.a().open_untold(client, "web", 11);
    }
    directors.pass(2s);
    EXPECT_EQ(directors.b().count(), 100U);
    EXPECT_EQ(directors.a().sync().figures().transfers_sent, transfers + 1);
}

TEST(SessionSync, StopsForAWorkerThatTakesNothingMore) {
    Directors directors{8};
    directors.pass(100ms);
    directors.b().set_room(1'000);
    for (std::uint32_t client = 0; client < 40'000; ++client) {
        directors.a().open(client, "web", 11);
    }
    directors.pass(2s);
    EXPECT_EQ(directors.b().count(), 1'000U);
    EXPECT_EQ(directors.a().channel().is_up(directors.now()), true);
    directors.b().set_room(SIZE_MAX);
    directors.pass(2s);
    EXPECT_EQ(directors.b().count(), 40'000U) << "and nothing was lost";
    EXPECT_EQ(directors.a().sync().figures().transfers_sent, 1U);
}

TEST(SessionSync, TellsBothWays) {
    Directors directors{9};
    directors.pass(100ms);
    directors.a().open(1, "web", 11);
    directors.b().open(2, "mail", 12);
    directors.pass(50ms);
    EXPECT_EQ(directors.b().serving(1), "web/real11");
    EXPECT_EQ(directors.a().serving(2), "mail/real12");
}

TEST(SessionSync, RefusesWhatItsConfigurationDoesNotHave) {
    test::Scene other;
    other.service("web", web_vip).real("real99", *parse_endpoint("10.2.0.99:8080"));
    other.snapshot();
    Directors directors{10};
    directors.b().sync().set_names(ReplicaNames{other.state().services(), "fulcrum"});
    directors.pass(100ms);
    directors.a().open(1, "web", 11);
    directors.a().open(2, "mail", 11);
    directors.pass(100ms);
    EXPECT_EQ(directors.b().count(), 0U);
    EXPECT_EQ(directors.b().sync().figures().unknown, 2U);
}

TEST(SessionSync, SurvivesRestartsOfBothInABadNetwork) {
    Directors directors{11,
                        {.loss = 0.2, .duplication = 0.1, .delay_least = 0ms, .delay_most = 30ms}};
    for (int round = 0; round < 6; ++round) {
        directors.pass(4s);
        for (std::uint32_t client = 0; client < 2'000; ++client) {
            directors.a().open(client, "web", 12);
        }
        directors.pass(100ms);
        directors.start(round % 2 == 0 ? 1 : 0);
    }
    directors.pass(6s);
    EXPECT_EQ(directors.a().count(), 2'000U);
    EXPECT_EQ(directors.b().count(), 2'000U);
}

}  // namespace
}  // namespace fulcrum
