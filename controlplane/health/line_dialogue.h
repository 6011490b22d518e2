// Conversations by lines, of mail, news and file servers and of redis: one side says a line, the
// other answers with one or several. Each protocol is a list of steps. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controlplane/health/dialogue.h"

namespace fulcrum {

struct LineStep {
    std::string say;     // with its line end; empty: the server begins
    std::string wanted;  // how the answer's last line begins
    // The beginning of an answer that makes the next step needless; empty: none does.
    std::string enough = "";
    bool starts_tls = false;  // with the answer
};

class LineDialogue : public GatheringDialogue {
  public:
    // For smtp, ftp, imap, pop3, nntp, each within TLS too, and redis.
    explicit LineDialogue(const ProbeSpec& spec);

    DialogueTurn begin() override;

  private:
    DialogueTurn on_answer(std::string& answer) override;
    DialogueTurn next_step(bool starts_tls, const std::string& rest);
    bool is_last(std::string_view line) const;

    CheckType type_;
    std::vector<LineStep> steps_;
    std::size_t at_ = 0;
    std::string farewell_;
};

}  // namespace fulcrum
