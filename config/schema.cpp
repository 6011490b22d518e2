// The table itself. Words of a list stand in the order of the enumerators that they mean.
#include "config/schema.h"

#include <array>
#include <limits>
#include <vector>

#include "config/check_schema.h"
#include "config/pair_schema.h"
#include "config/role_schema.h"
#include "config/telling_schema.h"

namespace fulcrum {
namespace {

using std::string_view;
using Target = SchemaTarget;
using enum Presence;

constexpr std::array<string_view, 2> idle_words{"adaptive", "poll"};
constexpr std::array<string_view, 2> memory_words{"hugepages", "ordinary"};
constexpr std::array<string_view, 3> protocol_words{"tcp", "udp", "sctp"};
constexpr std::array protocols{L4Protocol::tcp, L4Protocol::udp, L4Protocol::sctp};
// "drain" is another word for "keep": the real drains.
constexpr std::array<string_view, 4> on_failure_words{"keep", "reset", "move", "drain"};
constexpr std::array<string_view, 3> on_removal_words{"keep", "reset", "move"};
constexpr std::array<string_view, scheduler_count> scheduler_words{
    "maglev", "rr", "wrr",  "lc",    "wlc", "sed", "nq",  "dh",
    "sh",     "mh", "lblc", "lblcr", "fo",  "ovf", "twos"};
constexpr std::array<string_view, 2> scheduler_flag_words{"fallback", "port"};
constexpr std::array<string_view, 2> on_drain_words{"keep", "move"};
constexpr std::array<string_view, 3> no_real_words{"reset", "silent", "unreachable"};
constexpr std::array<string_view, 3> other_words{"punt", "reset", "drop"};
constexpr std::array<string_view, 3> syn_cookies_words{"auto", "never", "always"};
constexpr std::array<string_view, 6> forward_words{"nat", "direct", "ipip",
                                                   "gue", "gre",    "fullnat"};
constexpr std::array<string_view, 3> client_address_words{"none", "proxy", "toa"};

constexpr ValueType group{ValueKind::group};
constexpr ValueType name{ValueKind::name, 1, limits::name_length_max};
constexpr ValueType host_address{ValueKind::host_address};
constexpr ValueType real_address{ValueKind::real_address};
constexpr ValueType l4_port = integer(1, 65'535);
constexpr ValueType l4_ports{ValueKind::port_range};
constexpr ValueType vip{ValueKind::vip};
constexpr ValueType client_prefixes = array_of({ValueKind::client_prefix}, 0, 4'096);
constexpr ValueType rate = integer(1, limits::rate_max);
constexpr ValueType session_timeout = whole_seconds(1, limits::timeout_max_s);
constexpr string_view as_general = "as `timeouts` says";
constexpr string_view as_there = "as in `timeouts`";

template <typename T>
T number_as(const Value& value) {
    return static_cast<T>(value.number);  // the type's range has been checked
}

PortRange ports_of(const Value& value) {
    return {number_as<std::uint16_t>(value), static_cast<std::uint16_t>(value.number_most)};
}
// A single address with a single port is the service's own, the common case.
void store_listener(SchemaTarget& target, const Listener& listener) {
    const bool is_first = target.service->port.host() == 0 && target.service->listen.empty();
    if (is_first && listener.vip.is_single() && listener.ports.is_single()) {
        target.service->vip = listener.vip.address;
        target.service->port = be16{listener.ports.first};
        target.service->protocol = listener.protocol;
    } else {
        target.service->listen.push_back(listener);
    }
}
void store_protocol(SchemaTarget& target, L4Protocol protocol) {
    target.preset.protocol = protocol;
    target.service->check.type = protocol == L4Protocol::tcp ? CheckType::connect : CheckType::none;
}
be16 port_of(const Value& value) { return be16{number_as<std::uint16_t>(value)}; }
std::string string_of(const Value& value) { return std::string{value.text}; }
std::uint32_t seconds_of(const Value& value) {
    return static_cast<std::uint32_t>(value.number / 1'000);
}

void keep_nothing(Target&, const Value&) {}

// The general ones are read before there is a service.
template <auto Timeout>
void keep_timeout(Target& t, const Value& value) {
    SessionTimeouts& timeouts = t.service == nullptr ? t.config.timeouts : t.service->timeouts;
    timeouts.*Timeout = seconds_of(value);
}

// clang-format off
constexpr SchemaKey keys_before_check[] = {
    {"director", group, required, "", "this director",
     [](Target& t, const Value& v) { t.config.director.place = v.place; }},
    {"director.name", name, optional, "\"director\"", "how it calls itself in status and metrics",
     [](Target& t, const Value& v) { t.config.director.name = string_of(v); }},
    {"director.workers", array_of(integer(0, 1'023), 1, limits::workers_max), required, "",
     "the CPU of each worker, as the kernel numbers them",
     [](Target& t, const Value& v) { t.config.director.workers.push_back(number_as<unsigned>(v)); }},
    {"director.sessions", integer(1'000, 1'000'000'000), optional, "1000000",
     "sessions to have room for, over all workers; memory is taken at start",
     [](Target& t, const Value& v) { t.config.director.sessions = number_as<std::uint64_t>(v); }},
    {"director.sessions6", integer(0, 1'000'000'000), optional_in_words,
     "`sessions`, if a service has an IPv6 VIP; else 0",
     "the same for IPv6, whose sessions lie in tables of their own",
     [](Target& t, const Value& v) { t.config.director.sessions6 = number_as<std::uint64_t>(v); }},
    {"director.affinity_clients", integer(1, 1'000'000'000), optional_in_words,
     "a quarter of `sessions`; if no service has affinity at start, 1/64",
     "clients whose affinity there is room to remember, over all workers; memory is taken at start",
     [](Target& t, const Value& v) { t.config.director.affinity_clients = number_as<std::uint64_t>(v); }},
    {"director.seed", text(1, 255), optional, "\"fulcrum\"",
     "what rings and the split between workers are drawn from; equal on directors that are to agree",
     [](Target& t, const Value& v) { t.config.director.seed = string_of(v); }},
    {"director.idle", one_of(idle_words), optional, "\"adaptive\"",
     "`adaptive`: a worker without packets sleeps in growing steps; `poll`: it never sleeps",
     [](Target& t, const Value& v) { t.config.director.idle = number_as<Idle>(v); }},
    {"director.memory", one_of(memory_words), optional, "\"hugepages\"",
     "`ordinary`: pages of 4 KiB, slower, needs nothing prepared",
     [](Target& t, const Value& v) { t.config.director.memory = number_as<Memory>(v); }},
    {"director.session_file", text(1, 1'024), optional_in_words, "none", "a file in which sessions outlive the process, see below",
     [](Target& t, const Value& v) { t.config.director.session_file = string_of(v); }},
    {"director.maintenance", text(1, 1'024), optional_in_words, "none", "a folder of files that drain reals, see below",
     [](Target& t, const Value& v) { t.config.director.maintenance = string_of(v); }},
    {"ports", list(1, limits::ports_max), required, "", "the NIC ports that the director takes",
     [](Target& t, const Value& v) {
         t.port = &t.config.ports.emplace_back();
         t.port->place = v.place;
     }},
    {"ports[].name", name, required, "",
     "also the name of the kernel's twin interface, so at most 15 characters",
     [](Target& t, const Value& v) { t.port->name = string_of(v); }},
    {"ports[].device", {ValueKind::device}, required, "",
     "how the port is reached: a kernel interface shared by af_packet or AF_XDP, a PCI device bound "
     "to vfio-pci, or any virtual device of DPDK with its arguments",
     [](Target& t, const Value& v) {
         t.port->kind = number_as<DeviceKind>(v);
         t.port->device = string_of(v);
     }, "parent"},
    {"ports[].parent", name, optional_in_words, "none",
     "a VLAN: the port whose device carries its frames with their 802.1Q tag; in all else it is a "
     "port of its own",
     [](Target& t, const Value& v) {
         t.port->kind = DeviceKind::vlan;
         t.port->parent = string_of(v);
     }},
    {"ports[].vlan", integer(1, 4'094), optional_in_words, "none", "with `parent`: the VLAN's number",
     [](Target& t, const Value& v) { t.port->vlan = number_as<std::uint16_t>(v); }},
    {"ports[].addresses", array_of({ValueKind::host_prefix}, 0, 64), optional, "[]",
     "the addresses that the twin gets",
     [](Target& t, const Value& v) { t.port->addresses.push_back(v.prefix); }},
    {"ports[].local_addresses", array_of(host_address, 0, limits::local_addresses_max), optional, "[]",
     "addresses that serve full NAT alone, towards reals beyond this port; each carries 64,512 "
     "sessions of a protocol at a time, less those whose port rests, shared out among the workers",
     [](Target& t, const Value& v) { t.port->local_addresses.push_back(v.prefix.address); }},
    {"ports[].mtu", integer(limits::mtu_min, limits::mtu_max), optional_in_words,
     "the device's, at most 1500",
     "octets of the longest IP packet that the port carries; the device is set to it",
     [](Target& t, const Value& v) { t.port->mtu = number_as<std::uint16_t>(v); }},

    {"vips", list(0, 1'024), optional, "()", "what holds for VIPs beyond their services",
     [](Target& t, const Value& v) { t.config.vips.emplace_back().place = v.place; }},
    {"vips[].address", vip, required, "", "the VIP, or a block of them",
     [](Target& t, const Value& v) { t.config.vips.back().addresses = v.prefix; }},
    {"vips[].other", one_of(other_words), optional, "\"punt\"",
     "what becomes of TCP, SCTP and UDP packets there that are no service's: `punt`: the kernel's; "
     "`reset`: an RST for TCP, an ABORT for SCTP, ICMP \"port unreachable\" for UDP; `drop`: nothing is answered",
     [](Target& t, const Value& v) { t.config.vips.back().other = number_as<OtherTraffic>(v); }},

    {"timeouts", group, optional_in_words, "as below",
     "idle times after which a session ends, of services that say nothing else", keep_nothing},
    {"timeouts.tcp_handshake", session_timeout, optional, "\"30s\"", "before the handshake is complete",
     keep_timeout<&SessionTimeouts::tcp_handshake_s>},
    {"timeouts.tcp_established", session_timeout, optional, "\"15m\"", "established",
     keep_timeout<&SessionTimeouts::tcp_established_s>},
    {"timeouts.tcp_half_closed", session_timeout, optional, "\"2m\"", "one side has closed",
     keep_timeout<&SessionTimeouts::tcp_half_closed_s>},
    {"timeouts.tcp_closed", session_timeout, optional, "\"30s\"", "both sides have closed, or one has reset",
     keep_timeout<&SessionTimeouts::tcp_closed_s>},
    {"timeouts.udp_one_way", session_timeout, optional, "\"30s\"", "before an answer",
     keep_timeout<&SessionTimeouts::udp_one_way_s>},
    {"timeouts.udp", session_timeout, optional, "\"5m\"", "after an answer",
     keep_timeout<&SessionTimeouts::udp_s>},
    {"timeouts.sctp_handshake", session_timeout, optional, "\"1m\"", "before the association's cookie has been echoed",
     keep_timeout<&SessionTimeouts::sctp_handshake_s>},
    {"timeouts.sctp_established", session_timeout, optional, "\"15m\"", "established",
     keep_timeout<&SessionTimeouts::sctp_established_s>},
    {"timeouts.sctp_shutdown", session_timeout, optional, "\"1m\"", "one side has begun to shut down",
     keep_timeout<&SessionTimeouts::sctp_shutdown_s>},
    {"timeouts.sctp_closed", session_timeout, optional, "\"10s\"", "the shutdown is complete, or one side has aborted",
     keep_timeout<&SessionTimeouts::sctp_closed_s>},

    {"marks", list(0, 4'096), optional, "()",
     "what firewall marks are elsewhere: each element gives its packets to the service with that mark, "
     "before any other service",
     [](Target& t, const Value& v) { t.config.marks.emplace_back().listener.place = v.place; }},
    {"marks[].mark", integer(1, 4'294'967'295), required, "", "the mark's number",
     [](Target& t, const Value& v) { t.config.marks.back().mark = number_as<std::uint32_t>(v); }},
    {"marks[].vip", vip, required, "", "the address that clients use, or a block of them",
     [](Target& t, const Value& v) { t.config.marks.back().listener.vip = v.prefix; }},
    {"marks[].protocol", one_of(protocol_words), optional, "\"tcp\"", "the protocol on top of IP",
     [](Target& t, const Value& v) { t.config.marks.back().listener.protocol = protocols[static_cast<std::size_t>(v.number)]; }},
    {"marks[].port", l4_ports, required, "", "the port that clients use, or a range of them",
     [](Target& t, const Value& v) { t.config.marks.back().listener.ports = ports_of(v); }},

    {"services", list(0, limits::services_max), optional, "()", "the virtual services",
     [](Target& t, const Value& v) {
         t.service = &t.config.services.emplace_back();
         t.service->place = v.place;
         t.service->timeouts = t.config.timeouts;
         t.preset = {};
         t.preset.place = v.place;
         t.has_said_check = false;
     }},
    {"services[].name", name, required, "", "unique; stands in commands and metrics",
     [](Target& t, const Value& v) { t.service->name = string_of(v); }},
    {"services[].vip", vip, required, "", "the address that clients use, or a block of them",
     [](Target& t, const Value& v) { t.preset.vip = v.prefix; }, "listen, mark, mark6"},
    {"services[].protocol", one_of(protocol_words), optional, "\"tcp\"", "the protocol on top of IP",
     [](Target& t, const Value& v) { store_protocol(t, protocols[static_cast<std::size_t>(v.number)]); }},
    {"services[].port", l4_ports, required, "", "the port that clients use, or a range of them",
     [](Target& t, const Value& v) {
         t.preset.ports = ports_of(v);
         store_listener(t, t.preset);
     }, "listen, mark, mark6"},
    {"services[].listen", list(1, 1'024), optional_in_words, "none",
     "what the service listens on besides: all of it shares the reals, the scheduler and the affinity",
     [](Target& t, const Value& v) {
         t.service->listen.push_back(t.preset);
         t.service->listen.back().ports = {};
         t.service->listen.back().place = v.place;
     }},
    {"services[].listen[].vip", vip, optional_in_words, "the service's", "as of the service",
     [](Target& t, const Value& v) { t.service->listen.back().vip = v.prefix; }},
    {"services[].listen[].port", l4_ports, required, "", "as of the service",
     [](Target& t, const Value& v) { t.service->listen.back().ports = ports_of(v); }},
    {"services[].listen[].protocol", one_of(protocol_words), optional_in_words, "the service's",
     "as of the service",
     [](Target& t, const Value& v) { t.service->listen.back().protocol = protocols[static_cast<std::size_t>(v.number)]; }},
    {"services[].mark", integer(1, 4'294'967'295), optional_in_words, "none",
     "it gets what the rules of this mark in `marks` name, for IPv4",
     [](Target& t, const Value& v) { t.service->mark = number_as<std::uint32_t>(v); }},
    {"services[].mark6", integer(1, 4'294'967'295), optional_in_words, "none", "the same for IPv6",
     [](Target& t, const Value& v) { t.service->mark6 = number_as<std::uint32_t>(v); }},
    {"services[].bind", array_of(name, 1, limits::ports_max), optional_in_words, "any port",
     "the ports by which clients may come; by others the service is not there",
     [](Target& t, const Value& v) { t.service->bind.push_back(string_of(v)); }},
    {"services[].scheduler", one_of(scheduler_words), optional, "\"maglev\"",
     "how a real is chosen for a new session: `maglev` by a ring of consistent hashing; the others "
     "as IPVS does, see below",
     [](Target& t, const Value& v) { t.service->scheduler = number_as<Scheduler>(v); }},
    {"services[].scheduler_flags", array_of(one_of(scheduler_flag_words), 0, 2), optional, "[]",
     "of `sh` and `mh`: `fallback`: a client whose real takes no new sessions gets another one, "
     "instead of none; `port`: the client's port counts too",
     [](Target& t, const Value& v) {
         SchedulerFlags& flags = t.service->scheduler_flags;
         (v.number == 0 ? flags.fallback : flags.port) = true;
     }},
    {"services[].ring_size", integer(251, 655'373), optional, "65537",
     "slots of the ring, a prime; more slots share more evenly, 100 a real is a good least; a change "
     "moves most flows",
     [](Target& t, const Value& v) { t.service->ring_size = number_as<std::uint32_t>(v); }},
    {"services[].on_failure", one_of(on_failure_words), optional, "\"keep\"",
     "what becomes of the TCP and SCTP sessions of a real that its check finds down: `keep` (or `drain`): they "
     "stay; `reset`: both sides are reset on their next packet; `move`: the client's next packet goes to "
     "another real. UDP moves in any case",
     [](Target& t, const Value& v) {
         const bool is_drain = v.number == std::ssize(on_failure_words) - 1;
         t.service->on_failure = is_drain ? SessionPolicy::keep : number_as<SessionPolicy>(v);
     }},
    {"services[].on_removal", one_of(on_removal_words), optional, "\"keep\"",
     "the same for a real that a reload removes; under `keep` UDP stays too",
     [](Target& t, const Value& v) { t.service->on_removal = number_as<SessionPolicy>(v); }},
    {"services[].no_real", one_of(no_real_words), optional, "\"reset\"",
     "what a new session gets when no real is usable and there is no fallback: `reset`: an RST for "
     "TCP, an ABORT for SCTP, silence for UDP; `silent`: silence; `unreachable`: ICMP \"port "
     "unreachable\" for all",
     [](Target& t, const Value& v) { t.service->no_real = number_as<NoReal>(v); }},

    {"services[].one_packet", {ValueKind::boolean}, optional, "false",
     "for UDP: no sessions, every datagram is scheduled by itself",
     [](Target& t, const Value& v) { t.service->one_packet = v.number != 0; }},
    {"services[].mss_max", integer(536, 65'495), optional_in_words,
     "as they ask; in a tunnel, what it leaves",
     "TCP handshakes ask for no larger segments, in both directions where both pass",
     [](Target& t, const Value& v) { t.service->mss_max = number_as<std::uint16_t>(v); }},
    {"services[].syn_cookies", one_of(syn_cookies_words), optional, "\"auto\"",
     "for TCP by NAT and full NAT: whether the director answers SYNs itself, with a cookie and without a "
     "session: `auto`: while more than a quarter of the table is unconfirmed; `never`; `always`",
     [](Target& t, const Value& v) { t.service->syn_cookies = number_as<SynCookies>(v); }},
    {"services[].timeouts", group, optional_in_words, "as `timeouts` says",
     "idle times after which a session ends", keep_nothing},
    {"services[].timeouts.tcp_handshake", session_timeout, optional_in_words, as_general, as_there, keep_timeout<&SessionTimeouts::tcp_handshake_s>},
    {"services[].timeouts.tcp_established", session_timeout, optional_in_words, as_general, as_there, keep_timeout<&SessionTimeouts::tcp_established_s>},
    {"services[].timeouts.tcp_half_closed", session_timeout, optional_in_words, as_general, as_there, keep_timeout<&SessionTimeouts::tcp_half_closed_s>},
    {"services[].timeouts.tcp_closed", session_timeout, optional_in_words, as_general, as_there, keep_timeout<&SessionTimeouts::tcp_closed_s>},
    {"services[].timeouts.udp_one_way", session_timeout, optional_in_words, as_general, as_there, keep_timeout<&SessionTimeouts::udp_one_way_s>},
    {"services[].timeouts.udp", session_timeout, optional_in_words, as_general, as_there, keep_timeout<&SessionTimeouts::udp_s>},
    {"services[].timeouts.sctp_handshake", session_timeout, optional_in_words, as_general, as_there, keep_timeout<&SessionTimeouts::sctp_handshake_s>},
    {"services[].timeouts.sctp_established", session_timeout, optional_in_words, as_general, as_there, keep_timeout<&SessionTimeouts::sctp_established_s>},
    {"services[].timeouts.sctp_shutdown", session_timeout, optional_in_words, as_general, as_there, keep_timeout<&SessionTimeouts::sctp_shutdown_s>},
    {"services[].timeouts.sctp_closed", session_timeout, optional_in_words, as_general, as_there, keep_timeout<&SessionTimeouts::sctp_closed_s>},

    {"services[].allow", client_prefixes, optional, "[]",
     "clients that may open sessions; with any, nobody else may. Of `allow` and `deny` the longest "
     "prefix that a client lies in decides",
     [](Target& t, const Value& v) { t.service->access.allow.push_back(v.prefix); }},
    {"services[].deny", client_prefixes, optional, "[]",
     "clients that may not; the sessions that they have go on",
     [](Target& t, const Value& v) { t.service->access.deny.push_back(v.prefix); }},
    {"services[].allow_file", text(1, 1'024), optional_in_words, "none",
     "a file of such prefixes, one a line, at most a million; # begins a comment. A relative path "
     "begins beside this file. Read again with every reload",
     [](Target& t, const Value& v) { t.service->access.allow_file = string_of(v); }},
    {"services[].deny_file", text(1, 1'024), optional_in_words, "none", "the same for `deny`",
     [](Target& t, const Value& v) { t.service->access.deny_file = string_of(v); }},
    {"services[].limits", group, optional_in_words, "none",
     "how much may be asked in a second; a second's worth may come at once. What is beyond is dropped",
     keep_nothing},
    {"services[].limits.client_sessions_per_s", rate, optional_in_words, "any number",
     "new sessions of one client",
     [](Target& t, const Value& v) { t.service->limits.client_sessions_per_s = number_as<std::uint32_t>(v); }},
    {"services[].limits.client_packets_per_s", rate, optional_in_words, "any number",
     "packets of one client",
     [](Target& t, const Value& v) { t.service->limits.client_packets_per_s = number_as<std::uint32_t>(v); }},
    {"services[].limits.sessions_per_s", rate, optional_in_words, "any number",
     "new sessions of all clients together, shared out evenly among the workers",
     [](Target& t, const Value& v) { t.service->limits.sessions_per_s = number_as<std::uint32_t>(v); }},
    {"services[].limits.packets_per_s", rate, optional_in_words, "any number",
     "packets of all clients together, likewise",
     [](Target& t, const Value& v) { t.service->limits.packets_per_s = number_as<std::uint32_t>(v); }},
    {"services[].limits.prefix", prefix_length(1, 32), optional, "32",
     "IPv4 clients alike in so many leading bits are one client",
     [](Target& t, const Value& v) { t.service->limits.prefix = number_as<std::uint8_t>(v); }},
    {"services[].limits.prefix6", prefix_length(1, 128), optional, "64", "the same of IPv6 clients",
     [](Target& t, const Value& v) { t.service->limits.prefix6 = number_as<std::uint8_t>(v); }},

    {"services[].affinity", group, optional_in_words, "none",
     "a client's new sessions go to the real that its last one went to",
     [](Target& t, const Value&) {
         if (!t.service->affinity) {  // an edit may change a part of it
             t.service->affinity.emplace();
         }
     }},
    {"services[].affinity.timeout", session_timeout, optional, "\"5m\"",
     "for so long from the end of the client's last session",
     [](Target& t, const Value& v) { t.service->affinity->timeout_s = seconds_of(v); }},
    {"services[].affinity.prefix", prefix_length(1, 32), optional, "32",
     "IPv4 clients alike in so many leading bits are one client",
     [](Target& t, const Value& v) { t.service->affinity->prefix = number_as<std::uint8_t>(v); }},
    {"services[].affinity.prefix6", prefix_length(1, 128), optional, "64", "the same of IPv6 clients",
     [](Target& t, const Value& v) { t.service->affinity->prefix6 = number_as<std::uint8_t>(v); }},
    {"services[].affinity.on_drain", one_of(on_drain_words), optional, "\"keep\"",
     "`keep`: clients of a drained real still go there until their time is over; `move`: their next "
     "session goes to another, and so do those after it",
     [](Target& t, const Value& v) { t.service->affinity->on_drain = number_as<OnDrain>(v); }},

};
constexpr SchemaKey keys_behind_check[] = {
    {"services[].reals", list(0, limits::reals_per_service_max), optional, "()",
     "the real servers",
     [](Target& t, const Value& v) {
         t.real = &t.service->reals.emplace_back();
         t.real->place = v.place;
     }},
    {"services[].reals[].name", name, required, "",
     "unique within the service; the ring is built from names, so a renamed real is a new one",
     [](Target& t, const Value& v) { t.real->name = string_of(v); }},
    {"services[].reals[].address", real_address, required, "",
     "where the real is; a program on the director itself is a real too",
     [](Target& t, const Value& v) { t.real->endpoint.address = v.prefix.address; }},
    {"services[].reals[].port", l4_port, optional_in_words,
     "the service's port; of several, the one that the client used",
     "where it listens; under `direct` and in a tunnel the service's port, nothing else",
     [](Target& t, const Value& v) { t.real->endpoint.port = port_of(v); }},
    {"services[].reals[].weight", integer(0, limits::weight_max), optional, "1",
     "its share of new sessions against the others'; 0: none, its old sessions stay",
     [](Target& t, const Value& v) { t.real->weight = number_as<std::uint32_t>(v); }},
    {"services[].reals[].forward", one_of(forward_words), optional, "\"nat\"",
     "`nat`: addresses are rewritten and replies come back through the director; `direct`: the real "
     "holds the VIP and answers the client itself; `ipip`, `gue`, `gre`: as `direct`, but the packet "
     "travels to the real in such a tunnel, over any distance, and the real unwraps it; `fullnat`: as "
     "`nat`, and clients come to the real from the port's `local_addresses`, so that replies find back "
     "whatever the real's gateway is",
     [](Target& t, const Value& v) { t.real->forward = number_as<ForwardingMode>(v); }},
    {"services[].reals[].client_address", one_of(client_address_words), optional, "\"none\"",
     "`fullnat`: how the real learns who its client is; `proxy`: by a PROXY protocol header (version 2) "
     "before the client's first octet, over UDP in each datagram, which the real has to expect; `toa`: by "
     "TCP option 254 of the first segments, which a module of the real's kernel may read and all others ignore",
     [](Target& t, const Value& v) { t.real->client_address = number_as<ClientAddressBy>(v); }},
    {"services[].reals[].tunnel_port", l4_port, optional, "6080",
     "`gue`: the UDP port where the real unwraps",
     [](Target& t, const Value& v) { t.real->tunnel.port = port_of(v); }},
    {"services[].reals[].tunnel_checksum", {ValueKind::boolean}, optional, "false",
     "`gue`, `gre`: the outer header's checksum covers the packet within, which carries one "
     "of its own",
     [](Target& t, const Value& v) { t.real->tunnel.has_checksum = v.number != 0; }},
    {"services[].reals[].connections", group, optional_in_words, "unlimited",
     "how many sessions it may have", keep_nothing},
    {"services[].reals[].connections.upper", integer(1, 1'000'000'000), required, "",
     "with so many sessions, active or not, it is overloaded and gets no new ones",
     [](Target& t, const Value& v) { t.real->connections.upper = number_as<std::uint32_t>(v); }},
    {"services[].reals[].connections.lower", integer(1, 1'000'000'000), optional_in_words,
     "`upper` less a quarter", "with fewer than so many it gets new ones again; at most `upper`",
     [](Target& t, const Value& v) { t.real->connections.lower = number_as<std::uint32_t>(v); }},

    {"services[].fallback", group, optional_in_words, "none",
     "a server that takes the new sessions that no real may take: none is usable, all are overloaded, "
     "or the one that `sh`, `dh` or `mh` names is; it is not checked",
     [](Target& t, const Value& v) {
         t.real = &t.service->fallback.emplace();
         t.real->name = "fallback";
         t.real->place = v.place;
     }},
    {"services[].fallback.name", name, optional, "\"fallback\"", "unique among the service's reals",
     [](Target& t, const Value& v) { t.real->name = string_of(v); }},
    {"services[].fallback.address", real_address, required, "", "where the server is",
     [](Target& t, const Value& v) { t.real->endpoint.address = v.prefix.address; }},
    {"services[].fallback.port", l4_port, optional_in_words,
     "the service's port; of several, the one that the client used",
     "where it listens",
     [](Target& t, const Value& v) { t.real->endpoint.port = port_of(v); }},
    {"services[].fallback.forward", one_of(forward_words), optional, "\"nat\"", "as of a real",
     [](Target& t, const Value& v) { t.real->forward = number_as<ForwardingMode>(v); }},
    {"services[].fallback.client_address", one_of(client_address_words), optional, "\"none\"",
     "as of a real",
     [](Target& t, const Value& v) { t.real->client_address = number_as<ClientAddressBy>(v); }},
    {"services[].fallback.tunnel_port", l4_port, optional, "6080", "as of a real",
     [](Target& t, const Value& v) { t.real->tunnel.port = port_of(v); }},
    {"services[].fallback.tunnel_checksum", {ValueKind::boolean}, optional, "false",
     "as of a real",
     [](Target& t, const Value& v) { t.real->tunnel.has_checksum = v.number != 0; }},

    {"control", group, optional_in_words, "as below", "how `fulcrumctl` reaches the director",
     keep_nothing},
    {"control.socket", {ValueKind::file_path}, optional, "\"/run/fulcrum/control.sock\"",
     "the Unix socket",
     [](Target& t, const Value& v) { t.config.control.socket = string_of(v); }},
    {"control.group", name, optional_in_words, "the process's own",
     "the group whose members may use the socket",
     [](Target& t, const Value& v) { t.config.control.group = string_of(v); }},
    {"control.readers", name, optional_in_words, "none",
     "a group whose members may ask for what changes nothing, captures and plans excepted",
     [](Target& t, const Value& v) { t.config.control.readers = string_of(v); }},

    {"reload", group, optional_in_words, "as below", "what a changed file does by itself", keep_nothing},
    {"reload.watch", duration(100, 3'600'000), optional_in_words, "never",
     "look this often whether the file, or one that it includes or names as a list, has changed, and reload it then",
     [](Target& t, const Value& v) { t.config.reload.watch = std::chrono::milliseconds{v.number}; }},
    {"reload.rollback_within", duration(1'000, 3'600'000), optional_in_words, "never",
     "take a reload back if within this time a service that was up loses every real by its checks",
     [](Target& t, const Value& v) { t.config.reload.rollback_within = std::chrono::milliseconds{v.number}; }},
};
// clang-format on

static_assert(std::numeric_limits<std::int32_t>::max() >= limits::weight_max,
              "a weight can be written without a suffix");

}  // namespace

std::span<const SchemaKey> schema() {
    static const std::vector<SchemaKey> keys = [] {
        std::vector<SchemaKey> all;
        for (const std::span<const SchemaKey> part :
             {std::span<const SchemaKey>{keys_before_check}, check_keys(),
              std::span<const SchemaKey>{keys_behind_check}, telling_keys(), role_keys(),
              pair_keys(), check_keys_elsewhere()}) {
            all.insert(all.end(), part.begin(), part.end());
        }
        return all;
    }();
    return keys;
}

}  // namespace fulcrum
