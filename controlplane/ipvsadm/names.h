// Hosts and ports as ipvsadm prints them: by name, or as numbers when --numeric is given. Asks the
// system's tables of names, which may take a while.
#pragma once

#include <cstdint>
#include <string>

#include "config/model/address.h"

namespace fulcrum {

std::string name_of_host(const IpAddress& address, bool is_numeric);  // of IPv6 in brackets
std::string name_of_port(std::uint16_t port, L4Protocol protocol, bool is_numeric);

}  // namespace fulcrum
