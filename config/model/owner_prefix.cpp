// The shortest of all.
#include "config/model/owner_prefix.h"

#include <algorithm>

namespace fulcrum {

OwnerPrefix owner_prefix_of(const Config& config) {
    OwnerPrefix shortest;
    for (const VirtualService& service : config.services) {
        if (service.affinity) {
            shortest.v4 = std::min(shortest.v4, service.affinity->prefix);
            shortest.v6 = std::min(shortest.v6, service.affinity->prefix6);
        }
        if (service.limits.has_clients()) {
            shortest.v4 = std::min(shortest.v4, service.limits.prefix);
            shortest.v6 = std::min(shortest.v6, service.limits.prefix6);
        }
    }
    return shortest;
}

std::vector<std::string> needs_shorter_owner_prefix(const Config& config, OwnerPrefix present) {
    std::vector<std::string> sentences;
    if (config.director.workers.size() == 1) {
        return sentences;  // whoever it is, there is one worker
    }
    const auto note = [&](const VirtualService& service, const char* key, unsigned asked,
                          unsigned have) {
        if (asked < have) {
            std::string sentence = "service \"" + service.name + "\": " + key + " ";
            sentence += std::to_string(asked) + " is shorter than " + std::to_string(have);
            sentence += ", by which clients were given to workers at start: restart fulcrumd to ";
            sentences.push_back(sentence + "change it, or set it back");
        }
    };
    for (const VirtualService& service : config.services) {
        if (service.affinity) {
            note(service, "affinity: prefix", service.affinity->prefix, present.v4);
            note(service, "affinity: prefix6", service.affinity->prefix6, present.v6);
        }
        if (service.limits.has_clients()) {
            note(service, "limits: prefix", service.limits.prefix, present.v4);
            note(service, "limits: prefix6", service.limits.prefix6, present.v6);
        }
    }
    return sentences;
}

}  // namespace fulcrum
