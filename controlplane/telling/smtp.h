// One mail to one server, by libcurl. Waits for the server: called on the errand thread alone.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "config/model/result.h"

namespace fulcrum {

struct Envelope {
    std::string server;  // "mail.example.net", "192.0.2.25:2525"
    std::string from;
    std::vector<std::string> to;
};

// At most half a minute; less once `is_stopping`.
Status send_mail(const Envelope& envelope, const std::string& message,
                 const std::atomic<bool>& is_stopping);

}  // namespace fulcrum
