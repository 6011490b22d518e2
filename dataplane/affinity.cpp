// Finding, placing, and letting go.
#include "dataplane/affinity.h"

#include <algorithm>

namespace fulcrum {
namespace {

// Half as many places again as there are to be records: two buckets of eight then nearly always
// have one free.
std::size_t bucket_count_for(std::size_t record_count) {
    return std::max<std::size_t>(
        2, (record_count + record_count / 2) / AffinityTable::records_per_bucket);
}

}  // namespace

const SnapshotService* AffinityRules::service_of(const AffinityRecord& record) const {
    const std::uint16_t service = record.group < snapshot_.service_of_group.size()
                                      ? snapshot_.service_of_group[record.group]
                                      : limits::index_none;
    return service == limits::index_none ? nullptr : &snapshot_.services[service];
}

std::uint32_t AffinityRules::remaining_s(const AffinityRecord& record) const {
    const std::uint32_t timeout_s = service_of(record)->affinity.timeout_s;
    const std::uint32_t idle_s =
        record.sessions > 0 ? 0 : now_s_ - std::min(now_s_, record.ended_s);
    return timeout_s - std::min(timeout_s, idle_s);
}

bool AffinityRules::is_over(const AffinityRecord& record) const {
    const SnapshotService* service = service_of(record);
    if (service == nullptr || service->affinity.timeout_s == 0 ||
        record.length != service->affinity.length_of(record.client().is_v4()) ||
        record.real >= service->real_count ||
        snapshot_.reals[service->first_real + record.real].standing == RealStanding::absent) {
        return true;
    }
    return record.sessions == 0 && now_s_ > record.ended_s &&
           now_s_ - record.ended_s > service->affinity.timeout_s;
}

AffinityTable::AffinityTable(std::size_t record_count, HashKey key)
    : own_(bucket_count_for(record_count)), buckets_{own_}, key_{key.low, key.high | 1} {}

AffinityTable::AffinityTable(std::span<std::byte> memory, std::size_t record_count, HashKey key)
    : buckets_{reinterpret_cast<Bucket*>(memory.data()), bucket_count_for(record_count)},
      key_{key.low, key.high | 1} {}

std::size_t AffinityTable::size_for(std::size_t record_count) {
    return bucket_count_for(record_count) * sizeof(Bucket);
}

AffinityTable::Home AffinityTable::home_of(const Key& key) const {
    const std::uint64_t group = std::uint64_t{key.group} << 48;
    const std::uint64_t hash =
        hash_words(key_, key.client.low ^ group, key.client.high + key.client.length);
    const auto count = static_cast<std::uint32_t>(buckets_.size());
    return {scaled(static_cast<std::uint32_t>(hash), count),
            scaled(static_cast<std::uint32_t>(hash >> 32), count)};
}

const AffinityRecord* AffinityTable::find(const Key& key) const {
    const Home home = home_of(key);
    for (const std::uint32_t index : {home.first, home.second}) {
        for (const AffinityRecord& record : buckets_[index].records) {
            if (record.low == key.client.low && record.high == key.client.high &&
                record.group == key.group && record.length == key.client.length) {
                return &record;
            }
        }
    }
    return nullptr;
}

std::uint16_t AffinityTable::real_of(const Key& key, const AffinityRules& rules) const {
    const AffinityRecord* record = find(key);
    return record == nullptr || rules.is_over(*record) ? limits::index_none : record->real;
}

bool AffinityTable::hold(const Key& key, std::uint16_t real, bool is_confirmed,
                         const AffinityRules& rules) {
    AffinityRecord* record = find(key);
    if (record != nullptr && rules.is_over(*record)) {
        remove(*record);
        record = nullptr;
    }
    if (record == nullptr) {
        record = place_for(key, is_confirmed, rules);
        if (record == nullptr) {
            ++refused_count_;
            return false;
        }
        *record = {.high = key.client.high,
                   .low = key.client.low,
                   .group = key.group,
                   .length = key.client.length};
        ++live_count_;
    }
    record->real = real;
    record->is_confirmed = record->is_confirmed || is_confirmed;
    ++record->sessions;
    return true;
}

bool AffinityTable::rejoin(const Key& key, const AffinityRules& rules) {
    AffinityRecord* record = find(key);
    const bool is_there = record != nullptr && !rules.is_over(*record);
    if (is_there) {
        ++record->sessions;
    }
    return is_there;
}

void AffinityTable::confirm(const Key& key) {
    if (AffinityRecord* record = find(key)) {
        record->is_confirmed = true;
    }
}

void AffinityTable::release(const Key& key, std::uint32_t ended_s) {
    AffinityRecord* record = find(key);
    // None left to count: the record was made anew since, after a change of the file.
    if (record == nullptr || record->sessions == 0) {
        return;
    }
    --record->sessions;
    record->ended_s = std::max(record->ended_s, ended_s);
}

AffinityRecord* AffinityTable::place_for(const Key& key, bool is_confirmed,
                                         const AffinityRules& rules) {
    const Home home = home_of(key);
    const Vacancy first = vacancy_in(buckets_[home.first], rules);
    const Vacancy second = vacancy_in(buckets_[home.second], rules);
    if (first.count > 0 || second.count > 0) {
        return first.count >= second.count ? first.record : second.record;
    }
    AffinityRecord* victim = idlest(home, /*is_confirmed=*/false);
    if (victim == nullptr && is_confirmed) {
        victim = idlest(home, /*is_confirmed=*/true);
    }
    if (victim != nullptr) {
        remove(*victim);
        ++evicted_count_;
    }
    return victim;
}

AffinityTable::Vacancy AffinityTable::vacancy_in(Bucket& bucket, const AffinityRules& rules) {
    Vacancy vacancy;
    for (AffinityRecord& record : bucket.records) {
        if (record.length != 0 && rules.is_over(record)) {
            remove(record);
        }
        if (record.length == 0) {
            vacancy = {&record, vacancy.count + 1};
        }
    }
    return vacancy;
}

AffinityRecord* AffinityTable::idlest(Home home, bool is_confirmed) {
    AffinityRecord* found = nullptr;
    for (const std::uint32_t index : {home.first, home.second}) {
        for (AffinityRecord& record : buckets_[index].records) {
            const bool may_go = record.sessions == 0 && record.is_confirmed == is_confirmed;
            if (may_go && (found == nullptr || record.ended_s < found->ended_s)) {
                found = &record;
            }
        }
    }
    return found;
}

void AffinityTable::take_up(const AffinityRules& rules) {
    live_count_ = 0;
    for (std::size_t at = 0; at < buckets_.size(); ++at) {
        for (AffinityRecord& record : buckets_[at].records) {
            const Home home = home_of({record.client(), record.group});
            const bool is_at_home = home.first == at || home.second == at;
            if (record.length == 0 || !is_at_home || rules.is_over(record)) {
                record = {};
                continue;
            }
            record.ended_s = record.sessions > 0 ? rules.now_s() : record.ended_s;
            record.sessions = 0;
            ++live_count_;
        }
    }
}

bool AffinityTable::place(const AffinityRecord& record) {
    const Home home = home_of({record.client(), record.group});
    for (const std::uint32_t index : {home.first, home.second}) {
        for (AffinityRecord& place : buckets_[index].records) {
            if (place.length == 0) {
                place = record;
                ++live_count_;
                return true;
            }
        }
    }
    return false;
}

void AffinityTable::sweep(std::size_t bucket_count, const AffinityRules& rules) {
    const std::size_t end = std::min(buckets_.size(), sweep_at_ + bucket_count);
    for (; sweep_at_ < end; ++sweep_at_) {
        for (AffinityRecord& record : buckets_[sweep_at_].records) {
            if (record.length != 0 && rules.is_over(record)) {
                remove(record);
            }
        }
    }
}

void AffinityTable::remove(AffinityRecord& record) {
    record = {};
    --live_count_;
}

}  // namespace fulcrum
