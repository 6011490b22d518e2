// Plays one scenario of golden packets through the product, from file to file:
//
//   replay SCENARIO_FOLDER [OUTPUT_FOLDER]
//
//   director.cfg   read by the product's loader; its first port is a net_pcap device whose queues
//                  read send.pcap (send.0.pcap, send.1.pcap with two workers) and write out.pcap;
//                  others are VLANs of it
//   kernel.txt     what the kernel would know: addresses, routes, neighbours
//   expect.pcap    what must leave, frame by frame, octet by octet (none: only OUTPUT_FOLDER tells)
//   expect.txt     what must become of the rest: "dropped REASON COUNT", "punted CLASS COUNT"
//
// EAL, pool and port are opened as at the product's start; the workers then turn on this thread
// until nothing moves any more, so that a scenario ends the same way every time.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>

#include "config/loader.h"
#include "dataplane/memory_plan.h"
#include "dataplane/nic.h"
#include "tests/support/pcap_file.h"
#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void give_up(const std::string& sentence) {
    std::cerr << sentence << '\n';
    std::exit(1);
}

template <typename T>
T value_of(Result<T> result) {
    if (!result) {
        give_up(result.error().sentence);
    }
    return std::move(result.value());
}

template <typename T>
T known(std::optional<T> value, const std::string& line) {
    if (!value) {
        give_up("kernel.txt: cannot read \"" + line + "\"");
    }
    return *value;
}

// Takes "on PORT" off the end of a line; the port's index, 0 without those words.
std::uint8_t port_of(std::string& line, const Config& config) {
    const auto at = line.find(" on ");
    if (at == std::string::npos) {
        return 0;
    }
    const auto port = std::ranges::find(config.ports, line.substr(at + 4), &NicPort::name);
    if (port == config.ports.end()) {
        give_up("kernel.txt: \"" + line + "\" is about no port");
    }
    line.resize(at);
    return static_cast<std::uint8_t>(port - config.ports.begin());
}

// Lines of kernel.txt: "address A", or with its network "address A/L", "route P/L [via G]",
// "neighbour A MAC"; on port 0, or with "on PORT" at the end on a VLAN.
KernelTables read_kernel(const fs::path& path, const PortLink& link, const Config& config) {
    KernelTables tables;
    tables.ports.assign(config.ports.size(), link);
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) {
        const std::uint8_t port = port_of(line, config);
        std::istringstream words{line};
        std::string what;
        std::string first;
        std::string second;
        std::string third;
        words >> what >> first >> second >> third;
        if (what.empty() || what[0] == '#') {
            continue;
        }
        if (what == "address") {
            const bool has_network = first.find('/') != std::string::npos;
            const IpPrefix held = has_network
                                      ? known(parse_ip_prefix(first), line)
                                      : IpPrefix::only(known(parse_ip_address(first), line));
            tables.addresses.push_back(held.address);
            tables.port_addresses.push_back({held, port});
        } else if (what == "route") {
            const IpAddress gateway =
                second == "via" ? known(parse_ip_address(third), line) : IpAddress{};
            tables.routes.push_back({known(parse_ip_prefix(first), line), gateway, port, 0});
        } else if (what == "neighbour") {
            tables.neighbours.push_back({known(parse_ip_address(first), line), port,
                                         known(parse_mac_address(second), line)});
        } else {
            give_up("kernel.txt: cannot read \"" + line + "\"");
        }
    }
    return tables;
}

Config read_config(const fs::path& path) {
    LoadOutcome loaded = load_config(path);
    for (const std::string& problem : loaded.problems) {
        std::cerr << problem << '\n';
    }
    const auto is_vlan = [](const NicPort& port) { return port.kind == DeviceKind::vlan; };
    if (!loaded.is_valid() || std::ranges::count_if(loaded.config.ports, is_vlan) + 1 !=
                                  std::ssize(loaded.config.ports)) {
        give_up(path.string() + ": no configuration with one device");
    }
    return loaded.config;
}

// The device, and its VLANs.
std::vector<PortQueues> queues_of(const OpenPort& device, const Config& config) {
    std::vector<PortQueues> ports{{.port_id = device.id(), .mac = device.link().mac}};
    for (std::size_t i = ports.size(); i < config.ports.size(); ++i) {
        ports.push_back({.port_id = vlan_port_id(i),
                         .has_receive_queue = false,
                         .mac = device.link().mac,
                         .vlan = config.ports[i].vlan});
    }
    return ports;
}

