// What the operator asked for, as plain values: virtual services, their reals, their checks, the
// ports. The loader makes them from the file; `validate` vouches for what is said here. Strings are
// for people and stay off the workers; the snapshot compiler turns all this into what they read.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/model/access.h"
#include "config/model/address.h"
#include "config/model/check.h"
#include "config/model/client_address.h"
#include "config/model/limits.h"
#include "config/model/listener.h"
#include "config/model/pair.h"
#include "config/model/placing.h"
#include "config/model/role_group.h"
#include "config/model/source_place.h"
#include "config/model/telling.h"
#include "config/model/vip_policy.h"

namespace fulcrum {

enum class ForwardingMode : std::uint8_t {
    nat,       // destination rewritten; replies come back through the director
    direct,    // only the MAC is rewritten; the real holds the VIP and answers the client itself
    ipip,      // as direct, and over any distance: the packet travels within another one (RFC 2003)
    gue,       // the same within UDP (generic UDP encapsulation, variant 0)
    gre,       // the same within GRE (RFC 2784)
    full_nat,  // as nat, and the source becomes a local address of the director: replies come back
               // wherever the real's routes lead
    local,     // as nat, to the director's own kernel; the file says nat, and an address of ours
};

// Whether the packet is wrapped, so that the real has to unwrap it.
constexpr bool is_tunnel(ForwardingMode mode) {
    return mode == ForwardingMode::ipip || mode == ForwardingMode::gue ||
           mode == ForwardingMode::gre;
}
// Whether the real holds the VIP, listens on the service's own port and answers the client itself.
constexpr bool is_one_way(ForwardingMode mode) {
    return mode == ForwardingMode::direct || is_tunnel(mode);
}

// How a tunnel's outer header differs from the plainest one.
struct TunnelOptions {
    be16 port{6'080};           // gue: where the real unwraps; 6080 is IANA's
    bool has_checksum = false;  // gue, gre: the outer header covers its payload

    friend bool operator==(const TunnelOptions&, const TunnelOptions&) = default;
};

// What becomes of the sessions of a real that takes no new ones.
enum class SessionPolicy : std::uint8_t {
    keep,   // they stay until they end
    reset,  // both sides are reset on their next packet
    move,   // the client's next packet goes to another real
};

// What a new session gets when no real is usable and there is no fallback.
enum class NoReal : std::uint8_t {
    reset,  // TCP: RST to the client; UDP: silence
    silent,
    unreachable,  // ICMP or ICMPv6 "port unreachable", whatever the protocol
};

// Who answers the SYNs of a TCP service: its reals, or the director in their name, with a cookie in
// the place of a session, so that nobody who cannot hear the answer costs anything.
enum class SynCookies : std::uint8_t {
    automatic,  // the director while more sessions are unconfirmed than their quota
    never,
    always,
};

struct RealServer {
    std::string name;          // unique within its service; the ring is built from names
    Endpoint endpoint;         // port 0: the one that the client used; so under direct routing
    std::uint32_t weight = 1;  // 0: drained
    ForwardingMode forward = ForwardingMode::nat;
    ClientAddressBy client_address = ClientAddressBy::none;  // full_nat
    ConnectionLimits connections;
    TunnelOptions tunnel;
    std::vector<Check> checks;  // its own, which all must pass; none: those of the service
    SourcePlace place;

    friend bool operator==(const RealServer&, const RealServer&) = default;
};

// Idle times after which a session ends, in whole seconds, 1 to limits::timeout_max_s.
struct SessionTimeouts {
    std::uint32_t tcp_handshake_s = 30;
    std::uint32_t tcp_established_s = 900;
    std::uint32_t tcp_half_closed_s = 120;
    std::uint32_t tcp_closed_s = 30;
    std::uint32_t udp_one_way_s = 30;
    std::uint32_t udp_s = 300;
    std::uint32_t sctp_handshake_s = 60;
    std::uint32_t sctp_established_s = 900;
    std::uint32_t sctp_shutdown_s = 60;
    std::uint32_t sctp_closed_s = 10;

    friend bool operator==(const SessionTimeouts&, const SessionTimeouts&) = default;
};

struct VirtualService {
    std::string name;     // unique
    bool enabled = true;  // else it is as if it had no real and no fallback
    IpAddress vip;        // with `port`, the first listener
    be16 port{};          // 0: there are those of `listen` alone
    L4Protocol protocol = L4Protocol::tcp;
    std::vector<Listener> listen;   // further ones, which share the reals and the affinity
    std::uint32_t mark = 0;         // what the mark's rules name is the service's first; 0: none
    std::uint32_t mark6 = 0;        // the same of its rules for IPv6
    std::vector<Listener> marked;   // these rules, gathered from the configuration's `marks`
    std::vector<std::string> bind;  // ports by which clients come; none: any
    Scheduler scheduler = Scheduler::maglev;
    SchedulerFlags scheduler_flags;
    std::optional<Affinity> affinity;
    std::uint32_t ring_size = limits::ring_size_default;  // a prime
    SessionPolicy on_failure = SessionPolicy::keep;       // of a real that its check finds down
    SessionPolicy on_removal = SessionPolicy::keep;       // of a real that leaves the file
    NoReal no_real = NoReal::reset;
    bool one_packet = false;    // UDP: no sessions, a real is chosen for each datagram
    std::uint16_t mss_max = 0;  // TCP handshakes ask for no larger segments; 0: as they ask
    SynCookies syn_cookies = SynCookies::automatic;  // TCP, if its reals are of NAT or full NAT
    SessionTimeouts timeouts;
    Access access;
    RateLimits limits;
    Check check;
    std::vector<Check> further_checks;  // a real is up while it passes these and `check`
    // The weights of sound reals must sum up to `quorum` for the service to be up: it comes up with
    // quorum + hysteresis, and goes down below quorum - hysteresis, or at 0.
    std::uint32_t quorum = 1;
    std::uint32_t hysteresis = 0;
    std::uint32_t slow_start_s = 0;  // a real that comes up reaches its full share after so long
    bool quiescent = true;           // a real that is down stays in listings, with weight 0
    std::vector<RealServer> reals;
    std::optional<RealServer> fallback;
    std::vector<std::string> mail_to;  // none: those of Config::mail
    SourcePlace place;

