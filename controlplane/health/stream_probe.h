// Probes that hold a dialogue over TCP, or over TLS within it: a connection each, closed when the
// outcome is known. The control thread.
#pragma once

#include <asio/ssl/context.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "config/model/result.h"
#include "controlplane/event_loop.h"
#include "controlplane/health/probe.h"

namespace fulcrum {

class StreamProber : public Prober {
  public:
    explicit StreamProber(EventLoop& loop) : loop_{loop} {}

    void probe(const ProbeSpec& spec, Done done) override;

  private:
    struct Attempt;
    using Authorities = std::pair<bool, std::string>;  // verify, ca_file

    void converse(const std::shared_ptr<Attempt>& attempt);
    std::optional<ProbeOutcome> prepare_tls(Attempt& attempt);
    Result<asio::ssl::context*> context_for(const Check& check);

    EventLoop& loop_;
    std::map<Authorities, asio::ssl::context> contexts_;  // for as long as the director runs
    // Completions hold it weakly: once it is gone, nobody is told any more.
    std::shared_ptr<bool> life_ = std::make_shared<bool>(true);
};

}  // namespace fulcrum
