// A queue before the programs, and words for their ends.
#include "controlplane/health/program_probe.h"

#include <map>
#include <system_error>
#include <utility>

#include "config/wording.h"

namespace fulcrum {

ProgramProber::ProgramProber(EventLoop& loop) : programs_{loop, [this] { start_waiting(); }} {}

void ProgramProber::probe(const ProbeSpec& spec, Done done) {
    if (programs_.running_count() >= running_max) {
        waiting_.push_back({spec, std::move(done)});
    } else {
        start(spec, std::move(done));
    }
}

void ProgramProber::start(const ProbeSpec& spec, Done done) {
    programs_.start(
        {.words = words_of_command(spec),
         .environment = {"FULCRUM_REAL=" + to_string(spec.target.address),
                         "FULCRUM_REAL_PORT=" + std::to_string(spec.target.port.host()),
                         "FULCRUM_VIP=" + to_string(spec.vip.address),
                         "FULCRUM_VIP_PORT=" + std::to_string(spec.vip.port.host())},
         .input = {},
         .timeout = spec.check.timeout},
        [spec, done = std::move(done)](const ProgramEnd& end) { done(outcome_of_end(spec, end)); });
}

void ProgramProber::start_waiting() {
    if (!waiting_.empty() && programs_.running_count() < running_max) {
        Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        start(next.spec, std::move(next.done));
    }
}

std::vector<std::string> words_of_command(const ProbeSpec& spec) {
    const std::map<char, std::string> values{{'h', to_string(spec.target.address)},
                                             {'p', std::to_string(spec.target.port.host())},
                                             {'H', to_string(spec.vip.address)},
                                             {'P', std::to_string(spec.vip.port.host())},
                                             {'%', "%"}};
    std::vector<std::string> words;
    for (const std::string& word : spec.check.command) {
        std::string& filled = words.emplace_back();
        for (std::size_t at = 0; at < word.size(); ++at) {
            const auto value =
                word[at] == '%' && at + 1 < word.size() ? values.find(word[at + 1]) : values.end();
            if (value == values.end()) {
                filled.push_back(word[at]);
            } else {
                filled.append(value->second);
                ++at;
            }
        }
    }
    return words;
}

ProbeOutcome outcome_of_end(const ProbeSpec& spec, const ProgramEnd& end) {
    constexpr int weights_from = 2;  // keepalived's convention
    const std::string said = end.said.empty() ? "" : ": " + end.said;
    switch (end.kind) {
        case ProgramEnd::Kind::not_started:
            return {ProbeVerdict::not_sent, "probe not sent: " + spec.check.command[0] + ": " +
                                                std::generic_category().message(end.number)};
        case ProgramEnd::Kind::too_long:
            return {ProbeVerdict::failure,
                    outcome_of_timeout(spec).sentence + ": the program was killed"};
        case ProgramEnd::Kind::ended:
            return {ProbeVerdict::failure,
                    "the program was killed by signal " + std::to_string(end.number) + said};
        case ProgramEnd::Kind::exited:
            break;
    }
    const std::string sentence = "the program ended with " + std::to_string(end.number) + said;
    if (spec.check.exit_weight && end.number >= weights_from) {
        return {ProbeVerdict::success, sentence,
                static_cast<std::uint32_t>(end.number - weights_from)};
    }
    return {end.number == 0 ? ProbeVerdict::success : ProbeVerdict::failure, sentence};
}

}  // namespace fulcrum
