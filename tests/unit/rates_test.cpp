// Rates move a quarter of the way to what the last two seconds show.
#include "controlplane/rates.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

class RatesTest : public testing::Test {
  protected:
    RatesTest() {
        ListedReal real;
        real.tally = 5;
        listing_.services.resize(1);
        listing_.services[0].id = 1;
        listing_.services[0].reals = {real};
    }
    void pass() { rates_ = next_rates(rates_, listing_, boards_, 2s); }
    Rate of_real() const { return rates_.of(listing_.services[0].reals[0]); }

    CounterBoard board_{8, 4};
    Boards boards_{&board_};
    Listing listing_;
    Rates rates_;
};

TEST_F(RatesTest, FollowWhatIsCountedByAQuarter) {
    pass();
    board_.tally(5).in_packets.add(800);
    pass();
    EXPECT_DOUBLE_EQ(of_real().in_packets, 100);
    board_.tally(5).in_packets.add(800);
    pass();
    EXPECT_DOUBLE_EQ(of_real().in_packets, 175);
    EXPECT_DOUBLE_EQ(rates_.of(listing_.services[0]).in_packets, 175);
    pass();
    EXPECT_DOUBLE_EQ(of_real().in_packets, 131.25);
}

TEST_F(RatesTest, BeginAtZeroWhateverHadBeenCounted) {
    board_.tally(5).in_packets.add(1'000'000);
    pass();
    EXPECT_DOUBLE_EQ(of_real().in_packets, 0);
}

TEST_F(RatesTest, BeginAnewWithANewOwnerOfTheLine) {
    board_.tally(5).in_packets.add(1'000);
    pass();
    listing_.services[0].reals[0].base.in_packets = 1'000;
    pass();
    EXPECT_DOUBLE_EQ(of_real().in_packets, 0);
}

}  // namespace
}  // namespace fulcrum
