// Any octets as an advert, over IPv4 or IPv6 by the first of them: reading stays within them (they
// are a heap block of their exact size), and what is called an advert is written again as one that
// reads the same.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <variant>

#include "controlplane/roles/vrrp_packet.h"

namespace {

using namespace fulcrum;

void promise(bool is_kept, const char* what) {
    if (!is_kept) {
        std::fprintf(stderr, "broken promise: %s\n", what);
        std::abort();
    }
}

AdvertEnds ends_of(bool is_ipv6) {
    const char* const source = is_ipv6 ? "fe80::1" : "10.9.0.1";
    const IpAddress from = parse_ip_address(source).value();
    return {from, vrrp_group(from.family())};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const AdvertEnds ends = ends_of((octets[0] & 1U) != 0);
    const auto copy = std::make_unique<std::uint8_t[]>(size - 1);
    std::copy(octets + 1, octets + size, copy.get());
    const auto read = read_advert({copy.get(), size - 1}, ends);
    const auto* const advert = std::get_if<Advert>(&read);
    if (advert == nullptr || advert->addresses.size() > Advert::addresses_max) {
        return 0;
    }
    promise(size - 1 >= 8, "an advert has a header");
    promise(advert->version == 3 || (advert->version == 2 && ends.source.is_v4()), "version");
    const auto again = read_advert(write_advert(*advert, ends), ends);
    promise(std::holds_alternative<Advert>(again) && std::get<Advert>(again) == *advert,
            "what is written reads the same");
    return 0;
}
