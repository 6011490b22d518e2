// Probes that run a program of the operator's and take its exit for the answer: 0 is sound,
// anything else is not; where the check says so, 2 to 255 are sound too and advise a weight of two
// less. Without a shell, in a process group of its own: at the deadline, and at the program's end,
// all of the group is killed, and nothing is left unreaped. So many run at once; others wait their
// turn. The control thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/event_loop.h"
#include "controlplane/health/probe.h"

namespace fulcrum {

class ProgramProber : public Prober {
  public:
    static constexpr std::size_t running_max = 64;

    explicit ProgramProber(EventLoop& loop);
    ~ProgramProber() override;

    void probe(const ProbeSpec& spec, Done done) override;

  private:
    struct Run;
    struct Waiting {
        ProbeSpec spec;
        Done done;
    };

    void start(const ProbeSpec& spec, Done done);
    void on_end(Run& run);
    void on_deadline(Run& run);
    void start_waiting();
    void tell_later(Done done, ProbeOutcome outcome);

    EventLoop& loop_;
    std::map<int, std::unique_ptr<Run>> runs_;  // by process
    std::deque<Waiting> waiting_;
    std::shared_ptr<bool> life_ = std::make_shared<bool>(true);  // what is posted holds it weakly
};

// The command with its %h, %p (the real's address and port), %H, %P (the VIP's) and %% filled in.
std::vector<std::string> words_of_command(const ProbeSpec& spec);

// What an exit status says.
ProbeOutcome outcome_of_exit(const Check& check, int status, const std::string& first_line);

}  // namespace fulcrum
