// Applies a decision to the bytes. Checksums are updated by difference, never computed anew. One
// function a kind of rewriting, without modes inside; offsets and lengths come from `parse`, and
// are not doubted here. Worker side.
#pragma once

#include <cstdint>

#include "dataplane/decide.h"
#include "dataplane/parse.h"

namespace fulcrum {

// `decision.verdict` is transmit, `frame` the packet's first octet.
void rewrite(std::uint8_t* frame, const ParsedPacket& packet, const Decision& decision);

}  // namespace fulcrum
