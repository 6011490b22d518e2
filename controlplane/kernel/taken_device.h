// A kernel network device that a port reads through af_packet or af_xdp, made fit for that: the
// kernel's own stack hears nothing from it (an nftables chain drops its ingress), it says nothing
// on it by itself (IPv6 off), and no offload merges frames or leaves checksums open.
//
// Everything found is kept in a state file until it is given back. After a crash the next start
// takes the device up again, and what it gives back in the end is what the first one found.
// Workers must have stopped before give_back(). Control thread.
#pragma once

#include <string>
#include <vector>

#include "config/model/result.h"
#include "controlplane/kernel/found_state.h"
#include "controlplane/kernel/ingress_drop.h"
#include "controlplane/kernel/kernel_events.h"
#include "controlplane/kernel/netlink.h"
#include "controlplane/kernel/state_file.h"

namespace fulcrum {

class TakenDevice {
  public:
    // Before the first packet, that is before the port is opened. State lies in `state_folder`
    // ("/run/fulcrum") as "taken-eth1". `mtu` is what the device shall have; 0: what it has. On an
    // error the device is as it was.
    static Result<TakenDevice> take(const std::string& device, const std::string& state_folder,
                                    std::uint16_t mtu = 0);

    // As found: IPv6 routes that the operator had set by hand on it excepted. A device that is gone
    // meanwhile is fine.
    Status give_back();
    ~TakenDevice();
    TakenDevice(TakenDevice&& other) noexcept;
    TakenDevice& operator=(TakenDevice&&) = delete;

    // Puts the chain back if somebody has flushed the rule set; true when that was so. To be called
    // every few seconds.
    Result<bool> renew();

    const std::string& device() const { return interface_.name; }
    const MacAddress& mac() const { return interface_.mac; }
    std::uint32_t mtu() const { return interface_.mtu; }
    // What could not be set and does not stop us, as sentences.
    const std::vector<std::string>& warnings() const { return warnings_; }

  private:
    TakenDevice(LinkEvent interface, NetlinkSocket netlink, IngressDrop drop, StateFile file);

    Status learn_found_state();
    Result<FoundState> read_found_state();
    Status make_fit(std::uint16_t mtu);
    void warn_of_ipv4_addresses();
    Status restore_settings();

    LinkEvent interface_;
    NetlinkSocket netlink_;
    IngressDrop drop_;
    StateFile file_;
    FoundState found_;
    bool is_taken_ = false;
    std::vector<std::string> warnings_;
};

}  // namespace fulcrum
