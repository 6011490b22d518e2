// Taking, following, giving back.
#include "controlplane/kernel_side.h"

#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <set>
#include <utility>

namespace fulcrum {
namespace {

constexpr Duration renewal_period = 1s;
// Some 60 us each in the kernel: a turn of the loop stays below 10 ms.
constexpr std::size_t vip_changes_per_turn_max = 100;
constexpr std::size_t rule_changes_per_turn_max = 256;

bool is_kernel_device(DeviceKind kind) {
    return kind == DeviceKind::af_packet || kind == DeviceKind::af_xdp;
}

}  // namespace

Result<TakenDevices> TakenDevices::take(const std::vector<NicPort>& ports,
                                        const std::string& state_folder, Log& log) {
    TakenDevices taken;
    for (const NicPort& port : ports) {
        if (!is_kernel_device(port.kind)) {
            continue;
        }
        Result<TakenDevice> device = TakenDevice::take(port.device, state_folder, port.mtu);
        if (!device) {
            return device.error();
        }
        for (const std::string& warning : device->warnings()) {
            log.warning(LogArea::kernel, warning);
        }
        taken.devices_.push_back(std::move(*device));
    }
    return taken;
}

void TakenDevices::give_back(Log& log) {
    for (TakenDevice& device : devices_) {
        if (const Status given = device.give_back(); !given) {
            log.error(LogArea::kernel, given.error().sentence);
        }
    }
}

void TakenDevices::renew(Log& log) {
    for (TakenDevice& device : devices_) {
        const Result<bool> renewed = device.renew();
        if (!renewed) {
            log.error(LogArea::kernel, renewed.error().sentence);
        } else if (*renewed) {
            log.warning(LogArea::kernel, "device \"" + device.device() +
                                             "\": somebody removed the chain that keeps the kernel "
                                             "from answering for us; it is back");
        }
    }
}

Result<std::unique_ptr<KernelSide>> KernelSide::open(const Config& config,
                                                     const std::vector<PortLink>& links, Log& log) {
    std::vector<TwinInterface> twins;
    std::vector<std::string> names;
    std::vector<AddressWatch::Link> watched;
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        const NicPort& port = config.ports[i];
        Result<TwinInterface> twin = TwinInterface::open(
            {port.name, links[i].mac, links[i].mtu, port.addresses, speaks_ipv6(config)});
        if (!twin) {
            return twin.error();
        }
        for (const std::string& warning : twin->warnings()) {
            log.warning(LogArea::kernel, warning);
        }
        // What an earlier run has left there may be the other director's by now.
        if (!config.groups.empty()) {
            if (const Result<bool> emptied = twin->set_vips({}); !emptied) {
                return emptied.error();
            }
        }
        names.push_back(port.name);
        watched.push_back({port.name, links[i].mac});
        twins.push_back(std::move(*twin));
    }
    Result<KernelMirror> mirror = KernelMirror::open(names);
    if (!mirror) {
        return mirror.error();
    }
    return std::unique_ptr<KernelSide>{
        new KernelSide{log, std::move(twins), std::move(*mirror), std::move(watched)}};
}

KernelSide::KernelSide(Log& log, std::vector<TwinInterface> twins, KernelMirror mirror,
                       std::vector<AddressWatch::Link> links)
    : log_{log}, twins_{std::move(twins)}, links_{std::move(links)}, mirror_{std::move(mirror)} {}

std::vector<int> KernelSide::tap_fds() const {
    std::vector<int> fds;
    for (const TwinInterface& twin : twins_) {
        fds.push_back(twin.fd());
    }
    return fds;
}

std::shared_ptr<const KernelTables> KernelSide::tables() {
    mirror_.on_readable();
    return std::make_shared<const KernelTables>(mirror_.tables());
}

void KernelSide::follow(EventLoop& loop, TakenDevices& devices, OnChange on_change,
                        AddressWatch::OnClaim on_claim) {
    devices_ = &devices;
    on_change_ = std::move(on_change);
    next_vips_ = std::make_unique<Timer>(loop);
    next_renewal_ = std::make_unique<Timer>(loop);
    watch_ = std::make_unique<DescriptorWatch>(loop, mirror_.fd(),
                                               [this](DescriptorWatch::Ready) { take_changes(); });
    watch_->want(/*to_read=*/true, /*to_write=*/false);
    watch_rules(loop);
    watch_addresses(loop, std::move(on_claim));
    on_change_(tables());
    keep_alive();
}

void KernelSide::take_changes() {
    if (mirror_.on_readable()) {
        on_change_(std::make_shared<const KernelTables>(mirror_.tables()));
    }
}

// The kernel would answer for us from the moment that somebody's `nft flush ruleset` takes our
// chain away: it is put back as soon as it is missed. The renewal behind it finds what this one
// does not hear of.
void KernelSide::watch_rules(EventLoop& loop) {
    auto socket = NetlinkSocket::open(NETLINK_NETFILTER, 1U << (NFNLGRP_NFTABLES - 1));
    if (!socket) {
        log_.warning(LogArea::kernel,
                     "changes of nftables are found by asking every second only: " +
                         socket.error().sentence);
        return;
    }
    rules_ = std::move(*socket);
    rules_watch_ =
        std::make_unique<DescriptorWatch>(loop, rules_->fd(), [this](DescriptorWatch::Ready) {
            using Reading = NetlinkSocket::Reading;
            for (std::size_t n = 0; n < rule_changes_per_turn_max; ++n) {
                if (rules_->read_datagram([](const nlmsghdr*) {}) == Reading::nothing) {
                    break;
                }
            }
            devices_->renew(log_);
        });
    rules_watch_->want(/*to_read=*/true, /*to_write=*/false);
}

