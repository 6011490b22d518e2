// Any octets as bursts of frames through a whole worker, with sessions, reals and services that
// they may meet: nothing crashes or reads beyond a buffer, every turn obeys the counter law, and
// every buffer comes back.
//
// The input is records: one octet of length, one octet that says how the frame is made sound again
// (so that the fuzzer gets beyond the checksum) and by which port it comes, then the frame. A
// record without a frame names a real, whose check then finds the opposite of what it found before,
// or lets a client bring back a SYN cookie: from then on frames may be of that spliced session.
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <tuple>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

void promise(bool is_kept, const char* what) {
    if (!is_kept) {
        std::fprintf(stderr, "broken promise: %s\n", what);
        std::abort();
    }
}

enum Repair : std::uint8_t {
    repair_addresses = 1,  // to a VIP
    repair_checksum = 2,   // IPv4's
    repair_lengths = 4,    // IPv4's, and the MAC address
    comes_by_lan = 8,
    comes_from_real = 16,  // as a reply
    in_two_segments = 32,
    turn_afterwards = 64,
    is_ipv6 = 128,
};

constexpr Endpoint web{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
const Endpoint web6{parse_ipv6_address("2001:db8:1::80").value(), be16{80}};
const Endpoint real6{parse_ipv6_address("2001:db8:2::b").value(), be16{8'080}};
constexpr Endpoint cookies{web.address, be16{83}};
constexpr Endpoint spliced_real{Ipv4Address::of(10, 2, 0, 64), be16{83}};
constexpr Endpoint spliced_client{Ipv4Address::of(198, 51, 100, 99), be16{40'000}};
constexpr std::uint32_t client_first = 1'001;
// How often in one input a check may change its mind: each time everything is compiled.
constexpr unsigned changes_max = 3;

struct Checked {
    const char* service;
    const char* real;
};
constexpr std::array<Checked, 6> checked{
    {{"web", "a"}, {"other", "a"}, {"dns", "n"}, {"web6", "a"}, {"lc", "y"}, {"shift", "p"}}};

// Services that do more than the ring does: schedulers, limits, affinity, ranges, no sessions, and
// sessions that meet a fate.
void add_choosy_services(Scene& scene) {
    const Ipv4Address x = Ipv4Address::of(10, 2, 0, 61);
    const Ipv4Address y = Ipv4Address::of(10, 2, 0, 62);
    scene.service("lc", {web.address, be16{81}}).real("x", {x, be16{81}}).real("y", {y, be16{81}});
    scene.last_service().scheduler = Scheduler::wlc;
    scene.last_service().affinity = Affinity{.timeout_s = 1};
    scene.last_service().reals[0].connections = {.upper = 3, .lower = 2};
    scene.last_service().on_failure = SessionPolicy::reset;
    scene.service("shift", {web.address, be16{82}})
        .real("p", {x, be16{82}})
        .real("q", {y, be16{82}}, ForwardingMode::direct);
    scene.last_service().scheduler = Scheduler::lblcr;
    scene.last_service().on_failure = SessionPolicy::move;
    scene.fallback({Ipv4Address::of(10, 2, 0, 63), be16{82}});
    scene.service("range", {web.address, be16{5'000}}, L4Protocol::udp).real("r", {x, be16{}});
    scene.last_service().listen = {
        {IpPrefix::only(web.address), {5'001, 5'999}, L4Protocol::udp, {}}};
    scene.service("shot", {web.address, be16{514}}, L4Protocol::udp).real("s", {y, be16{514}});
    scene.last_service().one_packet = true;
    scene.service("cookies", cookies).real("z", spliced_real);
    scene.last_service().syn_cookies = SynCookies::always;
}

Scene make_scene() {
    Scene scene;
    add_choosy_services(scene);
    scene.service("web", web).real("a", real).real("b", {Ipv4Address::of(10, 2, 0, 12), be16{80}});
    scene.service("other", {Ipv4Address::of(10, 1, 0, 81), be16{80}}).real("a", real);
    scene.service("far", {Ipv4Address::of(10, 1, 0, 83), be16{80}})
        .real("r", {Ipv4Address::of(10, 2, 0, 57), be16{80}}, ForwardingMode::gre);
    scene.last_service().mss_max = 536;
    scene.last_service().reals[0].tunnel.has_checksum = true;
    scene.service("dns", {web.address, be16{53}}, L4Protocol::udp)
        .real("n", {Ipv4Address::of(10, 2, 0, 53), be16{53}})
        .real("t", {Ipv4Address::of(10, 2, 0, 55), be16{53}}, ForwardingMode::ipip)
        .real("g", {Ipv4Address::of(10, 2, 0, 56), be16{53}}, ForwardingMode::gue)
        .real("m", {Ipv4Address::of(10, 2, 0, 54), be16{53}}, ForwardingMode::direct);
    const auto v6 = [](const char* text) { return parse_ipv6_address(text).value(); };
    scene.service("web6", web6).real("a", real6).real("b", {v6("2001:db8:2::e"), be16{80}});
    scene.last_service().scheduler = Scheduler::wrr;
    scene.last_service().affinity = Affinity{};
    scene.service("dns6", {v6("2001:db8:1::80"), be16{53}}, L4Protocol::udp)
        .real("n", {v6("2001:db8:2::c"), be16{5'353}});
    scene.service("nobody", {Ipv4Address::of(10, 1, 0, 82), be16{80}});
    scene.kernel().neighbours.pop_back();  // one real's neighbour is not known
    return scene;
}

void put(Frame& frame, std::size_t at, std::span<const std::uint8_t> octets) {
    for (std::size_t i = 0; i < octets.size() && at + i < frame.size(); ++i) {
        frame[at + i] = octets[i];
    }
}

// IPv6 has no checksum of its own. Ports are laid where they lie without extension headers.
Frame repaired_ipv6(Frame frame, unsigned repair, const MacAddress& mac) {
    constexpr std::size_t headers = 14 + 40;
    if (frame.size() < headers + 4) {
        return frame;
    }
    if ((repair & repair_lengths) != 0) {
        put(frame, 0, mac.bytes);
        frame = with_word(frame, ethertype_at, 0x86DD);
        frame[ip_at] = static_cast<std::uint8_t>(0x60 | (frame[ip_at] & 15));
        frame = with_word(frame, ip_at + 4, static_cast<std::uint16_t>(frame.size() - headers));
    }
    if ((repair & repair_addresses) != 0) {
        const bool is_reply = (repair & comes_from_real) != 0;
        const Endpoint& fixed_end = is_reply ? real6 : web6;
        put(frame, ip_at + (is_reply ? 8 : 24), fixed_end.address.v6().octets);
        frame = with_word(frame, headers + (is_reply ? 0 : 2), fixed_end.port.host());
    }
    return frame;
}

Frame repaired(Frame frame, unsigned repair) {
    const MacAddress& mac = (repair & comes_by_lan) != 0 ? lan_mac : wan_mac;
    if ((repair & is_ipv6) != 0) {
        return repaired_ipv6(std::move(frame), repair, mac);
    }
    if ((repair & repair_lengths) != 0 && frame.size() >= 34) {
        put(frame, 0, mac.bytes);
        frame = with_word(frame, ethertype_at, 0x0800);
        frame = with_word(frame, total_length_at, static_cast<std::uint16_t>(frame.size() - 14));
        frame[ip_at] = static_cast<std::uint8_t>(0x40 | (frame[ip_at] & 15));
    }
    if ((repair & repair_addresses) != 0 && frame.size() >= 38) {
        const bool is_reply = (repair & comes_from_real) != 0;
        const Endpoint fixed_end = is_reply ? real : web;
        const auto* octets = reinterpret_cast<const std::uint8_t*>(&fixed_end);
        put(frame, is_reply ? source_at : destination_at, {octets, 4});
        put(frame, is_reply ? source_port_at : destination_port_at, {octets + 4, 2});
    }
    const bool has_header = frame.size() >= 34 && (frame[ip_at] & 15U) >= 5 &&
                            frame.size() >= 14 + (frame[ip_at] & 15U) * 4U;
    return (repair & repair_checksum) != 0 && has_header ? fixed(std::move(frame)) : frame;
}

// A client's handshake up to the cookie that returns: what the real says to it is left to others.
void splice_session(WorkerRig& rig) {
    const Packet from_client =
        Packet::tcp(spliced_client, cookies).sequence(client_first - 1).flags(tcp_flag::syn);
    rig.sent(0);
    rig.receive(from_client.bytes());
    rig.settle();
    const std::vector<Frame> sent = rig.sent(0);
    if (sent.size() != 1 || sent[0].size() < l4_at + 20) {
        return;  // the real is down, or the session there already
    }
    std::uint32_t cookie = 0;
    for (std::size_t at = l4_at + 4; at < l4_at + 8; ++at) {
        cookie = cookie << 8 | sent[0][at];
    }
    rig.receive(Packet::tcp(spliced_client, cookies)
                    .sequence(client_first)
                    .acknowledges(cookie + 1)
                    .bytes());
    rig.settle();
}

// As of the spliced session, in either direction.
Frame of_spliced(Frame frame, unsigned repair) {
    if (frame.size() < l4_at + 20 || (repair & is_ipv6) != 0) {
        return frame;
    }
    const bool is_reply = (repair & comes_from_real) != 0;
    const Endpoint source = is_reply ? spliced_real : spliced_client;
    const Endpoint destination = is_reply ? spliced_client : cookies;
    for (const auto& [end, address_at, port_at] :
         {std::tuple{source, source_at, source_port_at},
          std::tuple{destination, destination_at, destination_port_at}}) {
        const std::uint32_t address = end.address.v4().host();
        frame = with_word(frame, address_at, static_cast<std::uint16_t>(address >> 16));
        frame = with_word(frame, address_at + 2, static_cast<std::uint16_t>(address));
        frame = with_word(frame, port_at, end.port.host());
    }
    frame[protocol_at] = 6;
    if (is_reply && (frame[tcp_flags_at] & tcp_flag::syn) != 0) {  // what the client waits for
        frame = with_word(frame, l4_at + 8, static_cast<std::uint16_t>(client_first >> 16));
        frame = with_word(frame, l4_at + 10, static_cast<std::uint16_t>(client_first));
    }
    return (repair & repair_checksum) != 0 && (frame[ip_at] & 15U) == 5 ? fixed(frame) : frame;
}

void play(const std::uint8_t* bytes, std::size_t size) {
    static Scene scene = [] {
        start_eal_for_tests();
        return make_scene();
    }();
    static const auto rig = std::make_unique<WorkerRig>(
        scene, WorkerRig::Shape{.bucket_count = 16, .completes_partial_checksums = true});
    static const unsigned buffers_before = rte_mempool_in_use_count(packet_pool());

    static std::array<bool, checked.size()> is_down{};

    std::size_t received = 0;
    unsigned changes = 0;
    bool is_spliced = false;
    for (std::size_t at = 0; at + 2 <= size && received < 200;) {
        const std::size_t length = std::min<std::size_t>(bytes[at], size - at - 2);
        const unsigned repair = bytes[at + 1];
        const auto* begin = bytes + at + 2;
        at += 2 + length;
        if (length == 0) {
            if (repair >= 128) {
                is_spliced = true;
                splice_session(*rig);
                continue;
            }
            const std::size_t number = repair % checked.size();
            if (++changes <= changes_max) {
                is_down[number] = !is_down[number];
                scene.set_health(checked[number].service, checked[number].real, !is_down[number]);
                rig->publish();
            }
            continue;
        }
        Frame frame = repaired(Frame{begin, begin + length}, repair);
        if (is_spliced && (repair & repair_addresses) != 0) {
            frame = of_spliced(std::move(frame), repair);
        }
        const bool is_cut = (repair & in_two_segments) != 0;
        const std::size_t port = (repair & comes_by_lan) != 0 ? 1 : 0;
        rte_mbuf* mbuf = buffer_of(frame, ring_port(port).id(), is_cut ? 1 + length / 2 : SIZE_MAX);
        promise(mbuf != nullptr && rte_ring_enqueue(ring_port(port).receive_queue(0), mbuf) == 0,
                "buffers come back");
        ++received;
        if ((repair & turn_afterwards) != 0) {
            rig->worker().run_once();
        }
    }
    while (rig->worker().run_once()) {
        promise(rig->worker().obeys_counter_law(), "the counter law");
    }
    promise(rig->worker().obeys_counter_law(), "the counter law");
    rig->sent(0);
    rig->sent(1);
    rig->punted();
    rig->reports();
    // A packet that waits for a neighbour has one segment or two.
    const std::uint64_t waiting =
        rig->counters().held_back.read() - rig->counters().released.read();
    const unsigned kept = rte_mempool_in_use_count(packet_pool()) - buffers_before;
    promise(kept >= waiting && kept <= 2 * waiting, "every buffer comes back");
}

}  // namespace
}  // namespace fulcrum::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    fulcrum::test::play(bytes, size);
    return 0;
}
