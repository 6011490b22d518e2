// Probes that ask one thing: is the TCP connection accepted? The connection is closed at once.
#pragma once

#include <memory>

#include "controlplane/event_loop.h"
#include "controlplane/health/probe.h"

namespace fulcrum {

class ConnectProber : public Prober {
  public:
    explicit ConnectProber(EventLoop& loop) : loop_{loop} {}

    void probe(const ProbeSpec& spec, Done done) override;

  private:
    struct Attempt;

    EventLoop& loop_;
    // Completions hold it weakly: once it is gone, nobody is told any more.
    std::shared_ptr<bool> life_ = std::make_shared<bool>(true);
};

}  // namespace fulcrum
