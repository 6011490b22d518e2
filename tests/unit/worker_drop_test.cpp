// Every way to be dropped has a scenario here. The tests are made from the list of reasons itself,
// so a new reason without a scenario fails, and so does a scenario that ends for another reason.
#include <gtest/gtest.h>
#include <rte_ring.h>

#include <functional>
#include <map>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

using enum DropReason;

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint other_vip{Ipv4Address::of(10, 1, 0, 81), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
constexpr Ipv4Address local = Ipv4Address::of(10, 2, 0, 100);
constexpr Ipv4Address our_wan = Ipv4Address::of(10, 1, 0, 2);
constexpr Ipv4Address stranger = Ipv4Address::of(192, 0, 2, 1);

Packet request() { return Packet::tcp(client, vip).payload("abc"); }
Packet datagram() { return Packet::udp(client, vip).payload("abc"); }

// One packet is dropped for the reason, or many where one alone cannot be had.
struct Scenario {
    std::function<void(WorkerRig&)> act;
    std::function<void(Scene&)> prepare = [](Scene&) {};
    WorkerRig::Shape shape{};
    bool drops_many = false;
};

Scenario receives(const Frame& frame) {
    return {.act = [frame](WorkerRig& rig) { rig.receive(frame); }};
}

Scenario receives_in_segments(const Frame& frame, std::size_t segment) {
    return {.act = [frame, segment](WorkerRig& rig) { rig.receive(frame, 0, segment); }};
}

// Many of the same frame, in bursts that no queue on the way refuses.
void fill(WorkerRig& rig, const Frame& frame, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        rig.receive(frame);
        if (i % limits::burst_size_max == 0) {
            rig.turn();
        }
    }
}

Frame to_ourselves() { return Packet::udp(client, {our_wan, be16{9}}).bytes(); }

void add_second_service(Scene& scene) { scene.service("other", other_vip).real("a", real); }

// Confirmed sessions until nothing has room.
void crowd(WorkerRig& rig) {
    for (std::uint16_t port = 1; port < 1'000; ++port) {
        const Endpoint from{Ipv4Address::of(198, 51, 100, 8), be16{port}};
        rig.receive(Packet::tcp(from, vip).flags(tcp_flag::syn).bytes());
        rig.settle();
        if (rig.dropped(table_full) > 0) {
            return;
        }
        rig.receive(Packet::tcp(real, from)
                        .macs(mac_of(real.address), lan_mac)
                        .flags(tcp_flag::syn | tcp_flag::ack)
                        .bytes());
        rig.settle();
        rig.receive(Packet::tcp(from, vip).bytes());
        rig.settle();
        rig.sent(0);
        rig.sent(1);
    }
}

// A client that belongs to worker 0 of two.
Endpoint client_of_worker_0(const WorkerRig& rig) {
    Ipv4Address address = client.address.v4();
    while (rig.steering().owner_of(address) != 0) {
        address = Ipv4Address::from_host(address.host() + 1);
    }
    return {address, client.port};
}

Scenario handover_scenario(DropReason reason) {
    Scenario scenario;
    scenario.shape = {.worker_count = 2};
    if (reason == handed_over_twice) {
        scenario.act = [](WorkerRig& rig) {
            // Worker 0's client in the mailbox from worker 0 to worker 1.
            const Frame frame = Packet::tcp(client_of_worker_0(rig), vip).bytes();
            rte_mbuf* mbuf = buffer_of(frame, ring_port(0).id());
            ASSERT_TRUE(rig.mailbox(0, 1).post(mbuf));
        };
        return scenario;
    }
    scenario.act = [](WorkerRig& rig) {
        // Worker 0 is not served while worker 1 fills its mailbox.
        const Frame frame = Packet::tcp(client_of_worker_0(rig), vip).bytes();
        for (std::size_t i = 0; i <= limits::handover_ring_length; ++i) {
            rig.receive(frame, 1);
            rig.worker(1).run_once();
        }
        rig.turn();
        rig.sent(1);  // or the transmit queue would be the next to be full
    };
    return scenario;
}

