// One program of the operator's at a time, on the loop: without a shell, in a process group of its
// own, with what it is to read on its standard input, and killed with all that it started at its
// deadline. The control thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/event_loop.h"
#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {

struct ProgramOrder {
    std::vector<std::string> words;        // the program's absolute path, and its arguments
    std::vector<std::string> environment;  // "NAME=value", beside PATH and LANG
    std::string input;                     // at most input_length_max
    Duration timeout{};

    static constexpr std::size_t input_length_max = 32'768;  // a pipe takes as much at once
};

struct ProgramEnd {
    bool is_success = false;  // it ended with 0
    std::string sentence;     // "ended with 1: no such host"
};

class ProgramRun {
  public:
    using Done = std::function<void(const ProgramEnd&)>;

    explicit ProgramRun(EventLoop& loop) : loop_{loop}, deadline_{loop} {}
    ~ProgramRun() { cancel(); }
    ProgramRun(const ProgramRun&) = delete;
    ProgramRun& operator=(const ProgramRun&) = delete;

    // In place of one that runs. `done` is called in a later turn.
    void start(const ProgramOrder& order, Done done);
    // What runs is killed, and nobody is told.
    void cancel();
    bool is_running() const { return leader_ > 0; }

  private:
    void read_output();
    void on_end();
    void finish(const ProgramEnd& end);
    int reap();

    EventLoop& loop_;
    Timer deadline_;
    Done done_;
    pid_t leader_ = 0;  // of the group; 0: nothing runs
    FileDescriptor pidfd_;
    FileDescriptor output_;
    std::string said_;
    std::unique_ptr<DescriptorWatch> ended_;
    std::unique_ptr<DescriptorWatch> readable_;
    std::shared_ptr<bool> life_ = std::make_shared<bool>(true);  // what is posted holds it weakly
};

}  // namespace fulcrum
