// Thousands of years of failures: directors that crash, stand still, lose what they track and obey
// operators, on links that lose, delay and part. One failure stands for a month of quiet, which is
// left out. After each of them everything heals, and then exactly one director has to be active;
// meanwhile two that hear each other may both be so for no longer than it takes to hear one another
// once. Seeded: a failure of the test names its seed and its month.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <queue>
#include <random>
#include <vector>

#include "controlplane/roles/vrrp_router.h"

namespace fulcrum {
namespace {

constexpr std::size_t path_count = 2;
constexpr std::size_t machines_max = 3;
constexpr Duration delay_max = 20ms;

struct Machine {
    VrrpSettings settings;
    std::unique_ptr<VrrpRouter> router;  // null: it has crashed
    bool is_paused = false;
    bool is_ready = true;
    std::vector<HeardAdvert> unread;  // while it is paused
};

struct Message {
    Instant arrival;
    std::size_t to = 0;
    HeardAdvert advert;

    bool operator<(const Message& other) const { return arrival > other.arrival; }
};

class World {
  public:
    World(unsigned seed, std::size_t count, bool is_fenced) : random_{seed}, machines_(count) {
        are_equal_ = chance(30);
        for (std::size_t i = 0; i < count; ++i) {
            VrrpSettings& settings = machines_[i].settings;
            settings.priority = static_cast<std::uint8_t>(are_equal_ ? 100 : between(1, 254));
            settings.preempt = chance(50);
            settings.preempt_delay = chance(20) ? 300ms : 0ms;
            settings.needs_permission = is_fenced;
            for (std::size_t path = 0; path < path_count; ++path) {
                // Not in the same order on all paths.
                const auto host = static_cast<std::uint8_t>(path == 0 ? i + 1 : 9 - i);
                settings.sources.emplace_back(
                    Ipv4Address::of(10, 0, static_cast<std::uint8_t>(path), host));
            }
            start(i);
        }
    }

    std::size_t count() const { return machines_.size(); }
    bool chance(int percent) { return between(1, 100) <= percent; }
    int between(int least, int most) {
        return std::uniform_int_distribution<int>{least, most}(random_);
    }

    void run_for(Duration length);
    void fail_somehow();
    void heal();

    std::size_t active_count() const {
        return static_cast<std::size_t>(std::ranges::count_if(
            machines_, [this](const Machine& each) { return is_active(each); }));
    }
    Duration longest_rivalry() const { return longest_rivalry_; }
    Duration longest_rivalry_of_equals() const { return longest_rivalry_of_equals_; }
    std::size_t change_count() const { return change_count_; }
    std::size_t rivals_ever() const { return rivals_ever_; }

  private:
    static bool is_awake(const Machine& machine) {
        return machine.router != nullptr && !machine.is_paused;
    }
    bool is_active(const Machine& machine) const {
        return is_awake(machine) && machine.router->state() == VrrpState::master;
    }
    void start(std::size_t at) {
        Machine& machine = machines_[at];
        machine.is_paused = false;
        machine.unread.clear();
        machine.router = std::make_unique<VrrpRouter>(machine.settings);
        machine.router->set_ready(machine.is_ready, now_);
        obey(at, machine.router->start(now_));
    }
    void crash(std::size_t at) { machines_[at].router.reset(); }
    void resume(std::size_t at);
    void obey(std::size_t from, const VrrpActions& actions);
    void deliver(const Message& message);
    bool hear_each_other(std::size_t a, std::size_t b) const;
    void note_rivals(Instant until);
    Instant next_time() const;

