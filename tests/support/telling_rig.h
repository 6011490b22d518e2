// A worker whose one real in full NAT is told of its clients, over either IP version; what each
// side sends, and what the other should get of it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/client_address.h"
#include "tests/support/worker_rig.h"

namespace fulcrum::test {

struct Cast {
    Endpoint client;
    Endpoint vip;
    Endpoint real;
    IpAddress local;
};

inline const Cast of_ipv4{{Ipv4Address::of(198, 51, 100, 7), be16{40'000}},
                          {Ipv4Address::of(10, 1, 0, 80), be16{80}},
                          {Ipv4Address::of(10, 2, 0, 11), be16{8'080}},
                          Ipv4Address::of(10, 2, 0, 100)};
inline const Cast of_ipv6{{*parse_ipv6_address("2001:db8:9::7"), be16{40'000}},
                          {*parse_ipv6_address("2001:db8:1::80"), be16{80}},
                          {*parse_ipv6_address("2001:db8:2::11"), be16{8'080}},
                          *parse_ipv6_address("2001:db8:2::100")};

inline constexpr std::uint32_t first =
    0xFFFF'FFFE;  // so that the header lies across the numbers' end
inline constexpr std::uint32_t real_first = 70'001;
inline constexpr std::uint8_t ack = tcp_flag::ack;
inline constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;
inline constexpr std::uint8_t push_ack = tcp_flag::psh | tcp_flag::ack;
inline const Frame timestamps{1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9};

class WorkerTelling : public testing::TestWithParam<bool> {
  protected:
    explicit WorkerTelling(ClientAddressBy way, unsigned workers = 1) {
        scene_.service("web", who().vip).real("a", who().real, ForwardingMode::full_nat);
        scene_.last_service().reals[0].client_address = way;
        scene_.config().ports[1].local_addresses = {who().local};
        scene_.kernel().addresses.push_back(who().local);
        rig_.emplace(scene_, WorkerRig::Shape{.worker_count = workers});
    }
    static const Cast& who() { return GetParam() ? of_ipv6 : of_ipv4; }
    static std::uint32_t header_length() { return GetParam() ? 52 : 28; }

    // What the client sends, and what should become of that.
    static Packet from_client(std::uint32_t position, std::string_view content = "") {
        return Packet::tcp(who().client, who().vip)
            .sequence(position)
            .acknowledges(real_first)
            .payload(content);
    }
    Packet at_real(std::uint32_t position, std::string_view content = "") const {
        return Packet::tcp(local_, who().real)
            .macs(lan_mac, mac_of(who().real.address))
            .ttl(63)
            .sequence(position)
            .acknowledges(real_first)
            .payload(content);
    }
    Packet from_real(std::uint32_t acknowledged, std::string_view content = "") const {
        return Packet::tcp(who().real, local_)
            .macs(mac_of(who().real.address), lan_mac)
            .sequence(real_first)
            .acknowledges(acknowledged)
            .payload(content);
    }
    static Packet at_client(std::uint32_t acknowledged, std::string_view content = "") {
        return Packet::tcp(who().vip, who().client)
            .macs(wan_mac, router_mac)
            .ttl(63)
            .sequence(real_first)
            .acknowledges(acknowledged)
            .payload(content);
    }
    // The segment of ours.
    Packet header(const Frame& tcp_options = {}) const {
        std::string octets(header_length(), '\0');
        write_proxy_header(reinterpret_cast<std::uint8_t*>(octets.data()), L4Protocol::tcp,
                           who().client, who().vip);
        return at_real(first, octets).flags(push_ack).dont_fragment().tcp_options(tcp_options);
    }

    void sends(const Packet& packet, const std::vector<Packet>& expected) {
        crosses(packet, expected, 0, 1);
    }
    void answers(const Packet& packet, const Packet& expected) {
        crosses(packet, {expected}, 1, 0);
    }
    void crosses(const Packet& packet, const std::vector<Packet>& expected, std::size_t from,
                 std::size_t to) {
        rig_->receive_on(from, packet.bytes());
        rig_->settle();
        const std::vector<Frame> sent = rig_->sent(to);
        ASSERT_EQ(sent.size(), expected.size());
        for (std::size_t i = 0; i < sent.size(); ++i) {
            EXPECT_TRUE(same_frame(expected[i].bytes(), sent[i])) << "frame " << i;
        }
    }
    // The client's SYN, and what came of it.
    Frame begin(const Packet& syn) {
        rig_->receive(syn.bytes());
        rig_->settle();
        const std::vector<Frame> sent = rig_->sent(1);
        if (sent.size() != 1) {
            return {};
        }
        const std::size_t at = GetParam() ? std::size_t{ip_at + 40} : source_port_at;
        local_ = {who().local,
                  be16{static_cast<std::uint16_t>(sent[0][at] << 8 | sent[0][at + 1])}};
        return sent[0];
    }
    void begin() { begin(from_client(first - 1).flags(tcp_flag::syn)); }
    static Packet error(const IpAddress& source, const IpAddress& destination) {
        return GetParam() ? Packet::icmp6(source, destination, 1, 4)
                          : Packet::icmp(source, destination, 3, 3);
    }

    Scene scene_;
    std::optional<WorkerRig> rig_;
    Endpoint local_;
};

}  // namespace fulcrum::test
