// The text forms: an address with its ports and its protocol.
#include "config/model/listener.h"

namespace fulcrum {
namespace {

// As it stands before a port.
std::string host_of(const IpAddress& address) {
    const std::string text = to_string(address);
    return address.is_v4() ? text : "[" + text + "]";
}

}  // namespace

std::string to_string(const ListenPoint& point) {
    return host_of(point.vip)
        .append(":")
        .append(to_string(point.ports))
        .append("/")
        .append(to_string(point.protocol));
}

std::string to_string(const Listener& listener) {
    const std::string vip =
        listener.vip.is_single() ? host_of(listener.vip.address) : to_string(listener.vip);
    return std::string{vip}
        .append(":")
        .append(to_string(listener.ports))
        .append("/")
        .append(to_string(listener.protocol));
}

}  // namespace fulcrum
