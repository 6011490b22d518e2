// From a configured check to a probe, and from an errno to a sentence.
#include "controlplane/health/probe.h"

#include <cctype>
#include <cerrno>
#include <system_error>

namespace fulcrum {

ProbeSpec probe_spec_of(const VirtualService& service, const RealServer& real, const Check& check) {
    const Check preset;
    ProbeSpec spec{.check = check, .target = real.endpoint};
    if (check.port != 0) {
        spec.target.port = be16{check.port};
    }
    if (const auto listeners = listeners_of(service);
        check.type == CheckType::program && !listeners.empty()) {
        spec.vip = {listeners[0].vip.address, be16{listeners[0].ports.first}};
    }
    spec.check.port = preset.port;
    spec.check.rise = preset.rise;
    spec.check.fall = preset.fall;
    spec.check.initial = preset.initial;
    spec.check.passive = preset.passive;
    return spec;
}

std::string server_name_of(std::string_view host) {
    if (host.find_first_of("[]") != std::string_view::npos || parse_ip_address(host)) {
        return {};
    }
    const std::string_view name = host.substr(0, host.find(':'));
    return parse_ip_address(name) ? std::string{} : std::string{name};
}

ProbeOutcome outcome_of_timeout(const ProbeSpec& spec) {
    return {ProbeVerdict::failure,
            "no answer within " + std::to_string(spec.check.timeout.count()) + " ms"};
}

ProbeOutcome outcome_of_refusal(int error) {
    std::string sentence = std::generic_category().message(error);
    if (!sentence.empty()) {
        sentence[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(sentence[0])));
    }
    switch (error) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case EADDRNOTAVAIL:
        case EACCES:
        case EPERM:
            return {ProbeVerdict::not_sent, "probe not sent: " + sentence};
        default:
            return {ProbeVerdict::failure, sentence};
    }
}

}  // namespace fulcrum
