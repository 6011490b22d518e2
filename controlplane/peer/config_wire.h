// What directors tell each other of their configurations: which one they run, the common part of
// one in pieces, and what became of it.
//
//   standing  version 8 | checksum 8
//   part      version 8 | checksum 8 | length of all 4 | where this piece begins 4 | octets
//   verdict   version 8 | applied 1 | epoch 8 | sentences, to the end
//
// Before each stands its kind, as in replica_wire.h. Pure; what no director says is refused.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "controlplane/config_version.h"
#include "controlplane/peer/octets.h"

namespace fulcrum {

struct ConfigPart {
    ConfigStanding of;
    std::uint32_t length = 0;  // of the whole text
    std::uint32_t offset = 0;
    std::string octets;  // at least one

    friend bool operator==(const ConfigPart&, const ConfigPart&) = default;
};

struct ConfigVerdict {
    ConfigVersion version;
    bool is_applied = false;
    std::uint64_t epoch = 0;             // there, of what has been applied
    std::vector<std::string> sentences;  // why not; or what was not as it should be

    friend bool operator==(const ConfigVerdict&, const ConfigVerdict&) = default;
};

Octets standing_message(const ConfigStanding& standing);
Octets part_message(const ConfigPart& part);
// Sentences are cut where the message, or their length's octet, ends.
Octets verdict_message(const ConfigVerdict& verdict);

// After the kind, to the end. False: it is malformed.
bool read_rest(OctetReader& in, ConfigStanding& standing);
bool read_rest(OctetReader& in, ConfigPart& part);
bool read_rest(OctetReader& in, ConfigVerdict& verdict);

}  // namespace fulcrum
