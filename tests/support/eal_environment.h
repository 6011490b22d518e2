// Starts DPDK's environment once for a test program, in 64 MB of ordinary memory and without
// devices: enough for rings, pools and packet buffers. Register it before RUN_ALL_TESTS, or with
// AddGlobalTestEnvironment from a test file's scope.
#pragma once

#include <gtest/gtest.h>
#include <rte_eal.h>

#include <array>
#include <string>

namespace fulcrum {

class EalEnvironment : public testing::Environment {
  public:
    void SetUp() override {
        std::array<std::string, 10> words{
            "test", "--no-huge", "--no-pci", "--no-telemetry", "-m",
            "64",   "-l",        "0",        "--no-shconf",    "--log-level=1"};
        std::array<char*, words.size()> arguments{};
        for (std::size_t at = 0; at < words.size(); ++at) {
            arguments[at] = words[at].data();
        }
        ASSERT_GE(rte_eal_init(static_cast<int>(arguments.size()), arguments.data()), 0);
    }
    void TearDown() override { rte_eal_cleanup(); }
};

}  // namespace fulcrum
