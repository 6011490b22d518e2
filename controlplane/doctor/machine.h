// What the machine is like, as far as it decides whether a director does well on it: memory, CPUs,
// devices, clock. Read from /proc and /sys, some hundred small files; the helper thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "config/model/service.h"

namespace fulcrum {

inline constexpr int numa_node_unknown = -1;

struct MachineDevice {
    bool exists = false;
    int numa_node = numa_node_unknown;
    std::string driver;                     // "ixgbe", "vfio-pci"; empty: none
    std::vector<std::string> bad_offloads;  // switched on, and in the way of af_packet and af_xdp
};

struct MachineCpu {
    int numa_node = numa_node_unknown;
    bool is_isolated = false;  // no other process is put there unasked
    std::string governor;      // of its frequency; empty: nobody governs it
};

struct Machine {
    std::uint64_t huge_total_bytes = 0;  // of all sizes
    std::uint64_t huge_free_bytes = 0;
    bool has_iommu = false;
    std::map<unsigned, MachineCpu> cpus;           // by number; those that are online
    std::map<std::string, MachineDevice> devices;  // by port; of those that the kernel knows
    bool clock_is_set = false;                     // kept right by somebody (NTP, PTP)
};

// `root` stands before /proc and /sys.
Machine look_at_machine(std::span<const NicPort> ports, const std::string& root = "");

// "0-3,8" as the kernel writes sets of CPUs. What does not read so is left out.
std::set<unsigned> parse_cpu_set(const std::string& text);

}  // namespace fulcrum
