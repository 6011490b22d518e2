// The door for records that cross from one thread to one other: a bounded ring with one producer
// and one consumer. Nothing ever waits: a full mailbox refuses, and the producer counts the loss.
// Who may call what is in the two halves' names; give each thread its half and no more.
#pragma once

#include <rte_ring.h>
#include <rte_ring_elem.h>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>

namespace fulcrum {

template <typename T>
class Mailbox {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 4 == 0);

  public:
    // `capacity` records, rounded up to what a ring needs. Null when memory is short.
    static std::unique_ptr<Mailbox> create(const std::string& name, std::size_t capacity) {
        const auto count = static_cast<unsigned>(capacity);
        rte_ring* ring = rte_ring_create_elem(name.c_str(), sizeof(T), count, SOCKET_ID_ANY,
                                              RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
        return ring == nullptr ? nullptr : std::unique_ptr<Mailbox>{new Mailbox{ring}};
    }
    ~Mailbox() { rte_ring_free(ring_); }
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    // --- the producer's half: how many were taken, from the front of `records` ---------------
    unsigned post(const T* records, unsigned count) {
        return rte_ring_sp_enqueue_burst_elem(ring_, records, sizeof(T), count, nullptr);
    }
    bool post(const T& record) { return post(&record, 1) == 1; }

    // --- the consumer's half: how many were given --------------------------------------------
    unsigned collect(T* records, unsigned count_max) {
        return rte_ring_sc_dequeue_burst_elem(ring_, records, sizeof(T), count_max, nullptr);
    }

    // --- either ------------------------------------------------------------------------------
    bool is_empty() const { return rte_ring_empty(ring_) != 0; }
    unsigned count() const { return rte_ring_count(ring_); }

  private:
    explicit Mailbox(rte_ring* ring) : ring_{ring} {}

    rte_ring* ring_;
};

}  // namespace fulcrum
