// The nftables chain that keeps the kernel's own stack away from what a device receives. Packet
// sockets (af_packet, XDP) see a frame before it; after it nobody does. Without it the kernel,
// which holds the VIPs on the twins, would answer the very connections that workers carry with
// resets.
//
// One table a device, netdev family, replaced in one transaction, so that there is no moment
// without it. It outlives the process: a director that was killed must not turn into one that
// resets. Spoken in netlink: no other program is run. Control thread.
#pragma once

#include <string>

#include "config/model/result.h"
#include "controlplane/kernel/netlink.h"

namespace fulcrum {

class IngressDrop {
  public:
    static Result<IngressDrop> open(const std::string& device);

    // Puts it up, in place of what a former run or somebody else left under its name.
    Status raise();
    // Done also when it is not there.
    Status lift();
    // Somebody's `nft flush ruleset` takes it away in silence.
    Result<bool> is_up();

    // "fulcrum_eth1", as `nft list ruleset` shows it.
    const std::string& table() const { return table_; }

  private:
    IngressDrop(const std::string& device, NetlinkSocket socket);

    std::string device_;
    std::string table_;
    NetlinkSocket socket_;
};

}  // namespace fulcrum
