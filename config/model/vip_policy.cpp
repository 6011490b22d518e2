// Its words.
#include "config/model/vip_policy.h"

namespace fulcrum {

std::string addresses_of(const VipPolicy& policy) {
    const IpPrefix& block = policy.addresses;
    return block.is_single() ? to_string(block.address) : to_string(block);
}

std::string_view to_string(OtherTraffic other) {
    switch (other) {
        case OtherTraffic::punt:
            return "punt";
        case OtherTraffic::reset:
            return "reset";
        case OtherTraffic::drop:
            return "drop";
    }
    return "unknown";
}

}  // namespace fulcrum
