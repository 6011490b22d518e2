// The forwarding state that workers read: immutable once published, compiled from the director's
// state, replaced whole by one pointer store. It refers to nothing outside itself but immutable
// parts (rings, paths) that successive snapshots share. Indexes of listeners and of reals within
// their service are stable from snapshot to snapshot, because sessions hold them; a removed one
// leaves a hole until no session can name it (see the index registry).
//
// Addresses of VIPs and reals are named by 32 bits (AddressName), so that listeners, reals and the
// maps between them are one kind for both IP families; what the name of an IPv6 address stands for
// is read where octets are written.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/model/address.h"
#include "config/model/capture.h"
#include "config/model/endpoint_map.h"
#include "config/model/hash.h"
#include "config/model/ipv6_map.h"
#include "config/model/limits.h"
#include "config/model/paths.h"
#include "config/model/port_ranges.h"
#include "config/model/schedule.h"
#include "config/model/service.h"
#include "config/model/session.h"
#include "config/model/tunnel.h"

namespace fulcrum {

// One VIP, one protocol, one port or range of them. What every packet asks of the service is
// repeated here: one load less.
struct SnapshotListener {
    AddressName vip;
    be16 port{};  // 0: a range, see Snapshot::listener_ranges
    L4Protocol protocol = L4Protocol::tcp;
    bool is_present : 1 = false;           // false: a hole
    bool is_ipv6 : 1 = false;              // its VIP
    bool timeouts_are_coarse : 1 = false;  // the service's
    bool has_affinity : 1 = false;         // the service
    bool has_packet_limits : 1 = false;    // the service
    bool is_standby : 1 = false;           // another director is active: its word counts
    std::uint16_t service = 0;             // index into Snapshot::services
    std::uint16_t real_count = 0;          // the service's
    std::uint32_t first_real = 0;          // the service's
};
static_assert(sizeof(SnapshotListener) == 16);
static_assert(limits::services_max <= 65'536 && limits::reals_per_service_max <= 65'535);

// Only a usable one takes new sessions. Behind `draining`, its old ones meet a fate too: by its
// check, by removal from the file, or when a drain's deadline has passed.
enum class RealStanding : std::uint8_t {
    usable,
    draining,   // its sessions live on
    down,       // TCP sessions stay, datagrams go elsewhere
    resetting,  // TCP sessions are reset on both sides, datagrams go elsewhere
    moving,     // sessions go elsewhere with the client's next packet
    absent,     // a hole
};

struct alignas(32) SnapshotReal {  // never across two cache lines
    AddressName address;
    be16 port{};  // 0: the one that the client used
    bool is_ipv6 : 1 = false;
    ClientAddressBy client_address : 2 = ClientAddressBy::none;  // of new sessions
    ForwardingMode mode = ForwardingMode::nat;
    RealStanding standing = RealStanding::absent;
    bool is_known_by_endpoint = false;  // what it sends is a reply for that alone: by NAT
    NextHop hop;                        // towards the real; its MTU is what a tunnel leaves of it
    std::uint32_t tally = 0;            // its counters in each worker; stable for the real's life
};
static_assert(sizeof(SnapshotReal) == 32);

// The real's port that serves clients of this VIP port.
inline be16 port_towards(const SnapshotReal& real, be16 vip_port) {
    return real.port.wire() != 0 ? real.port : vip_port;
}

using Ring = std::vector<std::uint16_t>;

inline constexpr std::uint32_t bound_listener = 0x1'0000;

// See Affinity in service.h.
struct SnapshotAffinity {
    std::uint32_t timeout_s = 0;  // 0: there is none
    std::uint8_t prefix = 32;
    std::uint8_t prefix6 = 64;
    bool moves_on_drain = false;

