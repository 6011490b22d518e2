// Each port against those before it. A clash names the place of the other party.
#include "config/port_rules.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <unordered_map>

#include "config/wording.h"

namespace fulcrum {

std::string objection_in_network(const IpPrefix& prefix, const IpAddress& address) {
    if (prefix.length + 2U > prefix.length_max() || !prefix.contains(address)) {
        return {};
    }
    const bool names_network = address == prefix.network();
    const bool is_broadcast =
        address.is_v4() &&
        (address.v4().host() | (~std::uint32_t{0} << (32 - prefix.length))) == ~std::uint32_t{0};
    if (!names_network && !is_broadcast) {
        return {};
    }
    return (is_broadcast ? "is the broadcast address of "
                         : "is no host's, but names the network ") +
           to_string(IpPrefix{prefix.network(), prefix.length});
}

namespace {

class PortRules {
  public:
    PortRules(const Config& config, Findings& findings) : config_{config}, findings_{findings} {}

    void check() {
        for (const NicPort& port : config_.ports) {
            check_name(port);
            check_clashes(port);
            check_vlan(port);
            check_addresses(port);
        }
    }

  private:
    void check_name(const NicPort& port);
    void check_clashes(const NicPort& port);
    void check_vlan(const NicPort& port);
    void check_addresses(const NicPort& port);
    void refuse(const NicPort& port, const std::string& sentence) {
        findings_.refuse(port.place, "port " + in_quotes(port.name) + ": " + sentence);
    }
    static bool is_interface(const NicPort& port) {
        return port.kind == DeviceKind::af_packet || port.kind == DeviceKind::af_xdp;
    }

    const Config& config_;
    Findings& findings_;
    std::unordered_map<IpAddress, const NicPort*> held_;
};

void PortRules::check_name(const NicPort& port) {
    constexpr std::size_t interface_name_length_max = 15;
    constexpr std::array<std::string_view, 3> taken{"lo", "all", "default"};
    if (port.name.size() > interface_name_length_max) {
        refuse(port,
               "the name is also that of the kernel's twin interface, which has at most 15 "
               "characters");
    }
    if (std::find(taken.begin(), taken.end(), port.name) != taken.end()) {
        refuse(port, "the kernel means something else by this name: choose another");
    }
    for (const NicPort& other : config_.ports) {
        if (is_interface(other) && !port.name.empty() && other.device == port.name) {
            refuse(port, "the twin interface cannot have the name of a device" +
                             at_place(other.place) + ": choose another");
        }
    }
}

void PortRules::check_clashes(const NicPort& port) {
    for (const NicPort& other : config_.ports) {
        if (&other == &port) {
            return;  // the rest is compared when its turn comes
        }
        if (!port.name.empty() && other.name == port.name) {
            refuse(port, "the name is already that of a port" + at_place(other.place));
        }
        const bool is_same_kind =
            other.kind == port.kind || (is_interface(other) && is_interface(port));
        if (!port.device.empty() && other.device == port.device && is_same_kind) {
            refuse(port, "the device " + in_quotes(port.device) + " is already that of the port " +
                             in_quotes(other.name) + at_place(other.place));
        }
    }
}

void PortRules::check_vlan(const NicPort& port) {
    if (port.parent.empty()) {
        if (port.vlan != 0) {
            refuse(port, "vlan: " + std::to_string(port.vlan) +
                             " needs a parent, the port whose frames have that tag");
        }
        return;
    }
    if (!port.device.empty()) {
        refuse(port, "device: a port with a parent has its parent's");
    }
    if (port.mtu != 0) {
        refuse(port, "mtu: a port with a parent has its parent's");
    }
    if (port.vlan == 0) {
        refuse(port, "the key vlan is missing: it says which of the VLANs of the port " +
                         in_quotes(port.parent) + " this is");
    }
    const auto parent = std::ranges::find(config_.ports, port.parent, &NicPort::name);
    if (parent == config_.ports.end()) {
        refuse(port, "parent: there is no port " + in_quotes(port.parent));
    } else if (!parent->parent.empty()) {
        refuse(port, "parent: " + in_quotes(port.parent) + at_place(parent->place) +
                         " is a VLAN itself, and there are none within VLANs");
    }
    for (const NicPort& other : config_.ports) {
        if (&other == &port) {
            return;
        }
        if (other.parent == port.parent && other.vlan == port.vlan && port.vlan != 0) {
            refuse(port, "vlan: " + std::to_string(port.vlan) + " of the port " +
                             in_quotes(port.parent) + " is already the port " +
                             in_quotes(other.name) + at_place(other.place));
        }
    }
}

void PortRules::check_addresses(const NicPort& port) {
    for (const IpPrefix& prefix : port.addresses) {
        const std::string objection = objection_in_network(prefix, prefix.address);
        if (!objection.empty()) {
            refuse(port, "addresses: " + to_string(prefix) + " " + objection);
        }
        const auto [held, is_new] = held_.emplace(prefix.address, &port);
        if (!is_new) {
            refuse(port, "addresses: " + to_string(prefix) + " is already held by the port " +
                             in_quotes(held->second->name) + at_place(held->second->place));
        }
    }
}

}  // namespace

void check_ports(const Config& config, Findings& findings) { PortRules{config, findings}.check(); }

}  // namespace fulcrum
