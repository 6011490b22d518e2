// Filling the ring. A member's n-th turn comes in the round in which its summed weight reaches n
// times the greatest weight; in each round the members due take their slots in the order of their
// names. Where most members are due in most rounds, all are looked at in each; else rounds in which
// nobody else is due are skipped by a heap of next turns, because sixty thousand members of weight
// 1 beside a heavy one would otherwise be looked at for each slot that the heavy one takes.
#include "config/model/maglev.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

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

std::uint32_t weight_greatest_of(std::span<const RingMember> members) {
    return std::ranges::max_element(members, {}, &RingMember::weight)->weight;
}

// Whose turn it is, turn after turn, where all weigh the same.
class EqualTurns {
  public:
    explicit EqualTurns(std::span<const RingMember> by_name) : count_{by_name.size()} {}

    std::size_t next() {
        const std::size_t member = cursor_;
        cursor_ = cursor_ + 1 == count_ ? 0 : cursor_ + 1;
        return member;
    }

  private:
    std::size_t count_;
    std::size_t cursor_ = 0;
};

// Round by round.
class DenseTurns {
  public:
    explicit DenseTurns(std::span<const RingMember> by_name)
        : weight_greatest_{weight_greatest_of(by_name)} {
        for (const RingMember& member : by_name) {
            accounts_.push_back({member.weight, 0});
        }
    }

    std::uint32_t next() {
        for (;;) {
            const std::uint32_t member = cursor_;
            cursor_ = cursor_ + 1 == accounts_.size() ? 0 : cursor_ + 1;
            Account& account = accounts_[member];
            account.credit += account.weight;
            if (account.credit >= weight_greatest_) {
                account.credit -= weight_greatest_;
                return member;
            }
        }
    }

  private:
    struct Account {
        std::uint32_t weight;
        std::uint32_t credit;  // summed weight not yet paid for a turn; below twice the greatest
    };

    std::uint32_t weight_greatest_;
    std::uint32_t cursor_ = 0;
    std::vector<Account> accounts_;
};

// The same by a heap.
class SparseTurns {
  public:
    explicit SparseTurns(std::span<const RingMember> by_name)
        : members_{by_name}, weight_greatest_{weight_greatest_of(by_name)} {
        heap_.reserve(members_.size());
        for (std::uint32_t member = 0; member < members_.size(); ++member) {
            heap_.push_back(turn_of(member, 1));
        }
        std::make_heap(heap_.begin(), heap_.end(), comes_later);
    }

    std::uint32_t next() {
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
    std::uint32_t weight_greatest_;
    std::vector<Turn> heap_;
};

bool are_dense(std::span<const RingMember> members) {
    constexpr std::uint64_t looks_a_turn_max = 16;  // about where the heap costs less
    std::uint64_t sum = 0;
    for (const RingMember& member : members) {
        sum += member.weight;
    }
    return std::uint64_t{weight_greatest_of(members)} * members.size() <= looks_a_turn_max * sum;
}

template <typename Turns>
std::vector<std::uint16_t> fill(Turns turns, std::vector<Walk> walks, std::uint32_t size) {
    std::vector<std::uint16_t> ring(size, limits::index_none);
    for (std::uint32_t filled = 0; filled < size; ++filled) {
        Walk& walk = walks[turns.next()];
        while (ring[walk.at] != limits::index_none) {
            walk.step(size);
        }
        ring[walk.at] = walk.index;
    }
    return ring;
}

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
    const bool are_equal = std::ranges::all_of(
        by_name, [&](const RingMember& member) { return member.weight == by_name.front().weight; });
    return are_equal            ? fill(EqualTurns{by_name}, std::move(walks), size)
           : are_dense(by_name) ? fill(DenseTurns{by_name}, std::move(walks), size)
                                : fill(SparseTurns{by_name}, std::move(walks), size);
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
