// The loop, and the two words that a terminal is told.
#include "controlplane/fulcrumctl/repeat.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "controlplane/fulcrumctl/client.h"

namespace fulcrum {

int repeat(const std::function<int()>& command, unsigned seconds) {
    const bool is_terminal = isatty(STDOUT_FILENO) != 0;
    while (true) {
        if (is_terminal) {
            std::fputs("\x1b[H\x1b[J", stdout);  // home, and clear (ECMA-48)
        }
        const int outcome = command();
        std::fflush(stdout);
        if (was_stream_interrupted()) {
            return outcome;
        }
        std::this_thread::sleep_for(std::chrono::seconds{seconds});
    }
}

}  // namespace fulcrum