    // As of a ClientPrefix.
    std::uint8_t length_of(bool is_v4) const {
        return is_v4 ? static_cast<std::uint8_t>(96 + prefix) : prefix6;
    }
};

// Who comes in, and how often.
struct ServiceGate {
    std::shared_ptr<const AccessMap> access;  // null: everybody
    RateLimits limits;
};

struct SnapshotService {
    std::uint32_t id = limits::service_id_none;  // the registry's: the same in every snapshot
    std::uint32_t first_real = 0;                // reals[first_real + i] is the real of index i
    std::uint32_t real_count = 0;                // holes included
    std::shared_ptr<const Ring> ring;            // never null; empty: nobody has weight
    // Null: new sessions are placed by the ring alone, without limits and affinity.
    std::shared_ptr<const Schedule> schedule;
    std::shared_ptr<const ServiceGate> gate;  // null: everybody, as often as they like
    SnapshotAffinity affinity;
    std::uint16_t number = 0;  // below limits::service_numbers_max; stable for the service's life
    std::uint16_t group = 0;   // clients' affinity is shared within it
    std::uint16_t fallback = limits::index_none;  // index of the fallback real
    NoReal no_real = NoReal::reset;
    std::uint16_t ports = 0xFFFF;                // by which clients come, a bit each
    bool has_usable_real = false;                // of those on the ring
    bool is_one_packet = false;                  // opens no sessions
    std::uint16_t mss_max = 0;                   // 0: none
    SynCookies syn_cookies = SynCookies::never;  // also where they are none of its reals' business
    // Idle time by state after which a session ends. In seconds, or, where any of them exceeds
    // limits::timeout_in_seconds_max_s, all in units of limits::coarse_unit_s.
    bool timeouts_are_coarse = false;
    std::array<std::uint16_t, session_timeout_count> timeouts{};  // by timeout_place()
};

// What the workers know about the source of a packet that may be a reply.
struct SnapshotReplySource {
    // The one listener that this real endpoint serves by NAT, if its VIP port follows too: a reply
    // without a session can then be translated all the same. Else index_none.
    std::uint16_t sole_listener = limits::index_none;
    std::uint32_t tally = 0;  // of its real
};

// An address of ours from which clients are presented to reals in full NAT.
struct LocalAddress {
    AddressName address;
    std::uint16_t place = 0;  // below limits::local_addresses_max; its own while the director runs
    std::uint8_t port = 0;    // index of the NIC port whose twin holds it
    bool is_ipv6 = false;
    IpAddress on_the_wire;
};

static_assert(Ipv6Map::absent == 0xFFFF'FFFF && name_none.host() == Ipv6Map::absent);

struct Snapshot {
    std::uint64_t epoch = 0;
    HashKey ring_key;                         // draws on rings
    std::vector<SnapshotListener> listeners;  // by listener index, with holes
    std::vector<SnapshotService> services;
    std::vector<std::uint16_t> service_of_group;  // by group: index into services, or index_none
    std::vector<SnapshotReal> reals;  // services' reals, one after the other, with holes
    // VIP, port, protocol -> listener index; with bound_listener, if its service is bound to ports.
    EndpointMap listener_by_endpoint;
    PortRangeMap listener_ranges;  // the same of listeners with ranges of ports
    EndpointMap real_endpoints;    // NAT reals: address, port, protocol -> reply_sources
    PortRangeMap real_ranges;      // the same of reals that keep the port of a range
    std::vector<SnapshotReplySource> reply_sources;
    EndpointMap vips;                    // VIP, 0, 255 -> what becomes of OtherTraffic there
    EndpointMap real_addresses;          // address, 0, 255 -> 0: whose own traffic may transit
    EndpointMap peer_addresses;          // the same of other directors that this one knows by name
    std::shared_ptr<const Paths> paths;  // never null
    std::shared_ptr<const CaptureOrder> capture;  // null: nobody captures
    Ipv6Map names;                                // of IPv6 addresses: of VIPs and reals
    std::vector<Ipv6Address> named;               // by name: the addresses

    AddressName name_of(const Ipv6Address& address) const {
        return AddressName::from_host(names.find(address));  // absent: name_none
    }
    const Ipv6Address& named_by(AddressName name) const { return named[name.host()]; }
    IpAddress address_of(AddressName name, bool is_ipv6) const {
        return is_ipv6 ? IpAddress{named_by(name)} : IpAddress{name};
    }

    // By tally: the number of the service whose real it counts for, or index_none.
    std::vector<std::uint16_t> service_of_tally;

    std::vector<std::uint32_t> local_reals;  // indexes of those that are the director itself

    std::vector<LocalAddress> local_addresses;
    EndpointMap local_places;                 // local address, 0, 252 -> its place
    std::vector<AddressName> local_by_place;  // name_none: nobody's now

    // `place` of a local address that there is, or was; name_none: there is none now.
    AddressName local_address(std::uint16_t place) const {
        return place < local_by_place.size() ? local_by_place[place] : name_none;
    }

    std::vector<Tunnel> tunnels;
    std::vector<std::uint32_t> tunnel_by_tally;  // of a tunnel's real; empty: nobody has a tunnel
    EndpointMap tunnel_ends;  // a tunnel's real, its port in gue, 253 -> one of its tunnels

    bool is_vip(const IpAddress& address) const {
        const AddressName name = address.is_v4() ? address.v4() : name_of(address.v6());
        return vips.find(EndpointMap::key_of(name, be16{}, endpoint_kind::address,
                                             address.family())) != EndpointMap::absent;
    }
    // Null: no tunnel ends there.
    const Tunnel* tunnel_to(NamedEndpoint end, IpFamily family) const {
        const std::uint32_t found = tunnel_ends.find(
            EndpointMap::key_of(end.address, end.port, endpoint_kind::tunnel_end, family));
        return found == EndpointMap::absent ? nullptr : &tunnels[found];
    }
    // `tally` is that of a real whose mode is a tunnel.
    const Tunnel& tunnel_of(std::uint32_t tally) const { return tunnels[tunnel_by_tally[tally]]; }

    // The number of the service whose real is counted by `tally`; index_none: of none.
    std::uint16_t service_number_of(std::uint32_t tally) const {
        return tally < service_of_tally.size() ? service_of_tally[tally] : limits::index_none;
    }

    // Of packets that come from a NAT real's endpoint, an index into reply_sources; else
    // EndpointMap::absent.
    std::uint32_t reply_source_of(NamedEndpoint source, L4Protocol protocol,
                                  IpFamily family) const {
        const std::uint64_t key = EndpointMap::key_of(source.address, source.port,
                                                      static_cast<std::uint8_t>(protocol), family);
        const std::uint32_t exact = real_endpoints.find(key);
        return exact != EndpointMap::absent || real_ranges.is_empty()
                   ? exact
                   : real_ranges.find(EndpointMap::without_port(key), source.port.host());
    }

    const SnapshotService& service_of(std::uint16_t listener) const {
        return services[listeners[listener].service];
    }
    const SnapshotReal& real_of(const SnapshotListener& listener, std::uint16_t real) const {
        return reals[listener.first_real + real];
    }
};

}  // namespace fulcrum