// What became of the packets that did not leave, sorted.
std::string fates_of(const WorkerRig& rig, unsigned worker_count) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < drop_reason_count; ++i) {
        const auto reason = static_cast<DropReason>(i);
        if (const auto count = rig.dropped(reason); count > 0) {
            lines.push_back("dropped " + std::string{text_of(reason).name} + " " +
                            std::to_string(count));
        }
    }
    for (std::size_t i = 0; i < punt_class_count; ++i) {
        std::uint64_t count = 0;
        for (unsigned worker = 0; worker < worker_count; ++worker) {
            count += rig.counters(worker).punted[i].read();
        }
        if (count > 0) {
            lines.push_back("punted " + std::string{name_of(static_cast<PuntClass>(i))} + " " +
                            std::to_string(count));
        }
    }
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

std::string text_in(const fs::path& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

// Opens everything, turns until all is quiet, closes everything: the output files are complete.
std::string play(const fs::path& scenario) {
    const Config config = read_config(scenario / "director.cfg");
    const auto worker_count = static_cast<unsigned>(config.director.workers.size());
    const MemoryPlan plan = plan_memory(config);
    value_of(start_eal(config, plan.dpdk_bytes()));
    std::string fates;
    {
        const PacketPool pool = value_of(PacketPool::create(plan.mbuf_count, plan.frame_room));
        const OpenPort port = value_of(OpenPort::open(config, 0, Steering{config}, pool));
        DirectorState state;
        state.on_event(KernelChanged{std::make_shared<const KernelTables>(
                           read_kernel(scenario / "kernel.txt", port.link(), config))},
                       {});
        state.on_event(ConfigLoaded{std::make_shared<const Config>(config)}, {});
        {
            WorkerRig rig{
                queues_of(port, config), config.director.seed, {.worker_count = worker_count}};
            rig.publish(std::move(compile(state.compile_input(), {}).snapshot));
            rig.settle();
            fates = fates_of(rig, worker_count);
        }
        EXPECT_EQ(pool.in_use(), 0U) << "buffers have leaked";
    }
    stop_eal();
    return fates;
}

void compare(const fs::path& expected_path, const fs::path& actual_path) {
    const std::vector<Frame> expected = read_pcap(expected_path);
    const std::vector<Frame> actual = read_pcap(actual_path);
    for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
        EXPECT_TRUE(same_frame(expected[i], actual[i])) << "frame " << i + 1;
    }
    EXPECT_EQ(actual.size(), expected.size()) << "frames";
}

fs::path scenario_folder;
fs::path output_folder;

TEST(GoldenPackets, LeaveAsExpected) {
    // The device's files are named in the configuration, relative to where the director runs.
    for (const auto& entry : fs::directory_iterator{scenario_folder}) {
        const std::string name = entry.path().filename();
        if (name.starts_with("send")) {
            fs::copy_file(entry.path(), output_folder / name, fs::copy_options::overwrite_existing);
        }
    }
    fs::current_path(output_folder);
    const std::string fates = play(scenario_folder);
    EXPECT_EQ(fates, text_in(scenario_folder / "expect.txt"));
    for (const auto& entry : fs::directory_iterator{scenario_folder}) {
        const std::string name = entry.path().filename();
        if (name.starts_with("expect") && entry.path().extension() == ".pcap") {
            compare(entry.path(), output_folder / ("out" + name.substr(6)));
        }
    }
}

}  // namespace
}  // namespace fulcrum::test

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (argc < 2) {
        std::cerr << "usage: replay SCENARIO_FOLDER [OUTPUT_FOLDER]\n";
        return 2;
    }
    namespace fs = std::filesystem;
    fulcrum::test::scenario_folder = fs::absolute(argv[1]);
    std::string made = (fs::temp_directory_path() / "replay-XXXXXX").string();
    const bool is_temporary = argc < 3;
    if (is_temporary && mkdtemp(made.data()) == nullptr) {
        std::cerr << made << ": no folder for the output\n";
        return 1;
    }
    fulcrum::test::output_folder = fs::absolute(is_temporary ? made : argv[2]);
    const int outcome = RUN_ALL_TESTS();
    if (is_temporary) {
        fs::remove_all(fulcrum::test::output_folder);
    }
    return outcome;
}
