// The plainest conversations: something is said, and the answer is to hold a text or fit an
// expression. Without either, any answer will do; where nothing is said, the connection alone, and
// by a datagram the silence of ICMP: a server that does not listen is told of by its host. Pure.
#pragma once

#include "controlplane/health/answer_rule.h"
#include "controlplane/health/dialogue.h"

namespace fulcrum {

class SendExpect : public GatheringDialogue {
  public:
    explicit SendExpect(const ProbeSpec& spec);

    DialogueTurn begin() override;
    ProbeOutcome on_end() override;
    ProbeOutcome on_timeout() override;

  private:
    DialogueTurn on_answer(std::string& answer) override;
    ProbeOutcome judge_incomplete(ProbeOutcome unheard, const std::string& when) const;

    AnswerRule rule_;
    std::string send_;
    CheckType type_;
};

}  // namespace fulcrum
