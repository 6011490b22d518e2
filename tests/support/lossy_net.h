// A network of links between two ends that loses, delays, duplicates, reorders and parts, all by
// one seed, in a time of its own. What is sent arrives when the test lets time pass.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <vector>

#include "config/model/time.h"

namespace fulcrum::test {

struct NetWeather {
    double loss = 0;
    double duplication = 0;
    Duration delay_least{1ms};
    Duration delay_most{1ms};
};

class LossyNet {
  public:
    struct Datagram {
        std::size_t to = 0;  // 0 or 1
        std::size_t link = 0;
        std::vector<std::uint8_t> octets;
    };

    LossyNet(std::uint64_t seed, NetWeather weather) : random_{seed}, weather_{weather} {}

    void set_weather(NetWeather weather) { weather_ = weather; }
    void part(std::size_t link, bool is_parted) { is_parted_[link] = is_parted; }
    void part_all(bool is_parted) { is_parted_.fill(is_parted); }

    void send(std::size_t to, std::size_t link, std::span<const std::uint8_t> octets, Instant now) {
        ++sent_count_;
        if (keeps_copies_) {
            copies_.push_back({to, link, {octets.begin(), octets.end()}});
        }
        const int copies = chance() < weather_.duplication ? 2 : 1;
        for (int i = 0; i < copies; ++i) {
            if (!is_parted_[link] && chance() >= weather_.loss) {
                const auto spread = weather_.delay_most - weather_.delay_least;
                const auto extra = Duration{
                    static_cast<std::int64_t>(chance() * static_cast<double>(spread.count()))};
                under_way_.emplace(now + weather_.delay_least + extra,
                                   Datagram{to, link, {octets.begin(), octets.end()}});
            }
        }
    }

    // Gives `arrive(datagram)` all that has arrived by `now`, in the order of its arrival.
    template <typename Arrive>
    void deliver(Instant now, const Arrive& arrive) {
        while (!under_way_.empty() && under_way_.begin()->first <= now) {
            const Datagram datagram = std::move(under_way_.begin()->second);
            under_way_.erase(under_way_.begin());
            if (!is_parted_[datagram.link]) {
                arrive(datagram);
            }
        }
    }

    std::uint64_t sent_count() const { return sent_count_; }
    void keep_copies() { keeps_copies_ = true; }
    const std::vector<Datagram>& copies() const { return copies_; }

  private:
    double chance() { return std::uniform_real_distribution<double>{0, 1}(random_); }

    std::mt19937_64 random_;
    NetWeather weather_;
    std::array<bool, 2> is_parted_{};
    std::multimap<Instant, Datagram> under_way_;
    std::uint64_t sent_count_ = 0;
    bool keeps_copies_ = false;
    std::vector<Datagram> copies_;
};

}  // namespace fulcrum::test
