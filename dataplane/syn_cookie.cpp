// The proof, and what stands beside it.
#include "dataplane/syn_cookie.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace fulcrum {
namespace {

constexpr std::uint32_t proof_mask = 0x00FF'FFFF;
constexpr std::uint32_t mss_shift = 24;
constexpr std::uint32_t mss_mask = 7;
constexpr std::uint32_t count_shift = 27;
constexpr std::uint32_t count_mask = 31;

constexpr std::uint32_t timestamps_bit = 1U << 9;
constexpr std::uint32_t real_scale_shift = 5;
constexpr std::uint32_t sack_bit = 1U << 4;
constexpr std::uint32_t scale_mask = 15;

// The order in which the proof covers them, without gaps.
struct Proven {
    Ipv6Address client;
    Ipv6Address vip;
    be16 client_port;
    be16 vip_port;
    be32 client_first;
    be32 count;
    be16 agreement;
    be16 mss_place;
};
static_assert(sizeof(Proven) == 48);

template <typename T>
std::string_view octets_of(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

}  // namespace

std::uint32_t Agreement::bits() const {
    return has_timestamps ? timestamps_bit | (std::uint32_t{real_scale} << real_scale_shift) |
                                (has_sack ? sack_bit : 0) | client_scale
                          : 0;
}

Agreement Agreement::from_bits(std::uint32_t bits) {
    if ((bits & timestamps_bit) == 0) {
        return {};
    }
    return {.has_timestamps = true,
            .has_sack = (bits & sack_bit) != 0,
            .client_scale = static_cast<std::uint8_t>(bits & scale_mask),
            .real_scale = static_cast<std::uint8_t>((bits >> real_scale_shift) & scale_mask)};
}

CookieMint::CookieMint(HashKey secret)
    : secret_{siphash_2_4(secret, "syn cookies, low"), siphash_2_4(secret, "syn cookies, high")},
      first_second_{static_cast<std::uint32_t>(siphash_2_4(secret, "syn cookies, time"))} {}

std::uint32_t CookieMint::cookie_for(const CookieFlow& flow, std::uint16_t mss,
                                     const Agreement& agreement, std::uint32_t now_s) {
    const auto above = std::ranges::upper_bound(sizes, mss);
    const auto place = static_cast<std::uint32_t>(
        std::max<std::ptrdiff_t>(above - sizes.begin(), 1) - 1);  // the least, if it asks for less
    const std::uint32_t count = now_s / count_s;
    return ((count & count_mask) << count_shift) | (place << mss_shift) |
           proof_of(flow, count, place, agreement);
}

std::optional<std::uint16_t> CookieMint::mss_of(std::uint32_t cookie, const CookieFlow& flow,
                                                const Agreement& agreement, std::uint32_t now_s) {
    const std::uint32_t now = now_s / count_s;
    const std::uint32_t age = (now - (cookie >> count_shift)) & count_mask;
    const std::uint32_t place = (cookie >> mss_shift) & mss_mask;
    const bool is_ours = age <= 1 && age <= now &&
                         proof_of(flow, now - age, place, agreement) == (cookie & proof_mask);
    return is_ours ? std::optional{sizes[place]} : std::nullopt;
}

std::uint32_t CookieMint::timestamp_for(const Agreement& agreement, std::uint32_t now_s) const {
    return ((first_second_ + now_s) << agreement_width) | agreement.bits();
}

const HashKey& CookieMint::key_of(std::uint32_t count) {
    CountKey& kept = count_keys_[count % count_keys_.size()];
    if (kept.count != count) {
        const std::array<be32, 2> low{be32{count}, be32{0}};
        const std::array<be32, 2> high{be32{count}, be32{1}};
        kept = {count,
                {siphash_2_4(secret_, octets_of(low)), siphash_2_4(secret_, octets_of(high))}};
    }
    return kept.key;
}

std::uint32_t CookieMint::proof_of(const CookieFlow& flow, std::uint32_t count,
                                   std::uint32_t mss_place, const Agreement& agreement) {
    const Proven proven{.client = flow.client,
                        .vip = flow.vip,
                        .client_port = flow.client_port,
                        .vip_port = flow.vip_port,
                        .client_first = be32{flow.client_first},
                        .count = be32{count},
                        .agreement = be16{static_cast<std::uint16_t>(agreement.bits())},
                        .mss_place = be16{static_cast<std::uint16_t>(mss_place)}};
    return static_cast<std::uint32_t>(siphash_2_4(key_of(count), octets_of(proven))) & proof_mask;
}

}  // namespace fulcrum
