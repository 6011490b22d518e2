// The main of test programs that need DPDK.
#include <gtest/gtest.h>

#include "tests/support/eal.h"

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    fulcrum::test::start_eal_for_tests();
    return RUN_ALL_TESTS();
}
