// What the kernel has told so far, by the kernel's own keys, and what of it workers are to know.
// Events go in one by one; each says whether the tables that workers read are touched. Pure.
//
// Workers leave by twins alone. So a route by another interface (a management port's default route)
// is left out and hides nothing; a route that refuses (blackhole, unreachable, prohibit) stays in,
// without a port, because somebody wants those packets to go nowhere.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "config/model/paths.h"
#include "controlplane/kernel/kernel_events.h"

namespace fulcrum {

// What can be dumped from the kernel, in the order in which a full dump reads it.
enum class KernelTable : std::uint8_t { links, addresses, routes, neighbours };
inline constexpr std::uint8_t kernel_table_count = 4;

class KernelView {
  public:
    // The twins' names in the order of the configuration's ports.
    explicit KernelView(std::vector<std::string> twins) : twins_{std::move(twins)} {}

    // True when tables() gives another value than before.
    bool apply(const KernelEvent& event);

    // The kernel drops routes in silence when an interface goes down or an address or a next hop
    // object goes away, wakes dead hops in silence, and does not say which of several equal routes
    // it replaced. True, once, after such an event: routes must be read again.
    bool take_routes_doubt() { return std::exchange(routes_are_doubtful_, false); }
    bool doubts_routes() const { return routes_are_doubtful_; }

    // Takes over one table from a view that a dump has filled. True as for apply().
    bool adopt(KernelTable table, KernelView& fresh);

    KernelTables tables() const;

    enum class Standing { unknown, unusable, stale, usable, permanent };
    Standing neighbour(std::uint8_t port, const IpAddress& address) const;

    int interface_of(std::uint8_t port) const;  // 0: there is no such twin now

  private:
    struct Neighbour {
        MacAddress mac;
        std::uint16_t state = 0;

        bool is_usable() const;
        friend bool operator==(const Neighbour&, const Neighbour&) = default;
    };
    struct Hop {
        int interface = 0;
        IpAddress gateway{};
        IpAddress source{};
        bool is_refusal = false;

        friend bool operator==(const Hop&, const Hop&) = default;
    };
    using AddressKey = std::tuple<int, IpAddress, std::uint8_t>;
    using RouteKey = std::tuple<std::uint32_t, IpAddress, std::uint8_t, std::uint32_t>;
    using NeighbourKey = std::pair<int, IpAddress>;

    bool take(const LinkEvent& event);
    bool take(const AddressEvent& event);
    bool take(const RouteEvent& event);
    bool take(const NeighbourEvent& event);
    bool take(const NextHopEvent& event);
    void forget_interface(int interface);
    std::uint8_t port_of(int interface) const;

    std::vector<std::string> twins_;
    std::map<int, LinkEvent> links_;
    std::set<AddressKey> addresses_;
    std::map<RouteKey, std::vector<Hop>> routes_;  // equal routes: the first is the one in use
    std::map<NeighbourKey, Neighbour> neighbours_;
    bool routes_are_doubtful_ = false;
};

}  // namespace fulcrum
