// One path of a group: a raw socket at a port's twin that sends and hears VRRP, to all of the link
// by multicast or to one peer. It knows nothing of what adverts say. The control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "config/model/address.h"
#include "config/model/result.h"
#include "controlplane/event_loop.h"
#include "controlplane/kernel/file_descriptor.h"
#include "controlplane/roles/vrrp_packet.h"

namespace fulcrum {

class AdvertSocket {
  public:
    struct Place {
        std::string twin;
        IpAddress source;  // whose IP version is the path's
        IpAddress peer;    // unspecified: all of the link
    };
    using Heard = std::function<void(std::span<const std::uint8_t> octets, const AdvertEnds& ends)>;

    static Result<std::unique_ptr<AdvertSocket>> open(EventLoop& loop, const Place& place,
                                                      Heard heard);

    AdvertEnds ends_of_ours() const { return {place_.source, destination_}; }
    bool send(std::span<const std::uint8_t> octets);  // false: it has not left
    // What has come meanwhile. By itself it is read in a turn of its own.
    void read();

  private:
    AdvertSocket(Place place, Heard heard);
    Status set_up_v4();
    Status set_up_v6();
    void take(std::span<const std::uint8_t> packet, AdvertEnds ends);

    Place place_;
    IpAddress destination_;
    Heard heard_;
    int interface_ = 0;
    FileDescriptor socket_;
    std::unique_ptr<DescriptorWatch> watch_;  // last: goes before the socket is closed
};

}  // namespace fulcrum
