// A bind to a directory and a search of one entry (RFC 4511), of whose name an answer may be
// expected. Only as much of BER is spoken and read as these need. Pure.
#pragma once

#include <string>

#include "controlplane/health/answer_rule.h"
#include "controlplane/health/dialogue.h"

namespace fulcrum {

class LdapDialogue : public GatheringDialogue {
  public:
    explicit LdapDialogue(const ProbeSpec& spec);

    DialogueTurn begin() override;

  private:
    DialogueTurn on_answer(std::string& answer) override;
    DialogueTurn on_message(std::string_view message);

    AnswerRule rule_;
    bool starts_tls_;  // and has not yet
    std::string bind_;
    std::string search_;
    bool is_bound_ = false;
    bool has_entry_ = false;
    std::string entry_;  // its name
};

}  // namespace fulcrum
