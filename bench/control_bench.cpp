// A reload, stage by stage, as the daemon walks it but without its threads: the file is read and
// checked (by the helper), the director's state takes it (on the control thread), the snapshot is
// compiled (by the helper) and the listing made (on the control thread). Each row is one kind of
// change to so many services with ten servers each.
//
//   control_bench [--services N]... [--reals N] [--ring-size N] [--weights N] [--rounds N]
//
// Milliseconds: median, least and greatest of the rounds.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/loader.h"
#include "config/writer.h"
#include "controlplane/health/check_plan.h"
#include "controlplane/listing.h"
#include "tests/support/scene.h"

namespace {

using namespace fulcrum;

struct Options {
    std::vector<std::size_t> services{1, 100, 5'000};
    std::size_t reals = 10;
    std::uint32_t ring_size = limits::ring_size_default;
    std::uint32_t weights = 1;  // reals weigh 1, 2 and so on up to this
    unsigned rounds = 5;
};

// Servers of another generation have other names, so their rings are new.
std::string file_of(const Options& options, std::size_t service_count, unsigned generation,
                    std::uint32_t last_weight) {
    test::Scene scene;
    Config& config = scene.config();
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        config.ports[i].kind = DeviceKind::af_packet;
        config.ports[i].device = "eth" + std::to_string(i);
    }
    for (std::size_t number = 0; number < service_count; ++number) {
        const auto low = static_cast<std::uint16_t>(number);
        scene.service("site" + std::to_string(number),
                      {Ipv4Address::of(10, 1, 0, 80), be16{static_cast<std::uint16_t>(low + 1)}});
        scene.last_service().ring_size = options.ring_size;
        scene.last_service().check.type = CheckType::connect;
        for (std::size_t real = 0; real < options.reals; ++real) {
            scene.real("g" + std::to_string(generation) + "s" + std::to_string(number) + "r" +
                           std::to_string(real),
                       {Ipv4Address::of(10, 2, static_cast<std::uint8_t>(1 + number / 100),
                                        static_cast<std::uint8_t>(1 + number % 100)),
                        be16{static_cast<std::uint16_t>(8'000 + real)}},
                       ForwardingMode::nat, 1 + static_cast<std::uint32_t>(real) % options.weights);
        }
    }
    scene.last_service().reals.front().weight = last_weight;
    return write_config(config);
}

enum Stage : std::size_t { reading, taking, compiling, listing, stage_count };
using Times = std::array<double, stage_count>;

class Director {
  public:
    Director() {
        test::Scene scene;
        state_.on_event(KernelChanged{std::make_shared<const KernelTables>(scene.kernel())}, now_);
    }

    Times reload(const std::string& file) {
        Times times;
        const auto timed = [&](Stage stage, const std::function<void()>& work) {
            const auto began = std::chrono::steady_clock::now();
            work();
            times[stage] =
                std::chrono::duration<double, std::milli>{std::chrono::steady_clock::now() - began}
                    .count();
        };
        std::shared_ptr<const Config> config;
        CheckPlan plan;
        timed(reading, [&] {
            LoadOutcome outcome = load_config_text(file, "bench");
            if (!outcome.is_valid()) {
                std::fprintf(stderr, "control_bench: %s\n", outcome.problems.front().c_str());
                std::exit(EXIT_FAILURE);
            }
            config = std::make_shared<const Config>(std::move(outcome.config));
            plan = plan_checks(*config);
        });
        timed(taking, [&] { state_.on_event(ConfigLoaded{config}, now_); });
        timed(compiling, [&] {
            Compiled compiled = compile(state_.compile_input(), parts_);
            parts_ = std::move(compiled.parts);
            snapshot_ = std::move(compiled.snapshot);
        });
        timed(listing, [&] { listing_ = list(state_, nullptr); });
        return times;
    }

  private:
    Instant now_{};
    DirectorState state_;
    CompiledParts parts_;
    std::unique_ptr<const Snapshot> snapshot_;
    Listing listing_;
};

void print_row(std::size_t service_count, const char* what, std::vector<Times> rounds) {
    std::printf("%8zu  %-18s", service_count, what);
    for (std::size_t stage = 0; stage < stage_count; ++stage) {
        std::vector<double> values;
        for (const Times& times : rounds) {
            values.push_back(times[stage]);
        }
        std::sort(values.begin(), values.end());
        std::printf("  %9.2f (%.2f to %.2f)", values[values.size() / 2], values.front(),
                    values.back());
    }
    std::printf("\n");
}

void measure(const Options& options, std::size_t service_count) {
    const std::string files[] = {file_of(options, service_count, 0, 1),
                                 file_of(options, service_count, 1, 1)};
    const std::string weights[] = {file_of(options, service_count, 1, 7), files[1]};
    std::vector<Times> first;
    std::vector<Times> renewed;
    std::vector<Times> weighed;
    for (unsigned round = 0; round < options.rounds; ++round) {
        Director director;
        first.push_back(director.reload(files[0]));
        renewed.push_back(director.reload(files[1]));
        weighed.push_back(director.reload(weights[0]));
    }
    print_row(service_count, "first", first);
    print_row(service_count, "all servers new", renewed);
    print_row(service_count, "one weight", weighed);
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"A reload, stage by stage."};
    app.add_option("--services", options.services, "how many services");
    app.add_option("--reals", options.reals, "reals of each");
    app.add_option("--ring-size", options.ring_size, "a prime");
    app.add_option("--weights", options.weights, "reals weigh 1, 2 and so on up to this");
    app.add_option("--rounds", options.rounds, "rounds");
    CLI11_PARSE(app, argc, argv);
    std::printf("%8s  %-18s  %-26s  %-26s  %-26s  %s\n", "services", "change", "read, ms",
                "take, ms", "compile, ms", "list, ms");
    for (const std::size_t service_count : options.services) {
        measure(options, service_count);
    }
    return EXIT_SUCCESS;
}
