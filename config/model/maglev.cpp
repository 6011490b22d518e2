// Filling the ring. A member's n-th turn comes in the round in which its summed weight reaches n
// times the greatest weight; in each round the members due take their slots in the order of their
// names. Rounds in which nobody is due are skipped by a heap of next turns, because a weight of 1
// beside one of two thousand million would otherwise cost two thousand million rounds.
#include "config/model/maglev.h"

#include <algorithm>
#include <cassert>
#include <iterator>

#include "config/model/limits.h"

namespace fulcrum {
namespace {

// A member's own order of the slots: offset, offset + skip, offset + 2 skip, ... modulo the size,
// which visits every slot because the size is a prime.
struct Walk {
    std::uint32_t at;
    std::uint32_t skip;
    std::uint16_t index;

    void step(std::uint32_t size) {
        const std::uint64_t next = std::uint64_t{at} + skip;
        at = static_cast<std::uint32_t>(next >= size ? next - size : next);
    }
};

Walk walk_of(const RingMember& member, std::uint32_t size, HashKey key) {
    const std::uint64_t hash = siphash_2_4(key, member.name);
    return {scaled(static_cast<std::uint32_t>(hash), size),
            1 + scaled(static_cast<std::uint32_t>(hash >> 32), size - 1), member.index};
}

struct Turn {
    std::uint64_t round;   // counted from 1
    std::uint32_t member;  // by name
    std::uint32_t number;  // the member's how manieth turn

    bool is_later_than(const Turn& other) const {
        return round != other.round ? round > other.round : member > other.member;
    }
};

// Whose turn it is, turn after turn.
class Turns {
  public:
    explicit Turns(std::span<const RingMember> by_name) : members_{by_name} {
        for (const RingMember& member : members_) {
            weight_greatest_ = std::max(weight_greatest_, member.weight);
            weight_least_ = std::min(weight_least_, member.weight);
        }
        heap_.reserve(members_.size());
        for (std::uint32_t member = 0; member < members_.size(); ++member) {
            heap_.push_back(turn_of(member, 1));
        }
        std::make_heap(heap_.begin(), heap_.end(), comes_later);
    }

    std::uint32_t next() {
        if (weight_least_ == weight_greatest_) {
            // Everybody is due in every round, and a ring of ten takes half the time.
            const std::uint32_t member = cursor_;
            cursor_ = cursor_ + 1 == members_.size() ? 0 : cursor_ + 1;
            return member;
        }
        std::pop_heap(heap_.begin(), heap_.end(), comes_later);
        const Turn turn = heap_.back();
        heap_.back() = turn_of(turn.member, turn.number + 1);
        std::push_heap(heap_.begin(), heap_.end(), comes_later);
        return turn.member;
    }

  private:
    static bool comes_later(const Turn& a, const Turn& b) { return a.is_later_than(b); }

    // The first round in which round * weight >= number * greatest weight. The products stay below
    // 2^63: a number is at most a ring's size, 2^32, and a weight below 2^31.
    Turn turn_of(std::uint32_t member, std::uint32_t number) const {
        const std::uint64_t weight = members_[member].weight;
        return {(std::uint64_t{number} * weight_greatest_ + weight - 1) / weight, member, number};
    }

    std::span<const RingMember> members_;
    std::uint32_t weight_greatest_ = 0;
    std::uint32_t weight_least_ = limits::weight_max;
    std::uint32_t cursor_ = 0;
    std::vector<Turn> heap_;
};

std::vector<RingMember> weighted_by_name(std::span<const RingMember> members) {
    std::vector<RingMember> chosen;
    std::copy_if(members.begin(), members.end(), std::back_inserter(chosen),
                 [](const RingMember& member) { return member.weight > 0; });
    std::sort(chosen.begin(), chosen.end(),
              [](const RingMember& a, const RingMember& b) { return a.name < b.name; });
    return chosen;
}

}  // namespace

std::vector<std::uint16_t> build_ring(std::span<const RingMember> members, std::uint32_t size,
                                      HashKey key) {
    const std::vector<RingMember> by_name = weighted_by_name(members);
    if (by_name.empty()) {
        return {};
    }
    assert(is_prime(size));  // else a walk might never find the last free slot
    std::vector<Walk> walks;
    walks.reserve(by_name.size());
    for (const RingMember& member : by_name) {
        walks.push_back(walk_of(member, size, key));
    }
    std::vector<std::uint16_t> ring(size, limits::index_none);
    Turns turns{by_name};
    for (std::uint32_t filled = 0; filled < size; ++filled) {
        Walk& walk = walks[turns.next()];
        while (ring[walk.at] != limits::index_none) {
            walk.step(size);
        }
        ring[walk.at] = walk.index;
    }
    return ring;
}

std::uint32_t slots_moved(std::span<const std::uint16_t> before,
                          std::span<const std::uint16_t> after) {
    if (before.size() != after.size()) {
        return static_cast<std::uint32_t>(after.size());
    }
    std::uint32_t count = 0;
    for (std::size_t slot = 0; slot < after.size(); ++slot) {
        count += before[slot] != after[slot] ? 1U : 0U;
    }
    return count;
}

bool is_prime(std::uint32_t number) {
    if (number < 4) {
        return number >= 2;
    }
    if (number % 2 == 0) {
        return false;
    }
    for (std::uint64_t divisor = 3; divisor * divisor <= number; divisor += 2) {
        if (number % divisor == 0) {
            return false;
        }
    }
    return true;
}

}  // namespace fulcrum
