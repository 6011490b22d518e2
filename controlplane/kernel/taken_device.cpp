// Taking: write down, drop, then change. Giving back: the same in reverse, the drop last, so that
// the kernel hears nothing of the device before it is its own again.
#include "controlplane/kernel/taken_device.h"

#include <linux/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "controlplane/kernel/interface.h"
#include "controlplane/kernel/ipv6_addresses.h"
#include "controlplane/kernel/proc_sys.h"

namespace fulcrum {

namespace {

constexpr std::uint32_t given_back_flags = IFF_UP | IFF_PROMISC | IFF_ALLMULTI;

std::string ipv6_switch(const std::string& device) {
    return "net/ipv6/conf/" + device + "/disable_ipv6";
}

DeviceIdentity identity_of(const NetlinkSocket& socket, int interface) {
    DeviceIdentity identity{
        .boot = read_proc_sys("kernel/random/boot_id").value_or("unknown"),
        .interface = interface,
    };
    socklen_t size = sizeof(identity.network_namespace);
    // Kernels before 5.14 cannot tell; then 0, and the other two must do.
    getsockopt(socket.fd(), SOL_SOCKET, SO_NETNS_COOKIE, &identity.network_namespace, &size);
    return identity;
}

Status first_failure(std::initializer_list<Status> steps) {
    const auto* failed = std::ranges::find_if(steps, [](const Status& step) { return !step; });
    return failed == steps.end() ? done() : *failed;
}

Error about(const std::string& device, const Error& error) {
    return Error{"device " + device + ": " + error.sentence};
}

}  // namespace

TakenDevice::TakenDevice(LinkEvent interface, NetlinkSocket netlink, IngressDrop drop,
                         StateFile file)
    : interface_{std::move(interface)},
      netlink_{std::move(netlink)},
      drop_{std::move(drop)},
      file_{std::move(file)} {}

TakenDevice::TakenDevice(TakenDevice&& other) noexcept
    : interface_{std::move(other.interface_)},
      netlink_{std::move(other.netlink_)},
      drop_{std::move(other.drop_)},
      file_{std::move(other.file_)},
      found_{std::move(other.found_)},
      is_taken_{std::exchange(other.is_taken_, false)},
      warnings_{std::move(other.warnings_)} {}

TakenDevice::~TakenDevice() {
    const Status given = give_back();
    static_cast<void>(given);  // whoever wants to know calls give_back() himself
}

Result<TakenDevice> TakenDevice::take(const std::string& device, const std::string& state_folder,
                                      std::uint16_t mtu) {
    auto netlink = NetlinkSocket::open(NETLINK_ROUTE);
    if (!netlink) {
        return about(device, netlink.error());
    }
    auto interface = read_interface(*netlink, device);
    if (!interface) {
        return interface.error();
    }
    auto drop = IngressDrop::open(device);
    if (!drop) {
        return drop.error();
    }
    auto file = StateFile::open(state_folder, "taken-" + device);
    if (!file) {
        return about(device, file.error());
    }
    TakenDevice taken{std::move(*interface), std::move(*netlink), std::move(*drop),
                      std::move(*file)};
    if (auto learnt = taken.learn_found_state(); !learnt) {
        return about(device, learnt.error());
    }
    taken.is_taken_ = true;  // from here on the destructor gives back
    if (auto fit = taken.make_fit(mtu); !fit) {
        return fit.error();
    }
    taken.warn_of_ipv4_addresses();
    return taken;
}

Status TakenDevice::learn_found_state() {
    const auto text = file_.read();
    if (!text) {
        return text.error();
    }
    auto kept = decode_found_state(*text);
    if (kept && kept->identity == identity_of(netlink_, interface_.interface)) {
        found_ = std::move(*kept);
        return done();
    }
    auto found = read_found_state();
    if (!found) {
        return found.error();
    }
    found_ = std::move(*found);
    return file_.write(encode(found_));
}

Result<FoundState> TakenDevice::read_found_state() {
    const auto features = read_features(device());
    if (!features) {
        return features.error();
    }
    const auto ipv6_addresses = read_ipv6_addresses(netlink_, interface_.interface);
    if (!ipv6_addresses) {
        return ipv6_addresses.error();
    }
    FoundState found{.identity = identity_of(netlink_, interface_.interface),
                     .is_up = (interface_.flags & IFF_UP) != 0,
                     .is_promiscuous = (interface_.flags & IFF_PROMISC) != 0,
                     .is_allmulti = (interface_.flags & IFF_ALLMULTI) != 0,
                     .mtu = interface_.mtu,
                     .disable_ipv6 = read_proc_sys(ipv6_switch(device())),
                     .ipv6_addresses = *ipv6_addresses};
    for (const auto& [name, is_on] : *features) {
        if (is_offload_in_the_way(name)) {
            found.features[name] = is_on;
        }
    }
    return found;
}

Status TakenDevice::make_fit(std::uint16_t mtu) {
    if (auto raised = drop_.raise(); !raised) {
        return raised;
    }
    DeviceFeatures off = found_.features;
    for (auto& [name, is_on] : off) {
        is_on = false;
    }
    if (auto set = set_features(device(), off); !set) {
        return set;
    }
    if (found_.disable_ipv6) {
        if (auto written = write_proc_sys(ipv6_switch(device()), "1"); !written) {
            warnings_.push_back(
                "device " + device() +
                ": the kernel will send IPv6 chatter on it: " + written.error().sentence);
        }
    }
    if (mtu != 0) {
        if (auto changed = change_interface(netlink_, interface_, {.mtu = mtu}); !changed) {
            return Error{changed.error().sentence + " (mtu: " + std::to_string(mtu) + ")"};
        }
    }
    return change_interface(netlink_, interface_, {.flags_mask = IFF_UP, .flags = IFF_UP});
}

void TakenDevice::warn_of_ipv4_addresses() {
    const auto addresses = read_addresses(netlink_, interface_.interface);
    if (!addresses) {
        return;
    }
    for (const AddressEvent& address : *addresses) {
        if (!address.address.address.is_v4()) {
            continue;  // gone with IPv6 itself
        }
        warnings_.push_back("device " + device() + ": has the address " +
                            to_string(address.address) +
                            ", whose route hides the twin's; give it to the port instead (ip "
                            "address del " +
                            to_string(address.address) + " dev " + device() + ")");
    }
}

Status TakenDevice::give_back() {
    if (!std::exchange(is_taken_, false)) {
        return done();
    }
    Status settings = done();
    const auto now = read_interface(netlink_, device());
    if (now && now->interface == interface_.interface) {
        settings = restore_settings();
    }
    const Status lifted = drop_.lift();
    const Status removed = settings && lifted ? file_.remove() : done();
    return first_failure({settings, lifted, removed});
}

Status TakenDevice::restore_settings() {
    const Status features = set_features(device(), found_.features);
    std::uint32_t flags = 0;
    flags |= found_.is_up ? std::uint32_t{IFF_UP} : 0;
    flags |= found_.is_promiscuous ? std::uint32_t{IFF_PROMISC} : 0;
    flags |= found_.is_allmulti ? std::uint32_t{IFF_ALLMULTI} : 0;
    const Status link = change_interface(
        netlink_, interface_, {.mtu = found_.mtu, .flags_mask = given_back_flags, .flags = flags});
    // Where it could not be written at the start, that was said then.
    const bool is_ipv6_restored =
        found_.disable_ipv6 &&
        write_proc_sys(ipv6_switch(device()), *found_.disable_ipv6).has_value();
    const Status addresses =
        is_ipv6_restored && found_.disable_ipv6 == "0"
            ? add_ipv6_addresses(netlink_, interface_.interface, found_.ipv6_addresses)
            : done();
    return first_failure({features, link, addresses});
}

Result<bool> TakenDevice::renew() {
    const auto is_up = drop_.is_up();
    if (!is_up) {
        return is_up.error();
    }
    if (*is_up) {
        return false;
    }
    if (auto raised = drop_.raise(); !raised) {
        return raised.error();
    }
    return true;
}

}  // namespace fulcrum
