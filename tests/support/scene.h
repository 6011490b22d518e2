// A director's forwarding state for tests and benchmarks, made the way the product makes it: a
// configuration and the kernel's tables go in, the compiled snapshot comes out. Two NIC ports: 0 is
// the clients' side, 1 the reals'. Every real is up and every neighbour that is named resolves.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/model/service.h"
#include "config/model/snapshot.h"
#include "controlplane/director_state.h"
#include "controlplane/snapshot_compiler.h"

namespace fulcrum::test {

inline constexpr MacAddress wan_mac{{0x02, 0, 0, 0, 0, 0x01}};
inline constexpr MacAddress lan_mac{{0x02, 0, 0, 0, 0, 0x02}};
inline constexpr MacAddress router_mac{{0x02, 0, 0, 0, 1, 0x01}};
inline constexpr Ipv4Address router = Ipv4Address::of(10, 1, 0, 1);
inline constexpr Ipv6Address router6{{0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

// The MAC address that the scene's neighbour tables have for a real.
MacAddress mac_of(const IpAddress& real);

class Scene {
  public:
    // Addresses 10.1.0.2/16 on port 0 with a default route by 10.1.0.1; 10.2.0.1/16 on port 1. Of
    // IPv6 the networks 2001:db8:1::/64 and 2001:db8:2::/64, and a default route by fe80::1.
    Scene();

    // The service to which `real` adds.
    Scene& service(const std::string& name, Endpoint vip, L4Protocol protocol = L4Protocol::tcp);
    Scene& real(const std::string& name, Endpoint endpoint,
                ForwardingMode forward = ForwardingMode::nat, std::uint32_t weight = 1);
    Scene& fallback(Endpoint endpoint);
    // A further port: this VLAN of port `parent`, in whose network are the neighbours said next.
    Scene& vlan(std::size_t parent, std::uint16_t number, const IpPrefix& network);

    VirtualService& last_service() { return config_.services.back(); }
    Config& config() { return config_; }
    KernelTables& kernel() { return kernel_; }
    DirectorState& state() { return state_; }

    // Compiles what there is now, under a new epoch.
    std::unique_ptr<const Snapshot> snapshot();
    void set_health(const std::string& service, const std::string& real, bool is_up);

  private:
    Config config_;
    KernelTables kernel_;
    DirectorState state_;
    CompiledParts parts_;
};

}  // namespace fulcrum::test
