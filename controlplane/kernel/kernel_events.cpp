// Rtnetlink messages to values. Attributes are collected in one pass into a table by their type;
// a value is read only if the attribute is long enough for it.
#include "controlplane/kernel/kernel_events.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "controlplane/kernel/netlink.h"

namespace fulcrum {

namespace {

template <typename FamilyHeader>
const FamilyHeader* family_header(const nlmsghdr* message) {
    return mnl_nlmsg_get_payload_len(message) < sizeof(FamilyHeader)
               ? nullptr
               : static_cast<const FamilyHeader*>(mnl_nlmsg_get_payload(message));
}

bool is_ip(unsigned char family) { return family == AF_INET || family == AF_INET6; }
unsigned length_max(unsigned char family) { return family == AF_INET ? 32 : 128; }

class Attributes {
  public:
    Attributes(const void* begin, const void* end) {
        const auto* at = static_cast<const nlattr*>(begin);
        while (mnl_attr_ok(at, static_cast<int>(static_cast<const char*>(end) -
                                                reinterpret_cast<const char*>(at)))) {
            if (const std::uint16_t type = mnl_attr_get_type(at); type < by_type_.size()) {
                by_type_[type] = at;
            }
            at = mnl_attr_next(at);
        }
    }
    template <typename FamilyHeader>
    static Attributes of(const nlmsghdr* message, const FamilyHeader*) {
        return {mnl_nlmsg_get_payload_offset(message, sizeof(FamilyHeader)), end_of(message)};
    }

    const nlattr* find(std::uint16_t type) const { return by_type_[type]; }

    template <typename T>
    std::optional<T> value(std::uint16_t type) const {
        const nlattr* attribute = by_type_[type];
        if (attribute == nullptr || mnl_attr_get_payload_len(attribute) < sizeof(T)) {
            return std::nullopt;
        }
        T value;
        std::memcpy(&value, mnl_attr_get_payload(attribute), sizeof(T));
        return value;
    }
    // Of the family that the message's header names.
    std::optional<IpAddress> address(std::uint16_t type, unsigned char family) const {
        if (family == AF_INET) {
            return value<Ipv4Address>(type);
        }
        return value<Ipv6Address>(type);
    }
    std::string text(std::uint16_t type) const {
        const nlattr* attribute = by_type_[type];
        if (attribute == nullptr) {
            return {};
        }
        const char* text = mnl_attr_get_str(attribute);
        return {text, strnlen(text, mnl_attr_get_payload_len(attribute))};
    }

