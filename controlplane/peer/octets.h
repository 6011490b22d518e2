// Numbers and names laid into octets in network order, and read back. A reader that was asked for
// more than there is gives zeros and says so at the end: whoever reads judges once. Pure.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/address.h"

namespace fulcrum {

using Octets = std::vector<std::uint8_t>;

class OctetWriter {
  public:
    explicit OctetWriter(Octets& out) : out_{out} {}

    template <std::unsigned_integral T>
    void number(T value) {
        for (std::size_t i = sizeof(T); i-- > 0;) {
            out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
        }
    }
    void flag(bool value) { number(std::uint8_t{value}); }
    void octets(std::span<const std::uint8_t> octets) {
        out_.insert(out_.end(), octets.begin(), octets.end());
    }
    void text(std::string_view text) {  // of at most 255 octets
        number(static_cast<std::uint8_t>(text.size()));
        out_.insert(out_.end(), text.begin(), text.end());
    }
    // Four octets or sixteen: which ones is said elsewhere.
    void address(const IpAddress& address) {
        octets(std::span{address.v6().octets}.subspan(address.is_v4() ? 12 : 0));
    }

  private:
    Octets& out_;
};

class OctetReader {
  public:
    explicit OctetReader(std::span<const std::uint8_t> octets) : rest_{octets} {}

    template <std::unsigned_integral T>
    T number() {
        T value = 0;
        for (const std::uint8_t octet : take(sizeof(T))) {
            value = static_cast<T>((std::uint64_t{value} << 8) | octet);
        }
        return value;
    }
    // Any other octet than 0 and 1 spoils the whole.
    bool flag() {
        const auto value = number<std::uint8_t>();
        is_sound_ = is_sound_ && value <= 1;
        return value == 1;
    }
    template <std::size_t size>
    std::array<std::uint8_t, size> octets() {
        std::array<std::uint8_t, size> value{};
        const std::span<const std::uint8_t> taken = take(size);
        if (!taken.empty()) {
            std::memcpy(value.data(), taken.data(), size);
        }
        return value;
    }
    std::string text() {
        const std::span<const std::uint8_t> taken = take(number<std::uint8_t>());
        return {taken.begin(), taken.end()};
    }
    IpAddress address(IpFamily family) {
        if (family == IpFamily::v4) {
            return Ipv4Address::from_host(number<std::uint32_t>());
        }
        const Ipv6Address address{octets<16>()};
        is_sound_ = is_sound_ && !address.is_v4_mapped();
        return address;
    }
    std::span<const std::uint8_t> rest() { return take(rest_.size()); }

    bool is_at_end() const { return rest_.empty(); }
    // Whether all that was asked for was there.
    bool is_sound() const { return is_sound_; }

  private:
    std::span<const std::uint8_t> take(std::size_t count) {
        if (count > rest_.size()) {
            is_sound_ = false;
            rest_ = {};
            return {};
        }
        const std::span<const std::uint8_t> taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }

    std::span<const std::uint8_t> rest_;
    bool is_sound_ = true;
};

}  // namespace fulcrum
