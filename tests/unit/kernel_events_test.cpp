// Rtnetlink messages, built by hand from the structures of the kernel's interface, to values; and
// every truncation of them to something that is not a crash.
#include "controlplane/kernel/kernel_events.h"

#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>
#include <vector>

namespace fulcrum {
namespace {

class Message {
  public:
    template <typename FamilyHeader>
    Message(std::uint16_t type, FamilyHeader header, std::uint16_t flags = 0) : bytes_(1'024) {
        mnl_nlmsg_put_header(bytes_.data());
        get()->nlmsg_type = type;
        get()->nlmsg_flags = flags;
        std::memcpy(mnl_nlmsg_put_extra_header(get(), sizeof(header)), &header, sizeof(header));
    }
    template <typename T>
    Message& with(std::uint16_t attribute, const T& value) {
        mnl_attr_put(get(), attribute, sizeof(value), &value);
        return *this;
    }
    nlmsghdr* get() { return reinterpret_cast<nlmsghdr*>(bytes_.data()); }

  private:
    std::vector<char> bytes_;
};

constexpr Ipv4Address address = Ipv4Address::of(192, 0, 2, 1);
constexpr MacAddress mac{{2, 0, 0, 0, 0, 9}};

Message route_message(unsigned char type = RTN_UNICAST) {
    return Message{RTM_NEWROUTE, rtmsg{.rtm_family = AF_INET,
                                       .rtm_dst_len = 24,
                                       .rtm_table = RT_TABLE_MAIN,
                                       .rtm_type = type}};
}

TEST(KernelEvents, ReadARoute) {
    Message message = route_message();
    message.with(RTA_DST, Ipv4Address::of(10, 9, 8, 0)).with(RTA_OIF, 7);
    message.with(RTA_GATEWAY, address).with(RTA_PRIORITY, 50);
    message.with(RTA_PREFSRC, Ipv4Address::of(10, 9, 8, 7));
    const RouteEvent expected{.table = RT_TABLE_MAIN,
                              .prefix = {Ipv4Address::of(10, 9, 8, 0), 24},
                              .metric = 50,
                              .interface = 7,
                              .gateway = address,
                              .source = Ipv4Address::of(10, 9, 8, 7)};
    EXPECT_EQ(parse_kernel_event(message.get()), KernelEvent{expected});
}

TEST(KernelEvents, ReadTheFirstHopThatIsNotDeadOfARouteWithSeveral) {
    struct Hop {
        rtnexthop head;
        nlattr attribute;
        Ipv4Address gateway;
    };
    const auto hop = [](int interface, unsigned char flags, Ipv4Address gateway) {
        return Hop{{.rtnh_len = sizeof(Hop), .rtnh_flags = flags, .rtnh_ifindex = interface},
                   {.nla_len = 8, .nla_type = RTA_GATEWAY},
                   gateway};
    };
    Message message = route_message();
    message.with(RTA_MULTIPATH,
                 std::array{hop(7, RTNH_F_DEAD, Ipv4Address::of(1, 1, 1, 1)), hop(8, 0, address)});
    const auto event = std::get<RouteEvent>(parse_kernel_event(message.get()));
    EXPECT_EQ(event.interface, 8);
    EXPECT_EQ(event.gateway, address);
}

TEST(KernelEvents, ReadABlackholeAsARefusalAndALocalRouteAsNothing) {
    EXPECT_TRUE(
        std::get<RouteEvent>(parse_kernel_event(route_message(RTN_BLACKHOLE).get())).is_refusal);
    EXPECT_EQ(parse_kernel_event(route_message(RTN_LOCAL).get()), KernelEvent{});
    EXPECT_EQ(parse_kernel_event(route_message(RTN_BROADCAST).get()), KernelEvent{});
}

TEST(KernelEvents, ReadANeighbour) {
    Message message{RTM_DELNEIGH,
                    ndmsg{.ndm_family = AF_INET, .ndm_ifindex = 5, .ndm_state = NUD_STALE}};
    message.with(NDA_DST, address).with(NDA_LLADDR, mac);
    const NeighbourEvent expected{
        .is_gone = true, .interface = 5, .address = address, .mac = mac, .state = NUD_STALE};
    EXPECT_EQ(parse_kernel_event(message.get()), KernelEvent{expected});
}

TEST(KernelEvents, ReadAnAddressAndItsMark) {
    Message message{RTM_NEWADDR,
                    ifaddrmsg{.ifa_family = AF_INET, .ifa_prefixlen = 31, .ifa_index = 4}};
    message.with(IFA_ADDRESS, Ipv4Address::of(192, 0, 2, 0)).with(IFA_LOCAL, address);
    message.with(IFA_PROTO, std::uint8_t{240});
    const AddressEvent expected{.interface = 4, .address = {address, 31}, .mark = 240};
    EXPECT_EQ(parse_kernel_event(message.get()), KernelEvent{expected});
}

TEST(KernelEvents, ReadALink) {
    Message message{RTM_NEWLINK, ifinfomsg{.ifi_index = 9, .ifi_flags = 1}};
    message.with(IFLA_IFNAME, std::array{'w', 'a', 'n', '\0'}).with(IFLA_MTU, 1'400U);
    message.with(IFLA_ADDRESS, mac);
    const LinkEvent expected{.interface = 9, .name = "wan", .mac = mac, .mtu = 1'400, .flags = 1};
    EXPECT_EQ(parse_kernel_event(message.get()), KernelEvent{expected});
}

TEST(KernelEvents, AreNothingForOtherFamiliesAndTypes) {
    EXPECT_EQ(parse_kernel_event(Message{RTM_NEWNEIGH, ndmsg{.ndm_family = AF_BRIDGE}}.get()),
              KernelEvent{});
    EXPECT_EQ(parse_kernel_event(Message{RTM_NEWROUTE, rtmsg{.rtm_family = AF_INET6}}.get()),
              KernelEvent{});
    EXPECT_EQ(parse_kernel_event(Message{RTM_NEWADDR, ifaddrmsg{.ifa_family = AF_INET6}}.get()),
              KernelEvent{});
    EXPECT_EQ(parse_kernel_event(Message{RTM_NEWRULE, rtmsg{.rtm_family = AF_INET}}.get()),
              KernelEvent{});
}

// Each in memory of exactly that size, so that the address sanitizer sees a read beyond it.
TEST(KernelEvents, SurviveEveryTruncation) {
    Message message = route_message();
    message.with(RTA_DST, address).with(RTA_OIF, 7).with(RTA_GATEWAY, address);
    for (std::uint32_t size = sizeof(nlmsghdr); size <= message.get()->nlmsg_len; ++size) {
        const auto* begin = reinterpret_cast<const char*>(message.get());
        std::vector<char> copy{begin, begin + size};
        reinterpret_cast<nlmsghdr*>(copy.data())->nlmsg_len = size;
        const KernelEvent event =
            parse_kernel_event(reinterpret_cast<const nlmsghdr*>(copy.data()));
        EXPECT_EQ(std::holds_alternative<std::monostate>(event),
                  size < sizeof(nlmsghdr) + sizeof(rtmsg));
    }
}

}  // namespace
}  // namespace fulcrum
