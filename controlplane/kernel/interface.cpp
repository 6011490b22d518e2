// Interfaces and addresses by rtnetlink.
#include "controlplane/kernel/interface.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace fulcrum {

namespace {

std::uint8_t family_of(const IpPrefix& prefix) {
    return prefix.address.is_v4() ? AF_INET : AF_INET6;
}

}  // namespace

Result<LinkEvent> read_interface(NetlinkSocket& socket, const std::string& name) {
    NetlinkRequests request;
    request.begin<ifinfomsg>(RTM_GETLINK, 0);
    mnl_attr_put_strz(request.message(), IFLA_IFNAME, name.c_str());
    auto answers = socket.ask(request);
    if (!answers) {
        return answers.error();
    }
    if (answers->error != 0) {
        return Error{"interface " + name + ": " + answers->words};
    }
    LinkEvent found;
    answers->each([&](const nlmsghdr* message) {
        const KernelEvent event = parse_kernel_event(message);
        if (const auto* link = std::get_if<LinkEvent>(&event); link != nullptr) {
            found = *link;
        }
    });
    // The kernel also takes alternative names here; ours are the ones that /proc and TAP know.
    return found.name == name ? Result{found} : Error{"interface " + name + ": no such device"};
}

Status change_interface(NetlinkSocket& socket, const LinkEvent& interface,
                        const InterfaceChange& change) {
    NetlinkRequests request;
    auto* header = request.begin<ifinfomsg>(RTM_NEWLINK, 0);
    header->ifi_index = interface.interface;
    header->ifi_change = change.flags_mask;
    header->ifi_flags = change.flags;
    if (change.mac) {
        mnl_attr_put(request.message(), IFLA_ADDRESS, change.mac->bytes.size(),
                     change.mac->bytes.data());
    }
    if (change.mtu) {
        mnl_attr_put_u32(request.message(), IFLA_MTU, *change.mtu);
    }
    if (change.is_ipv6_manual) {
        nlattr* families = mnl_attr_nest_start(request.message(), IFLA_AF_SPEC);
        nlattr* ipv6 = mnl_attr_nest_start(request.message(), AF_INET6);
        mnl_attr_put_u8(request.message(), IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
        mnl_attr_nest_end(request.message(), ipv6);
        mnl_attr_nest_end(request.message(), families);
    }
    return first_refusal("interface " + interface.name, socket.submit(request));
}

Result<std::vector<AddressEvent>> read_addresses(NetlinkSocket& socket, int interface) {
    NetlinkRequests request;
    request.begin<ifaddrmsg>(RTM_GETADDR, NLM_F_DUMP)->ifa_family = AF_UNSPEC;
    auto answers = socket.ask(request);
    if (!answers) {
        return answers.error();
    }
    if (answers->error != 0) {
        return Error{"addresses: " + answers->words};
    }
    std::vector<AddressEvent> addresses;
    answers->each([&](const nlmsghdr* message) {
        const KernelEvent event = parse_kernel_event(message);
        const auto* address = std::get_if<AddressEvent>(&event);
        if (address != nullptr && address->interface == interface) {
            addresses.push_back(*address);
        }
    });
    return addresses;
}

void put_address(NetlinkRequests& requests, std::uint16_t attribute, const IpAddress& address) {
    if (address.is_v4()) {
        mnl_attr_put_u32(requests.message(), attribute, address.v4().value.wire());
    } else {
        mnl_attr_put(requests.message(), attribute, address.v6().octets.size(),
                     address.v6().octets.data());
    }
}

void add_address(NetlinkRequests& requests, const AddressWish& wish) {
    auto* header = requests.begin<ifaddrmsg>(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    header->ifa_family = family_of(wish.address);
    header->ifa_prefixlen = wish.address.length;
    header->ifa_index = static_cast<std::uint32_t>(wish.interface);
    nlmsghdr* message = requests.message();
    put_address(requests, IFA_LOCAL, wish.address.address);
    put_address(requests, IFA_ADDRESS, wish.address.address);
    mnl_attr_put_u8(message, IFA_PROTO, wish.mark);
    // To ask the link whether somebody has it would leave it unusable for a second or two.
    std::uint32_t flags = wish.address.address.is_v4() ? 0 : std::uint32_t{IFA_F_NODAD};
    if (wish.is_vip) {
        constexpr std::uint32_t forever = ~std::uint32_t{0};
        const ifa_cacheinfo lifetimes{
            .ifa_prefered = 0, .ifa_valid = forever, .cstamp = 0, .tstamp = 0};
        mnl_attr_put(message, IFA_CACHEINFO, sizeof(lifetimes), &lifetimes);
        flags |= IFA_F_NOPREFIXROUTE;
    }
    mnl_attr_put_u32(message, IFA_FLAGS, flags);
}

void remove_address(NetlinkRequests& requests, int interface, const IpPrefix& address) {
    auto* header = requests.begin<ifaddrmsg>(RTM_DELADDR, 0);
    header->ifa_family = family_of(address);
    header->ifa_prefixlen = address.length;
    header->ifa_index = static_cast<std::uint32_t>(interface);
    put_address(requests, IFA_LOCAL, address.address);
}

}  // namespace fulcrum
