// Probes that ask for an ICMP echo. All share one socket for each IP version: unprivileged where
// the kernel lets us have that, else raw; what comes back is told apart by a number in it that
// nobody else knows. Asked is three times at most, since packets get lost. The control thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>

#include "controlplane/event_loop.h"
#include "controlplane/health/probe.h"
#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {

class PingProber : public Prober {
  public:
    explicit PingProber(EventLoop& loop) : loop_{loop}, random_{std::random_device{}()} {}

    void probe(const ProbeSpec& spec, Done done) override;

  private:
    // Of one IP version.
    struct Wire {
        FileDescriptor socket;
        std::optional<DescriptorWatch> watch;  // ends before its socket
    };
    struct Attempt {
        explicit Attempt(EventLoop& loop) : deadline{loop}, patience{loop} {}
        ProbeSpec spec;
        Done done;
        std::uint64_t token = 0;
        Timer deadline;
        Timer patience;
    };

    int open(Wire& wire, bool is_v4);  // 0 or an errno
    Wire& wire_of(const Attempt& attempt) {
        return attempt.spec.target.address.is_v4() ? wire_ : wire6_;
    }
    void send(Attempt& attempt);
    void receive(Wire& wire, bool is_v4);
    void finish(std::uint64_t token, ProbeOutcome outcome);

    EventLoop& loop_;
    std::mt19937_64 random_;
    Wire wire_;
    Wire wire6_;
    std::map<std::uint64_t, std::unique_ptr<Attempt>> attempts_;  // by token
    std::shared_ptr<bool> life_ = std::make_shared<bool>(true);   // what is posted holds it weakly
};

}  // namespace fulcrum