    std::mt19937 random_;
    bool are_equal_ = false;
    Instant now_{};
    std::vector<Machine> machines_;
    std::priority_queue<Message> messages_;
    // By path, sender, receiver.
    std::array<std::array<std::array<bool, machines_max>, machines_max>, path_count> is_cut_{};
    int loss_percent_ = 0;
    std::array<std::array<Duration, machines_max>, machines_max> rivalry_{};
    // Two that were asked to take over are equals, too, whatever they are worth by themselves.
    std::array<std::array<bool, machines_max>, machines_max> are_of_equals_{};
    Duration longest_rivalry_{};
    Duration longest_rivalry_of_equals_{};
    std::size_t rivals_ever_ = 0;
    std::size_t change_count_ = 0;
};

void World::obey(std::size_t from, const VrrpActions& actions) {
    const Machine& sender = machines_[from];
    change_count_ += actions.has_changed ? 1 : 0;
    // A fence: the others are dead, whatever they were, and so is all that they had to say.
    if (sender.router->state() == VrrpState::asking && actions.has_changed) {
        for (std::size_t other = 0; other < count(); ++other) {
            if (other != from) {
                crash(other);
            }
        }
        return obey(from, sender.router->permit(true, now_));
    }
    for (std::size_t path = 0; actions.advertise && path < path_count; ++path) {
        for (std::size_t to = 0; to < count(); ++to) {
            if (to != from && !is_cut_[path][from][to] && !chance(loss_percent_)) {
                const Duration delay = delay_max * between(1, 100) / 100;
                messages_.push({now_ + delay,
                                to,
                                {path, sender.settings.sources[path], *actions.advertise,
                                 sender.settings.advert}});
            }
        }
    }
}

void World::deliver(const Message& message) {
    Machine& machine = machines_[message.to];
    if (machine.router == nullptr) {
        return;
    }
    if (machine.is_paused) {
        machine.unread.push_back(message.advert);
        return;
    }
    obey(message.to, machine.router->on_advert(message.advert, now_));
}

void World::resume(std::size_t at) {
    Machine& machine = machines_[at];
    machine.is_paused = false;
    const std::vector<HeardAdvert> unread = std::exchange(machine.unread, {});
    for (const HeardAdvert& advert : unread) {
        if (machine.router != nullptr) {
            obey(at, machine.router->on_advert(advert, now_));
        }
    }
    if (machine.router != nullptr) {
        obey(at, machine.router->on_time(now_));
    }
}

bool World::hear_each_other(std::size_t a, std::size_t b) const {
    for (std::size_t path = 0; path < path_count; ++path) {
        if (loss_percent_ == 0 && !is_cut_[path][a][b] && !is_cut_[path][b][a]) {
            return true;
        }
    }
    return false;
}

void World::note_rivals(Instant until) {
    for (std::size_t a = 0; a < count(); ++a) {
        for (std::size_t b = a + 1; b < count(); ++b) {
            const bool are_rivals = is_active(machines_[a]) && is_active(machines_[b]);
            rivals_ever_ += are_rivals ? 1 : 0;
            Duration& length = rivalry_[a][b];
            length = are_rivals && hear_each_other(a, b) ? length + (until - now_) : Duration{0};
            bool& is_of_equals = are_of_equals_[a][b];
            is_of_equals = length > Duration{0} &&
                           (is_of_equals ||
                            machines_[a].router->priority() == machines_[b].router->priority());
            Duration& longest = is_of_equals ? longest_rivalry_of_equals_ : longest_rivalry_;
            longest = std::max(longest, length);
        }
    }
}

Instant World::next_time() const {
    Instant next = Instant::max();
    for (const Machine& machine : machines_) {
        if (is_awake(machine) && machine.router->next()) {
            next = std::min(next, *machine.router->next());
        }
    }
    return messages_.empty() ? next : std::min(next, messages_.top().arrival);
}

void World::run_for(Duration length) {
    const Instant end = now_ + length;
    for (Instant next = next_time(); next < end; next = next_time()) {
        next = std::max(next, now_);
        note_rivals(next);
        now_ = next;
        while (!messages_.empty() && messages_.top().arrival <= now_) {
            const Message message = messages_.top();
            messages_.pop();
            deliver(message);
        }
        for (std::size_t at = 0; at < count(); ++at) {
            Machine& machine = machines_[at];
            if (is_awake(machine) && machine.router->next() && *machine.router->next() <= now_) {
                obey(at, machine.router->on_time(now_));
            }
        }
    }
    note_rivals(end);
    now_ = end;
}

void World::fail_somehow() {
    const auto at = static_cast<std::size_t>(between(0, static_cast<int>(count()) - 1));
    const auto to = static_cast<std::size_t>(between(0, static_cast<int>(count()) - 1));
    const auto path = static_cast<std::size_t>(between(0, path_count - 1));
    Machine& machine = machines_[at];
    switch (between(0, 9)) {
        case 0:
            return crash(at);
        case 1:
            machine.is_paused = true;
            return;
        case 2:
            is_cut_[path][at][to] = true;  // in one direction
            return;
        case 3:
            is_cut_[path][at][to] = is_cut_[path][to][at] = true;
            return;
        case 4:
            for (std::size_t other = 0; other < count(); ++other) {
                for (auto& cut : is_cut_) {
                    cut[at][other] = cut[other][at] = true;
                }
            }
            return;
        case 5:
            loss_percent_ = between(1, 60);
            return;
        case 6:
            machine.is_ready = false;
            if (is_awake(machine)) {
                machine.router->set_ready(false, now_);
            }
            return;
        case 7:
            if (is_awake(machine)) {
                obey(at, machine.router->set_fitness(
                             chance(50), static_cast<std::uint32_t>(between(0, 60)), now_));
            }
            return;
        case 8:
            if (is_awake(machine) && machine.router->can_give_up()) {
                obey(at, machine.router->give_up(now_));
            }
            return;
        default:
            if (is_awake(machine)) {
                obey(at, machine.router->take_over(now_));
            }
    }
}

void World::heal() {
    is_cut_ = {};
    loss_percent_ = 0;
    for (std::size_t at = 0; at < count(); ++at) {
        Machine& machine = machines_[at];
        machine.is_ready = true;
        if (machine.router == nullptr) {
            start(at);
        } else if (machine.is_paused) {
            resume(at);
        }
        if (machine.router != nullptr) {
            machine.router->set_ready(true, now_);
            obey(at, machine.router->set_fitness(true, 0, now_));
        }
    }
    // A fence may have struck while others woke up.
    for (std::size_t at = 0; at < count(); ++at) {
        if (machines_[at].router == nullptr) {
            start(at);
        }
    }
}

// One advert of the rival's, on its way for as long as it takes; it is answered at once. Equals
// whose first path has just parted wait before they compare their addresses on the second.
constexpr Duration rivalry_max = 100ms + delay_max;
constexpr Duration rivalry_of_equals_max = rivalry_max + 400ms;

struct Span {
    unsigned seed;
    std::size_t machines;
    bool is_fenced;
};

void live_through(const Span& span, int months) {
    World world{span.seed, span.machines, span.is_fenced};
    for (int month = 0; month < months; ++month) {
        for (int failure = world.between(1, 3); failure > 0; --failure) {
            world.fail_somehow();
            world.run_for(std::chrono::milliseconds{world.between(0, 900)});
        }
        world.heal();
        world.run_for(2500ms);
        ASSERT_EQ(world.active_count(), 1U) << "seed " << span.seed << ", month " << month;
        ASSERT_LE(world.longest_rivalry(), rivalry_max)
            << "seed " << span.seed << ", month " << month;
        ASSERT_LE(world.longest_rivalry_of_equals(), rivalry_of_equals_max)
            << "seed " << span.seed << ", month " << month;
    }
    EXPECT_GT(world.change_count(), static_cast<std::size_t>(months) / 4) << "little has happened";
    if (!span.is_fenced) {
        EXPECT_GT(world.rivals_ever(), 0U) << "the links never parted";
    }
}

TEST(VrrpSimulation, TwoDirectorsHealFromAThousandYearsOfFailures) {
    for (unsigned seed = 0; seed < 100; ++seed) {
        live_through({seed, 2, false}, 120);
        ASSERT_FALSE(HasFatalFailure());
    }
}

TEST(VrrpSimulation, ThreeDirectorsHealFromAThousandYearsOfFailures) {
    for (unsigned seed = 1'000; seed < 1'100; ++seed) {
        live_through({seed, 3, false}, 120);
        ASSERT_FALSE(HasFatalFailure());
    }
}

TEST(VrrpSimulation, TwoDirectorsWithAFenceHealAsWell) {
    for (unsigned seed = 2'000; seed < 2'050; ++seed) {
        live_through({seed, 2, true}, 120);
        ASSERT_FALSE(HasFatalFailure());
    }
}

}  // namespace
}  // namespace fulcrum
