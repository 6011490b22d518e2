// OPTIONS to a SIP server by UDP (RFC 3261, 11), sound with 200. Pure.
#pragma once

#include <string>

#include "controlplane/health/dialogue.h"

namespace fulcrum {

class SipDialogue : public Dialogue {
  public:
    explicit SipDialogue(const ProbeSpec& spec);

    DialogueTurn begin() override;
    DialogueTurn on_received(std::string_view octets) override;
    ProbeOutcome on_end() override { return timeout_outcome_; }
    ProbeOutcome on_timeout() override { return timeout_outcome_; }

  private:
    std::string call_id_;
    std::string request_;
    ProbeOutcome timeout_outcome_;
};

}  // namespace fulcrum