    friend bool operator==(const VirtualService&, const VirtualService&) = default;
};

// How the port's device is reached; `device` in the file is "af_packet:eth1", "0000:01:00.0" or
// "vdev:net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap".
enum class DeviceKind : std::uint8_t { af_packet, af_xdp, pci, vdev, vlan };

struct NicPort {
    std::string name;  // unique; also the name of the kernel twin interface
    DeviceKind kind = DeviceKind::af_packet;
    std::string device;  // without the kind's prefix: "eth1", "0000:01:00.0", "net_ring0"
    std::string parent;  // kind vlan: the port whose device carries its frames, tagged
    std::uint16_t vlan = 0;
    std::vector<IpPrefix> addresses;
    std::vector<IpAddress> local_addresses;  // for full NAT towards reals beyond this port
    std::uint16_t mtu = 0;                   // 0: the device's, but limits::mtu_default at most
    SourcePlace place;

    friend bool operator==(const NicPort&, const NicPort&) = default;
};

enum class Idle : std::uint8_t {
    adaptive,  // sleep in growing steps when no packet comes
    poll,      // never sleep
};

enum class Memory : std::uint8_t { hugepages, ordinary };

struct Director {
    std::string name = "director";
    std::vector<unsigned> workers;  // the CPU of each worker, at least one
    std::uint64_t sessions = 1'000'000;
    std::optional<std::uint64_t> sessions6;         // of IPv6; see sessions6_of
    std::optional<std::uint64_t> affinity_clients;  // none: what follows from `sessions`
    std::string seed = "fulcrum";  // of rings and owner slots: equal on both directors
    Idle idle = Idle::adaptive;
    Memory memory = Memory::hugepages;
    std::string session_file;  // what keeps sessions over a restart; empty: nothing does
    std::string maintenance;   // a folder: its files' names drain reals; empty: none
    SourcePlace place;
    friend bool operator==(const Director&, const Director&) = default;
};

struct Metrics {
    std::optional<Endpoint> listen;  // none: no metrics served
    std::string logins;              // a file of "NAME:PASSWORD" a line; empty: anybody may ask
    std::string certificate;         // of TLS, a file in PEM; empty: there is no TLS
    std::string key;                 // of the certificate, likewise
    friend bool operator==(const Metrics&, const Metrics&) = default;
};

struct Control {
    std::string socket = "/run/fulcrum/control.sock";
    std::string group;    // owner group of the socket; empty: the process's own
    std::string readers;  // a group whose members may ask, and change nothing; empty: none
    friend bool operator==(const Control&, const Control&) = default;
};

// How changes of the file come to run without being asked for, and go again.
struct Reloading {
    std::chrono::milliseconds watch{0};            // between two looks at the file; 0: none
    std::chrono::milliseconds rollback_within{0};  // 0: what is applied stays
    friend bool operator==(const Reloading&, const Reloading&) = default;
};

struct Config {
    Director director;
    std::vector<NicPort> ports;
    std::vector<VipPolicy> vips;  // an address is in one of them at most
    std::vector<MarkRule> marks;
    SessionTimeouts timeouts;  // of services that say nothing else
    std::vector<VirtualService> services;
    Metrics metrics;
    Control control;
    Reloading reload;
    LogSettings log;
    std::optional<MailSettings> mail;  // none: nobody gets any
    std::optional<HookSettings> hook;
    std::vector<RoleGroup> groups;     // none: this director holds all that there is, always
    std::optional<PairSettings> pair;  // none: this director is alone
    std::string source_file;

    friend bool operator==(const Config&, const Config&) = default;
};

// Every listener, in the order of the file: the one that `vip` and `port` say first, and those of
// its mark last.
std::vector<Listener> listeners_of(const VirtualService& service);
be16 only_port_of(const VirtualService& service);  // of all its listeners; 0: there are several
// Every address of every listener. Empty for a valid service only while its mark has no rules.
std::vector<ListenPoint> listen_points(const VirtualService& service);

// How many IPv6 sessions to have room for: as many as asked for, else as many as of IPv4 if there
// is a service that needs them.
std::uint64_t sessions6_of(const Config& config);
bool speaks_ipv6(const Config& config);
// By port: which of the devices, counted in the file's order, carries its frames.
std::vector<std::size_t> devices_of(const std::vector<NicPort>& ports);
std::string device_in_words(const NicPort& port);  // "eth1", "vlan 20 of lan"

std::string_view to_string(SessionPolicy policy);
std::string_view to_string(ForwardingMode mode);
std::string_view to_string(NoReal no_real);
std::string_view to_string(SynCookies syn_cookies);

}  // namespace fulcrum
