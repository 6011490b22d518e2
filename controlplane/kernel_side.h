// Our part of the kernel, as one piece: the devices taken from it, the twins that stand in for
// them, the VIPs on the twins, and the mirror of its tables. Follows the configuration, keeps what
// is ours alive, and gives everything back. Control thread; only take_devices() and open() wait.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model/paths.h"
#include "config/model/result.h"
#include "config/model/service.h"
#include "controlplane/address_watch.h"
#include "controlplane/event_loop.h"
#include "controlplane/kernel/kernel_mirror.h"
#include "controlplane/kernel/netlink.h"
#include "controlplane/kernel/taken_device.h"
#include "controlplane/kernel/twin_interface.h"
#include "controlplane/kernel/vip_placement.h"
#include "controlplane/log.h"
#include "controlplane/roles/role.h"

namespace fulcrum {

// Before EAL opens the ports, or the kernel would answer for us in between. `state_folder` holds
// what the devices were like.
class TakenDevices {
  public:
    static Result<TakenDevices> take(const std::vector<NicPort>& ports,
                                     const std::string& state_folder, Log& log);
    // After the ports are closed.
    void give_back(Log& log);
    void renew(Log& log);

  private:
    std::vector<TakenDevice> devices_;
};

class KernelSide {
  public:
    // `links` by port index.
    static Result<std::unique_ptr<KernelSide>> open(const Config& config,
                                                    const std::vector<PortLink>& links, Log& log);

    std::vector<int> tap_fds() const;
    // As they are now; later ones come by follow().
    std::shared_ptr<const KernelTables> tables();

    // From here on the loop drives us: `on_change` gets the tables whenever they differ.
    using OnChange = std::function<void(std::shared_ptr<const KernelTables>)>;
    void follow(EventLoop& loop, TakenDevices& devices, OnChange on_change,
                AddressWatch::OnClaim on_claim);
    // VIPs and addresses of this configuration; keeps its reals' neighbours alive.
    void adopt(const Config& config);
    // Which groups' addresses the twins hold: those that this director is active in.
    void take_roles(const GroupRoles& roles);
    void want_neighbour(std::uint8_t port, const IpAddress& neighbour);
    std::vector<std::string> conflicts() const;  // who else is at our addresses
    // Called whenever somebody else claims one of them. Before follow().
    void on_rival(std::function<void(const IpAddress&)> heard) { on_rival_ = std::move(heard); }
    // The clean end.
    void retire();

  private:
    KernelSide(Log& log, std::vector<TwinInterface> twins, KernelMirror mirror,
               std::vector<AddressWatch::Link> links);

    std::vector<IpAddress> all_vips() const;
    void hold_addresses();
    void take_changes();
    void watch_rules(EventLoop& loop);
    void watch_addresses(EventLoop& loop, AddressWatch::OnClaim on_claim);
    void place_vips();
    void keep_alive();

    Log& log_;
    std::vector<TwinInterface> twins_;
    std::vector<AddressWatch::Link> links_;
    KernelMirror mirror_;
    OnChange on_change_;
    TakenDevices* devices_ = nullptr;
    std::vector<std::vector<PlacedAddress>> placed_;  // by port index
    std::vector<std::string> groups_;                 // their names
    GroupRoles roles_;
    std::vector<std::vector<IpAddress>> vips_;  // by port index: what is held now
    std::vector<IpAddress> reals_;
    std::unique_ptr<DescriptorWatch> watch_;
    std::optional<NetlinkSocket> rules_;  // says when somebody changes nftables
    std::unique_ptr<DescriptorWatch> rules_watch_;
    std::unique_ptr<AddressWatch> addresses_;  // null: the kernel has no packet sockets for us
    std::function<void(const IpAddress&)> on_rival_;
    std::unique_ptr<Timer> next_vips_;
    std::unique_ptr<Timer> next_renewal_;
};

}  // namespace fulcrum
