// The features of a network device that ethtool -k lists, by the kernel's own names ("rx-gro",
// "tx-checksum-ip-generic"): what is wanted of it, and which of that can be changed. Control
// thread.
#pragma once

#include <map>
#include <string>

#include "config/model/result.h"

namespace fulcrum {

using DeviceFeatures = std::map<std::string, bool>;  // name -> wanted

// Only those that can be changed.
Result<DeviceFeatures> read_features(const std::string& device);

// Those that are named; a name that the device does not have or that is fixed is passed over.
Status set_features(const std::string& device, const DeviceFeatures& features);

// Whether a device that is read through af_packet must not have it. Merged receives are larger than
// a frame, and unfinished checksums are wrong ones for whoever takes the frame from the wire.
bool is_offload_in_the_way(const std::string& feature);

}  // namespace fulcrum
