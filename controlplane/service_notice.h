// Words to the service manager that started the director (systemd's notify protocol): ready, what
// it is doing, still alive. Without a service manager they go nowhere. The control thread.
#pragma once

#include <optional>
#include <string>

#include "config/model/time.h"

namespace fulcrum {

void notify_ready();
void notify_stopping();
void notify_status(const std::string& sentence);
void notify_alive();  // feeds the watchdog

// How often notify_alive() is expected, halved; nothing when no watchdog is set.
std::optional<Duration> notify_alive_interval();

}  // namespace fulcrum
