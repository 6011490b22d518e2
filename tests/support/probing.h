// One probe from its beginning to its outcome, and a port on which nobody listens.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "controlplane/health/probe.h"
#include "tests/support/loop_until.h"

namespace fulcrum {

template <typename AnyProber>
ProbeOutcome outcome_of(const ProbeSpec& spec) {
    EventLoop loop;
    AnyProber prober{loop};
    std::optional<ProbeOutcome> outcome;
    prober.probe(spec, [&](ProbeOutcome told) { outcome = std::move(told); });
    EXPECT_FALSE(outcome.has_value()) << "told within the call";
    EXPECT_TRUE(loop_until(loop, [&] { return outcome.has_value(); }));
    return outcome.value_or(ProbeOutcome{});
}

// A port on which nobody listens: bound, and so given to nobody else, for the test's length.
class ClosedPort {
  public:
    explicit ClosedPort(int type = SOCK_STREAM)
        : socket_{::socket(AF_INET, type | SOCK_CLOEXEC, 0)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
        socklen_t length = sizeof(address);
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
        endpoint_ = {Ipv4Address::of(127, 0, 0, 1), be16{ntohs(address.sin_port)}};
    }
    ~ClosedPort() { ::close(socket_); }

    Endpoint endpoint() const { return endpoint_; }

  private:
    int socket_;
    Endpoint endpoint_;
};

}  // namespace fulcrum
