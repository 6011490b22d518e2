// One step a header: its words, and where and what the next one is.
#include "controlplane/packet_words.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>

#include "config/model/address.h"

namespace fulcrum {
namespace {

constexpr std::size_t ethernet_size = 14;
constexpr std::size_t headers_max = 8;

constexpr unsigned ethertype_ipv4 = 0x0800;
constexpr unsigned ethertype_ipv6 = 0x86DD;
constexpr unsigned ethertype_vlan = 0x8100;

constexpr unsigned protocol_icmp = 1;
constexpr unsigned protocol_ipip = 4;
constexpr unsigned protocol_tcp = 6;
constexpr unsigned protocol_udp = 17;
constexpr unsigned protocol_ipv6 = 41;
constexpr unsigned protocol_gre = 47;
constexpr unsigned protocol_icmpv6 = 58;
constexpr unsigned protocol_sctp = 132;
constexpr unsigned port_gue = 6'080;

// What comes next: an Ethernet type, or the number of an IP protocol.
enum class Layer : std::uint8_t { ethertype, ip_protocol, none };

class Walk {
  public:
    explicit Walk(std::span<const std::uint8_t> frame) : octets_{frame} {}

    std::vector<std::string> words() {
        if (!has(ethernet_size)) {
            return {};
        }
        number_ = word(12);
        at_ = ethernet_size;
        layer_ = Layer::ethertype;
        while (layer_ != Layer::none && words_.size() < headers_max) {
            layer_ == Layer::ethertype ? step_by_ethertype() : step_by_protocol();
        }
        return std::move(words_);
    }

  private:
    bool has(std::size_t count) const { return octets_.size() >= at_ + count; }
    unsigned octet(std::size_t offset) const { return octets_[at_ + offset]; }
    unsigned word(std::size_t offset) const { return octet(offset) << 8 | octet(offset + 1); }

    void say(std::string text, std::size_t header_size, Layer next, unsigned number) {
        words_.push_back(std::move(text));
        at_ += header_size;
        layer_ = next;
        number_ = number;
    }
    void end() { layer_ = Layer::none; }

    void step_by_ethertype() {
        if (number_ == ethertype_vlan && has(4)) {
            return say(std::string{"vlan "}.append(std::to_string(word(0) & 0xFFF)), 4,
                       Layer::ethertype, word(2));
        }
        if (number_ == ethertype_ipv4 && has(20)) {
            return say(std::string{"ipv4 "}.append(ipv4_at(12)).append(" > ").append(ipv4_at(16)),
                       std::size_t{octet(0) & 15U} * 4, Layer::ip_protocol, octet(9));
        }
        if (number_ == ethertype_ipv6 && has(40)) {
            return say(std::string{"ipv6 "}.append(ipv6_at(8)).append(" > ").append(ipv6_at(24)),
                       40, Layer::ip_protocol, octet(6));
        }
        end();
    }

    void step_by_protocol() {
        switch (number_) {
            case protocol_ipip:
            case protocol_ipv6:
                layer_ = Layer::ethertype;
                number_ = number_ == protocol_ipip ? ethertype_ipv4 : ethertype_ipv6;
                return;
            case protocol_gre:
                return has(4) ? say("gre", 4, Layer::ethertype, word(2)) : end();
            case protocol_tcp:
                return say_ports("tcp ");
            case protocol_sctp:
                return say_ports("sctp ");
            case protocol_udp:
                return say_udp();
            case protocol_icmp:
            case protocol_icmpv6:
                return has(2) ? say(std::string{number_ == protocol_icmp ? "icmp" : "icmpv6"}
                                        .append(" type ")
                                        .append(std::to_string(octet(0))),
                                    8, Layer::none, 0)
                              : end();
            default:
                return say(std::string{"protocol "}.append(std::to_string(number_)), 0, Layer::none,
                           0);
        }
    }

    void say_ports(const char* name) {
        if (!has(4)) {
            return end();
        }
        say(std::string{name}
                .append(std::to_string(word(0)))
                .append(" > ")
                .append(std::to_string(word(2))),
            0, Layer::none, 0);
    }

    // Generic UDP encapsulation says which protocol it carries in its second octet.
    void say_udp() {
        const bool is_gue = has(12) && word(2) == port_gue;
        const unsigned carried = is_gue ? octet(9) : 0;
        say_ports("udp ");
        if (is_gue) {
            at_ += 8;
            say("gue", 4, Layer::ip_protocol, carried);
        }
    }

    std::string ipv4_at(std::size_t offset) const {
        return to_string(Ipv4Address::of(static_cast<std::uint8_t>(octet(offset)),
                                         static_cast<std::uint8_t>(octet(offset + 1)),
                                         static_cast<std::uint8_t>(octet(offset + 2)),
                                         static_cast<std::uint8_t>(octet(offset + 3))));
    }
    // In full: no group of zeros is left out.
    std::string ipv6_at(std::size_t offset) const {
        std::string text;
        for (std::size_t group = 0; group < 8; ++group) {
            std::array<char, 8> digits{};
            std::snprintf(digits.data(), digits.size(), "%x", word(offset + 2 * group));
            text.append(group == 0 ? "" : ":").append(digits.data());
        }
        return text;
    }

    std::span<const std::uint8_t> octets_;
    std::size_t at_ = 0;
    Layer layer_ = Layer::none;
    unsigned number_ = 0;
    std::vector<std::string> words_;
};

}  // namespace

std::vector<std::string> packet_in_words(std::span<const std::uint8_t> frame) {
    return Walk{frame}.words();
}

}  // namespace fulcrum
