// Any bytes as a configuration file: the loader answers with a Config or with sentences, never with
// a crash, a hang or a libconfig error that our grammar should have foreseen; and what it accepts
// keeps the promises that the rest of the product builds on.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "config/file_limits.h"
#include "config/loader.h"
#include "config/model/maglev.h"
#include "config/writer.h"

namespace {

using namespace fulcrum;

void promise(bool is_kept, const char* what, std::string_view about) {
    if (!is_kept) {
        std::fprintf(stderr, "broken promise: %s: %.*s\n", what, static_cast<int>(about.size()),
                     about.data());
        std::abort();
    }
}

// Sentences go to terminals and into JSON.
void check_sentences(const std::vector<std::string>& sentences) {
    promise(sentences.size() <= limits::findings_max + 1, "a bounded number of sentences", "");
    for (const std::string& sentence : sentences) {
        promise(sentence.starts_with("fuzz.cfg:"), "a sentence begins with its place", sentence);
        const std::string_view said = std::string_view{sentence}.substr(sentence.find(' ') + 1);
        promise(!said.starts_with("libconfig "), "the grammar foresees libconfig", sentence);
        const bool is_printable = std::all_of(sentence.begin(), sentence.end(),
                                              [](char c) { return c >= 0x20 && c < 0x7F; });
        promise(is_printable, "a sentence is printable", sentence);
    }
}

void check_config(const Config& config) {
    promise(!config.director.workers.empty() && !config.ports.empty(), "workers and ports", "");
    for (const VirtualService& service : config.services) {
        promise(!service.name.empty() && !listen_points(service).empty(), "a service is complete",
                service.name);
        promise(is_prime(service.ring_size), "a ring is prime", service.name);
        promise(service.reals.size() < limits::index_none, "reals have indexes", service.name);
        promise(service.check.timeout <= service.check.interval, "checks end", service.name);
        for (const RealServer& real : service.reals) {
            promise(!real.name.empty() && !real.endpoint.address.is_unspecified() &&
                        (real.endpoint.port.host() != 0 || only_port_of(service).host() == 0),
                    "a real is complete", real.name);
        }
    }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(bytes), size};
    const LoadOutcome outcome = load_config_text(text, "fuzz.cfg");
    check_sentences(outcome.problems);
    check_sentences(outcome.warnings);
    if (outcome.is_valid()) {
        check_config(outcome.config);
        promise(load_config_text(text, "fuzz.cfg").config == outcome.config,
                "same file, same config", "");
        const std::string written = write_config(outcome.config);
        const LoadOutcome again = load_config_text(written, "fuzz.cfg");
        promise(again.config == outcome.config, "what is written reads as the same", written);
    }
    return 0;
}
