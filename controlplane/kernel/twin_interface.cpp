// Making and dressing a TAP. Addresses are compared with what the kernel holds under our mark each
// time, not with what we remember: so a restart, an operator's hand and a half-done change all end
// in the same state.
#include "controlplane/kernel/twin_interface.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

#include "controlplane/kernel/errno_words.h"
#include "controlplane/kernel/interface.h"
#include "controlplane/kernel/proc_sys.h"

namespace fulcrum {

namespace {

// Of our own choosing; the kernel uses 1 to 3.
constexpr std::uint8_t mark_port_address = 240;
constexpr std::uint8_t mark_vip = 241;

bool is_before(const IpPrefix& a, const IpPrefix& b) {
    return std::pair{a.address, a.length} < std::pair{b.address, b.length};
}

void sort_once(std::vector<IpPrefix>& addresses) {
    std::sort(addresses.begin(), addresses.end(), is_before);
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
}

std::string place_of(const std::string& name) { return "port \"" + name + "\""; }

std::string attach_failure(const std::string& name, int error) {
    switch (error) {
        case EBUSY:
            return place_of(name) + ": interface " + name +
                   " is in use by another program; is another director running?";
        case EINVAL:
            return place_of(name) + ": an interface " + name +
                   " exists and is no TAP; give the port another name";
        case EPERM:
            return place_of(name) + ": making its twin interface needs CAP_NET_ADMIN";
        default:
            return place_of(name) + ": making its twin interface failed: " + errno_words(error);
    }
}

Result<FileDescriptor> attach_tap(const std::string& name) {
    FileDescriptor tap{open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    if (!tap.is_open()) {
        return Error{"/dev/net/tun: " + errno_words(errno) +
                     "; the twin interfaces need it (modprobe tun)"};
    }
    ifreq request{};
    if (name.empty() || name.size() >= sizeof(request.ifr_name)) {
        return Error{place_of(name) + ": an interface's name has 1 to 15 characters"};
    }
    std::copy(name.begin(), name.end(), request.ifr_name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (ioctl(tap.get(), TUNSETIFF, &request) != 0) {
        return Error{attach_failure(name, errno)};
    }
    // An earlier owner may have asked for offloads: without them the kernel completes checksums and
    // cuts segments before we read.
    if (ioctl(tap.get(), TUNSETOFFLOAD, 0) != 0 || ioctl(tap.get(), TUNSETPERSIST, 1) != 0) {
        return Error{attach_failure(name, errno)};
    }
    return tap;
}

}  // namespace

IpPrefix link_local_of(const MacAddress& mac) {
    const auto& octets = mac.bytes;
    const Ipv6Address address{{0xFE, 0x80, 0, 0, 0, 0, 0, 0,
                               static_cast<std::uint8_t>(octets[0] ^ 0x02), octets[1], octets[2],
                               0xFF, 0xFE, octets[3], octets[4], octets[5]}};
    return {address, 64};
}

Result<TwinInterface> TwinInterface::open(const TwinWish& wish) {
    auto tap = attach_tap(wish.name);
    if (!tap) {
        return tap.error();
    }
    auto netlink = NetlinkSocket::open(NETLINK_ROUTE);
    if (!netlink) {
        return netlink.error();
    }
    TwinInterface twin{std::move(*tap), std::move(*netlink)};
    auto interface = read_interface(twin.netlink_, wish.name);
    if (!interface) {
        return interface.error();
    }
    twin.interface_ = *interface;
    twin.set_arp_and_filter();
    std::vector<IpPrefix> addresses = wish.addresses;
    if (wish.speaks_ipv6) {
        twin.set_ipv6();
        addresses.push_back(link_local_of(wish.mac));
    }
    // The addresses before the link: their routes come to be when it goes up.
    if (auto set = twin.set_addresses(addresses); !set) {
        return set.error();
    }
    if (auto set = twin.set_link(wish); !set) {
        return set.error();
    }
    return twin;
}

Status TwinInterface::set_link(const TwinWish& wish) {
    // Before it goes up, or it has made itself a link-local address and asked for routers. A kernel
    // without IPv6 refuses, and is as quiet.
    const Status quiet = change_interface(netlink_, interface_, {.is_ipv6_manual = true});
    static_cast<void>(quiet);
    const InterfaceChange change{
        .mac = wish.mac, .mtu = wish.mtu, .flags_mask = IFF_UP, .flags = IFF_UP};
    const Status changed = change_interface(netlink_, interface_, change);
    return changed ? done() : Status{Error{place_of(name()) + ": " + changed.error().sentence}};
}

void TwinInterface::set_arp_and_filter() {
    const std::string folder = "net/ipv4/conf/" + name() + "/";
    // The kernel takes the greater of this and conf/all. Strict filtering (1) on all interfaces is
    // outbid by the loose kind (2); without it, none.
    const bool is_strict_everywhere = read_proc_sys("net/ipv4/conf/all/rp_filter") == "1";
    const std::array<std::pair<const char*, const char*>, 3> wishes{{
        {"arp_ignore", "1"},    // answer only for addresses of this very twin
        {"arp_announce", "2"},  // ask with an address that the asked one can reach, never a VIP
        {"rp_filter", is_strict_everywhere ? "2" : "0"},
    }};
    write_settings(folder, wishes);
}

void TwinInterface::set_ipv6() {
    // Addresses and routes are the operator's and the routing daemon's to give.
    constexpr std::array<std::pair<const char*, const char*>, 3> wishes{
        {{"disable_ipv6", "0"}, {"accept_ra", "0"}, {"keep_addr_on_down", "1"}}};
    write_settings("net/ipv6/conf/" + name() + "/", wishes);
}

void TwinInterface::write_settings(const std::string& folder,
                                   std::span<const std::pair<const char*, const char*>> wishes) {
    for (const auto& [setting, value] : wishes) {
        if (auto written = write_proc_sys(folder + setting, value); !written) {
            warnings_.push_back(place_of(name()) + ": " + written.error().sentence);
        }
    }
}

Status TwinInterface::set_addresses(const std::vector<IpPrefix>& addresses) {
    const Result<bool> replaced = replace_marked(mark_port_address, addresses, changes_unlimited);
    return replaced ? done() : Status{replaced.error()};
}

Result<bool> TwinInterface::set_vips(const std::vector<IpAddress>& vips, std::size_t changes_max) {
    std::vector<IpPrefix> wanted;
    wanted.reserve(vips.size());
    for (const IpAddress& vip : vips) {
        wanted.push_back({vip, static_cast<std::uint8_t>(vip.is_v4() ? 32 : 128)});
    }
    return replace_marked(mark_vip, std::move(wanted), changes_max);
}

Result<bool> TwinInterface::replace_marked(std::uint8_t mark, std::vector<IpPrefix> wanted,
                                           std::size_t changes_max) {
    sort_once(wanted);
    // Removed first: the kernel throws away a network's other addresses with its first one. They
    // are then missing, and are put back.
    auto held = read_addresses(netlink_, interface_.interface);
    if (!held) {
        return held.error();
    }
    const auto removed = remove_unwanted(mark, wanted, *held, changes_max);
    if (!removed) {
        return removed.error();
    }
    if (*removed > 0) {
        held = read_addresses(netlink_, interface_.interface);
        if (!held) {
            return held.error();
        }
    }
    std::vector<IpPrefix> there;
    for (const AddressEvent& address : *held) {
        there.push_back(address.address);
    }
    sort_once(there);
    std::vector<IpPrefix> missing;
    std::set_difference(wanted.begin(), wanted.end(), there.begin(), there.end(),
                        std::back_inserter(missing), is_before);
    NetlinkRequests additions;
    for (std::size_t i = 0; i < missing.size() && *removed + i < changes_max; ++i) {
        add_address(additions, {interface_.interface, missing[i], mark, mark == mark_vip});
    }
    const bool is_complete = *removed + missing.size() <= changes_max;
    const Status added = first_refusal(place_of(name()), netlink_.submit(additions));
    return added ? Result<bool>{is_complete} : added.error();
}

// How many were removed; `changes_max`: there may be more.
Result<std::size_t> TwinInterface::remove_unwanted(std::uint8_t mark,
                                                   const std::vector<IpPrefix>& wanted,
                                                   const std::vector<AddressEvent>& held,
                                                   std::size_t changes_max) {
    NetlinkRequests removals;
    for (const AddressEvent& address : held) {
        const bool is_wanted =
            std::binary_search(wanted.begin(), wanted.end(), address.address, is_before);
        if (address.mark == mark && !is_wanted && removals.count() < changes_max) {
            remove_address(removals, interface_.interface, address.address);
        }
    }
    auto outcome = netlink_.submit(removals);
    if (outcome) {  // what went with its network's first address is gone as well
        std::erase_if(*outcome, [](const auto& no) { return no.error == EADDRNOTAVAIL; });
    }
    const Status removed = first_refusal(place_of(name()), outcome);
    return removed ? Result<std::size_t>{removals.count()} : removed.error();
}

Status TwinInterface::retire() {
    const Result<bool> vips = set_vips({});
    const InterfaceChange down{.flags_mask = IFF_UP, .flags = 0};
    const Status link = change_interface(netlink_, interface_, down);
    return vips ? link : Status{vips.error()};
}

Status TwinInterface::remove() {
    if (ioctl(tap_.get(), TUNSETPERSIST, 0) != 0) {
        return Error{place_of(name()) + ": removing its twin failed: " + errno_words(errno)};
    }
    tap_.close();
    return done();
}

}  // namespace fulcrum
