// Octets of frames, and naive sums over them.
#include "tests/support/packet.h"

#include <cstdio>

#include "tests/support/scene.h"

namespace fulcrum::test {
namespace {

void append16(Frame& octets, std::uint32_t value) {
    octets.push_back(static_cast<std::uint8_t>(value >> 8));
    octets.push_back(static_cast<std::uint8_t>(value));
}

void append32(Frame& octets, std::uint32_t value) {
    append16(octets, value >> 16);
    append16(octets, value);
}

void append(Frame& octets, const Frame& more) {
    octets.insert(octets.end(), more.begin(), more.end());
}

void put16(Frame& octets, std::size_t at, std::uint32_t value) {
    octets[at] = static_cast<std::uint8_t>(value >> 8);
    octets[at + 1] = static_cast<std::uint8_t>(value);
}

std::uint32_t get16(const Frame& octets, std::size_t at) {
    return (std::uint32_t{octets[at]} << 8) | octets[at + 1];
}

std::uint16_t complement(std::uint32_t sum) { return static_cast<std::uint16_t>(~sum); }

// Where the checksum lies within an L4 header.
std::size_t checksum_place(std::uint8_t protocol) {
    return protocol == 6 ? 16 : protocol == 17 ? 6 : 2;
}

std::uint32_t sum_of(const IpAddress& address) {
    std::uint32_t sum = 0;
    for (std::size_t octet = address.is_v4() ? 12 : 0; octet < 16; octet += 2) {
        sum += (std::uint32_t{address.v6().octets[octet]} << 8) | address.v6().octets[octet + 1];
    }
    return sum;
}

std::uint32_t pseudo_header(const IpAddress& source, const IpAddress& destination,
                            std::uint8_t protocol, std::size_t length) {
    return sum_of(source) + sum_of(destination) + protocol + static_cast<std::uint32_t>(length);
}

std::string hex(const Frame& frame) {
    std::string text;
    for (std::size_t i = 0; i < frame.size(); ++i) {
        char octet[8];
        std::snprintf(octet, sizeof(octet), "%02x%s", frame[i], i % 16 == 15 ? "\n" : " ");
        text += octet;
    }
    return text;
}

}  // namespace

Packet Packet::between(const IpAddress& source, const IpAddress& destination,
                       std::uint8_t protocol) {
    Packet packet;
    packet.source_mac_ = router_mac;
    packet.destination_mac_ = wan_mac;
    packet.source_ = source;
    packet.destination_ = destination;
    packet.protocol_ = protocol;
    return packet;
}

Packet Packet::ipv4(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol) {
    return between(source, destination, protocol);
}

Packet Packet::ipv6(const IpAddress& source, const IpAddress& destination,
                    std::uint8_t next_header) {
    return between(source, destination, next_header);
}

Packet Packet::tcp(Endpoint source, Endpoint destination) {
    Packet packet = between(source.address, destination.address, 6);
    packet.source_port_ = source.port.host();
    packet.destination_port_ = destination.port.host();
    return packet;
}

Packet Packet::udp(Endpoint source, Endpoint destination) {
    Packet packet = tcp(source, destination);
    packet.protocol_ = 17;
    return packet;
}

Packet Packet::sctp(Endpoint source, Endpoint destination, std::uint32_t tag) {
    Packet packet = tcp(source, destination);
    packet.protocol_ = 132;
    packet.sequence_ = tag;
    return packet;
}

Packet Packet::icmp(const IpAddress& source, const IpAddress& destination, std::uint8_t type,
                    std::uint8_t code) {
    Packet packet = ipv4(source, destination, 1);
    packet.icmp_type_ = type;
    packet.icmp_code_ = code;
    return packet;
}

Packet Packet::icmp6(const IpAddress& source, const IpAddress& destination, std::uint8_t type,
                     std::uint8_t code) {
    Packet packet = ipv6(source, destination, 58);
    packet.icmp_type_ = type;
    packet.icmp_code_ = code;
    return packet;
}

Packet& Packet::macs(const MacAddress& source, const MacAddress& destination) {
    source_mac_ = source;
    destination_mac_ = destination;
    return *this;
}

Packet& Packet::flags(std::uint8_t tcp_flags) {
    tcp_flags_ = tcp_flags;
    return *this;
}

Packet& Packet::sequence(std::uint32_t number) {
    sequence_ = number;
    return *this;
}

Packet& Packet::acknowledges(std::uint32_t number) {
    acknowledges_ = number;
    return *this;
}

Packet& Packet::window(std::uint16_t octets) {
    window_ = octets;
    return *this;
}

Packet& Packet::tcp_options(const Frame& octets) {
    tcp_options_ = octets;
    return *this;
}

Packet& Packet::payload(std::string_view octets) {
    payload_.assign(octets.begin(), octets.end());
    return *this;
}

Packet& Packet::chunk(std::uint8_t type, std::string_view octets, std::uint8_t flags) {
    payload_.push_back(type);
    payload_.push_back(flags);
    append16(payload_, static_cast<std::uint32_t>(4 + octets.size()));
    payload_.insert(payload_.end(), octets.begin(), octets.end());
    payload_.resize((payload_.size() + 3) / 4 * 4);
    return *this;
}

Packet& Packet::ttl(std::uint8_t hops) {
    ttl_ = hops;
    return *this;
}

Packet& Packet::options(const Frame& octets) {
    options_ = octets;
    return *this;
}

Packet& Packet::extensions(std::uint8_t first, const Frame& octets) {
    first_extension_ = first;
    options_ = octets;
    return *this;
}

Packet& Packet::fragment(std::uint16_t offset, bool has_more) {
    fragment_ = static_cast<std::uint16_t>(offset | (has_more ? 0x2000 : 0));
    return *this;
}

Packet& Packet::dont_fragment() {
    fragment_ = 0x4000;
    return *this;
}

Packet& Packet::with_partial_checksum() {
    l4_checksum_ = L4Checksum::partial;
    return *this;
}

Packet& Packet::without_checksum() {
    l4_checksum_ = L4Checksum::none;
    return *this;
}

Packet& Packet::quoting(const Packet& quoted, std::size_t l4_octets) {
    const Frame whole = quoted.ip_bytes();
    const std::size_t header_length =
        quoted.source_.is_v4() ? (whole[0] & 0x0FU) * 4U : 40 + quoted.options_.size();
    const std::size_t length = std::min(whole.size(), header_length + l4_octets);
    payload_.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    return *this;
}

Packet& Packet::rest(std::uint32_t value) {
    rest_ = value;
    return *this;
}

Frame Packet::l4_bytes() const {
    Frame octets;
    if (protocol_ == 6) {
        append16(octets, source_port_);
        append16(octets, destination_port_);
        append32(octets, sequence_);
        append32(octets, acknowledges_);
        octets.push_back(static_cast<std::uint8_t>((20 + tcp_options_.size()) / 4 << 4));
        octets.push_back(tcp_flags_);
        append16(octets, window_);
        append32(octets, 0);  // checksum and urgent pointer
        append(octets, tcp_options_);
    } else if (protocol_ == 17) {
        append16(octets, source_port_);
        append16(octets, destination_port_);
        append16(octets, static_cast<std::uint32_t>(8 + payload_.size()));
        append16(octets, 0);
    } else if (protocol_ == 1 || protocol_ == 58) {
        octets.push_back(icmp_type_);
        octets.push_back(icmp_code_);
        append16(octets, 0);
        append32(octets, rest_);
    }
    if (protocol_ == 132) {
        append16(octets, source_port_);
        append16(octets, destination_port_);
        append32(octets, sequence_);
        append32(octets, 0);
        append(octets, payload_);
        const std::uint32_t crc = naive_crc32c(octets);
        for (std::size_t i = 0; i < 4; ++i) {
            octets[8 + i] = static_cast<std::uint8_t>(crc >> (8 * i));
        }
        return octets;
    }
    append(octets, payload_);
    const bool has_checksum =
        protocol_ == 6 || protocol_ == 17 || protocol_ == 1 || protocol_ == 58;
    if (!has_checksum || l4_checksum_ == L4Checksum::none) {
        return octets;
    }
    const std::uint32_t pseudo =
        protocol_ == 1 ? 0 : pseudo_header(source_, destination_, protocol_, octets.size());
    if (l4_checksum_ == L4Checksum::partial) {
        put16(octets, checksum_place(protocol_), naive_sum({}, 0, 0, pseudo));
        return octets;
    }
    std::uint16_t checksum = complement(naive_sum(octets, 0, octets.size(), pseudo));
    if (protocol_ == 17 && checksum == 0) {
        checksum = 0xFFFF;
    }
    put16(octets, checksum_place(protocol_), checksum);
    return octets;
}

Frame Packet::ipv4_bytes() const {
    const Frame l4 = l4_bytes();
    const std::size_t header_length = 20 + options_.size();
    Frame octets;
    octets.push_back(static_cast<std::uint8_t>(0x40 | (header_length / 4)));
    octets.push_back(0);
    append16(octets, static_cast<std::uint32_t>(header_length + l4.size()));
    append16(octets, 0x1234);  // identification
    append16(octets, fragment_);
    octets.push_back(ttl_);
    octets.push_back(protocol_);
    append16(octets, 0);
    append32(octets, source_.v4().host());
    append32(octets, destination_.v4().host());
    append(octets, options_);
    put16(octets, 10, complement(naive_sum(octets, 0, octets.size())));
    append(octets, l4);
    return octets;
}

Frame Packet::ipv6_bytes() const {
    const Frame l4 = l4_bytes();
    Frame octets;
    append32(octets, 0x60000000);  // version, traffic class, flow label
    append16(octets, static_cast<std::uint32_t>(options_.size() + l4.size()));
    octets.push_back(options_.empty() ? protocol_ : first_extension_);
    octets.push_back(ttl_);
    for (const IpAddress& address : {source_, destination_}) {
        octets.insert(octets.end(), address.v6().octets.begin(), address.v6().octets.end());
    }
    append(octets, options_);
    append(octets, l4);
    return octets;
}

Frame Packet::ip_bytes() const { return source_.is_v4() ? ipv4_bytes() : ipv6_bytes(); }

Frame Packet::bytes() const {
    Frame frame{destination_mac_.bytes.begin(), destination_mac_.bytes.end()};
    frame.insert(frame.end(), source_mac_.bytes.begin(), source_mac_.bytes.end());
    append16(frame, source_.is_v4() ? 0x0800 : 0x86DD);
    append(frame, ip_bytes());
    return frame;
}

Frame with_octet(Frame frame, std::size_t at, std::uint8_t octet) {
    frame[at] = octet;
    return frame;
}

Frame with_word(Frame frame, std::size_t at, std::uint16_t word) {
    put16(frame, at, word);
    return frame;
}

Frame cut(Frame frame, std::size_t length) {
    frame.resize(length);
    return frame;
}

Frame fixed(Frame frame) {
    const std::size_t header_end = ip_at + (frame[ip_at] & 0x0FU) * 4U;
    put16(frame, ip_checksum_at, 0);
    put16(frame, ip_checksum_at, complement(naive_sum(frame, ip_at, header_end)));
    return frame;
}

std::uint32_t naive_crc32c(const Frame& octets) {
    std::uint32_t crc = 0xFFFF'FFFF;
    for (const std::uint8_t octet : octets) {
        crc ^= octet;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F6'3B78 : crc >> 1;
        }
    }
    return ~crc;
}

