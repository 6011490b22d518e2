// libsystemd's sd_notify under our names.
#include "controlplane/service_notice.h"

#include <systemd/sd-daemon.h>

#include <cstdint>

namespace fulcrum {

void notify_ready() { sd_notify(0, "READY=1"); }

void notify_stopping() { sd_notify(0, "STOPPING=1"); }

void notify_status(const std::string& sentence) { sd_notify(0, ("STATUS=" + sentence).c_str()); }

void notify_alive() { sd_notify(0, "WATCHDOG=1"); }

std::optional<Duration> notify_alive_interval() {
    std::uint64_t interval_us = 0;
    if (sd_watchdog_enabled(0, &interval_us) <= 0) {
        return std::nullopt;
    }
    return std::chrono::microseconds{interval_us / 2};
}

}  // namespace fulcrum
