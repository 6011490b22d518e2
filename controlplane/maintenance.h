// The maintenance folder: a file in it, whatever it holds, drains the reals that its name means,
// and they return when it goes. A name is a real's or a service's, an address, or an address and
// port: "web1", "shop", "192.168.10.11", "192.168.10.11:8080", "[2001:db8::11]:8080".
#pragma once

#include <set>
#include <string>

#include "config/model/address.h"

namespace fulcrum {

// The names of the files that are in the folder now; of one that cannot be read, none. Not for the
// loop's thread.
std::set<std::string> names_in_folder(const std::string& folder);

// Whether one of the names means the real. Pure.
bool is_in_maintenance(const std::set<std::string>& names, const std::string& service,
                       const std::string& real, const Endpoint& endpoint);

}  // namespace fulcrum
