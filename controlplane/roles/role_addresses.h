// Which addresses a group has where: on its links, in its adverts, and as the adverts' source.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "config/model/service.h"
#include "controlplane/roles/announcer.h"

namespace fulcrum {

// Where a path's adverts come from. The rules have seen to it that the port has such an address.
IpAddress source_of(const AdvertPath& path, const NicPort& port, const MacAddress& mac);

// By group: where its addresses live. One that no network of its port holds is routed to us, and
// the link has nothing to know of it.
std::vector<std::vector<Announcer::Place>> places_of(const Config& config);

// What adverts name: VIPs and the other floating addresses of one IP version, as far as they fit.
std::vector<IpAddress> named_in_adverts(const Config& config, std::size_t group, IpFamily family);

std::string in_words(const std::vector<Announcer::Place>& places);  // "203.0.113.80, 192.0.2.1"

}  // namespace fulcrum
