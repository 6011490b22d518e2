// Attempt, wait, attempt.
#include "controlplane/roles/fencing.h"

#include <chrono>
#include <sstream>
#include <utility>
#include <vector>

#include "controlplane/secret_file.h"

namespace fulcrum {
namespace {

constexpr std::size_t secret_lines_max = 256;

// Lines of the form "name=value"; empty ones and comments are left out.
Result<std::vector<std::string>> read_options(const std::string& path) {
    std::vector<std::string> options;
    if (path.empty()) {
        return options;
    }
    const Result<std::string> text =
        read_small_file("fence.options_file", path, /*is_secret=*/true);
    if (!text) {
        return text.error();
    }
    std::istringstream lines{*text};
    for (std::string line; options.size() < secret_lines_max && std::getline(lines, line);) {
        if (!line.empty() && line.front() != '#' && line.find('=') != std::string::npos) {
            options.push_back(line);
        }
    }
    return options;
}

}  // namespace

ProgramOrder fence_order(const Fence& fence, const std::vector<std::string>& secret_options) {
    ProgramOrder order{.words = {fence.command},
                       .environment = {},
                       .input = {},
                       .timeout = std::chrono::seconds{fence.timeout_s}};
    std::vector<std::string> options = fence.options;
    options.insert(options.end(), secret_options.begin(), secret_options.end());
    if (fence.style == FenceStyle::external) {
        order.words.insert(order.words.end(), {"reset", fence.node});
        order.environment = std::move(options);
        return order;
    }
    // Agents know the machine under different names, and pass over lines that they do not know.
    order.input = "action=reboot\nnodename=" + fence.node + "\nplug=" + fence.node + "\n";
    for (const std::string& option : options) {
        order.input += option + "\n";
    }
    return order;
}

void Fencing::begin(const Fence& fence, std::function<void()> is_dead) {
    cancel();
    fence_ = fence;
    is_dead_ = std::move(is_dead);
    log_.warning(LogArea::director, "group \"" + group_ + "\": \"" + fence_.node +
                                        "\" is silent and will be fenced by " + fence_.command);
    wait_.after(std::chrono::seconds{fence_.delay_s}, [this] { attempt(); });
}

void Fencing::attempt() {
    const auto secrets = read_options(fence_.options_file);
    if (!secrets) {
        return on_failure("is not called: " + secrets.error().sentence);
    }
    run_ = programs_.start(fence_order(fence_, *secrets), [this](const ProgramEnd& end) {
        end.is_success() ? on_success(in_words(end)) : on_failure(in_words(end));
    });
}

std::string Fencing::subject() const {
    return "group \"" + group_ + "\": fence " + fence_.command + " for \"" + fence_.node + "\" ";
}

void Fencing::on_success(const std::string& sentence) {
    log_.notice(LogArea::director, subject() + sentence + ": it is dead");
    const auto is_dead = std::exchange(is_dead_, nullptr);
    cancel();
    is_dead();
}

void Fencing::on_failure(const std::string& sentence) {
    ++failures_;
    last_failure_ = sentence;
    log_.error(LogArea::director, subject() + sentence + "; nobody takes over; again in " +
                                      std::to_string(fence_.retry_s) + " s");
    wait_.after(std::chrono::seconds{fence_.retry_s}, [this] { attempt(); });
}

void Fencing::cancel() {
    wait_.cancel();
    programs_.abandon(run_);
    is_dead_ = nullptr;
    failures_ = 0;
    last_failure_.clear();
}

bool Fencing::confirm() {
    if (!is_under_way()) {
        return false;
    }
    log_.warning(LogArea::director, "group \"" + group_ + "\": an operator confirms that \"" +
                                        fence_.node + "\" is dead");
    const auto is_dead = std::exchange(is_dead_, nullptr);
    cancel();
    is_dead();
    return true;
}

void Fencing::look_at(const Fence& fence) {
    const auto options = read_options(fence.options_file);
    obstacle_ = options ? std::string{}
                        : "group \"" + group_ +
                              "\": the fence will not be called: " + options.error().sentence;
}

std::string Fencing::problem() const {
    if (failures_ == 0) {
        return obstacle_;
    }
    return "group \"" + group_ + "\": the fence has failed " + std::to_string(failures_) +
           (failures_ == 1 ? " time" : " times") + ", so nobody takes over from \"" + fence_.node +
           "\": " + fence_.command + " " + last_failure_ +
           "; if it is dead for sure, say so with fulcrumctl fence-confirm " + group_;
}

}  // namespace fulcrum
