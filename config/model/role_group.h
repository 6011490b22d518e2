// What two directors or more hold in turns: a group of VIPs and of other floating addresses, of
// which one director is active at a time, and how they agree on which one. Plain values; the rules
// are in role_rules.h. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model/address.h"
#include "config/model/source_place.h"

namespace fulcrum {

struct Config;

// One way on which the directors of a group hear each other.
struct AdvertPath {
    std::string port;
    bool is_ipv6 = false;
    IpAddress peer;    // unspecified: all of the link (multicast)
    IpAddress source;  // unspecified: the port's first address of that IP version
    SourcePlace place;

    friend bool operator==(const AdvertPath&, const AdvertPath&) = default;
};

// What a director has to have to be active: one of the port's link, a way to an address, and a
// program's word.
struct TrackedThing {
    std::string port;
    IpAddress route;  // unspecified: none
    std::vector<std::string> command;
    std::chrono::milliseconds interval{1'000};  // of the command, as the rest
    std::chrono::milliseconds timeout{1'000};
    std::uint32_t rise = 1;
    std::uint32_t fall = 1;
    std::uint32_t weight = 0;  // what its loss takes from the priority; 0: the group is not held
    SourcePlace place;

    friend bool operator==(const TrackedThing&, const TrackedThing&) = default;
};

enum class FenceStyle : std::uint8_t {
    unsaid,       // a mistake among two directors
    none,         // two that do not hear each other may both be active
    fence_agent,  // lines on standard input, as agents of fence-agents take them
    external,     // "COMMAND reset NODE", as plugins of cluster-glue take it
};

// Who makes sure that the other director is dead before this one takes its addresses.
struct Fence {
    FenceStyle style = FenceStyle::unsaid;
    std::string command;
    std::string node;  // as the command knows the other director
    std::vector<std::string> options;
    std::string options_file;  // further ones, a line each: secrets
    std::uint32_t timeout_s = 60;
    std::uint32_t retry_s = 5;
    std::uint32_t delay_s = 0;  // one of the two waits, or both would shoot at once

    friend bool operator==(const Fence&, const Fence&) = default;
};

struct RoleGroup {
    std::string name;     // unique
    std::uint8_t id = 0;  // VRRP's virtual router ID: unique, and equal on the directors
    std::uint8_t priority = 100;
    std::chrono::milliseconds advert{100};
    std::uint8_t version = 3;  // of VRRP
    bool preempt = false;
    std::chrono::milliseconds preempt_delay{0};
    std::vector<IpPrefix> vips;       // none: all
    std::vector<IpPrefix> addresses;  // others than VIPs that float with them
    std::vector<AdvertPath> paths;
    std::vector<TrackedThing> track;
    IpAddress witness;  // unspecified: none
    Fence fence;
    SourcePlace place;

    friend bool operator==(const RoleGroup&, const RoleGroup&) = default;
};

inline constexpr std::uint8_t priority_of_owner = 255;

std::string_view to_string(FenceStyle style);

// Which group an address belongs to. Refers to the configuration.
class GroupsOfAddresses {
  public:
    static constexpr std::size_t none = ~std::size_t{0};

    explicit GroupsOfAddresses(const Config& config);

    // Of a VIP, an index into the configuration's groups; none: it is held always.
    std::size_t group_of_vip(const IpAddress& vip) const;
    // Of a local address of full NAT: they float with the only group.
    std::size_t group_of_local_address() const { return count_ == 1 ? 0 : none; }

  private:
    struct Block {
        IpPrefix addresses;
        std::size_t group;
    };

    std::size_t count_ = 0;
    bool is_only_one_for_all_ = false;
    std::unordered_map<IpAddress, std::size_t> singles_;
    std::vector<Block> blocks_;
};

// The port in whose network `address` lies, as an index; GroupsOfAddresses::none: there is none.
std::size_t port_of_network(const Config& config, const IpAddress& address);

}  // namespace fulcrum
