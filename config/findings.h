// What is wrong with a configuration, gathered rather than thrown: every room adds its sentences,
// so that the operator hears of all of them in one run. A problem refuses the file, a warning does
// not. Pure; filled and read by one thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/file_limits.h"
#include "config/model/service.h"

namespace fulcrum {

struct Finding {
    SourcePlace place;     // line 0: the file as a whole
    std::string sentence;  // without the place
};

// Keeps limits::findings_max and counts the rest: a file of garbage must not cost its size again.
class FindingList {
  public:
    void add(SourcePlace place, std::string sentence) {
        if (kept_.size() < limits::findings_max) {
            kept_.push_back({std::move(place), std::move(sentence)});
        } else {
            ++left_off_count_;
        }
    }
    const std::vector<Finding>& kept() const { return kept_; }
    std::size_t left_off_count() const { return left_off_count_; }
    bool empty() const { return kept_.empty(); }

  private:
    std::vector<Finding> kept_;
    std::size_t left_off_count_ = 0;
};

struct Findings {
    FindingList problems;
    FindingList warnings;

    void refuse(SourcePlace place, std::string sentence) {
        problems.add(std::move(place), std::move(sentence));
    }
    void warn(SourcePlace place, std::string sentence) {
        warnings.add(std::move(place), std::move(sentence));
    }
};

}  // namespace fulcrum
