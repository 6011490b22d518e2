// How a real in full NAT, which sees a local address of the director, learns whose connection it
// is. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace fulcrum {

enum class ClientAddressBy : std::uint8_t {
    none,   // not at all
    proxy,  // by a PROXY protocol header, version 2, before the client's first octet
    toa,    // by a TCP option (kind 254) of the first segments
};

constexpr std::string_view to_string(ClientAddressBy way) {
    switch (way) {
        case ClientAddressBy::none:
            return "none";
        case ClientAddressBy::proxy:
            return "proxy";
        case ClientAddressBy::toa:
            return "toa";
    }
    return "unknown";
}

}  // namespace fulcrum
