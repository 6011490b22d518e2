// The beginning of a session with MySQL or MariaDB, and a query in it. Without a login, nobody is
// let in under a name that nobody has, and a server that says so is sound: one that merely hangs up
// counts as an attacker there, and the director would be shut out after a hundred checks. Pure.
#pragma once

#include <string>

#include "controlplane/health/dialogue.h"

namespace fulcrum {

class MysqlDialogue : public GatheringDialogue {
  public:
    explicit MysqlDialogue(const ProbeSpec& spec);

    DialogueTurn begin() override { return listen_on(); }

  private:
    enum class Stage { greeting, login, query, columns, rows };

    DialogueTurn on_answer(std::string& answer) override;
    DialogueTurn on_packet(std::string_view packet);
    DialogueTurn on_greeting(std::string_view packet);
    DialogueTurn on_login(std::string_view packet);
    DialogueTurn on_rows(std::string_view packet);
    DialogueTurn say_packet(const std::string& body);
    std::string proof_for(const std::string& method) const;

    std::string login_;
    std::string password_;
    std::string database_;
    std::string query_;
    Stage stage_ = Stage::greeting;
    char sequence_ = 0;
    std::string challenge_;
    std::string version_;
};

}  // namespace fulcrum
