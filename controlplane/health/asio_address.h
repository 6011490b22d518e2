// An address of ours as asio's sockets want it.
#pragma once

#include <asio/ip/address.hpp>

#include "config/model/address.h"

namespace fulcrum {

inline asio::ip::address asio_address(const IpAddress& address) {
    if (address.is_v4()) {
        return asio::ip::address_v4{address.v4().host()};
    }
    return asio::ip::address_v6{address.v6().octets};
}

// Of asio::ip::tcp::endpoint and its like.
template <typename AsioEndpoint>
AsioEndpoint asio_endpoint(const Endpoint& target) {
    return AsioEndpoint{asio_address(target.address), target.port.host()};
}

}  // namespace fulcrum
