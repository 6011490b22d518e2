// The kernel's twin of a NIC port: a persistent TAP of the port's name, MAC and MTU. What the
// workers punt enters the kernel there, and what the kernel sends comes out there; it carries the
// port's addresses and the VIPs, so that the kernel answers ARP for them, BIRD and sshd just work,
// and checks leave by the same port as traffic.
//
// The twin outlives the process, and with it addresses, routes and neighbours. What we put on it
// carries our mark (IFA_PROTO, kernel 5.18 and later), so that a later start knows ours from the
// operator's: ours follow the configuration, the operator's stay. Control thread; the descriptor is
// read and written by the twin thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/model/address.h"
#include "config/model/result.h"
#include "controlplane/kernel/file_descriptor.h"
#include "controlplane/kernel/kernel_events.h"
#include "controlplane/kernel/netlink.h"

namespace fulcrum {

// By which a twin asks its link for neighbours; made of the MAC address (RFC 4291, appendix A).
IpPrefix link_local_of(const MacAddress& mac);

struct TwinWish {
    std::string name;  // the port's
    MacAddress mac;
    std::uint16_t mtu = 1'500;
    std::vector<IpPrefix> addresses;
    bool speaks_ipv6 = false;
};

class TwinInterface {
  public:
    // Creates the twin or takes up the one that is there, gives it its addresses and sets it up.
    // VIPs of an earlier run are still on it: the first set_vips() keeps those that are still ours
    // and removes the rest.
    static Result<TwinInterface> open(const TwinWish& wish);

    const std::string& name() const { return interface_.name; }
    // Frames without any prefix (no virtio header), complete checksums, at most the MTU and 14
    // octets; non-blocking.
    int fd() const { return tap_.get(); }
    // What could not be set and does not stop us, as sentences.
    const std::vector<std::string>& warnings() const { return warnings_; }

    // Replaces our own; an address that the operator has put there stays.
    Status set_addresses(const std::vector<IpPrefix>& addresses);
    // At most `changes_max` addresses in this call, because the kernel takes some 20 to 60 us for
    // each (tests/unit/twin_interface_test.cpp). True when all is done; else call again in a later
    // turn of the loop.
    Result<bool> set_vips(const std::vector<IpAddress>& vips,
                          std::size_t changes_max = changes_unlimited);
    static constexpr std::size_t changes_unlimited = ~std::size_t{0};

    // The clean end: takes our VIPs away and sets the twin down, so that the kernel neither answers
    // for them on the port that it has got back nor routes into a TAP that nobody reads. Addresses
    // stay for the next start.
    Status retire();
    // Also forgets the twin: it vanishes with this object.
    Status remove();

  private:
    TwinInterface(FileDescriptor tap, NetlinkSocket netlink)
        : tap_{std::move(tap)}, netlink_{std::move(netlink)} {}

    Status set_link(const TwinWish& wish);
    void set_arp_and_filter();
    void set_ipv6();
    void write_settings(const std::string& folder,
                        std::span<const std::pair<const char*, const char*>> wishes);
    Result<bool> replace_marked(std::uint8_t mark, std::vector<IpPrefix> wanted,
                                std::size_t changes_max);
    Result<std::size_t> remove_unwanted(std::uint8_t mark, const std::vector<IpPrefix>& wanted,
                                        const std::vector<AddressEvent>& held,
                                        std::size_t changes_max);

    FileDescriptor tap_;
    NetlinkSocket netlink_;
    LinkEvent interface_;
    std::vector<std::string> warnings_;
};

}  // namespace fulcrum
