// The words of health checking: what is to be probed, how it ended, and who can carry a probe out.
// Two services whose probes are equal in every member are served by one probe.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/model/service.h"
#include "config/model/time.h"

namespace fulcrum {

// Everything that shapes a probe, and so its identity.
struct ProbeSpec {
    Check check;  // of a type that is asked; without what shapes no probe (port, rise, fall, ...)
    Endpoint target;
    Endpoint vip;  // of a program: what it is told of the service

    friend auto operator<=>(const ProbeSpec&, const ProbeSpec&) = default;
};

// What a check of the service's, of a type that is asked, means for a probe of `real`.
Check probed(const Check& check);
Endpoint probe_target(const RealServer& real, const Check& check);
Endpoint probe_vip(const VirtualService& service, const Check& check);

enum class ProbeVerdict : std::uint8_t {
    success,
    failure,
    not_sent,  // for want of something of our own (descriptors, memory): says nothing of the real
};

struct ProbeOutcome {
    ProbeVerdict verdict = ProbeVerdict::not_sent;
    std::string sentence;                 // "HTTP 503, wanted 200-299"
    std::optional<std::uint32_t> weight;  // success: that the check advises
};

// Sends probes of one type. Calls back exactly once a probe, from a later turn of the loop and no
// later than about its timeout; never after its own end.
class Prober {
  public:
    using Done = std::function<void(ProbeOutcome)>;

    Prober() = default;
    Prober(const Prober&) = delete;
    Prober& operator=(const Prober&) = delete;
    virtual ~Prober() = default;

    virtual void probe(const ProbeSpec& spec, Done done) = 0;
};

// A check's host without its port, if it is a name: what a server within TLS is asked for.
std::string server_name_of(std::string_view host);

// The sentences that probers share.
ProbeOutcome outcome_of_timeout(const ProbeSpec& spec);
// `error` is an errno of connect(2) or socket(2).
ProbeOutcome outcome_of_refusal(int error);

}  // namespace fulcrum
