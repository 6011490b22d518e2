// What holds at a VIP's address beyond its services. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/model/address.h"
#include "config/model/source_place.h"

namespace fulcrum {

// What becomes of packets of the services' protocols at a VIP's address that are no service's.
enum class OtherTraffic : std::uint8_t {
    punt,   // the kernel's
    reset,  // TCP: RST; UDP: "port unreachable"
    drop,
};

// What holds for all traffic at the addresses of a block that are VIPs.
struct VipPolicy {
    IpPrefix addresses;
    OtherTraffic other = OtherTraffic::punt;
    SourcePlace place;

    friend bool operator==(const VipPolicy&, const VipPolicy&) = default;
};

std::string addresses_of(const VipPolicy& policy);  // "192.0.2.1", "192.0.2.0/28"
std::string_view to_string(OtherTraffic other);

}  // namespace fulcrum
