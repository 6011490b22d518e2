// The doctor's answers. What is expected is what the kernel's documentation and DPDK's guide for
// Linux ask of a machine; the trees under /sys are written by hand after theirs.
#include "controlplane/doctor/diagnosis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace fulcrum {
namespace {

using Verdict = Diagnosis::Verdict;
namespace fs = std::filesystem;

// The first of that subject which is not good, or else the first.
const Diagnosis* of(const std::vector<Diagnosis>& found, const std::string& subject) {
    const auto is_wanted = [&](const Diagnosis& each) { return each.subject == subject; };
    const auto trouble = std::ranges::find_if(found, [&](const Diagnosis& each) {
        return is_wanted(each) && each.verdict != Verdict::good;
    });
    const auto any = std::ranges::find_if(found, is_wanted);
    return trouble != found.end() ? &*trouble : any != found.end() ? &*any : nullptr;
}

class AMachine : public testing::Test {
  protected:
    AMachine() {
        config.director.workers = {2, 3};
        config.ports.push_back({.name = "wan", .kind = DeviceKind::pci, .device = "0000:01:00.0"});
        for (const unsigned cpu : {0U, 1U, 2U, 3U}) {
            machine.cpus[cpu] = {
                .numa_node = 0, .is_isolated = cpu >= 2, .governor = "performance"};
        }
        machine.huge_total_bytes = machine.huge_free_bytes = std::uint64_t{1} << 30;
        machine.has_iommu = true;
        machine.clock_is_set = true;
        machine.devices["wan"] = {.exists = true, .numa_node = 0, .driver = "vfio-pci"};
    }
    std::vector<Diagnosis> examined() const { return examine_machine(machine, config, true); }
    Verdict verdict_on(const std::string& subject) const {
        const std::vector<Diagnosis> found = examined();
        const Diagnosis* const diagnosis = of(found, subject);
        EXPECT_NE(diagnosis, nullptr) << subject;
        return diagnosis == nullptr ? Verdict::good : diagnosis->verdict;
    }

    Machine machine;
    Config config;
};

TEST_F(AMachine, ThatIsMadeForTheDirectorGetsNothingButGoodFindings) {
    for (const Diagnosis& each : examined()) {
        EXPECT_EQ(each.verdict, Verdict::good) << in_words(each);
        EXPECT_EQ(each.remedy, "");
    }
}

TEST_F(AMachine, EveryFindingThatIsNotGoodHasARemedy) {
    machine = {};
    config.director.memory = Memory::hugepages;
    for (const Diagnosis& each : examined()) {
        EXPECT_EQ(each.remedy.empty(), each.verdict == Verdict::good) << in_words(each);
    }
}

TEST_F(AMachine, WithoutHugePagesCannotServeAFileThatWantsThem) {
    machine.huge_total_bytes = machine.huge_free_bytes = 0;
    EXPECT_EQ(verdict_on("huge pages"), Verdict::bad);
    config.director.memory = Memory::ordinary;
    EXPECT_EQ(verdict_on("huge pages"), Verdict::doubtful);
}

TEST_F(AMachine, WhosePortIsAtAnotherNodeIsDoubtful) {
    machine.devices["wan"].numa_node = 1;
    EXPECT_EQ(verdict_on("NUMA"), Verdict::doubtful);
    machine.devices["wan"].numa_node = numa_node_unknown;
    EXPECT_EQ(verdict_on("NUMA"), Verdict::good);
}

TEST_F(AMachine, WhoseCardBelongsToTheKernelCannotUseIt) {
    machine.devices["wan"].driver = "ixgbe";
    EXPECT_EQ(verdict_on("port \"wan\""), Verdict::bad);
    machine.devices["wan"].driver = "mlx5_core";
    EXPECT_EQ(verdict_on("port \"wan\""), Verdict::good);
    machine.devices["wan"].exists = false;
    EXPECT_EQ(verdict_on("port \"wan\""), Verdict::bad);
}

TEST_F(AMachine, WithoutAnIommuIsDoubtful) {
    machine.has_iommu = false;
    EXPECT_EQ(verdict_on("IOMMU"), Verdict::doubtful);
}

TEST_F(AMachine, WhoseWorkersShareTheirCpusIsDoubtfulAndNamesThem) {
    machine.cpus[3].is_isolated = false;
    const std::vector<Diagnosis> found = examined();
    EXPECT_EQ(of(found, "isolated CPUs")->verdict, Verdict::doubtful);
    EXPECT_NE(of(found, "isolated CPUs")->sentence.find("CPUs 3,"), std::string::npos);
}

TEST_F(AMachine, WithoutAWorkersCpuIsBad) {
    machine.cpus.erase(3);
    EXPECT_EQ(verdict_on("CPUs"), Verdict::bad);
}

TEST_F(AMachine, ThatSavesPowerIsDoubtful) {
    machine.cpus[2].governor = "powersave";
    EXPECT_EQ(verdict_on("CPU frequency"), Verdict::doubtful);
}

TEST_F(AMachine, WhoseOffloadsAreOnAgainIsBadOnceTheDirectorRuns) {
    machine.devices["wan"].bad_offloads = {"rx-gro"};
    EXPECT_EQ(verdict_on("offloads"), Verdict::bad);
    const auto before = examine_machine(machine, config, /*is_running=*/false);
    EXPECT_EQ(of(before, "offloads")->verdict, Verdict::good);
}

TEST_F(AMachine, WhoseClockNobodyKeepsIsDoubtful) {
    machine.clock_is_set = false;
    EXPECT_EQ(verdict_on("clock"), Verdict::doubtful);
}

// --- a tree as the kernel shows it -------------------------------------------------------------

void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream{path} << text << "\n";
}

