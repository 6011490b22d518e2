// The configurations that have run, the latest last, so that an operator can see what came when and
// go back. Kept in memory, some few; an old one shares most of itself with nobody, and 5,000
// services take some ten MiB. Pure; the control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "config/model/service.h"

namespace fulcrum {

struct PastConfig {
    std::uint64_t number = 0;  // counted from 1 since the start
    std::chrono::system_clock::time_point since;
    std::string origin;  // "the file", "an edit", "a return to 3"
    std::size_t change_count = 0;
    std::shared_ptr<const Config> config;
};

class ConfigHistory {
  public:
    static constexpr std::size_t kept_max = 10;

    void add(std::shared_ptr<const Config> config, std::string origin, std::size_t change_count,
             std::chrono::system_clock::time_point now) {
        past_.push_back({++count_, now, std::move(origin), change_count, std::move(config)});
        if (past_.size() > kept_max) {
            past_.pop_front();
        }
    }
    // Null: it is not kept.
    const PastConfig* find(std::uint64_t number) const {
        for (const PastConfig& past : past_) {
            if (past.number == number) {
                return &past;
            }
        }
        return nullptr;
    }
    const std::deque<PastConfig>& kept() const { return past_; }  // the last one runs

  private:
    std::deque<PastConfig> past_;
    std::uint64_t count_ = 0;
};

}  // namespace fulcrum
