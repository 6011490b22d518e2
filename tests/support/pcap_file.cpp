// The format: 24 octets of file header, then records of 16 octets and the frame.
#include "tests/support/pcap_file.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace fulcrum::test {
namespace {

constexpr std::size_t file_header_size = 24;
constexpr std::size_t record_header_size = 16;
constexpr std::size_t length_at = 8;

[[noreturn]] void give_up(const std::string& path, const char* why) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), why);
    std::exit(1);
}

std::uint32_t word_at(const Frame& octets, std::size_t at) {
    std::uint32_t word = 0;
    std::memcpy(&word, &octets[at], sizeof(word));
    return word;
}

}  // namespace

std::vector<Frame> read_pcap(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    const Frame octets{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
    if (octets.size() < file_header_size) {
        give_up(path, "no capture file");
    }
    const std::uint32_t magic = word_at(octets, 0);
    if (magic != 0xA1B2C3D4 && magic != 0xA1B23C4D) {
        give_up(path, "no capture of this machine's byte order");
    }
    std::vector<Frame> frames;
    for (std::size_t at = file_header_size; at < octets.size();) {
        if (octets.size() - at < record_header_size) {
            give_up(path, "ends within a record");
        }
        const std::size_t length = word_at(octets, at + length_at);
        at += record_header_size;
        if (octets.size() - at < length) {
            give_up(path, "ends within a frame");
        }
        const auto begin = octets.begin() + static_cast<std::ptrdiff_t>(at);
        frames.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(length));
        at += length;
    }
    return frames;
}

}  // namespace fulcrum::test
