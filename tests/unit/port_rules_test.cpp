// VLANs and their parents. What is said of ports in general is tried with the whole of `validate`.
#include "config/port_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fulcrum {
namespace {

using Sentences = std::vector<std::string>;

Config config_with_lan() {
    Config config;
    config.ports = {{.name = "lan", .kind = DeviceKind::af_packet, .device = "eth1"}};
    return config;
}

Sentences problems_of(const Config& config) {
    Findings findings;
    check_ports(config, findings);
    Sentences sentences;
    for (const Finding& finding : findings.problems.kept()) {
        sentences.push_back(finding.sentence);
    }
    return sentences;
}

NicPort vlan_named(const std::string& name, const std::string& parent, std::uint16_t vlan) {
    NicPort port{.name = name, .kind = DeviceKind::vlan};
    port.parent = parent;
    port.vlan = vlan;
    return port;
}

TEST(PortRules, LetAPortHaveVlans) {
    Config config = config_with_lan();
    config.ports.push_back(vlan_named("lan.20", "lan", 20));
    config.ports.push_back(vlan_named("lan.21", "lan", 21));
    EXPECT_EQ(problems_of(config), Sentences{});
}

TEST(PortRules, RefuseVlansOfNobodyAndWithinVlans) {
    Config config = config_with_lan();
    config.ports.push_back(vlan_named("a", "wan", 20));
    config.ports.push_back(vlan_named("b", "lan", 20));
    config.ports.push_back(vlan_named("c", "b", 21));
    config.ports.push_back(vlan_named("d", "lan", 20));
    config.ports.push_back(vlan_named("e", "lan", 0));
    config.ports.push_back(vlan_named("f", "", 22));
    EXPECT_EQ(problems_of(config),
              (Sentences{"port \"a\": parent: there is no port \"wan\"",
                         "port \"c\": parent: \"b\" is a VLAN itself, and there are none within "
                         "VLANs",
                         "port \"d\": vlan: 20 of the port \"lan\" is already the port \"b\"",
                         "port \"e\": the key vlan is missing: it says which of the VLANs of the "
                         "port \"lan\" this is",
                         "port \"f\": vlan: 22 needs a parent, the port whose frames have that "
                         "tag"}));
}

TEST(PortRules, RefuseAVlanWithADeviceOrAnMtuOfItsOwn) {
    Config config = config_with_lan();
    config.ports.push_back(vlan_named("lan.20", "lan", 20));
    config.ports[1].device = "eth2";
    config.ports[1].mtu = 9'000;
    EXPECT_EQ(problems_of(config),
              (Sentences{"port \"lan.20\": device: a port with a parent has its parent's",
                         "port \"lan.20\": mtu: a port with a parent has its parent's"}));
}

TEST(PortRules, AVlanIsCarriedByItsParentsDeviceWhereverThatStands) {
    const std::vector<NicPort> ports{vlan_named("b.7", "b", 7),
                                     {.name = "a", .device = "eth0"},
                                     {.name = "b", .device = "eth1"},
                                     vlan_named("a.7", "a", 7)};
    EXPECT_EQ(devices_of(ports), (std::vector<std::size_t>{1, 0, 1, 0}));
    EXPECT_EQ(device_in_words(ports[0]), "vlan 7 of b");
    EXPECT_EQ(device_in_words(ports[1]), "eth0");
}

}  // namespace
}  // namespace fulcrum
