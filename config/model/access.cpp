// From nested prefixes to stretches: they are met in the order of their first address, longer ones
// within shorter ones, and each ends where the one around it goes on.
#include "config/model/access.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace fulcrum {
namespace {

struct Stretch {
    std::pair<std::uint64_t, std::uint64_t> first;
    std::pair<std::uint64_t, std::uint64_t> last;
    std::uint8_t length;  // of the prefix, of 128
    bool is_admitted;
};

Stretch stretch_of(const IpPrefix& prefix, bool is_admitted) {
    const ClientPrefix whole = client_prefix_of(prefix.address);
    const unsigned length = prefix.length + (prefix.address.is_v4() ? 96U : 0U);
    const auto mask = [](unsigned bits) {  // the leading ones of 64
        return bits == 0 ? std::uint64_t{0} : ~std::uint64_t{0} << (64 - std::min(bits, 64U));
    };
    const std::uint64_t high = mask(length);
    const std::uint64_t low = mask(length > 64 ? length - 64 : 0);
    return {{whole.high & high, whole.low & low},
            {whole.high | ~high, whole.low | ~low},
            static_cast<std::uint8_t>(length),
            is_admitted};
}

// Null: it is the greatest there is.
std::optional<std::pair<std::uint64_t, std::uint64_t>> behind(
    std::pair<std::uint64_t, std::uint64_t> address) {
    if (++address.second == 0 && ++address.first == 0) {
        return std::nullopt;
    }
    return address;
}

}  // namespace

AccessStretches::AccessStretches(const AccessRules& rules, bool is_v4)
    : is_first_admitted_{rules.allow.empty()} {
    const bool is_stranger_admitted = is_first_admitted_;
    std::vector<Stretch> prefixes;
    for (const bool is_admitted : {true, false}) {
        for (const IpPrefix& prefix : is_admitted ? rules.allow : rules.deny) {
            if (prefix.address.is_v4() == is_v4) {
                prefixes.push_back(stretch_of(prefix, is_admitted));
            }
        }
    }
    // Of two equal ones the denied one comes last, and so counts.
    std::sort(prefixes.begin(), prefixes.end(), [](const Stretch& a, const Stretch& b) {
        return std::tie(a.first, a.length, b.is_admitted) <
               std::tie(b.first, b.length, a.is_admitted);
    });
    std::vector<const Stretch*> around;  // the innermost last
    const auto leave = [&] {
        const auto next = behind(around.back()->last);
        around.pop_back();
        if (next) {
            begin(*next, around.empty() ? is_stranger_admitted : around.back()->is_admitted);
        }
    };
    starts_.push_back({0, 0});
    for (const Stretch& prefix : prefixes) {
        while (!around.empty() && around.back()->last < prefix.first) {
            leave();
        }
        begin(prefix.first, prefix.is_admitted);
        around.push_back(&prefix);
    }
    while (!around.empty()) {
        leave();
    }
    starts_.shrink_to_fit();
}

// From `at` on the answer is this. One that began there already was cut to nothing.
void AccessStretches::begin(const Address& at, bool is_admitted) {
    const auto is_admitted_now = [this] { return is_first_admitted_ == (starts_.size() % 2 == 1); };
    if (starts_.back() == at) {
        if (is_admitted_now() == is_admitted) {
            return;
        }
        if (starts_.size() == 1) {
            is_first_admitted_ = is_admitted;
        } else {
            starts_.pop_back();  // the one before it had the other answer, which is this one
        }
        return;
    }
    if (is_admitted_now() != is_admitted) {
        starts_.push_back(at);
    }
}

bool AccessStretches::admits(const ClientPrefix& client) const {
    const auto after =
        std::upper_bound(starts_.begin(), starts_.end(), Address{client.high, client.low});
    return is_first_admitted_ == ((after - starts_.begin()) % 2 == 1);
}

}  // namespace fulcrum