TEST(LookingAtAMachine, ReadsWhatTheKernelTells) {
    const fs::path root = fs::path{testing::TempDir()} / "machine";
    const fs::path sys = root / "sys";
    write(sys / "kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "8");
    write(sys / "kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "3");
    write(sys / "kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "1");
    write(sys / "kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "0");
    write(sys / "devices/system/cpu/online", "0-2");
    write(sys / "devices/system/cpu/isolated", "2");
    write(sys / "devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave");
    write(sys / "devices/system/node/node0/cpulist", "0-1");
    write(sys / "devices/system/node/node1/cpulist", "2");
    write(sys / "kernel/iommu_groups/0/type", "DMA");
    write(sys / "bus/pci/devices/0000:01:00.0/numa_node", "1");
    write(sys / "bus/pci/drivers/vfio-pci/new_id", "");
    fs::create_directory_symlink("../../drivers/vfio-pci",
                                 sys / "bus/pci/devices/0000:01:00.0/driver");
    const std::vector<NicPort> ports{
        {.name = "wan", .kind = DeviceKind::pci, .device = "0000:01:00.0"},
        {.name = "lan", .kind = DeviceKind::pci, .device = "0000:02:00.0"}};
    const Machine machine = look_at_machine(ports, root);
    fs::remove_all(root);
    EXPECT_EQ(machine.huge_total_bytes, 8 * 2'048 * 1'024ULL + 1'048'576 * 1'024ULL);
    EXPECT_EQ(machine.huge_free_bytes, 3 * 2'048 * 1'024ULL);
    EXPECT_TRUE(machine.has_iommu);
    ASSERT_EQ(machine.cpus.size(), 3U);
    EXPECT_EQ(machine.cpus.at(1).governor, "powersave");
    EXPECT_EQ(machine.cpus.at(1).numa_node, 0);
    EXPECT_EQ(machine.cpus.at(2).numa_node, 1);
    EXPECT_TRUE(machine.cpus.at(2).is_isolated);
    EXPECT_FALSE(machine.cpus.at(1).is_isolated);
    EXPECT_EQ(machine.devices.at("wan").numa_node, 1);
    EXPECT_EQ(machine.devices.at("wan").driver, "vfio-pci");
    EXPECT_FALSE(machine.devices.at("lan").exists);
}

TEST(ACpuSet, IsReadAsTheKernelWritesIt) {
    EXPECT_EQ(parse_cpu_set(""), std::set<unsigned>{});
    EXPECT_EQ(parse_cpu_set("3"), std::set<unsigned>{3});
    EXPECT_EQ(parse_cpu_set("0-2,8,10-11"), (std::set<unsigned>{0, 1, 2, 8, 10, 11}));
    EXPECT_EQ(parse_cpu_set("nonsense,4"), std::set<unsigned>{4});
}

// --- a running director ------------------------------------------------------------------------

class ARunningDirector : public testing::Test {
  protected:
    ARunningDirector() {
        kernel.ports = {{.mtu = 1'500}};
        kernel.routes = {{.prefix = {Ipv4Address::of(10, 0, 0, 0), 24}, .port = 0}};
        kernel.addresses = {Ipv4Address::of(10, 0, 0, 1)};
        kernel.port_addresses = {{{Ipv4Address::of(10, 0, 0, 1), 24}, 0}};
        kernel.neighbours = {{real_address, 0, MacAddress{{2, 0, 0, 0, 0, 5}}}};
        seen.reals = {{.service = "web", .name = "web1", .address = real_address}};
        seen.ports = {{"lan", 1, false}};
    }
    Verdict verdict_on(const std::string& subject) const {
        const std::vector<Diagnosis> found = examine_running(seen, kernel);
        const Diagnosis* const diagnosis = of(found, subject);
        EXPECT_NE(diagnosis, nullptr) << subject;
        return diagnosis == nullptr ? Verdict::good : diagnosis->verdict;
    }

    static constexpr IpAddress real_address = Ipv4Address::of(10, 0, 0, 5);
    SeenByDirector seen;
    KernelTables kernel;
};

TEST_F(ARunningDirector, WhoReachesItsRealsIsWell) {
    for (const Diagnosis& each : examine_running(seen, kernel)) {
        EXPECT_EQ(each.verdict, Verdict::good) << in_words(each);
    }
}

TEST_F(ARunningDirector, MissesARealsMacAddress) {
    kernel.neighbours.clear();
    EXPECT_EQ(verdict_on("real web/web1"), Verdict::bad);
}

TEST_F(ARunningDirector, MissesARouteToAReal) {
    seen.reals[0].address = Ipv4Address::of(192, 0, 2, 9);
    EXPECT_EQ(verdict_on("real web/web1"), Verdict::bad);
}

TEST_F(ARunningDirector, SeesThatANatRealsAnswersTakeAnotherWay) {
    seen.reals[0].in_packets = 20;
    EXPECT_EQ(verdict_on("real web/web1"), Verdict::bad);
    seen.reals[0].out_packets = 1;
    EXPECT_EQ(verdict_on("ways to reals"), Verdict::good);
}

TEST_F(ARunningDirector, KnowsThatDirectRoutingAnswersPastIt) {
    seen.reals[0].in_packets = 1'000;
    seen.reals[0].forward = ForwardingMode::direct;
    EXPECT_EQ(verdict_on("ways to reals"), Verdict::good);
}

TEST_F(ARunningDirector, TellsWhatATunnelLeavesOfAnEthernetsOctets) {
    seen.reals[0].forward = ForwardingMode::ipip;
    const std::vector<Diagnosis> found = examine_running(seen, kernel);
    const Diagnosis* const tunnel = of(found, "real web/web1");
    ASSERT_NE(tunnel, nullptr);
    EXPECT_EQ(tunnel->verdict, Verdict::doubtful);
    EXPECT_NE(tunnel->sentence.find("1480 octets"), std::string::npos) << tunnel->sentence;
    EXPECT_NE(tunnel->remedy.find("1520 octets"), std::string::npos) << tunnel->remedy;
    kernel.ports[0].mtu = 1'520;
    EXPECT_EQ(verdict_on("ways to reals"), Verdict::good);
}

TEST_F(ARunningDirector, TellsHowMuchIsHandedOver) {
    seen.worker_count = 2;
    seen.received_packets = 100'000;
    seen.handed_over_packets = 48'000;
    const std::vector<Diagnosis> found = examine_running(seen, kernel);
    EXPECT_EQ(of(found, "RSS")->verdict, Verdict::doubtful);
    EXPECT_NE(of(found, "RSS")->sentence.find("48 %"), std::string::npos);
    seen.ports[0].agrees_on_owners = true;
    seen.handed_over_packets = 0;
    EXPECT_EQ(verdict_on("RSS"), Verdict::good);
}

TEST_F(ARunningDirector, RepeatsWhoElseIsAtItsAddresses) {
    seen.conflicts = {"port \"lan\": 02:00:00:00:00:99 answers for 192.0.2.80"};
    EXPECT_EQ(verdict_on("addresses"), Verdict::bad);
}

}  // namespace
}  // namespace fulcrum
