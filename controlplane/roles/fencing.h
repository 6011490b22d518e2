// Makes sure that the other director is dead before this one takes its addresses: calls the
// operator's fence agent until it succeeds, or until an operator says that the other is dead. What
// is not confirmed has not happened: nobody takes over. The control thread.
#pragma once

#include <functional>
#include <string>

#include "config/model/role_group.h"
#include "controlplane/event_loop.h"
#include "controlplane/log.h"
#include "controlplane/programs.h"

namespace fulcrum {

class Fencing {
  public:
    Fencing(Programs& programs, Log& log, std::string group)
        : programs_{programs}, log_{log}, group_{std::move(group)}, wait_{programs.loop()} {}
    ~Fencing() { cancel(); }
    Fencing(const Fencing&) = delete;
    Fencing& operator=(const Fencing&) = delete;

    // `is_dead` is called once. Anew, if it is under way already.
    void begin(const Fence& fence, std::function<void()> is_dead);
    // The other is heard again, or we leave.
    void cancel();
    // An operator's word. False: nobody waits for it.
    bool confirm();

    // Before it is needed: what is in the way is a problem now.
    void look_at(const Fence& fence);

    bool is_under_way() const { return is_dead_ != nullptr; }
    std::string problem() const;  // empty: none

  private:
    void attempt();
    std::string subject() const;
    void on_success(const std::string& sentence);
    void on_failure(const std::string& sentence);

    Programs& programs_;
    Log& log_;
    std::string group_;
    Fence fence_;
    std::function<void()> is_dead_;  // null: nothing is under way
    unsigned failures_ = 0;
    std::string last_failure_;
    std::string obstacle_;  // as it was looked at last
    Timer wait_;
    Programs::Number run_ = 0;
};

// What the program is called with: a fence agent reads lines, a plugin of cluster-glue has
// arguments and an environment. Pure.
ProgramOrder fence_order(const Fence& fence, const std::vector<std::string>& secret_options);

}  // namespace fulcrum