std::map<DropReason, Scenario> wire_scenarios() {
    const Packet lost = Packet::tcp(vip, client);
    const Packet error = Packet::icmp(stranger, vip.address, 3, 1).quoting(lost, 7);
    const Packet nobodys = Packet::tcp({Ipv4Address::of(224, 0, 0, 1), be16{1'024}}, vip);
    return {
        {frame_truncated, receives(cut(request().bytes(), 13))},
        {headers_scattered, receives_in_segments(request().bytes(), 40)},
        {ipv4_truncated, receives(cut(request().bytes(), 33))},
        {ipv4_version, receives(with_octet(request().bytes(), ip_at, 0x55))},
        {ipv4_header_length, receives(with_octet(request().bytes(), ip_at, 0x44))},
        {ipv4_total_length, receives(fixed(with_word(request().bytes(), total_length_at, 1'000)))},
        {ipv4_checksum, receives(with_word(request().bytes(), ip_checksum_at, 0xBEEF))},
        {ipv4_source, receives(nobodys.bytes())},
        {l4_truncated, receives(fixed(with_word(request().bytes(), total_length_at, 39)))},
        {l4_header_length, receives(with_octet(request().bytes(), tcp_offset_at, 0x40))},
        {l4_length, receives(with_word(datagram().bytes(), udp_length_at, 12))},
        {l4_port_zero, receives(with_word(request().bytes(), source_port_at, 0))},
        {tcp_flags, receives(with_octet(request().bytes(), tcp_flags_at, 0x03))},
        {icmp_quotation, receives(error.bytes())},
        {ethertype, receives(with_word(request().bytes(), ethertype_at, 0x88CC))},
        {vlan, receives(with_word(request().bytes(), ethertype_at, 0x8100))},
        {fragment_bounds, receives(Packet{datagram()}.fragment(4, true).bytes())},
        {destination, receives(Packet::tcp(client, {stranger, be16{80}}).bytes())},
        {ttl_expired, receives(request().ttl(1).bytes())},
        {no_session, receives(request().flags(tcp_flag::rst).bytes())},
    };
}

// From a router that quotes no more of our outer packet than its header and eight octets.
Scenario tunnel_error_scenario() {
    const Packet outer =
        Packet::ipv4(Ipv4Address::of(10, 2, 0, 1), real.address, 4).payload("the packet within");
    Scenario scenario = receives(Packet::icmp(stranger, Ipv4Address::of(10, 2, 0, 1), 3, 1)
                                     .macs(mac_of(real.address), lan_mac)
                                     .quoting(outer, 8)
                                     .bytes());
    scenario.prepare = [](Scene& scene) {
        RealServer& only = scene.last_service().reals[0];
        only.forward = ForwardingMode::ipip;
        only.endpoint.port = vip.port;
    };
    return scenario;
}

std::map<DropReason, Scenario> fragment_scenarios() {
    const Frame first = datagram().payload(std::string(16, 'x')).fragment(0, true).bytes();
    std::map<DropReason, Scenario> all;
    all[tunnel_error] = tunnel_error_scenario();
    all[fragment_overlap] = {.act = [first](WorkerRig& rig) {
        rig.receive(first);
        rig.receive(first);
    }};
    const Packet piece = Packet::sctp(client, vip, 1).chunk(0, std::string(24, 'x'));
    all[sctp_fragment] = receives(Packet{piece}.fragment(0, true).bytes());
    all[sctp_fragment].prepare = [](Scene& scene) {
        scene.last_service().protocol = L4Protocol::sctp;
    };
    all[fragment_unmatched] = {.act = [](WorkerRig& rig) {
        fill(
            rig,
            Packet::ipv4(client.address, vip.address, 17).fragment(3, false).payload("abc").bytes(),
            limits::early_fragments_max + 1);
    }};
    return all;
}

std::map<DropReason, Scenario> ipv6_scenarios() {
    const auto v6 = [](const char* text) { return parse_ipv6_address(text).value(); };
    const Endpoint from{v6("2001:db8:ff::7"), be16{40'000}};
    const Endpoint to{v6("2001:db8:1::80"), be16{80}};
    const Frame request6 = Packet::tcp(from, to).bytes();
    Scenario piece = receives(Packet::tcp(from, to)
                                  .extensions(44, {60, 0, 0, 1, 0, 0, 0, 1, 6, 0, 1, 4, 0, 0, 0, 0})
                                  .bytes());
    piece.prepare = [to, v6](Scene& scene) {
        scene.service("six", to).real("a", {v6("2001:db8:2::11"), be16{80}});
    };
    constexpr std::size_t payload_length_at = ip_at + 4;
    constexpr std::size_t next_header_at = ip_at + 6;
    return {
        {ipv6_truncated, receives(cut(request6, 53))},
        {ipv6_version, receives(with_octet(request6, ip_at, 0x40))},
        {ipv6_payload_length, receives(with_word(request6, payload_length_at, 1'000))},
        {ipv6_source, receives(Packet::tcp({v6("ff02::1"), from.port}, to).bytes())},
        {ipv6_extension, receives(with_octet(request6, next_header_at, 43))},
        {ipv6_fragment, piece},
        {udp_checksum_missing, receives(Packet::udp(from, to).without_checksum().bytes())},
    };
}

std::map<DropReason, Scenario> service_scenarios() {
    std::map<DropReason, Scenario> all;
    all[cookie_refused] = receives(request().bytes());
    all[cookie_refused].prepare = [](Scene& scene) {
        scene.last_service().syn_cookies = SynCookies::always;
    };
    all[session_ended] = {.act = [](WorkerRig& rig) {
        rig.receive(request().bytes());
        rig.settle();
        auto lost = std::make_unique<Snapshot>(rig.snapshot());
        lost->reals[0].standing = RealStanding::resetting;
        ++lost->epoch;
        rig.publish(std::move(lost));
        rig.receive(request().bytes());
    }};
    Packet long_request = request().payload(std::string(1'400, 'x'));
    all[no_buffer] = receives(long_request.bytes());
    all[no_buffer].prepare = [](Scene& scene) { scene.kernel().ports[1].mtu = 44; };
    all[mtu_exceeded] = receives(long_request.dont_fragment().bytes());
    all[mtu_exceeded].prepare = [](Scene& scene) { scene.kernel().ports[1].mtu = 1'400; };
    all[no_real] = receives(request().bytes());
    all[no_real].prepare = [](Scene& scene) {
        scene.last_service().reals[0].weight = 0;
        scene.last_service().no_real = NoReal::silent;
    };
    const Packet to_closed_port = Packet::tcp(client, {vip.address, be16{81}});
    for (const auto& [reason, other] : {std::pair{no_service_reset, OtherTraffic::reset},
                                        {no_service_drop, OtherTraffic::drop}}) {
        all[reason] = receives(to_closed_port.bytes());
        all[reason].prepare = [other = other](Scene& scene) {
            scene.config().vips = {{.addresses = IpPrefix::only(vip.address), .other = other}};
        };
    }
    // The port towards the real has no local address.
    all[no_local_port] = receives(request().bytes());
    all[no_local_port].prepare = [](Scene& scene) {
        scene.last_service().reals[0].forward = ForwardingMode::full_nat;
        scene.last_service().no_real = NoReal::silent;
    };
    all[local_fragment] = {.act =
                               [](WorkerRig& rig) {
                                   // Its pieces meet at the worker of the real's address; the port
                                   // is the other's.
                                   const Ipv4Address from = real.address.v4();
                                   const std::uint16_t port =
                                       rig.steering().owner_of(from) == 0 ? 2'049 : 2'048;
                                   rig.receive_on(1, Packet::udp(real, {local, be16{port}})
                                                         .payload(std::string(16, 'x'))
                                                         .fragment(0, true)
                                                         .macs(mac_of(real.address), lan_mac)
                                                         .bytes());
                               },
                           .prepare =
                               [](Scene& scene) {
                                   scene.last_service().reals[0].forward = ForwardingMode::full_nat;
                                   scene.config().ports[1].local_addresses = {local};
                                   scene.kernel().addresses.push_back(local);
                               },
                           .shape = {.worker_count = 2}};
    all[table_full] = {.act = crowd, .prepare = add_second_service, .shape = {.bucket_count = 16}};
    all[client_port_in_use] = {.act =
                                   [](WorkerRig& rig) {
                                       rig.receive(request().bytes());
                                       rig.receive(Packet::tcp(client, other_vip).bytes());
                                   },
                               .prepare = add_second_service};
    all[no_route] = receives(Packet::tcp(real, client).macs(mac_of(real.address), lan_mac).bytes());
    all[no_route].prepare = [](Scene& scene) { scene.kernel().routes.pop_back(); };
    all[denied] = receives(request().flags(tcp_flag::syn).bytes());
    all[denied].prepare = [](Scene& scene) {
        scene.last_service().access.rules = std::make_shared<const AccessRules>(
            AccessRules{.allow = {}, .deny = {IpPrefix::only(client.address)}});
    };
    const auto two_connections = [](WorkerRig& rig) {
        rig.receive(request().flags(tcp_flag::syn).bytes());
        const Endpoint other{client.address, be16{40'001}};
        rig.receive(Packet::tcp(other, vip).flags(tcp_flag::syn).bytes());
    };
    all[client_limited] = {.act = two_connections, .prepare = [](Scene& scene) {
                               scene.last_service().limits.client_sessions_per_s = 1;
                           }};
    all[service_limited] = {.act = two_connections, .prepare = [](Scene& scene) {
                                scene.last_service().limits.sessions_per_s = 1;
                            }};
    all[neighbour_unresolved] = {
        .act = [](WorkerRig& rig) { fill(rig, request().bytes(), limits::held_packets_max + 1); },
        .prepare = [](Scene& scene) { scene.kernel().neighbours.pop_back(); }};
    return all;
}

std::map<DropReason, Scenario> full_rooms() {
    std::map<DropReason, Scenario> all;
    all[transmit_full] = {.act = [](WorkerRig& rig) {
        // A ring of 1,024 has room for 1,023.
        fill(rig, request().bytes(), 1'024);
    }};
    all[punt_full] = receives(to_ourselves());
    all[punt_full].shape.has_twin = false;
    all[punt_policed] = {.act =
                             [](WorkerRig& rig) {
                                 while (rig.dropped(punt_policed) == 0) {
                                     fill(rig, to_ourselves(), limits::burst_size_max);
                                     rig.turn();
                                     rig.punted();
                                 }
                             },
                         .drops_many = true};
    all[handover_full] = handover_scenario(handover_full);
    all[handed_over_twice] = handover_scenario(handed_over_twice);
    return all;
}

std::map<DropReason, Scenario> all_scenarios() {
    std::map<DropReason, Scenario> all = wire_scenarios();
    all.merge(fragment_scenarios());
    all.merge(ipv6_scenarios());
    all.merge(service_scenarios());
    all.merge(full_rooms());
    return all;
}

// What the scenarios' drops are of, where it is known: the rest is nobody's, or a queue's.
const std::map<DropReason, std::string> service_by_reason{
    {ttl_expired, "web"},   {mtu_exceeded, "web"},      {no_real, "web"},
    {no_session, "web"},    {session_ended, "web"},     {table_full, "web"},
    {no_route, "web"},      {no_buffer, "web"},         {neighbour_unresolved, "web"},
    {denied, "web"},        {client_limited, "web"},    {service_limited, "web"},
    {handover_full, "web"}, {handed_over_twice, "web"}, {client_port_in_use, "other"},
    {sctp_fragment, "web"}, {no_local_port, "web"},     {cookie_refused, "web"},
};

class EveryDropReason : public testing::TestWithParam<std::size_t> {};

TEST_P(EveryDropReason, HasAScenarioThatEndsForItAlone) {
    const auto reason = static_cast<DropReason>(GetParam());
    const auto scenarios = all_scenarios();
    const auto scenario = scenarios.find(reason);
    ASSERT_NE(scenario, scenarios.end()) << text_of(reason).name << " has no scenario";
    Scene scene;
    scene.service("web", vip).real("a", real);
    scenario->second.prepare(scene);
    WorkerRig rig{scene, scenario->second.shape};
    scenario->second.act(rig);
    rig.settle();
    EXPECT_GE(rig.dropped(reason), 1U);
    EXPECT_TRUE(rig.dropped(reason) == 1 || scenario->second.drops_many);
    for (std::size_t i = 0; i < drop_reason_count; ++i) {
        const auto other = static_cast<DropReason>(i);
        EXPECT_TRUE(other == reason || rig.dropped(other) == 0) << text_of(other).name;
    }
    const auto service = service_by_reason.find(reason);
    for (std::uint16_t number = 0; number < 256; ++number) {
        const bool is_its =
            service != service_by_reason.end() &&
            rig.snapshot().services.at(service->second == "web" ? 0 : 1).number == number;
        EXPECT_EQ(rig.drops_of(number, reason), is_its ? rig.dropped(reason) : 0)
            << "service " << number;
    }
}

INSTANTIATE_TEST_SUITE_P(Drop, EveryDropReason, testing::Range<std::size_t>(0, drop_reason_count),
                         [](const testing::TestParamInfo<std::size_t>& reason) {
                             return std::string{
                                 text_of(static_cast<DropReason>(reason.param)).name};
                         });

TEST(DropReasons, HaveNamesAndSentencesOfTheirOwn) {
    std::map<std::string_view, std::string_view> seen;
    for (std::size_t i = 0; i < drop_reason_count; ++i) {
        const DropReasonText& text = text_of(static_cast<DropReason>(i));
        EXPECT_FALSE(text.name.empty());
        EXPECT_FALSE(text.sentence.empty());
        EXPECT_TRUE(seen.emplace(text.name, text.sentence).second) << text.name;
    }
}

}  // namespace
}  // namespace fulcrum::test
