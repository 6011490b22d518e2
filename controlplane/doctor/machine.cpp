// Where the kernel tells what.
#include "controlplane/doctor/machine.h"

#include <sys/timex.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "controlplane/kernel/ethtool_features.h"

namespace fulcrum {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
    std::ifstream file{path};
    std::string line;
    std::getline(file, line);
    return line;
}

std::uint64_t number_in(const fs::path& path) {
    const std::string text = first_line(path);
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::vector<fs::path> entries_of(const fs::path& folder) {
    std::error_code absent;
    std::vector<fs::path> entries;
    for (const fs::directory_entry& entry : fs::directory_iterator{folder, absent}) {
        entries.push_back(entry.path());
    }
    return entries;
}

// Whether `name` is `prefix` and a number, which is then put into `number`.
bool is_numbered(const std::string& name, std::string_view prefix, unsigned& number) {
    if (!name.starts_with(prefix)) {
        return false;
    }
    const char* const end = name.data() + name.size();
    const auto read = std::from_chars(name.data() + prefix.size(), end, number);
    return read.ec == std::errc{} && read.ptr == end;
}

void look_at_huge_pages(const fs::path& sys, Machine& machine) {
    for (const fs::path& size : entries_of(sys / "kernel/mm/hugepages")) {
        unsigned kibi = 0;
        std::string name = size.filename();
        if (name.ends_with("kB")) {
            name.resize(name.size() - 2);
        }
        if (is_numbered(name, "hugepages-", kibi)) {
            machine.huge_total_bytes += number_in(size / "nr_hugepages") * kibi * 1'024;
            machine.huge_free_bytes += number_in(size / "free_hugepages") * kibi * 1'024;
        }
    }
}

void look_at_cpus(const fs::path& sys, Machine& machine) {
    const fs::path folder = sys / "devices/system/cpu";
    for (const unsigned cpu : parse_cpu_set(first_line(folder / "online"))) {
        const fs::path governor = folder / ("cpu" + std::to_string(cpu)) / "cpufreq";
        machine.cpus[cpu].governor = first_line(governor / "scaling_governor");
    }
    for (const unsigned cpu : parse_cpu_set(first_line(folder / "isolated"))) {
        machine.cpus[cpu].is_isolated = true;
    }
    for (const fs::path& node : entries_of(sys / "devices/system/node")) {
        unsigned number = 0;
        if (!is_numbered(node.filename(), "node", number)) {
            continue;
        }
        for (const unsigned cpu : parse_cpu_set(first_line(node / "cpulist"))) {
            machine.cpus[cpu].numa_node = static_cast<int>(number);
        }
    }
}

MachineDevice look_at_device(const fs::path& folder) {
    MachineDevice device;
    std::error_code absent;
    device.exists = fs::exists(folder, absent);
    const std::string node = first_line(folder / "numa_node");
    std::from_chars(node.data(), node.data() + node.size(), device.numa_node);
    device.driver = fs::read_symlink(folder / "driver", absent).filename();
    return device;
}

bool is_clock_set() {
    timex asked{};
    return adjtimex(&asked) != TIME_ERROR && (asked.status & STA_UNSYNC) == 0;
}

}  // namespace

Machine look_at_machine(std::span<const NicPort> ports, const std::string& root) {
    const fs::path sys{root + "/sys"};
    Machine machine;
    look_at_huge_pages(sys, machine);
    look_at_cpus(sys, machine);
    machine.has_iommu = !entries_of(sys / "kernel/iommu_groups").empty();
    machine.clock_is_set = is_clock_set();
    for (const NicPort& port : ports) {
        if (port.kind == DeviceKind::pci) {
            machine.devices[port.name] = look_at_device(sys / "bus/pci/devices" / port.device);
        } else if (port.kind == DeviceKind::af_packet || port.kind == DeviceKind::af_xdp) {
            MachineDevice& device = machine.devices[port.name];
            const fs::path interface = sys / "class/net" / port.device;
            device = look_at_device(interface / "device");
            std::error_code absent;
            device.exists = fs::exists(interface, absent);
            const Result<DeviceFeatures> features = read_features(port.device);
            for (const auto& [feature, is_on] : features ? *features : DeviceFeatures{}) {
                if (is_on && is_offload_in_the_way(feature)) {
                    device.bad_offloads.push_back(feature);
                }
            }
        }
    }
    return machine;
}

std::set<unsigned> parse_cpu_set(const std::string& text) {
    std::set<unsigned> cpus;
    std::istringstream parts{text};
    for (std::string part; std::getline(parts, part, ',');) {
        unsigned first = 0;
        const char* const end = part.data() + part.size();
        auto read = std::from_chars(part.data(), end, first);
        unsigned last = first;
        if (read.ec == std::errc{} && read.ptr != end && *read.ptr == '-') {
            read = std::from_chars(read.ptr + 1, end, last);
        }
        constexpr unsigned cpus_max = 65'536;
        if (read.ec == std::errc{} && read.ptr == end && last < cpus_max) {
            for (unsigned cpu = first; cpu <= last; ++cpu) {
                cpus.insert(cpu);
            }
        }
    }
    return cpus;
}

}  // namespace fulcrum
