// Starts a program of the operator's: itself, without a shell, in "/", with the environment that it
// is given and none of ours, with our signals' defaults, and as the leader of a process group, so
// that what it starts can be ended with it. Any thread; returns when the kernel has loaded it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace fulcrum {

struct SpawnOrder {
    std::vector<std::string> words;        // the program's absolute path, and its arguments
    std::vector<std::string> environment;  // "NAME=value"
    int input = -1;                        // a descriptor that it reads; -1: there is nothing
    int output = -1;                       // what it says and complains of; -1: nobody listens
};

struct Spawned {
    pid_t leader = 0;
    int error = 0;  // an errno: it does not run
};

Spawned spawn(const SpawnOrder& order);

}  // namespace fulcrum
