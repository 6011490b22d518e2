// A question to a name server and its answer (RFC 1035): sound is an answer to our question without
// an error, in which the records hold what is expected, if anything is. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/health/answer_rule.h"
#include "controlplane/health/dialogue.h"

namespace fulcrum {

class DnsDialogue : public Dialogue {
  public:
    explicit DnsDialogue(const ProbeSpec& spec);

    DialogueTurn begin() override;
    DialogueTurn on_received(std::string_view octets) override;
    ProbeOutcome on_end() override { return timeout_outcome_; }
    ProbeOutcome on_timeout() override { return timeout_outcome_; }

  private:
    AnswerRule rule_;
    std::string question_;  // header and question as they are sent
    ProbeOutcome timeout_outcome_;
};

// The question's octets: "www.example.net", "A". An address asked for by PTR is turned into its
// name in in-addr.arpa or ip6.arpa. Nothing: no name of the DNS.
std::optional<std::string> dns_question(std::string_view name, std::string_view record,
                                        std::uint16_t id);

// The records of an answer, a line each: "www.example.net A 192.0.2.1". Nothing: malformed.
std::optional<std::string> dns_records(std::string_view message);

}  // namespace fulcrum
