// The ends from which a worker speaks to reals in full NAT: local addresses of the director, each
// with the ports of this worker. A session in full NAT *leases* one end of its protocol; the lease
// knows whose it is, and the session's client leads to the lease, so that both directions find
// their way while the session itself stays as small as any.
//
//   request: client, listener, VIP port ─► chain of leases ─► local address and port
//   reply:   local address and port     ─► lease           ─► client, listener, VIP port ─► session
//
// A local port belongs to the slot of its low six bits, and so to the worker of that slot (see
// steering.h): who owns a reply is computed from its destination port. Each address has 1,008 ports
// of each slot, 1,024 to 65,535.
//
// Where cards spread packets by `owner_of`, what a real sends to a local address comes to the
// worker that would own it as a client. So a worker takes ports of such addresses first: their
// replies need not be handed over to it. With one local address for each worker or more, most do
// so.
//
// A port that has been given back rests: until `limits::local_port_rest_s` after its session's last
// packet it serves nobody, because the real may still hold the old connection (a few seconds only
// where there never was one). Given out are first those that were never used, from a place drawn at
// start, so that a director that starts anew is unlikely to meet what the reals remember of the one
// before; then those that had rested when they were given back; then the others, in the order in
// which they were given back, as soon as the first of them has rested.
//
// A director that takes a peer's sessions over claims the very ends that they have there, wherever
// they stand in that order.
//
// Where none is free, leases can be asked in turn whether they may be ended: see next_to_ask.
//
// One worker's thread. Memory is reserved at start for all addresses that a director may come to
// have, and backed by pages as ports are used for the first time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

#include "config/model/address.h"
#include "config/model/hash.h"
#include "config/model/limits.h"
#include "config/model/snapshot.h"
#include "dataplane/lazy_memory.h"
#include "dataplane/steering.h"
#include "dataplane/stream_shift.h"

namespace fulcrum {

// `place` is the local address's, as the snapshot numbers them.
struct LocalEnd {
    std::uint16_t place = 0;
    be16 port{};

    friend bool operator==(const LocalEnd&, const LocalEnd&) = default;
};

// Whose an end is: with the protocol, what tells a client's sessions apart.
struct LeasingFlow {
    Ipv6Address client;  // IPv4: mapped
    be16 client_port{};
    be16 vip_port{};
    std::uint16_t listener = limits::index_none;

    friend bool operator==(const LeasingFlow&, const LeasingFlow&) = default;
};

// What goes with an end whose real is told the client's address (see tell_client.h). Holds until
// the end has been given back.
struct Telling {
    const LeasingFlow* flow = nullptr;
    StreamShift* shift = nullptr;
    ClientAddressBy by = ClientAddressBy::none;
};

class LocalEnds {
  public:
    struct Share {
        unsigned worker_id = 0;
        unsigned worker_count = 1;
        const Steering* steering = nullptr;  // null: nobody spreads by it
    };
    // Null when memory is short. `key`: who knew it could fill one chain.
    static std::unique_ptr<LocalEnds> create(const Share& share, HashKey key);
    // What one local address in full use comes to take, of each worker.
    static std::size_t size_of_address(unsigned worker_count);

    // An end at one of the snapshot's local addresses of this family on the NIC port, for a flow
    // that has none. Nothing: there is no such address, or no port of theirs is free.
    struct Wish {
        IpFamily family = IpFamily::v4;
        std::uint8_t nic_port = 0;
        L4Protocol protocol = L4Protocol::tcp;
        ClientAddressBy client_address = ClientAddressBy::none;
    };
    std::optional<LocalEnd> take(const LeasingFlow& flow, const Wish& wish,
                                 std::span<const LocalAddress> addresses, std::uint32_t now_s);
    // This end, for a flow that may have it already. False: it is another worker's, or another's.
    bool claim(LocalEnd end, const LeasingFlow& flow, L4Protocol protocol,
               ClientAddressBy client_address);
    // Of a flow that has one.
    std::optional<LocalEnd> end_of(const LeasingFlow& flow, L4Protocol protocol) const;
    // Of an end that somebody has.
    Telling telling_of(LocalEnd end, L4Protocol protocol);
    // Null: nobody's now, or another worker's.
    const LeasingFlow* holder_of(LocalEnd end, L4Protocol protocol) const;
    // The end serves somebody else from `free_from_s` on. Nothing happens if the flow has none.
    void give_back(const LeasingFlow& flow, L4Protocol protocol, std::uint32_t free_from_s,
                   std::uint32_t now_s);
    // After a `take` that found nothing: the flow of one of the leases in its way, with every call
    // another, in the order in which ports were given out first. Null: that port only rests.
    const LeasingFlow* next_to_ask(const Wish& wish, std::span<const LocalAddress> addresses);

