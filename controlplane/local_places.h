// Where each local address has its ports in the workers' memory. A place is for good, from the
// address's first appearance to the director's end: ports may be at rest, and sessions still name
// them, while a reload has taken the address away. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "config/model/result.h"
#include "config/model/service.h"
#include "controlplane/snapshot_compiler.h"

namespace fulcrum {

class LocalPlaces {
  public:
    // Gives places to the addresses that are new; an error changes nothing.
    Status adopt(const Config& config) {
        std::map<IpAddress, std::uint16_t> places = places_;
        for (const NicPort& port : config.ports) {
            for (const IpAddress& address : port.local_addresses) {
                places.emplace(address, static_cast<std::uint16_t>(places.size()));
            }
        }
        if (places.size() > limits::local_addresses_max) {
            return Error{"ports: local_addresses: there have been more than " +
                         std::to_string(limits::local_addresses_max) +
                         " since the start: restart fulcrumd to have others"};
        }
        places_ = std::move(places);
        return done();
    }

    // Of a configuration that has been adopted.
    std::vector<LocalAddressPlan> plan_of(const Config& config) const {
        std::vector<LocalAddressPlan> plan;
        for (std::size_t port = 0; port < config.ports.size(); ++port) {
            for (const IpAddress& address : config.ports[port].local_addresses) {
                plan.push_back({address, places_.at(address), static_cast<std::uint8_t>(port)});
            }
        }
        return plan;
    }

  private:
    std::map<IpAddress, std::uint16_t> places_;
};

}  // namespace fulcrum
