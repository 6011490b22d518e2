// Probes that run a program of the operator's and take its exit for the answer: 0 is sound,
// anything else is not; where the check says so, 2 to 255 are sound too and advise a weight of two
// less. So many run at once; others wait their turn. The control thread.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "controlplane/event_loop.h"
#include "controlplane/health/probe.h"
#include "controlplane/programs.h"

namespace fulcrum {

class ProgramProber : public Prober {
  public:
    static constexpr std::size_t running_max = 64;

    explicit ProgramProber(EventLoop& loop);

    void probe(const ProbeSpec& spec, Done done) override;

  private:
    struct Waiting {
        ProbeSpec spec;
        Done done;
    };

    void start(const ProbeSpec& spec, Done done);
    void start_waiting();

    std::deque<Waiting> waiting_;
    Programs programs_;
};

// The command with its %h, %p (the real's address and port), %H, %P (the VIP's) and %% filled in.
std::vector<std::string> words_of_command(const ProbeSpec& spec);

// What the program's end says of the real.
ProbeOutcome outcome_of_end(const ProbeSpec& spec, const ProgramEnd& end);

}  // namespace fulcrum
