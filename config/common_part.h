// What two directors of a pair have in common, and what is each one's own. Common is what is
// served, and how: `services` with all that stands in them, `vips`, `marks`, `timeouts`, and
// `director.seed`. Everything else is a node's own: its name, workers and memory, ports, control
// socket, reload, metrics, log, mail, hook, groups and its place in the pair.
//
// The common part goes over as text in the file's own language and is read by the loader as any
// other file, so what one director accepted is doubted again by the other. The seed does not go
// over: directors whose seeds differ do not talk at all. Nor do files go over that services name.
// File I/O of those; the helper thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/loader.h"
#include "config/model/service.h"

namespace fulcrum {

// The same with nothing that is a node's own.
Config common_part_of(const Config& config);

// Whether it goes over to the other director, or comes from there.
inline bool replicates(const Config& config) {
    return config.pair && config.pair->replicates_config;
}

// Equal for two configurations of which that is the same.
std::uint64_t checksum_of_service(const Config& config);

// What `own` is with this common part, as write_common_part wrote it elsewhere, in place of its
// own. The sentences name no places: the text stands in no file.
LoadOutcome with_common_part(const Config& own, std::string_view common);

}  // namespace fulcrum
