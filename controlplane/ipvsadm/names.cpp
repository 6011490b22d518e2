// What has no name is shown as a number.
#include "controlplane/ipvsadm/names.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <array>

namespace fulcrum {
namespace {

std::string resolved(const IpAddress& address) {
    std::array<char, NI_MAXHOST> name{};
    sockaddr_in ipv4{};
    sockaddr_in6 ipv6{};
    ipv4.sin_family = AF_INET;
    ipv6.sin6_family = AF_INET6;
    if (address.is_v4()) {
        ipv4.sin_addr.s_addr = htonl(address.v4().host());
    } else {
        std::ranges::copy(address.v6().octets, ipv6.sin6_addr.s6_addr);
    }
    const auto* const place = address.is_v4() ? reinterpret_cast<const sockaddr*>(&ipv4)
                                              : reinterpret_cast<const sockaddr*>(&ipv6);
    const socklen_t size = address.is_v4() ? sizeof ipv4 : sizeof ipv6;
    const bool is_found =
        getnameinfo(place, size, name.data(), name.size(), nullptr, 0, NI_NAMEREQD) == 0;
    return is_found ? std::string{name.data()} : to_string(address);
}

}  // namespace

std::string name_of_host(const IpAddress& address, bool is_numeric) {
    const std::string name = is_numeric ? to_string(address) : resolved(address);
    return address.is_v4() ? name : "[" + name + "]";
}

std::string name_of_port(std::uint16_t port, L4Protocol protocol, bool is_numeric) {
    const std::string protocol_name{to_string(protocol)};
    const servent* const service =
        is_numeric || port == 0 ? nullptr : getservbyport(htons(port), protocol_name.c_str());
    return service == nullptr ? std::to_string(port) : std::string{service->s_name};
}

}  // namespace fulcrum
