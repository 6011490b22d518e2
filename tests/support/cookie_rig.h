// A worker that answers SYNs for its one service with cookies, over either IP version, and in NAT
// or in full NAT; a client of it and its real, who count in their own ways.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/telling_rig.h"

namespace fulcrum::test {

struct CookieCase {
    bool is_ipv6 = false;
    ForwardingMode forward = ForwardingMode::nat;
    ClientAddressBy client_address = ClientAddressBy::none;
};

inline std::string name_of_case(const testing::TestParamInfo<CookieCase>& info) {
    const std::string way = info.param.forward == ForwardingMode::nat ? "Nat" : "FullNat";
    const bool is_told = info.param.client_address == ClientAddressBy::proxy;
    return (info.param.is_ipv6 ? "Ipv6" : "Ipv4") + way + (is_told ? "Told" : "");
}

inline std::uint32_t number_at(const Frame& frame, std::size_t at) {
    return std::uint32_t{frame[at]} << 24 | std::uint32_t{frame[at + 1]} << 16 |
           std::uint32_t{frame[at + 2]} << 8 | frame[at + 3];
}

inline Frame with_numbers(Frame octets, const std::vector<std::uint32_t>& numbers) {
    for (const std::uint32_t number : numbers) {
        for (const int shift : {24, 16, 8, 0}) {
            octets.push_back(static_cast<std::uint8_t>(number >> shift));
        }
    }
    return octets;
}

// TCP options, as hosts send them.
inline Frame timestamps_of(std::uint32_t time, std::uint32_t echo) {
    return with_numbers({1, 1, 8, 10}, {time, echo});
}
inline Frame sack_of(std::uint32_t left, std::uint32_t right) {
    return with_numbers({1, 1, 5, 10}, {left, right});
}
inline Frame operator+(Frame a, const Frame& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
// MSS, SACK permitted, timestamps, scale: in the order in which we write them.
inline Frame handshake_options(std::uint16_t mss, std::uint32_t time, std::uint32_t echo,
                               std::uint8_t scale) {
    const Frame begin{
        2, 4, static_cast<std::uint8_t>(mss >> 8), static_cast<std::uint8_t>(mss), 4, 2, 8, 10};
    return with_numbers(begin, {time, echo}) + Frame{1, 3, 3, scale};
}
inline Frame mss_alone(std::uint16_t mss) {
    return {2, 4, static_cast<std::uint8_t>(mss >> 8), static_cast<std::uint8_t>(mss)};
}

// But for the identification, which means nothing in an IPv4 packet that may not be cut.
inline testing::AssertionResult same_segment(const Packet& expected, const Frame& actual) {
    const auto plain = [](const Frame& frame) {
        const bool is_v4 = frame.size() > ip_at && frame[ip_at] >> 4 == 4;
        return is_v4 ? fixed(with_word(frame, ip_at + 4, 0)) : frame;
    };
    return same_frame(plain(expected.bytes()), plain(actual));
}

class CookieRig {
  public:
    static constexpr std::uint32_t client_isn = 0xFFFF'FFF0;  // so that the numbers come round
    static constexpr std::uint32_t client_first = client_isn + 1;
    static constexpr std::uint32_t real_isn = 70'000;
    static constexpr std::uint32_t client_time = 5'000;
    static constexpr std::uint32_t real_time = 900'000;
    static constexpr std::uint8_t client_scale = 9;
    static constexpr std::uint8_t real_scale = 3;
    static constexpr std::uint8_t promised_scale = 7;  // while nothing has been learnt

    explicit CookieRig(const CookieCase& which, SynCookies when = SynCookies::always,
                       std::size_t bucket_count = 256)
        : case_{which}, who_{which.is_ipv6 ? of_ipv6 : of_ipv4}, local_{who_.client} {
        scene.service("web", who_.vip).real("a", who_.real, which.forward);
        scene.last_service().syn_cookies = when;
        scene.last_service().on_failure = SessionPolicy::reset;
        scene.last_service().check.type = CheckType::connect;
        scene.last_service().reals[0].client_address = which.client_address;
        if (which.forward == ForwardingMode::full_nat) {
            scene.config().ports[1].local_addresses = {who_.local};
            scene.kernel().addresses.push_back(who_.local);
        }
        scene.snapshot();
        scene.set_health("web", "a", true);
        rig.emplace(scene, WorkerRig::Shape{.bucket_count = bucket_count});
    }

    const Cast& who() const { return who_; }
    std::uint16_t unlearnt_mss() const { return case_.is_ipv6 ? 1'220 : 536; }

    // Whole packets, as each side sends or gets them.
    Packet from_client(std::uint32_t sequence, std::uint32_t acknowledged,
                       std::string_view content = "") const {
        return Packet::tcp(who_.client, who_.vip)
            .sequence(sequence)
            .acknowledges(acknowledged)
            .payload(content);
    }
    Packet at_real(std::uint32_t sequence, std::uint32_t acknowledged,
                   std::string_view content = "") const {
        return Packet::tcp(local_, who_.real)
            .macs(lan_mac, mac_of(who_.real.address))
            .ttl(63)
            .sequence(sequence)
            .acknowledges(acknowledged)
            .payload(content);
    }
    Packet from_real(std::uint32_t sequence, std::uint32_t acknowledged,
                     std::string_view content = "") const {
        return Packet::tcp(who_.real, local_)
            .macs(mac_of(who_.real.address), lan_mac)
            .sequence(sequence)
            .acknowledges(acknowledged)
            .payload(content);
    }
    Packet at_client(std::uint32_t sequence, std::uint32_t acknowledged,
                     std::string_view content = "") const {
        return Packet::tcp(who_.vip, who_.client)
            .macs(wan_mac, router_mac)
            .ttl(63)
            .sequence(sequence)
            .acknowledges(acknowledged)
            .payload(content);
    }
    // Segments of the director's own.
    static Packet ours(Packet packet) { return packet.ttl(64).dont_fragment(); }

    std::vector<Frame> sends(const Packet& packet, std::size_t to = 1) {
        rig->receive_on(0, packet.bytes());
        rig->settle();
        return rig->sent(to);
    }
    std::vector<Frame> answers(const Packet& packet, std::size_t to = 0) {
        rig->receive_on(1, packet.bytes());
        rig->settle();
        return rig->sent(to);
    }

    std::size_t tcp_at() const { return ip_at + (case_.is_ipv6 ? 40U : 20U); }
    Packet syn() const {
        return from_client(client_isn, 0)
            .flags(tcp_flag::syn)
            .tcp_options(handshake_options(1'460, client_time, 0, client_scale));
    }
    Packet returning_ack() const {
        return from_client(client_first, cookie + 1)
            .window(500)
            .tcp_options(timestamps_of(client_time + 1, our_time));
    }
    Packet real_syn_ack() const {
        return from_real(real_isn, client_first)
            .flags(syn_ack)
            .window(65'000)
            .tcp_options(handshake_options(1'400, real_time, client_time + 1, real_scale));
    }

    // The client's SYN, and what comes back: the cookie and our time are taken from that.
    Frame ask(const Packet& syn) {
        const std::vector<Frame> sent = sends(syn, 0);
        if (sent.size() != 1 || sent[0].size() < tcp_at() + 20) {
            return {};
        }
        cookie = number_at(sent[0], tcp_at() + 4);
        if (sent[0].size() >= tcp_at() + 40) {
            our_time = number_at(sent[0], tcp_at() + 28);
        }
        return sent[0];
    }
    // The cookie returns; what the real gets.
    Frame prove(const Packet& proof) {
        const std::vector<Frame> sent = sends(proof);
        if (sent.size() != 1) {
            return {};
        }
        if (case_.forward == ForwardingMode::full_nat) {
            local_ = {who_.local,
                      be16{static_cast<std::uint16_t>(number_at(sent[0], tcp_at()) >> 16)}};
        }
        return sent[0];
    }
    // All of the handshake.
    void open() {
        ask(syn());
        prove(returning_ack());
        answers(real_syn_ack());
        rig->sent(1);
        time_shift = our_time - real_time;
        shift = cookie - real_isn;
    }

    Scene scene;
    std::optional<WorkerRig> rig;
    std::uint32_t cookie = 0;
    std::uint32_t our_time = 0;
    std::uint32_t shift = 0;  // of an open one
    std::uint32_t time_shift = 0;

  private:
    CookieCase case_;
    const Cast& who_;
    Endpoint local_;  // as whom the real knows the client
};

}  // namespace fulcrum::test
