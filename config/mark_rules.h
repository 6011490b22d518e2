// Marks: what a firewall's marks are elsewhere. A mark's rules name VIPs, protocols and ports; a
// service with that mark gets what they name before any other service does, and serves it with one
// set of reals. Pure; used by the loader, by edits and by `validate`.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "config/findings.h"
#include "config/model/service.h"

namespace fulcrum {

// Gives each service the rules of its marks, and then its only port, if it has one, to those of its
// reals that name none. To be repeated whenever marks or services change.
void gather_marked(Config& config);

// What marks leave to others.
class MarkedPoints {
  public:
    explicit MarkedPoints(const Config& config);
    // Whether a mark has all of this point of a service that is not the mark's.
    bool have(const VirtualService& service, const ListenPoint& point) const;

  private:
    struct Holder {
        const VirtualService* service;
        PortRange ports;
    };
    std::map<std::pair<IpAddress, L4Protocol>, std::vector<Holder>> holders_;
};

void check_marks(const Config& config, Findings& findings);

}  // namespace fulcrum
