// What a worker knows of its spliced sessions (splice.h) beside what lies in the session table:
// found by what names the session, of either IP version. One worker's thread. Memory is reserved
// at start, and backed by pages as it is used for the first time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "config/model/hash.h"
#include "dataplane/lazy_memory.h"
#include "dataplane/local_ends.h"
#include "dataplane/splice.h"

namespace fulcrum {

class Splices {
  public:
    // Null when memory is short. `key`: who knew it could fill one chain.
    static std::unique_ptr<Splices> create(std::size_t splices_max, HashKey key);
    // What each takes, once it is used.
    static constexpr std::size_t size_of_splice = 64;

    bool has_room() const { return free_ != 0 || fresh_used_ < entries_.size(); }
    std::size_t count() const { return count_; }

    // Null: there is none. Good until the next remove.
    Splice* find(const LeasingFlow& flow);
    // Of a flow that has none; there is room.
    void add(const LeasingFlow& flow, const Splice& splice);
    // Nothing happens if there is none.
    void remove(const LeasingFlow& flow);

  private:
    // Chained by the number of an entry plus one; 0 ends a chain.
    struct Entry {
        LeasingFlow flow;
        std::uint32_t next;  // in the chain of its hash, or of those that are free
        Splice splice;
    };
    static_assert(sizeof(Entry) <= size_of_splice);

    Splices(std::size_t splices_max, HashKey key, LazyMemory memory);
    static std::size_t chain_count(std::size_t splices_max);
    std::uint32_t& chain_of(const LeasingFlow& flow) const;

    HashKey key_;
    LazyMemory memory_;
    std::span<Entry> entries_;
    std::span<std::uint32_t> chains_;
    std::size_t fresh_used_ = 0;
    std::uint32_t free_ = 0;
    std::size_t count_ = 0;
};

}  // namespace fulcrum
