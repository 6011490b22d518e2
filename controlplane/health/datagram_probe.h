// Probes that hold a dialogue by datagrams: a socket each, so that an ICMP error about one comes
// back to it. What was said last is said again, twice at most, since datagrams get lost. The
// control thread.
#pragma once

#include <memory>

#include "controlplane/event_loop.h"
#include "controlplane/health/probe.h"

namespace fulcrum {

class DatagramProber : public Prober {
  public:
    explicit DatagramProber(EventLoop& loop) : loop_{loop} {}

    void probe(const ProbeSpec& spec, Done done) override;

  private:
    struct Attempt;

    EventLoop& loop_;
    // Completions hold it weakly: once it is gone, nobody is told any more.
    std::shared_ptr<bool> life_ = std::make_shared<bool>(true);
};

}  // namespace fulcrum
