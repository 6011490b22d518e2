// From a configured check to a probe, and from an errno to a sentence.
#include "controlplane/health/probe.h"

#include <cctype>
#include <cerrno>
#include <system_error>

namespace fulcrum {

Check probed(const Check& check) {
    const Check preset;
    Check shape = check;
    shape.port = preset.port;
    shape.rise = preset.rise;
    shape.fall = preset.fall;
    shape.initial = preset.initial;
    shape.passive = preset.passive;
    return shape;
}

Endpoint probe_target(const RealServer& real, const Check& check) {
    return check.port == 0 ? real.endpoint : Endpoint{real.endpoint.address, be16{check.port}};
}

Endpoint probe_vip(const VirtualService& service, const Check& check) {
    if (check.type != CheckType::program) {
        return {};
    }
    const auto listeners = listeners_of(service);
    return listeners.empty() ? Endpoint{}
                             : Endpoint{listeners[0].vip.address, be16{listeners[0].ports.first}};
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
