// Kernel settings under /proc/sys, of the network namespace that we are in. In a container that
// tree may be read-only; then the caller warns and goes on.
#pragma once

#include <optional>
#include <string>

#include "config/model/result.h"

namespace fulcrum {

// `path` is below /proc/sys: "net/ipv4/ip_forward". Nothing when there is no such setting. The
// trailing newline is not part of the value.
std::optional<std::string> read_proc_sys(const std::string& path);

// Writes only when the value differs.
Status write_proc_sys(const std::string& path, const std::string& value);

// Whether the kernel forwards IPv4 between interfaces: what the real servers' own traffic to
// elsewhere needs. It is the operator's to set; we only tell.
bool kernel_forwards_ipv4();

}  // namespace fulcrum
