// From a configured check to a probe, and from an errno to a sentence.
#include "controlplane/health/probe.h"

#include <cctype>
#include <cerrno>
#include <system_error>

namespace fulcrum {

ProbeSpec probe_spec_of(const Check& check, const RealServer& real) {
    ProbeSpec spec;
    spec.type = check.type;
    spec.target = real.endpoint;
    if (check.port != 0) {
        spec.target.port = be16{check.port};
    }
    spec.interval = check.interval;
    spec.timeout = check.timeout;
    if (check.type == CheckType::http) {
        spec.host = check.host;
        spec.path = check.path;
        spec.expect = check.expect;
        spec.status_min = check.status_min;
        spec.status_max = check.status_max;
    }
    return spec;
}

ProbeOutcome outcome_of_timeout(const ProbeSpec& spec) {
    return {ProbeVerdict::failure,
            "no answer within " + std::to_string(spec.timeout.count()) + " ms"};
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
