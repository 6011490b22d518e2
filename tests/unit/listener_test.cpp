// How listeners read in sentences and commands.
#include "config/model/listener.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

const Ipv6Address ipv6_vip = *parse_ipv6_address("2001:db8::80");

TEST(Listener, ReadsAsAddressPortAndProtocol) {
    EXPECT_EQ(to_string(Listener{.vip = {Ipv4Address::of(192, 0, 2, 1), 32},
                                 .ports = PortRange::only(80)}),
              "192.0.2.1:80/tcp");
    EXPECT_EQ(to_string(Listener{.vip = {Ipv4Address::of(192, 0, 2, 0), 28},
                                 .ports = {8'000, 8'099},
                                 .protocol = L4Protocol::udp}),
              "192.0.2.0/28:8000-8099/udp");
    EXPECT_EQ(to_string(Listener{.vip = {ipv6_vip, 128}, .ports = PortRange::any()}),
              "[2001:db8::80]:any/tcp");
}

TEST(ListenPoint, ReadsTheSame) {
    EXPECT_EQ(to_string(ListenPoint{ipv6_vip, PortRange::only(132), L4Protocol::sctp}),
              "[2001:db8::80]:132/sctp");
}

}  // namespace
}  // namespace fulcrum
