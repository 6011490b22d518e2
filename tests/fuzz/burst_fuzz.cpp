// Any octets as bursts of frames through a whole worker, with sessions, reals and services that
// they may meet: nothing crashes or reads beyond a buffer, every turn obeys the counter law, and
// every buffer comes back.
//
// The input is records: one octet of length, one octet that says how the frame is made sound again
// (so that the fuzzer gets beyond the checksum) and by which port it comes, then the frame.
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>

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
};

constexpr Endpoint web{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};

Scene make_scene() {
    Scene scene;
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
    scene.service("web6", {v6("2001:db8:1::80"), be16{80}})
        .real("a", {v6("2001:db8:2::b"), be16{8'080}});
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

Frame repaired(Frame frame, unsigned repair) {
    const MacAddress& mac = (repair & comes_by_lan) != 0 ? lan_mac : wan_mac;
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

void play(const std::uint8_t* bytes, std::size_t size) {
    static Scene scene = [] {
        start_eal_for_tests();
        return make_scene();
    }();
    static const auto rig = std::make_unique<WorkerRig>(
        scene, WorkerRig::Shape{.bucket_count = 16, .completes_partial_checksums = true});
    static const unsigned buffers_before = rte_mempool_in_use_count(packet_pool());

    std::size_t received = 0;
    for (std::size_t at = 0; at + 2 <= size && received < 200;) {
        const std::size_t length = std::min<std::size_t>(bytes[at], size - at - 2);
        const unsigned repair = bytes[at + 1];
        const auto* begin = bytes + at + 2;
        at += 2 + length;
        if (length == 0) {
            continue;
        }
        const Frame frame = repaired(Frame{begin, begin + length}, repair);
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
