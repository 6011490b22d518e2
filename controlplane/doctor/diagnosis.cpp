// The questions, one function each.
#include "controlplane/doctor/diagnosis.h"

#include <algorithm>

#include "config/model/tunnel.h"

namespace fulcrum {
namespace {

using Verdict = Diagnosis::Verdict;
using Diagnoses = std::vector<Diagnosis>;

constexpr std::uint64_t mebi = 1'024 * 1'024;
constexpr unsigned octets_of_common_links = 1'500;
// Fewer packets than these say nothing about what becomes of the others.
constexpr std::uint64_t packets_that_tell = 20;
constexpr std::uint64_t packets_of_traffic = 10'000;

std::string quoted(const std::string& name) { return "\"" + name + "\""; }
std::string in_mebi(std::uint64_t bytes) { return std::to_string(bytes / mebi) + " MiB"; }

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

bool is_pci(const NicPort& port) { return port.kind == DeviceKind::pci; }

void examine_huge_pages(const Machine& machine, const Config& config, Diagnoses& found) {
    const std::string there = in_mebi(machine.huge_total_bytes) + " of huge pages, " +
                              in_mebi(machine.huge_free_bytes) + " of them free";
    if (config.director.memory == Memory::hugepages && machine.huge_total_bytes == 0) {
        found.push_back({Verdict::bad, "huge pages",
                         "the machine has none, and the file wants them",
                         "reserve some with sysctl vm.nr_hugepages, or write director.memory = "
                         "\"ordinary\""});
    } else if (config.director.memory == Memory::ordinary) {
        found.push_back(
            {Verdict::doubtful, "huge pages",
             "director.memory is \"ordinary\": with many sessions every packet pays for "
             "the look-up of small pages",
             "reserve huge pages with sysctl vm.nr_hugepages, and write "
             "director.memory = \"hugepages\""});
    } else {
        found.push_back({Verdict::good, "huge pages", there, ""});
    }
}

const MachineCpu* cpu_of(const Machine& machine, unsigned number) {
    const auto cpu = machine.cpus.find(number);
    return cpu == machine.cpus.end() ? nullptr : &cpu->second;
}

void examine_numa(const Machine& machine, const Config& config, Diagnoses& found) {
    bool is_near = true;
    for (const unsigned worker_cpu : config.director.workers) {
        const MachineCpu* cpu = cpu_of(machine, worker_cpu);
        for (const auto& [port, device] : machine.devices) {
            if (cpu == nullptr || cpu->numa_node == numa_node_unknown ||
                device.numa_node == numa_node_unknown || device.numa_node == cpu->numa_node) {
                continue;
            }
            is_near = false;
            found.push_back({Verdict::doubtful, "NUMA",
                             "CPU " + std::to_string(worker_cpu) + " is at node " +
                                 std::to_string(cpu->numa_node) + ", port " + quoted(port) +
                                 " at node " + std::to_string(device.numa_node),
                             "choose CPUs of the port's node in director.workers"});
        }
    }
    if (is_near) {
        found.push_back({Verdict::good, "NUMA", "no port is at another node than a worker", ""});
    }
}

void examine_pci(const Machine& machine, const Config& config, Diagnoses& found) {
    const auto& ports = config.ports;
    if (std::ranges::none_of(ports, is_pci)) {
        found.push_back({Verdict::good, "IOMMU and vfio", "no port is a PCI device", ""});
        return;
    }
    if (!machine.has_iommu) {
        found.push_back({Verdict::doubtful, "IOMMU",
                         "there is none: vfio works without protection only, and as root",
                         "switch VT-d or AMD-Vi on in the firmware, and boot with intel_iommu=on "
                         "iommu=pt"});
    } else {
        found.push_back({Verdict::good, "IOMMU", "is there", ""});
    }
    for (const NicPort& port : ports) {
        const auto seen = machine.devices.find(port.name);
        if (!is_pci(port) || seen == machine.devices.end()) {
            continue;
        }
        const MachineDevice& device = seen->second;
        const std::string subject = "port " + quoted(port.name);
        // Mellanox's cards stay with the kernel's driver, and share it with DPDK's.
        if (!device.exists) {
            found.push_back({Verdict::bad, subject, "there is no PCI device " + port.device,
                             "lspci -D lists those that there are"});
        } else if (device.driver != "vfio-pci" && !device.driver.starts_with("mlx")) {
            found.push_back({Verdict::bad, subject,
                             port.device + " is bound to " +
                                 (device.driver.empty() ? "no driver" : quoted(device.driver)),
                             "bind it with dpdk-devbind.py -b vfio-pci " + port.device});
        } else {
            found.push_back(
                {Verdict::good, subject, port.device + " is bound to " + device.driver, ""});
        }
    }
}

void examine_cpus(const Machine& machine, const Config& config, Diagnoses& found) {
    std::vector<std::string> shared;
    std::vector<std::string> slow;
    for (const unsigned number : config.director.workers) {
        const MachineCpu* cpu = cpu_of(machine, number);
        if (cpu == nullptr) {
            found.push_back(
                {Verdict::bad, "CPUs",
                 "director.workers names CPU " + std::to_string(number) + ", which is not online",
                 "choose others, or switch it on"});
            continue;
        }
        if (!cpu->is_isolated) {
            shared.push_back(std::to_string(number));
        }
        if (!cpu->governor.empty() && cpu->governor != "performance") {
            slow.push_back(std::to_string(number) + " (" + cpu->governor + ")");
        }
    }
    if (!shared.empty()) {
        found.push_back(
            {Verdict::doubtful, "isolated CPUs",
             "other processes may run on workers' CPUs " + listed(shared) + ", and hold packets up",
             "boot with isolcpus= and nohz_full= of these CPUs"});
    } else {
        found.push_back({Verdict::good, "isolated CPUs", "workers have theirs to themselves", ""});
    }
    if (!slow.empty()) {
        found.push_back({Verdict::doubtful, "CPU frequency",
                         "workers' CPUs do not always run at full speed: " + listed(slow),
                         "cpupower frequency-set -g performance"});
    }
}

void examine_offloads(const Machine& machine, bool is_running, Diagnoses& found) {
    bool is_fine = true;
    for (const auto& [port, device] : machine.devices) {
        if (device.bad_offloads.empty() || !is_running) {
            continue;  // the director switches them off when it starts
        }
        is_fine = false;
        found.push_back({Verdict::bad, "offloads",
                         "port " + quoted(port) + ": " + listed(device.bad_offloads) +
                             ": frames come merged or with unfinished checksums",
                         "ethtool -K them off; somebody switched them on again"});
    }
    if (is_fine) {
        found.push_back({Verdict::good, "offloads", "none is in the way", ""});
    }
}

// --- a running director's ----------------------------------------------------------------------

void examine_steering(const SeenByDirector& seen, Diagnoses& found) {
    std::vector<std::string> strangers;
    for (const SeenPort& port : seen.ports) {
        if (seen.worker_count > 1 && !port.agrees_on_owners) {
            strangers.push_back(quoted(port.name));
        }
    }
    const bool is_measured = seen.received_packets >= packets_of_traffic;
    const std::uint64_t percent =
        is_measured ? seen.handed_over_packets * 100 / seen.received_packets : 0;
    const std::string share =
        is_measured ? "; " + std::to_string(percent) + " % of the packets are handed over" : "";
    if (strangers.empty() && percent < 10) {
        found.push_back({Verdict::good, "RSS",
                         seen.worker_count == 1 ? "one worker has every client"
                                                : "cards know the workers of their clients" + share,
                         ""});
        return;
    }
    found.push_back(
        {Verdict::doubtful, "RSS",
         strangers.empty() ? "cards are told the workers of their clients" + share
                           : "ports " + listed(strangers) +
                                 " choose queues by themselves, and workers hand packets to each "
                                 "other" +
                                 share,
         "a card whose RSS takes a key and a table (ixgbe, i40e, mlx5, virtio-net with rss=on) "
         "saves that; or one worker"});
}

void examine_way(const SeenReal& real, const Paths& paths, Diagnoses& found) {
    if (real.forward == ForwardingMode::local || real.address.is_loopback()) {
        return;
    }
    const Paths::Answer path = paths.to(real.address);
    const std::string subject = "real " + real.service + "/" + real.name;
    if (path.hop->port == port_none) {
        found.push_back({Verdict::bad, subject, "no route leads to " + to_string(real.address),
                         "give a port an address in its network, or add a route on a twin"});
        return;
    }
    if (!path.hop->is_resolved) {
        const bool is_itself = path.neighbour == real.address;
        found.push_back(
            {Verdict::bad, subject,
             std::string{is_itself ? "it" : "the gateway " + to_string(path.neighbour)} +
                 " does not say its MAC address",
             "look at the link, the VLAN, and whether it runs"});
    }
    if (is_tunnel(real.forward)) {
        const TunnelEnds ends{paths.source_to(real.address), real.address};
        const unsigned left = prepare_tunnel(real.forward, real.tunnel, *path.hop, ends).mtu;
        if (left < octets_of_common_links) {
            found.push_back(
                {Verdict::doubtful, subject,
                 "its tunnel carries packets of " + std::to_string(left) +
                     " octets; larger ones are refused or cut",
                 "let the links on the way carry " +
                     std::to_string(path.hop->mtu + octets_of_common_links - left) +
                     " octets (ports[].mtu, and the switches); TCP is held to what passes"});
        }
    }
}

void examine_return(const SeenReal& real, Diagnoses& found) {
    const bool answers_through_us =
        real.forward == ForwardingMode::nat || real.forward == ForwardingMode::full_nat;
    if (!answers_through_us || real.in_packets < packets_that_tell || real.out_packets != 0) {
        return;
    }
    found.push_back({Verdict::bad, "real " + real.service + "/" + real.name,
                     std::to_string(real.in_packets) + " packets went to it and none came back: "
                                                       "its answers take another way",
                     real.forward == ForwardingMode::nat
                         ? "make the director its gateway, or forward by \"fullnat\""
                         : "look for a filter, or a route that leads past the local address"});
}

}  // namespace

std::string_view to_string(Diagnosis::Verdict verdict) {
    switch (verdict) {
        case Verdict::good:
            return "good";
        case Verdict::doubtful:
            return "doubtful";
        case Verdict::bad:
            break;
    }
    return "bad";
}

std::string in_words(const Diagnosis& diagnosis) {
    std::string verdict{to_string(diagnosis.verdict)};
    verdict.resize(10, ' ');
    const std::string line = verdict + diagnosis.subject + ": " + diagnosis.sentence;
    return diagnosis.remedy.empty() ? line : line + "\n" + std::string(10, ' ') + diagnosis.remedy;
}

std::vector<Diagnosis> examine_machine(const Machine& machine, const Config& config,
                                       bool is_running) {
    Diagnoses found;
    examine_huge_pages(machine, config, found);
    examine_numa(machine, config, found);
    examine_pci(machine, config, found);
    examine_cpus(machine, config, found);
    examine_offloads(machine, is_running, found);
    if (machine.clock_is_set) {
        found.push_back({Verdict::good, "clock", "is kept right", ""});
    } else {
        found.push_back({Verdict::doubtful, "clock",
                         "nobody keeps it right: the times in logs of two directors do not agree",
                         "install chrony, or start systemd-timesyncd"});
    }
    return found;
}

std::vector<Diagnosis> examine_running(const SeenByDirector& seen, const KernelTables& kernel) {
    Diagnoses found;
    examine_steering(seen, found);
    const Paths paths{kernel};
    const std::size_t before = found.size();
    for (const SeenReal& real : seen.reals) {
        examine_way(real, paths, found);
        examine_return(real, found);
    }
    if (found.size() == before) {
        found.push_back({Verdict::good, "ways to reals",
                         "every real has a route and a MAC address, and answers by way of us where "
                         "it has to",
                         ""});
    }
    for (const std::string& conflict : seen.conflicts) {
        found.push_back({Verdict::bad, "addresses", conflict, "keep the address from announcing"});
    }
    if (seen.conflicts.empty()) {
        found.push_back({Verdict::good, "addresses", "nobody else answers for ours", ""});
    }
    return found;
}

}  // namespace fulcrum
