// Frames from a capture file (libpcap's format, whatever its timestamps). For tests.
#pragma once

#include <string>
#include <vector>

#include "tests/support/packet.h"

namespace fulcrum::test {

// Ends the process with a sentence if there is no such file, or no capture in it.
std::vector<Frame> read_pcap(const std::string& path);

}  // namespace fulcrum::test
