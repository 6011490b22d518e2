// The memory of lblc and lblcr: which real a destination was given (lblc), or which few (lblcr), so
// that caches behind a transparent service see the same destinations again. A destination moves
// only when its real takes no new sessions or has too much: more active sessions than its weight
// while another has fewer than half of its own.
//
// A worker has one table for all services. An entry is one cache line; a destination has eight
// places, and the one that was asked for longest ago makes way. Who was not asked for in a day is
// forgotten. (IPVS keeps a table a service and thins it out by a timer; what a client sees is the
// same.) One thread.
//
//   entry (64 bytes): key 8 | used 4 | changed 4 | count 2 | up to 16 reals, 2 each
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/scheduler.h"

namespace fulcrum {

class Locality {
  public:
    explicit Locality(std::size_t destination_count = limits::locality_destinations_max);

    struct Visit {
        std::uint64_t destination;  // a service's own key for it, never zero
        std::uint32_t now_s;
        bool is_remembered = true;
    };
    // The position of the real for a visit to a destination.
    std::size_t pick(const Candidates& candidates, const Visit& visit);

    static std::size_t size_for(std::size_t destination_count);

  private:
    struct alignas(limits::cache_line_size) Entry {
        std::uint64_t destination = 0;  // 0: vacant
        std::uint32_t used_s = 0;
        std::uint32_t changed_s = 0;  // when a real joined or left
        std::uint16_t count = 0;
        std::array<std::uint16_t, limits::locality_set_max> reals{};  // indexes
    };
    static_assert(sizeof(Entry) == limits::cache_line_size);
    static constexpr std::size_t entries_per_bucket = 8;

    // The destination's entry, or the one that is to become it.
    Entry& place_of(std::uint64_t destination);
    static std::size_t pick_for_cache(const Candidates& candidates, Entry& entry);
    static std::size_t pick_for_set(const Candidates& candidates, Entry& entry,
                                    std::uint32_t now_s);

    std::vector<Entry> entries_;
    std::uint32_t bucket_count_;
};

}  // namespace fulcrum