std::uint16_t naive_sum(const Frame& octets, std::size_t from, std::size_t to,
                        std::uint32_t start) {
    std::uint32_t sum = start;
    for (std::size_t at = from; at < to; at += 2) {
        sum += std::uint32_t{octets[at]} << 8;
        sum += at + 1 < to ? octets[at + 1] : 0;
    }
    while (sum > 0xFFFF) {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(sum);
}

bool has_sound_checksums(const Frame& frame) {
    const std::size_t l4 = ip_at + (frame[ip_at] & 0x0FU) * 4U;
    const std::size_t end = ip_at + get16(frame, total_length_at);
    const std::uint8_t protocol = frame[protocol_at];
    if (naive_sum(frame, ip_at, l4) != 0xFFFF) {
        return false;
    }
    if (protocol == 17 && get16(frame, l4 + 6) == 0) {
        return true;
    }
    std::uint32_t start = 0;
    if (protocol != 1) {
        start = static_cast<std::uint32_t>(naive_sum(frame, source_at, source_at + 8) + protocol +
                                           (end - l4));
    }
    return naive_sum(frame, l4, end, start) == 0xFFFF;
}

testing::AssertionResult same_frame(const Frame& expected, const Frame& actual) {
    if (expected == actual) {
        return testing::AssertionSuccess();
    }
    std::size_t at = 0;
    while (at < expected.size() && at < actual.size() && expected[at] == actual[at]) {
        ++at;
    }
    return testing::AssertionFailure()
           << "the frames differ at octet " << at << "; expected " << expected.size()
           << " octets:\n"
           << hex(expected) << "\nactual " << actual.size() << " octets:\n"
           << hex(actual);
}

}  // namespace fulcrum::test