void KernelSide::watch_addresses(EventLoop& loop, AddressWatch::OnClaim on_claim) {
    auto watch = AddressWatch::open(loop, links_, log_, std::move(on_claim));
    if (!watch) {
        return log_.warning(LogArea::kernel, watch.error().sentence);
    }
    addresses_ = std::move(*watch);
    addresses_->on_rival(on_rival_);
    addresses_->follow(all_vips());
}

std::vector<IpAddress> KernelSide::all_vips() const {
    std::vector<IpAddress> all;
    for (const std::vector<IpAddress>& vips : vips_) {
        all.insert(all.end(), vips.begin(), vips.end());
    }
    return all;
}

std::vector<std::string> KernelSide::conflicts() const {
    return addresses_ == nullptr ? std::vector<std::string>{} : addresses_->conflicts();
}

void KernelSide::adopt(const Config& config) {
    placed_ = fulcrum::place_vips(config);
    groups_.clear();
    for (const RoleGroup& group : config.groups) {
        groups_.push_back(group.name);
    }
    std::set<IpAddress> reals;
    const auto note = [&](const IpAddress& address) {
        const bool is_ours =
            address.is_loopback() || std::ranges::any_of(config.ports, [&](const NicPort& port) {
                return std::ranges::find(port.addresses, address, &IpPrefix::address) !=
                       port.addresses.end();
            });
        if (!is_ours) {  // nobody has to be asked where we are
            reals.insert(address);
        }
    };
    for (const VirtualService& service : config.services) {
        for (const RealServer& real : service.reals) {
            note(real.endpoint.address);
        }
        if (service.fallback) {
            note(service.fallback->endpoint.address);
        }
    }
    reals_.assign(reals.begin(), reals.end());
    hold_addresses();
}

void KernelSide::take_roles(const GroupRoles& roles) {
    roles_ = roles;
    hold_addresses();
}

void KernelSide::hold_addresses() {
    const auto is_held = [this](const PlacedAddress& placed) {
        return placed.group == GroupsOfAddresses::none ||
               role_in(roles_, groups_[placed.group]) == GroupRole::active;
    };
    vips_.assign(placed_.size(), {});
    for (std::size_t port = 0; port < placed_.size(); ++port) {
        for (const PlacedAddress& placed : placed_[port]) {
            if (is_held(placed)) {
                vips_[port].push_back(placed.address);
            }
        }
    }
    if (addresses_ != nullptr) {
        addresses_->follow(all_vips());
    }
    place_vips();
}

void KernelSide::place_vips() {
    bool has_more = false;
    bool has_failed = false;
    for (std::size_t port = 0; port < vips_.size(); ++port) {
        const Result<bool> placed = twins_[port].set_vips(vips_[port], vip_changes_per_turn_max);
        if (!placed) {
            log_.error(LogArea::kernel, placed.error().sentence);
            has_failed = true;
        } else {
            has_more |= !*placed;
        }
    }
    if (has_more) {
        next_vips_->after(Duration{0}, [this] { place_vips(); });
    } else if (has_failed) {
        next_vips_->after(1s, [this] { place_vips(); });
    }
}

// The kernel never sees the workers' traffic to reals and gateways, and would forget their MAC
// addresses. Also the time to look whether all else of ours still stands.
void KernelSide::keep_alive() {
    take_changes();
    const Paths paths{mirror_.tables()};
    std::set<std::pair<std::uint8_t, IpAddress>> in_use;
    for (const IpAddress& real : reals_) {
        const Paths::Answer path = paths.to(real);
        if (path.hop->port != port_none) {
            in_use.emplace(path.hop->port, path.neighbour);
        }
    }
    for (const KernelRoute& route : mirror_.tables().routes) {
        if (!route.gateway.is_unspecified()) {
            in_use.emplace(route.port, route.gateway);
        }
    }
    std::vector<KernelMirror::Neighbour> neighbours;
    for (const auto& [port, address] : in_use) {
        neighbours.push_back({port, address});
    }
    if (const Status kept = mirror_.keep_alive(neighbours); !kept) {
        log_.warning(LogArea::kernel, kept.error().sentence);
    }
    devices_->renew(log_);
    next_renewal_->after(renewal_period, [this] { keep_alive(); });
}

void KernelSide::want_neighbour(std::uint8_t port, const IpAddress& neighbour) {
    if (const Status wanted = mirror_.want_neighbour({port, neighbour}); !wanted) {
        log_.warning(LogArea::kernel, wanted.error().sentence);
    }
}

void KernelSide::retire() {
    watch_.reset();
    rules_watch_.reset();
    addresses_.reset();
    next_vips_.reset();
    next_renewal_.reset();
    for (TwinInterface& twin : twins_) {
        if (const Status retired = twin.retire(); !retired) {
            log_.error(LogArea::kernel, retired.error().sentence);
        }
    }
}

}  // namespace fulcrum
