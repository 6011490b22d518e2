// What concerns the other director of a pair: how it stands with it, and a key for both.
#pragma once

#include <string>

#include "controlplane/fulcrumctl/actions.h"

namespace fulcrum {

// The reply to "peer".
std::string show_peer(const Json& result);
// The line of it in the reply to "status"; empty: the director is alone.
std::string show_peer_in_status(const Json& status);

// Writes a new key to `options.target`, which must not be there yet, for its owner alone.
int make_pair_key(const Options& options);

}  // namespace fulcrum
