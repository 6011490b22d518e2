// A port with several queues, on a device of DPDK's that keeps a key and a table of queues, and on
// one that does not.
#include "dataplane/nic.h"

#include <gtest/gtest.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include "dataplane/frame_room.h"
#include "dataplane/rss.h"
#include "tests/support/eal.h"
#include "tests/support/small_config.h"

namespace fulcrum::test {
namespace {

Config config_of(const char* device, std::size_t worker_count) {
    Config made = config({web({real("a", 11)})});
    made.director.workers.assign(worker_count, 0);
    made.ports = {{.name = "wan", .kind = DeviceKind::vdev, .device = device}};
    return made;
}

class NicTest : public testing::Test {
  protected:
    static PacketPool& pool() {
        static PacketPool made = std::move(*PacketPool::create(1'023, frame_room_for(0)));
        return made;
    }

    void SetUp() override { ASSERT_EQ(rte_eal_hotplug_add("vdev", "net_null7", ""), 0); }
    void TearDown() override { rte_eal_hotplug_remove("vdev", "net_null7"); }
};

TEST_F(NicTest, ADeviceThatCanBeToldIsToldWhichQueueAClientBelongsTo) {
    const Config config = config_of("net_null7", 3);
    const Steering steering{config};
    Result<OpenPort> port = OpenPort::open(config, 0, steering, pool());
    ASSERT_TRUE(port) << port.error().sentence;
    EXPECT_EQ(port->receive_queue_count(), 3U);
    EXPECT_EQ(port->queue_choice(), QueueChoice::client);

    std::array<std::uint8_t, 40> key{};
    rte_eth_rss_conf conf{.rss_key = key.data(), .rss_key_len = 40};
    ASSERT_EQ(rte_eth_dev_rss_hash_conf_get(port->id(), &conf), 0);
    EXPECT_EQ(key, steering.key_v4());
    std::array<rte_eth_rss_reta_entry64, 2> table{};
    table[0].mask = table[1].mask = ~std::uint64_t{0};
    ASSERT_EQ(rte_eth_dev_rss_reta_query(port->id(), table.data(), 128), 0);
    for (unsigned entry = 0; entry < 128; ++entry) {
        EXPECT_EQ(table[entry / 64].reta[entry % 64], steering.worker_of_slot(entry % 64));
    }
}

TEST_F(NicTest, OneWorkerNeedsNoChoiceOfQueues) {
    const Config config = config_of("net_null7", 1);
    Result<OpenPort> port = OpenPort::open(config, 0, Steering{config}, pool());
    ASSERT_TRUE(port) << port.error().sentence;
    EXPECT_EQ(port->queue_choice(), QueueChoice::single);
}

TEST_F(NicTest, ADeviceThatCannotBeToldChoosesItself) {
    ASSERT_EQ(rte_eal_hotplug_add("vdev", "net_ring7", ""), 0);
    const Config config = config_of("net_ring7", 1);
    Config several = config;
    several.director.workers.assign(2, 0);
    rte_eth_dev_info about{};
    std::uint16_t id = 0;
    ASSERT_EQ(rte_eth_dev_get_port_by_name("net_ring7", &id), 0);
    ASSERT_EQ(rte_eth_dev_info_get(id, &about), 0);
    if (about.max_rx_queues >= 2) {
        Result<OpenPort> port = OpenPort::open(several, 0, Steering{several}, pool());
        ASSERT_TRUE(port) << port.error().sentence;
        EXPECT_EQ(port->queue_choice(), QueueChoice::device);
    }
}

}  // namespace
}  // namespace fulcrum::test