  private:
    std::array<const nlattr*, 80> by_type_{};  // above IFLA_MAX of what we read
};

KernelEvent parse_link(const nlmsghdr* message) {
    const auto* header = family_header<ifinfomsg>(message);
    // AF_BRIDGE reports a port of a bridge: another thing under the same message type.
    if (header == nullptr || header->ifi_family != AF_UNSPEC) {
        return {};
    }
    const auto attributes = Attributes::of(message, header);
    LinkEvent event;
    event.is_gone = message->nlmsg_type == RTM_DELLINK;
    event.interface = header->ifi_index;
    event.name = attributes.text(IFLA_IFNAME);
    event.mac = attributes.value<MacAddress>(IFLA_ADDRESS).value_or(MacAddress{});
    event.mtu = attributes.value<std::uint32_t>(IFLA_MTU).value_or(0);
    event.flags = header->ifi_flags;
    return event;
}

KernelEvent parse_address(const nlmsghdr* message) {
    const auto* header = family_header<ifaddrmsg>(message);
    if (header == nullptr || !is_ip(header->ifa_family) ||
        header->ifa_prefixlen > length_max(header->ifa_family)) {
        return {};
    }
    const auto attributes = Attributes::of(message, header);
    // On a point-to-point link IFA_ADDRESS is the other end's; IFA_LOCAL is always ours, and IPv6
    // leaves it out elsewhere.
    auto local = attributes.address(IFA_LOCAL, header->ifa_family);
    if (!local && header->ifa_family == AF_INET6) {
        local = attributes.address(IFA_ADDRESS, header->ifa_family);
    }
    if (!local) {
        return {};
    }
    AddressEvent event;
    event.is_gone = message->nlmsg_type == RTM_DELADDR;
    event.interface = static_cast<int>(header->ifa_index);
    event.address = {*local, header->ifa_prefixlen};
    event.mark = attributes.value<std::uint8_t>(IFA_PROTO).value_or(0);
    return event;
}

// Of a multipath route the first hop that lives: workers know one way to a prefix.
void take_first_living_hop(const nlattr* multipath, unsigned char family, RouteEvent& event) {
    const auto* at = static_cast<const char*>(mnl_attr_get_payload(multipath));
    std::size_t left = mnl_attr_get_payload_len(multipath);
    while (left >= sizeof(rtnexthop)) {
        rtnexthop hop;
        std::memcpy(&hop, at, sizeof(hop));
        if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left) {
            return;
        }
        const Attributes attributes{at + sizeof(hop), at + hop.rtnh_len};
        if ((hop.rtnh_flags & RTNH_F_DEAD) == 0 && attributes.find(RTA_VIA) == nullptr) {
            event.interface = hop.rtnh_ifindex;
            event.gateway = attributes.address(RTA_GATEWAY, family).value_or(IpAddress{});
            return;
        }
        const std::size_t step = MNL_ALIGN(std::size_t{hop.rtnh_len});
        at += step;
        left = step > left ? 0 : left - step;
    }
}

KernelEvent parse_route(const nlmsghdr* message) {
    const auto* header = family_header<rtmsg>(message);
    if (header == nullptr || !is_ip(header->rtm_family) ||
        header->rtm_dst_len > length_max(header->rtm_family) || header->rtm_tos != 0 ||
        (header->rtm_flags & RTM_F_CLONED) != 0) {
        return {};
    }
    RouteEvent event;
    event.is_refusal = header->rtm_type == RTN_BLACKHOLE || header->rtm_type == RTN_UNREACHABLE ||
                       header->rtm_type == RTN_PROHIBIT;
    if (header->rtm_type != RTN_UNICAST && !event.is_refusal) {
        return {};
    }
    const auto attributes = Attributes::of(message, header);
    event.is_gone = message->nlmsg_type == RTM_DELROUTE;
    event.is_replacement = (message->nlmsg_flags & NLM_F_REPLACE) != 0;
    event.table = attributes.value<std::uint32_t>(RTA_TABLE).value_or(header->rtm_table);
    const IpAddress all = header->rtm_family == AF_INET ? IpAddress{} : IpAddress{Ipv6Address{}};
    event.prefix = {attributes.address(RTA_DST, header->rtm_family).value_or(all),
                    header->rtm_dst_len};
    event.metric = attributes.value<std::uint32_t>(RTA_PRIORITY).value_or(0);
    event.source = attributes.address(RTA_PREFSRC, header->rtm_family).value_or(IpAddress{});
    if (const nlattr* multipath = attributes.find(RTA_MULTIPATH); multipath != nullptr) {
        take_first_living_hop(multipath, header->rtm_family, event);
    } else if (!event.is_refusal && (header->rtm_flags & RTNH_F_DEAD) == 0 &&
               attributes.find(RTA_VIA) == nullptr) {
        event.interface = attributes.value<int>(RTA_OIF).value_or(0);
        event.gateway = attributes.address(RTA_GATEWAY, header->rtm_family).value_or(IpAddress{});
    }
    return event;
}

KernelEvent parse_neighbour(const nlmsghdr* message) {
    const auto* header = family_header<ndmsg>(message);
    // A proxy entry is a promise to answer for somebody, not a neighbour.
    if (header == nullptr || !is_ip(header->ndm_family) || (header->ndm_flags & NTF_PROXY) != 0) {
        return {};
    }
    const auto attributes = Attributes::of(message, header);
    const auto address = attributes.address(NDA_DST, header->ndm_family);
    if (!address) {
        return {};
    }
    NeighbourEvent event;
    event.is_gone = message->nlmsg_type == RTM_DELNEIGH;
    event.interface = header->ndm_ifindex;
    event.address = *address;
    event.mac = attributes.value<MacAddress>(NDA_LLADDR).value_or(MacAddress{});
    event.state = header->ndm_state;
    return event;
}

}  // namespace

KernelEvent parse_kernel_event(const nlmsghdr* message) {
    switch (message->nlmsg_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
            return parse_link(message);
        case RTM_NEWADDR:
        case RTM_DELADDR:
            return parse_address(message);
        case RTM_NEWROUTE:
        case RTM_DELROUTE:
            return parse_route(message);
        case RTM_NEWNEIGH:
        case RTM_DELNEIGH:
            return parse_neighbour(message);
        case RTM_NEWNEXTHOP:
        case RTM_DELNEXTHOP:
            return NextHopEvent{};
        default:
            return {};
    }
}

}  // namespace fulcrum
