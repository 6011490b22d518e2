// The words by which an operator knows schedulers: IPVS's own.
#include "config/model/placing.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace fulcrum {
namespace {

TEST(Placing, KnowsEverySchedulerOfIpvsByItsName) {
    std::set<std::string> names;
    for (std::size_t number = 0; number < scheduler_count; ++number) {
        names.emplace(to_string(static_cast<Scheduler>(number)));
    }
    EXPECT_EQ(names, (std::set<std::string>{"maglev", "rr", "wrr", "lc", "wlc", "sed", "nq", "dh",
                                            "sh", "mh", "lblc", "lblcr", "fo", "ovf", "twos"}));
    EXPECT_EQ(to_string(Scheduler::maglev), "maglev");
    EXPECT_EQ(to_string(Scheduler::lblcr), "lblcr");
    EXPECT_EQ(to_string(Scheduler::twos), "twos");
}

}  // namespace
}  // namespace fulcrum
