// By how many leading bits of its address a client's worker is found. Whatever is kept for a
// network of clients (affinity, limits) has to lie with one worker, so the shortest prefix in the
// file counts, and it counts for the life of the process: sessions lie where it has put them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/model/service.h"

namespace fulcrum {

struct OwnerPrefix {
    std::uint8_t v4 = 32;
    std::uint8_t v6 = 64;
};

OwnerPrefix owner_prefix_of(const Config& config);

// A sentence for each service that needs a shorter one than there is.
std::vector<std::string> needs_shorter_owner_prefix(const Config& config, OwnerPrefix present);

}  // namespace fulcrum
