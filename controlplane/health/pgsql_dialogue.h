// The beginning of a session with PostgreSQL (its protocol 3.0), and a query in it. Without a
// login, a server that asks an unknown name for a password, or refuses it, is sound; one that
// starts, stops or has no room says that by its error's code. Pure.
#pragma once

#include <string>

#include "controlplane/health/dialogue.h"

namespace fulcrum {

class PgsqlDialogue : public GatheringDialogue {
  public:
    explicit PgsqlDialogue(const ProbeSpec& spec);

    DialogueTurn begin() override;

  private:
    DialogueTurn on_answer(std::string& answer) override;
    DialogueTurn on_message(char kind, std::string_view body);
    DialogueTurn on_authentication(std::string_view body);
    DialogueTurn begin_scram(std::string_view methods);
    DialogueTurn go_on_with_scram(std::string_view challenge);
    DialogueTurn on_error(std::string_view body) const;

    std::string login_;
    std::string password_;
    std::string database_;
    std::string query_;
    bool is_asking_ = false;  // the query has been sent
    bool has_row_ = false;
    std::string nonce_;
    std::string first_words_;  // of SCRAM
    std::string server_proof_;
};

}  // namespace fulcrum
