// A login at a RADIUS server (RFC 2865) that is to be accepted, under RFC 3579's
// Message-Authenticator. An answer counts only if it proves that it knows the secret. Pure.
#pragma once

#include <string>

#include "controlplane/health/dialogue.h"

namespace fulcrum {

class RadiusDialogue : public Dialogue {
  public:
    explicit RadiusDialogue(const ProbeSpec& spec);

    DialogueTurn begin() override;
    DialogueTurn on_received(std::string_view octets) override;
    ProbeOutcome on_end() override { return timeout_outcome_; }
    ProbeOutcome on_timeout() override;

  private:
    std::string secret_;
    std::string authenticator_;  // of the request, random
    std::string request_;
    bool has_heard_a_stranger_ = false;
    ProbeOutcome timeout_outcome_;
};

}  // namespace fulcrum