    std::size_t taken_count() const { return taken_count_; }

    // Between these two nothing is given back, and what is taken (one end at most) is so in a
    // rehearsal alone: afterwards it lies where it lay.
    void begin_rehearsal() { is_rehearsal_ = true; }
    void end_rehearsal();

  private:
    // Chained by the number of a lease plus one; 0 ends a chain.
    struct Lease {
        LeasingFlow flow;
        bool is_taken;
        ClientAddressBy client_address;
        std::uint32_t next;         // taken: in the chain of its flow's hash; resting: in the queue
        std::uint32_t free_from_s;  // resting; 0: nobody has used it

        // Of one that rests, the one before it in the queue: where its flow's client was.
        std::uint32_t previous() const {
            std::uint32_t link = 0;
            std::memcpy(&link, flow.client.octets.data(), sizeof(link));
            return link;
        }
        void set_previous(std::uint32_t link) {
            std::memcpy(flow.client.octets.data(), &link, sizeof(link));
        }
    };
    static_assert(sizeof(Lease) == 32);

    // The ports of one address and protocol that nobody has.
    struct Pool {
        std::uint32_t fresh_used = 0;  // of those never used before, how many have been passed
        std::uint32_t first = 0;       // of those that rest, or have rested
        std::uint32_t last = 0;
        std::uint32_t hand = 0;  // whose turn it is to be asked
    };

    LocalEnds(const Share& share, HashKey key, LazyMemory memory);

    static constexpr std::size_t size_of_end = sizeof(Lease) + sizeof(StreamShift);

    static std::size_t lease_count(unsigned worker_count);
    std::uint32_t number_of(LocalEnd end, L4Protocol protocol) const;  // number_none: not ours
    LocalEnd end_of(std::uint32_t number) const;
    std::uint32_t pool_of(std::uint16_t place, L4Protocol protocol) const;
    bool is_fresh(std::uint32_t number) const;
    std::uint32_t next_free(std::uint32_t pool, std::uint32_t now_s);
    void take_out(std::uint32_t number);
    void lease(std::uint32_t number, const LeasingFlow& flow, L4Protocol protocol,
               ClientAddressBy client_address);
    void borrow(std::uint32_t number);
    void queue_first(std::uint32_t number);
    void queue_last(std::uint32_t number);
    void leave_queue(std::uint32_t number);
    std::uint32_t& chain_of(const LeasingFlow& flow, L4Protocol protocol) const;
    std::uint32_t find(const LeasingFlow& flow, L4Protocol protocol) const;

    static constexpr std::uint32_t number_none = UINT32_MAX;
    static constexpr std::uint32_t protocol_count = 3;
    static constexpr std::uint32_t pool_count = protocol_count * limits::local_addresses_max;

    bool is_near(const LocalAddress& address) const {
        return steering_ == nullptr || steering_->owner_of(address.on_the_wire) == worker_id_;
    }

    unsigned worker_id_;
    unsigned worker_count_;
    const Steering* steering_;
    std::uint32_t slots_;           // of the 64, how many are ours
    std::uint32_t ports_per_pool_;  // of an address and a protocol
    std::uint32_t fresh_from_;      // where in a pool the unused ones begin
    HashKey key_;
    LazyMemory memory_;
    std::span<Lease> leases_;
    std::span<StreamShift> shifts_;  // of the leases; those of TCP alone are used
    std::span<std::uint32_t> chains_;
    std::array<Pool, pool_count> pools_{};
    std::uint32_t turn_ = 0;  // at which address the next search begins
    std::size_t taken_count_ = 0;
    // In a rehearsal: the end taken, and what it and its pool were before.
    struct Borrowed {
        std::uint32_t number;
        Lease lease;
        Pool pool;
        bool was_fresh;
    };
    std::optional<Borrowed> borrowed_;
    bool is_rehearsal_ = false;
};

}  // namespace fulcrum
