// IPv6 addresses by rtnetlink.
#include "controlplane/kernel/ipv6_addresses.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace fulcrum {

namespace {

// Which of an address's flags are wishes; the others are the kernel's findings.
constexpr std::uint32_t wished_flags =
    IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE;

const nlattr* attribute_of(const nlmsghdr* message, std::uint16_t type, std::size_t size_min) {
    const auto* at =
        static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(message, sizeof(ifaddrmsg)));
    const char* end = end_of(message);
    while (mnl_attr_ok(at, static_cast<int>(end - reinterpret_cast<const char*>(at)))) {
        if (mnl_attr_get_type(at) == type && mnl_attr_get_payload_len(at) >= size_min) {
            return at;
        }
        at = mnl_attr_next(at);
    }
    return nullptr;
}

std::optional<FoundIpv6Address> parse(const nlmsghdr* message, int interface) {
    if (message->nlmsg_type != RTM_NEWADDR ||
        mnl_nlmsg_get_payload_len(message) < sizeof(ifaddrmsg)) {
        return std::nullopt;
    }
    const auto* header = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
    FoundIpv6Address found{.length = header->ifa_prefixlen, .flags = header->ifa_flags};
    if (const nlattr* flags = attribute_of(message, IFA_FLAGS, sizeof(found.flags))) {
        std::memcpy(&found.flags, mnl_attr_get_payload(flags), sizeof(found.flags));
    }
    // On a point-to-point link IFA_LOCAL is ours; elsewhere there is IFA_ADDRESS alone.
    const nlattr* address = attribute_of(message, IFA_LOCAL, found.address.size());
    if (address == nullptr) {
        address = attribute_of(message, IFA_ADDRESS, found.address.size());
    }
    if (header->ifa_family != AF_INET6 || address == nullptr ||
        static_cast<int>(header->ifa_index) != interface || header->ifa_scope >= RT_SCOPE_LINK ||
        (found.flags & IFA_F_PERMANENT) == 0) {
        return std::nullopt;
    }
    std::memcpy(found.address.data(), mnl_attr_get_payload(address), found.address.size());
    found.flags &= wished_flags;
    return found;
}

}  // namespace

Result<std::vector<FoundIpv6Address>> read_ipv6_addresses(NetlinkSocket& socket, int interface) {
    NetlinkRequests request;
    request.begin<ifaddrmsg>(RTM_GETADDR, NLM_F_DUMP)->ifa_family = AF_INET6;
    const auto answers = socket.ask(request);
    if (!answers) {
        return answers.error();
    }
    std::vector<FoundIpv6Address> addresses;
    answers->each([&](const nlmsghdr* message) {
        if (const auto found = parse(message, interface)) {
            addresses.push_back(*found);
        }
    });
    return addresses;
}

Status add_ipv6_addresses(NetlinkSocket& socket, int interface,
                          const std::vector<FoundIpv6Address>& addresses) {
    NetlinkRequests requests;
    for (const FoundIpv6Address& found : addresses) {
        auto* header = requests.begin<ifaddrmsg>(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
        header->ifa_family = AF_INET6;
        header->ifa_prefixlen = found.length;
        header->ifa_index = static_cast<std::uint32_t>(interface);
        mnl_attr_put(requests.message(), IFA_LOCAL, found.address.size(), found.address.data());
        mnl_attr_put_u32(requests.message(), IFA_FLAGS, found.flags);
    }
    return first_refusal("its IPv6 addresses", socket.submit(requests));
}

}  // namespace fulcrum
