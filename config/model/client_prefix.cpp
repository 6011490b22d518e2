// Text.
#include "config/model/client_prefix.h"

namespace fulcrum {

std::string to_string(const ClientPrefix& client) {
    const auto address = Ipv4Address::from_host(static_cast<std::uint32_t>(client.low));
    return to_string(Ipv4Prefix{address, static_cast<std::uint8_t>(client.length - 96)});
}

}  // namespace fulcrum
