// What the director asks of a machine, against sums made by hand, and what it says when there is
// less.
#include "dataplane/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dataplane/session_table.h"

namespace fulcrum {
namespace {

constexpr std::uint64_t mebi = 1'024 * 1'024;
constexpr std::uint64_t huge_page = 2 * mebi;

Config config_with(std::size_t workers, std::size_t ports, std::uint64_t sessions) {
    Config config;
    config.director.workers.resize(workers);
    config.director.sessions = sessions;
    config.ports.resize(ports);
    return config;
}

std::uint64_t bytes_of(const MemoryPlan& plan, std::string_view what) {
    const auto share =
        std::find_if(plan.shares.begin(), plan.shares.end(),
                     [&](const MemoryPlan::Share& each) { return each.what.starts_with(what); });
    return share == plan.shares.end() ? 0 : share->bytes;
}

// A host with all that a plan needs, and no more, for either kind of memory.
HostMemory just_enough(const MemoryPlan& plan, Memory kind) {
    HostMemory host;
    host.huge_page_bytes = huge_page;
    host.available_bytes = plan.total_bytes();
    if (kind == Memory::hugepages) {
        const std::uint64_t dpdk = (plan.dpdk_bytes() + huge_page - 1) / huge_page * huge_page;
        host.huge_free_bytes = bytes_of(plan, "session tables") + dpdk;
        host.available_bytes = plan.total_bytes() - host.huge_free_bytes;
    }
    return host;
}

TEST(MemoryPlan, SharesTheSessionsOverTheWorkers) {
    EXPECT_EQ(plan_memory(config_with(1, 2, 1'000'000)).sessions_per_worker, 1'000'000U);
    EXPECT_EQ(plan_memory(config_with(3, 2, 1'000'000)).sessions_per_worker, 333'334U);
}

TEST(MemoryPlan, HoldsSixteenBytesForEachOfOneAndAHalfTimesTheSessions) {
    const std::uint64_t bytes =
        bytes_of(plan_memory(config_with(1, 2, 1'000'000)), "session tables");
    // 24 million octets, a sixty-fourth of overflow, in whole huge pages.
    EXPECT_GE(bytes, 24'000'000U + 24'000'000U / 64);
    EXPECT_LE(bytes, 24'000'000U + 24'000'000U / 64 + huge_page + 4'096);
    EXPECT_EQ(bytes % huge_page, 0U);
}

TEST(MemoryPlan, HasRoomForTheAffinityOfAsManyClientsAsTheFileSuggestsOrSays) {
    Config config = config_with(2, 2, 1'000'000);
    EXPECT_EQ(plan_memory(config).affinity_records_per_worker, 7'813U) << "a sixty-fourth";
    config.services.resize(1);
    config.services[0].affinity = Affinity{};
    EXPECT_EQ(plan_memory(config).affinity_records_per_worker, 125'000U) << "a quarter";
    // 32 octets for each of one and a half times as many, in buckets of eight.
    EXPECT_NEAR(static_cast<double>(bytes_of(plan_memory(config), "affinity")),
                2.0 * 125'000 * 1.5 * 32, 2 * 256.0);
    config.director.affinity_clients = 1'000;
    EXPECT_EQ(plan_memory(config).affinity_records_per_worker, 500U);
}

TEST(MemoryPlan, CountsABufferForEveryPlaceThatCanHoldOne) {
    // One worker, two ports: 2 x 2 queues of 1,024; 8 rings to the kernel of 512, one back; 256
    // and 128 that wait; four bursts in hand; and the pool's cache twice.
    EXPECT_EQ(plan_memory(config_with(1, 2, 1'000)).mbuf_count,
              4U * 1'024 + 8 * 512 + 512 + 256 + 128 + 4 * 64 + 2 * 256);
    // A second worker: mailboxes of 1,024 both ways, and its own of everything but the ring back.
    EXPECT_EQ(plan_memory(config_with(2, 2, 1'000)).mbuf_count,
              2U * (4 * 1'024 + 8 * 512 + 256 + 128 + 4 * 64 + 2 * 256) + 512 + 2 * 1'024);
}

TEST(MemoryPlan, GivesEveryBufferRoomForTheLongestFrameOfAnyPort) {
    Config config = config_with(1, 2, 1'000);
    EXPECT_EQ(plan_memory(config).frame_room, 2'048U);
    const std::uint64_t before = bytes_of(plan_memory(config), "packet buffers");
    config.ports[1].mtu = 9'000;
    const MemoryPlan plan = plan_memory(config);
    EXPECT_EQ(plan.frame_room, 10'240U);
    EXPECT_EQ(bytes_of(plan, "packet buffers") - before, plan.mbuf_count * (10'240 - 2'048));
}

TEST(MemoryPlan, LeavesRoomForMoreReals) {
    Config config = config_with(1, 2, 1'000);
    config.services.resize(10);
    for (VirtualService& service : config.services) {
        service.reals.resize(100);
    }
    EXPECT_GE(plan_memory(config).tally_count, 2U * 1'000);
    config.services.resize(16'000);
    for (VirtualService& service : config.services) {
        service.reals.resize(100);
    }
    EXPECT_LE(plan_memory(config).tally_count, limits::tallies_max);
}

TEST(MemoryPlan, IsTheSumOfItsShares) {
    const MemoryPlan plan = plan_memory(config_with(2, 2, 1'000'000));
    std::uint64_t sum = 0;
    std::uint64_t dpdk = 0;
    for (const MemoryPlan::Share& share : plan.shares) {
        EXPECT_FALSE(share.what.empty());
        EXPECT_GT(share.bytes + 1, share.what.starts_with("rings of services") ? 0U : 1U);
        sum += share.bytes;
        dpdk += share.is_of_dpdk ? share.bytes : 0;
    }
    EXPECT_EQ(plan.total_bytes(), sum);
    EXPECT_EQ(plan.dpdk_bytes(), dpdk);
    EXPECT_LT(dpdk, sum);
}

TEST(CheckMemory, AcceptsAHostThatHasJustEnough) {
    const MemoryPlan plan = plan_memory(config_with(2, 2, 1'000'000));
    EXPECT_TRUE(
        check_memory(plan, Memory::hugepages, just_enough(plan, Memory::hugepages)).has_value());
    EXPECT_TRUE(
        check_memory(plan, Memory::ordinary, just_enough(plan, Memory::ordinary)).has_value());
}

TEST(CheckMemory, NamesTheMissingHugePagesAndTheRemedy) {
    const MemoryPlan plan = plan_memory(config_with(2, 2, 1'000'000));
    HostMemory host = just_enough(plan, Memory::hugepages);
    host.huge_free_bytes -= 10 * mebi;
    const Status status = check_memory(plan, Memory::hugepages, host);
    ASSERT_FALSE(status.has_value());
    EXPECT_NE(status.error().sentence.find("10 MiB of huge pages are missing"), std::string::npos);
    EXPECT_NE(status.error().sentence.find("vm.nr_hugepages"), std::string::npos);
}

TEST(CheckMemory, NamesTheMissingMemoryAndTheRemedy) {
    const MemoryPlan plan = plan_memory(config_with(1, 2, 1'000'000));
    HostMemory host = just_enough(plan, Memory::ordinary);
    host.available_bytes -= 1;
    const Status status = check_memory(plan, Memory::ordinary, host);
    ASSERT_FALSE(status.has_value());
    EXPECT_NE(status.error().sentence.find(" 1 MiB of memory are missing"), std::string::npos);
    EXPECT_NE(status.error().sentence.find("director.sessions"), std::string::npos);
}

TEST(CheckMemory, NeedsNoHugePagesForOrdinaryMemory) {
    const MemoryPlan plan = plan_memory(config_with(1, 2, 1'000));
    HostMemory host = just_enough(plan, Memory::ordinary);
    host.huge_free_bytes = 0;
    EXPECT_TRUE(check_memory(plan, Memory::ordinary, host).has_value());
}

TEST(HostMemory, IsReadFromThisHost) {
    const HostMemory host = look_at_host();
    EXPECT_GT(host.available_bytes, mebi);
}

TEST(TableMemory, IsZeroedAlignedAndLargeEnough) {
    Result<TableMemory> memory = TableMemory::allocate(5 * mebi + 3, Memory::ordinary);
    ASSERT_TRUE(memory.has_value());
    EXPECT_GE(memory->octets().size(), 5 * mebi + 3);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory->octets().data()) % limits::cache_line_size,
              0U);
    EXPECT_TRUE(std::all_of(memory->octets().data(),
                            memory->octets().data() + memory->octets().size(),
                            [](std::byte octet) { return octet == std::byte{}; }));
}

TEST(TableMemory, SaysWhenTheMachineHasTooLittle) {
    const Result<TableMemory> memory =
        TableMemory::allocate(std::size_t{1} << 50, Memory::ordinary);
    ASSERT_FALSE(memory.has_value());
    EXPECT_NE(memory.error().sentence.find("director.sessions"), std::string::npos);
}

TEST(MemoryPlan, HasRoomForSplicesWhereEverySessionIsToBeOne) {
    Config config = config_with(2, 1, 10'000);
    config.services.resize(1);
    EXPECT_EQ(bytes_of(plan_memory(config), "spliced sessions"), 0U);
    config.services[0].syn_cookies = SynCookies::always;
    EXPECT_EQ(bytes_of(plan_memory(config), "spliced sessions (10000)"), 640'000U);
}

}  // namespace
}  // namespace fulcrum
