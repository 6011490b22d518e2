// A command again and again, as watch(1) does, on a terminal from the same line each time.
#pragma once

#include <functional>

namespace fulcrum {

// Until the operator interrupts it. A director that does not answer for a while is asked again.
[[noreturn]] void repeat(const std::function<int()>& command, unsigned seconds);

}  // namespace fulcrum
