// A block is a type, its length, a body, options, and the length again; all in words of 32 bits.
#include "controlplane/pcapng.h"

namespace fulcrum {
namespace {

constexpr std::uint32_t section_block = 0x0A0D'0D0A;
constexpr std::uint32_t interface_block = 1;
constexpr std::uint32_t statistics_block = 5;
constexpr std::uint32_t frame_block = 6;
constexpr std::uint32_t byte_order_magic = 0x1A2B'3C4D;
constexpr std::uint16_t link_type_ethernet = 1;

constexpr std::uint16_t option_end = 0;
constexpr std::uint16_t option_comment = 1;
constexpr std::uint16_t section_application = 4;
constexpr std::uint16_t interface_name = 2;
constexpr std::uint16_t interface_time_resolution = 9;
constexpr std::uint16_t frame_flags = 2;
constexpr std::uint16_t statistics_dropped = 5;

template <typename Number>
void append(std::string& text, Number number) {
    text.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

void append_padded(std::string& text, std::string_view octets) {
    text.append(octets);
    text.append((4 - octets.size() % 4) % 4, '\0');
}

void append_option(std::string& text, std::uint16_t code, std::string_view value) {
    append(text, code);
    append(text, static_cast<std::uint16_t>(value.size()));
    append_padded(text, value);
}

template <typename Number>
void append_option(std::string& text, std::uint16_t code, Number value) {
    append_option(text, code,
                  std::string_view{reinterpret_cast<const char*>(&value), sizeof(value)});
}

void append_time(std::string& text, std::uint64_t time_ns) {
    append(text, static_cast<std::uint32_t>(time_ns >> 32));
    append(text, static_cast<std::uint32_t>(time_ns));
}

// `body` with its options, which are ended here.
std::string block(std::uint32_t type, std::string body) {
    append(body, option_end);
    append(body, std::uint16_t{0});
    const auto length = static_cast<std::uint32_t>(body.size() + 3 * sizeof(std::uint32_t));
    std::string whole;
    append(whole, type);
    append(whole, length);
    whole.append(body);
    append(whole, length);
    return whole;
}

}  // namespace

std::string pcapng_section(std::string_view program) {
    constexpr std::uint16_t version_major = 1;
    constexpr std::uint16_t version_minor = 0;
    constexpr std::int64_t length_unknown = -1;
    std::string body;
    append(body, byte_order_magic);
    append(body, version_major);
    append(body, version_minor);
    append(body, length_unknown);
    append_option(body, section_application, program);
    return block(section_block, std::move(body));
}

std::string pcapng_interface(std::string_view name, std::uint32_t octets_max) {
    constexpr std::uint8_t nanoseconds = 9;  // ten to the minus that
    std::string body;
    append(body, link_type_ethernet);
    append(body, std::uint16_t{0});
    append(body, octets_max);
    append_option(body, interface_name, name);
    append_option(body, interface_time_resolution, nanoseconds);
    return block(interface_block, std::move(body));
}

std::string pcapng_frame(const PcapngFrame& frame) {
    std::string body;
    append(body, frame.interface);
    append_time(body, frame.time_ns);
    append(body, static_cast<std::uint32_t>(frame.octets.size()));
    append(body, frame.length);
    append_padded(body, {reinterpret_cast<const char*>(frame.octets.data()), frame.octets.size()});
    append_option(body, option_comment, std::string_view{frame.comment});
    append_option(body, frame_flags, static_cast<std::uint32_t>(frame.direction));
    return block(frame_block, std::move(body));
}

std::string pcapng_lost(std::uint32_t interface, std::uint64_t time_ns, std::uint64_t lost_count) {
    std::string body;
    append(body, interface);
    append_time(body, time_ns);
    append_option(body, statistics_dropped, lost_count);
    return block(statistics_block, std::move(body));
}

}  // namespace fulcrum
