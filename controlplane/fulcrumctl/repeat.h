// A command again and again, as watch(1) does, on a terminal from the same line each time.
#pragma once

#include <functional>

namespace fulcrum {

// Until the operator interrupts it; returns the last outcome when what was interrupted is a stream,
// which ends in order. A director that does not answer for a while is asked again.
int repeat(const std::function<int()>& command, unsigned seconds);

}  // namespace fulcrum
