// Programs of the operator's at work, on the loop: what they are to read on their standard input,
// the first line of what they say, how they end. At its deadline a program is asked to end and,
// half a second later, killed with all that it has started; told is that at once. A program that
// cannot be killed, as one that waits for a dead disk, holds nobody up: it stays here until the
// kernel lets go of it. Nothing is left unreaped. The control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/event_loop.h"

namespace fulcrum {

struct ProgramOrder {
    std::vector<std::string> words;        // the program's absolute path, and its arguments
    std::vector<std::string> environment;  // "NAME=value", beside PATH and LANG
    std::string input;                     // at most input_length_max
    Duration timeout{};

    static constexpr std::size_t input_length_max = 32'768;  // a pipe takes as much at once
};

struct ProgramEnd {
    enum class Kind : std::uint8_t {
        exited,       // with the status `number`
        ended,        // by the signal `number`
        too_long,     // for its deadline
        not_started,  // for the errno `number`
    };
    Kind kind = Kind::exited;
    int number = 0;
    std::string said;  // its first line, printable

    bool is_success() const { return kind == Kind::exited && number == 0; }
};
std::string in_words(const ProgramEnd& end);  // "ended with 1: no such host"

class Programs {
  public:
    using Done = std::function<void(const ProgramEnd&)>;
    using Number = std::uint64_t;  // 0: none

    // `on_gone`, if there is one, is called when one less runs.
    explicit Programs(EventLoop& loop, std::function<void()> on_gone = nullptr);
    // What runs is killed, and waited for, but not for long.
    ~Programs();
    Programs(const Programs&) = delete;
    Programs& operator=(const Programs&) = delete;

    // `done` is called once, in a later turn.
    Number start(const ProgramOrder& order, Done done);
    // It is ended as if its time were over, and nobody is told. Of one that has ended: nothing.
    void abandon(Number number);

    // Those told of already count as long as they are there.
    std::size_t running_count() const { return runs_.size(); }
    EventLoop& loop() { return loop_; }

  private:
    struct Run;

    int open(Run& run, const ProgramOrder& order);
    void on_end(Number number);
    void end(Run& run);
    static void tell(Run& run, const ProgramEnd& end);

    EventLoop& loop_;
    std::function<void()> on_gone_;
    std::map<Number, std::unique_ptr<Run>> runs_;
    Number latest_ = 0;
    std::shared_ptr<bool> life_ = std::make_shared<bool>(true);  // what is posted holds it weakly
};

}  // namespace fulcrum
