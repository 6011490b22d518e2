// One look-up, one comparison, one addition.
#include "dataplane/limiter.h"

#include <algorithm>

namespace fulcrum {

Limiter::Limiter(std::size_t record_count, HashKey key, std::uint64_t hz)
    : lines_(size_for(record_count) / sizeof(Line)), key_{key}, hz_{hz} {}

std::size_t Limiter::size_for(std::size_t record_count) {
    const std::size_t lines = (record_count + records_per_line - 1) / records_per_line;
    return std::max<std::size_t>(lines, 2) * sizeof(Line);
}

bool Limiter::take(const Account& account, std::uint32_t per_s, unsigned share) {
    const std::uint64_t whose = (std::uint64_t{account.service} << 16) |
                                (std::uint64_t{account.client.length} << 8) |
                                static_cast<std::uint64_t>(account.of);
    const std::uint64_t client = hash_words(key_, account.client.high, account.client.low);
    const std::uint64_t key = std::max<std::uint64_t>(hash_words(key_, client, whose), 1);
    Record& record = place_of(key);

    // A second's worth, less the one that is asked for, may be ahead.
    const std::uint64_t price = std::max<std::uint64_t>(hz_ * share / per_s, 1);
    const std::uint64_t ahead_max = hz_ > price ? hz_ - price : 0;
    const std::uint64_t paid_until = record.key == key ? std::max(record.paid_until, now_) : now_;
    if (paid_until - now_ > ahead_max) {
        return false;
    }
    if (!is_rehearsing_) {
        record = {key, paid_until + price};
    }
    return true;
}

// Its own, else the one that is missed least: who owes nothing any more, or least of all.
Limiter::Record& Limiter::place_of(std::uint64_t key) {
    const auto count = static_cast<std::uint32_t>(lines_.size());
    const std::uint32_t first = scaled(static_cast<std::uint32_t>(key >> 32), count);
    const std::uint32_t other = scaled(static_cast<std::uint32_t>(key), count);
    Record* least = &lines_[first].records[0];
    for (const std::uint32_t at : {first, other}) {
        for (Record& record : lines_[at].records) {
            if (record.key == key) {
                return record;
            }
            least = record.paid_until < least->paid_until ? &record : least;
        }
    }
    return *least;
}

}  // namespace fulcrum
