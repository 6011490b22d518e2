// Reading doubts every length; writing asserts what the configuration's rules have seen to.
#include "controlplane/roles/vrrp_packet.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <optional>

namespace fulcrum {
namespace {

constexpr std::size_t header_length = 8;
constexpr std::size_t authentication_length = 8;
constexpr std::uint8_t type_advert = 1;
constexpr Duration centisecond = std::chrono::milliseconds{10};

using Octets = std::span<const std::uint8_t>;

std::size_t length_of_address(IpFamily family) { return family == IpFamily::v4 ? 4 : 16; }

// IPv4 is kept in the last four octets of its IPv6 form.
Octets octets_of(const IpAddress& address) {
    return Octets{address.v6().octets}.subspan(address.is_v4() ? 12 : 0);
}

std::uint32_t sum_of(Octets octets, std::uint32_t sum) {
    for (std::size_t at = 0; at < octets.size(); ++at) {
        sum += at % 2 == 0 ? std::uint32_t{octets[at]} << 8U : octets[at];
    }
    return sum;
}

std::uint16_t folded(std::uint32_t sum) {
    sum = (sum & 0xFFFFU) + (sum >> 16U);
    sum += sum >> 16U;
    return static_cast<std::uint16_t>(sum);
}

// RFC 1071; of an advert that holds its own checksum, 0 (which is 0xFFFF before it is turned).
std::uint16_t checksum_of(Octets advert) {
    return static_cast<std::uint16_t>(~folded(sum_of(advert, 0)));
}
std::uint16_t checksum_of(Octets advert, const AdvertEnds& ends) {
    std::uint32_t sum = sum_of(octets_of(ends.source), 0);
    sum = sum_of(octets_of(ends.destination), sum);
    sum += vrrp_protocol + static_cast<std::uint32_t>(advert.size());
    return static_cast<std::uint16_t>(~folded(sum_of(advert, sum)));
}

bool is_intact(Octets advert, const AdvertEnds& ends, std::uint8_t version) {
    const bool may_be_bare = ends.source.is_v4();
    return (version == 3 && checksum_of(advert, ends) == 0) ||
           (may_be_bare && checksum_of(advert) == 0);
}

std::optional<AdvertFault> fault_of(Octets octets, const AdvertEnds& ends) {
    if (ends.hops != vrrp_hops) {
        return AdvertFault::hops;
    }
    if (octets.size() < header_length) {
        return AdvertFault::length;
    }
    const auto version = static_cast<std::uint8_t>(octets[0] >> 4U);
    if (version != 3 && (version != 2 || !ends.source.is_v4())) {
        return AdvertFault::version;
    }
    if ((octets[0] & 0x0FU) != type_advert) {
        return AdvertFault::type;
    }
    const std::size_t length = header_length + octets[3] * length_of_address(ends.source.family()) +
                               (version == 2 ? authentication_length : 0);
    if (octets.size() < length) {
        return AdvertFault::length;
    }
    if (version == 2 && octets[4] != 0) {
        return AdvertFault::authentication;
    }
    return is_intact(octets, ends, version) ? std::nullopt : std::optional{AdvertFault::checksum};
}

IpAddress address_at(Octets octets, IpFamily family) {
    if (family == IpFamily::v4) {
        return Ipv4Address::of(octets[0], octets[1], octets[2], octets[3]);
    }
    Ipv6Address address;
    std::copy_n(octets.begin(), address.octets.size(), address.octets.begin());
    return address;
}

}  // namespace

std::string_view to_string(AdvertFault fault) {
    constexpr std::array<std::string_view, static_cast<std::size_t>(AdvertFault::count)> names{
        "hops", "length", "version", "type", "checksum", "authentication", "interval"};
    return names[static_cast<std::size_t>(fault)];
}

std::vector<std::uint8_t> write_advert(const Advert& advert, const AdvertEnds& ends) {
    assert(advert.version == 3 || (advert.version == 2 && ends.source.is_v4()));
    assert(advert.addresses.size() <= Advert::addresses_max);
    std::vector<std::uint8_t> octets{
        static_cast<std::uint8_t>(unsigned{advert.version} << 4U | type_advert), advert.id,
        advert.priority, static_cast<std::uint8_t>(advert.addresses.size())};
    if (advert.version == 3) {
        const auto interval = static_cast<std::uint16_t>(advert.interval / centisecond);
        assert(interval < 4'096);
        octets.push_back(static_cast<std::uint8_t>(interval >> 8U));
        octets.push_back(static_cast<std::uint8_t>(interval & 0xFFU));
    } else {
        octets.push_back(0);  // no authentication
        octets.push_back(static_cast<std::uint8_t>(advert.interval / std::chrono::seconds{1}));
    }
    octets.insert(octets.end(), 2, 0);
    for (const IpAddress& address : advert.addresses) {
        assert(address.family() == ends.source.family());
        const Octets written = octets_of(address);
        octets.insert(octets.end(), written.begin(), written.end());
    }
    if (advert.version == 2) {
        octets.insert(octets.end(), authentication_length, 0);
    }
    const std::uint16_t checksum =
        advert.version == 2 ? checksum_of(octets) : checksum_of(octets, ends);
    octets[6] = static_cast<std::uint8_t>(checksum >> 8U);
    octets[7] = static_cast<std::uint8_t>(checksum & 0xFFU);
    return octets;
}

std::variant<Advert, AdvertFault> read_advert(std::span<const std::uint8_t> octets,
                                              const AdvertEnds& ends) {
    if (const auto fault = fault_of(octets, ends)) {
        return *fault;
    }
    Advert advert{.version = static_cast<std::uint8_t>(octets[0] >> 4U),
                  .id = octets[1],
                  .priority = octets[2]};
    advert.interval = advert.version == 2 ? Duration{std::chrono::seconds{octets[5]}}
                                          : centisecond * ((octets[4] & 0x0FU) << 8U | octets[5]);
    const IpFamily family = ends.source.family();
    const std::size_t length = length_of_address(family);
    for (std::size_t i = 0; i < octets[3]; ++i) {
        advert.addresses.push_back(
            address_at(octets.subspan(header_length + i * length, length), family));
    }
    return advert;
}

IpAddress vrrp_group(IpFamily family) {
    return family == IpFamily::v4
               ? IpAddress{Ipv4Address::of(224, 0, 0, 18)}
               : IpAddress{Ipv6Address{{0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12}}};
}

}  // namespace fulcrum
