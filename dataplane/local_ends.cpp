// Numbers of ports, chains of leases, queues of ports at rest.
#include "dataplane/local_ends.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <utility>

namespace fulcrum {
namespace {

constexpr std::uint32_t first_port = 1'024;
constexpr std::uint32_t owner_slots{limits::owner_slots_count};
constexpr std::uint32_t ports_per_slot = (65'536 - first_port) / owner_slots;
static_assert(ports_per_slot == 1'008);
// In the order of their pools.
constexpr std::array pooled{L4Protocol::tcp, L4Protocol::udp, L4Protocol::sctp};
// One for every four leases of eight addresses: chains stay short until there are many more.
constexpr std::uint32_t addresses_chained_well = 8;

// Slots belong to workers in turn (see Steering).
std::uint32_t slots_of(unsigned worker_id, unsigned worker_count) {
    return (owner_slots - worker_id + worker_count - 1) / worker_count;
}

std::uint32_t most_ports_per_pool(unsigned worker_count) {
    return slots_of(0, worker_count) * ports_per_slot;
}

std::size_t chain_count(unsigned worker_count) {
    return std::bit_ceil(pooled.size() * addresses_chained_well *
                         most_ports_per_pool(worker_count) / 4);
}

}  // namespace

std::size_t LocalEnds::size_of_address(unsigned worker_count) {
    return pooled.size() * most_ports_per_pool(worker_count) * size_of_end;
}

std::size_t LocalEnds::lease_count(unsigned worker_count) {
    return limits::local_addresses_max * pooled.size() * most_ports_per_pool(worker_count);
}

std::unique_ptr<LocalEnds> LocalEnds::create(const Share& share, HashKey key) {
    LazyMemory memory{lease_count(share.worker_count) * size_of_end +
                      chain_count(share.worker_count) * sizeof(std::uint32_t)};
    return memory.octets() == nullptr
               ? nullptr
               : std::unique_ptr<LocalEnds>{new LocalEnds{share, key, std::move(memory)}};
}

LocalEnds::LocalEnds(const Share& share, HashKey key, LazyMemory memory)
    : worker_id_{share.worker_id},
      worker_count_{share.worker_count},
      steering_{share.steering},
      slots_{slots_of(worker_id_, worker_count_)},
      ports_per_pool_{slots_ * ports_per_slot},
      fresh_from_{scaled(static_cast<std::uint32_t>(key.low), ports_per_pool_)},
      key_{key},
      memory_{std::move(memory)} {
    const std::size_t count = lease_count(worker_count_);
    std::byte* at = memory_.octets();
    leases_ = {reinterpret_cast<Lease*>(at), count};
    at += leases_.size_bytes();
    shifts_ = {reinterpret_cast<StreamShift*>(at), count};
    at += shifts_.size_bytes();
    chains_ = {reinterpret_cast<std::uint32_t*>(at), chain_count(worker_count_)};
}

// --- numbers ---------------------------------------------------------------------------------

std::uint32_t LocalEnds::pool_of(std::uint16_t place, L4Protocol protocol) const {
    static_assert(pooled.size() == protocol_count);
    const auto pool = std::ranges::find(pooled, protocol) - pooled.begin();
    return place * protocol_count + static_cast<std::uint32_t>(pool);
}

std::uint32_t LocalEnds::number_of(LocalEnd end, L4Protocol protocol) const {
    const std::uint32_t port = end.port.host();
    const std::uint32_t slot = port % owner_slots;
    const bool is_ours = port >= first_port && slot % worker_count_ == worker_id_ &&
                         end.place < limits::local_addresses_max;
    if (!is_ours) {
        return number_none;
    }
    const std::uint32_t row = (port - first_port) / owner_slots;
    return pool_of(end.place, protocol) * ports_per_pool_ + row * slots_ + slot / worker_count_;
}

LocalEnd LocalEnds::end_of(std::uint32_t number) const {
    const std::uint32_t within = number % ports_per_pool_;
    const std::uint32_t slot = within % slots_ * worker_count_ + worker_id_;
    const std::uint32_t port = first_port + within / slots_ * owner_slots + slot;
    return {static_cast<std::uint16_t>(number / ports_per_pool_ / protocol_count),
            be16{static_cast<std::uint16_t>(port)}};
}

// --- chains ----------------------------------------------------------------------------------

std::uint32_t& LocalEnds::chain_of(const LeasingFlow& flow, L4Protocol protocol) const {
    const std::uint64_t rest = flow.client_port.wire() |
                               (std::uint64_t{flow.vip_port.wire()} << 16) |
                               (std::uint64_t{flow.listener} << 32) |
                               (std::uint64_t{static_cast<std::uint8_t>(protocol)} << 48);
    const std::uint64_t client =
        folded_multiply(flow.client.word(0) ^ key_.low, flow.client.word(1) ^ key_.high);
    return chains_[folded_multiply(client ^ rest ^ key_.low, key_.high) & (chains_.size() - 1)];
}

std::uint32_t LocalEnds::find(const LeasingFlow& flow, L4Protocol protocol) const {
    for (std::uint32_t link = chain_of(flow, protocol); link != 0; link = leases_[link - 1].next) {
        const std::uint32_t number = link - 1;
        const bool is_its_protocol = pooled[number / ports_per_pool_ % protocol_count] == protocol;
        if (leases_[number].flow == flow && is_its_protocol) {
            return number;
        }
    }
    return number_none;
}

std::optional<LocalEnd> LocalEnds::end_of(const LeasingFlow& flow, L4Protocol protocol) const {
    const std::uint32_t number = find(flow, protocol);
    return number == number_none ? std::nullopt : std::optional{end_of(number)};
}

const LeasingFlow* LocalEnds::holder_of(LocalEnd end, L4Protocol protocol) const {
    const std::uint32_t number = number_of(end, protocol);
    return number == number_none || !leases_[number].is_taken ? nullptr : &leases_[number].flow;
}

Telling LocalEnds::telling_of(LocalEnd end, L4Protocol protocol) {
    const std::uint32_t number = number_of(end, protocol);
    return {&leases_[number].flow, &shifts_[number], leases_[number].client_address};
}

// --- pools -----------------------------------------------------------------------------------

// Of those that nobody has come by in their order yet; some of them may have been claimed.
bool LocalEnds::is_fresh(std::uint32_t number) const {
    const std::uint32_t place =
        (number % ports_per_pool_ + ports_per_pool_ - fresh_from_) % ports_per_pool_;
    return place >= pools_[number / ports_per_pool_].fresh_used;
}

// number_none: all are taken or rest. Those that were claimed out of order are passed: what rests
// of them goes to the queue.
std::uint32_t LocalEnds::next_free(std::uint32_t pool, std::uint32_t now_s) {
    Pool& asked = pools_[pool];
    const auto has_rested = [&](const Lease& lease) {
        return static_cast<std::int32_t>(now_s - lease.free_from_s) >= 0;
    };
    for (; asked.fresh_used < ports_per_pool_; ++asked.fresh_used) {
        const std::uint32_t number =
            pool * ports_per_pool_ + (fresh_from_ + asked.fresh_used) % ports_per_pool_;
        const Lease& next = leases_[number];
        if (!next.is_taken && (next.free_from_s == 0 || has_rested(next))) {
            return number;
        }
        if (!next.is_taken) {
            queue_last(number);
        }
    }
    return asked.first != 0 && has_rested(leases_[asked.first - 1]) ? asked.first - 1 : number_none;
}

// Of a free one.
void LocalEnds::take_out(std::uint32_t number) {
    Pool& pool = pools_[number / ports_per_pool_];
    if (!is_fresh(number)) {
        leave_queue(number);
    } else if (number % ports_per_pool_ == (fresh_from_ + pool.fresh_used) % ports_per_pool_) {
        ++pool.fresh_used;
    }
}

void LocalEnds::queue_first(std::uint32_t number) {
    Pool& pool = pools_[number / ports_per_pool_];
    Lease& lease = leases_[number];
    lease.next = pool.first;
    lease.set_previous(0);
    if (pool.first == 0) {
        pool.last = number + 1;
    } else {
        leases_[pool.first - 1].set_previous(number + 1);
    }
    pool.first = number + 1;
}

void LocalEnds::queue_last(std::uint32_t number) {
    Pool& pool = pools_[number / ports_per_pool_];
    Lease& lease = leases_[number];
    lease.next = 0;
    lease.set_previous(pool.last);
    (pool.last == 0 ? pool.first : leases_[pool.last - 1].next) = number + 1;
    pool.last = number + 1;
}

void LocalEnds::leave_queue(std::uint32_t number) {
    Pool& pool = pools_[number / ports_per_pool_];
    const Lease& lease = leases_[number];
    const std::uint32_t previous = lease.previous();
    (previous == 0 ? pool.first : leases_[previous - 1].next) = lease.next;
    if (lease.next == 0) {
        pool.last = previous;
    } else {
        leases_[lease.next - 1].set_previous(previous);
    }
}

std::optional<LocalEnd> LocalEnds::take(const LeasingFlow& flow, const Wish& wish,
                                        std::span<const LocalAddress> addresses,
                                        std::uint32_t now_s) {
    for (const bool is_near_wanted : {true, false}) {
        for (std::size_t n = 0; n < addresses.size(); ++n) {
            const std::size_t at = (turn_ + n) % addresses.size();
            const LocalAddress& address = addresses[at];
            if (address.port != wish.nic_port || family_of(address.is_ipv6) != wish.family ||
                is_near(address) != is_near_wanted) {
                continue;
            }
            const std::uint32_t pool = pool_of(address.place, wish.protocol);
            const std::uint32_t number = next_free(pool, now_s);
            if (number == number_none) {
                continue;
            }
            if (is_rehearsal_) {
                borrow(number);
            } else {
                turn_ = static_cast<std::uint32_t>((at + 1) % addresses.size());
            }
            take_out(number);
            lease(number, flow, wish.protocol, wish.client_address);
            return end_of(number);
        }
    }
    return std::nullopt;
}

bool LocalEnds::claim(LocalEnd end, const LeasingFlow& flow, L4Protocol protocol,
                      ClientAddressBy client_address) {
    const std::uint32_t number = number_of(end, protocol);
    if (number == number_none) {
        return false;
    }
    if (leases_[number].is_taken) {
        return leases_[number].flow == flow;
    }
    take_out(number);
    lease(number, flow, protocol, client_address);
    return true;
}

void LocalEnds::lease(std::uint32_t number, const LeasingFlow& flow, L4Protocol protocol,
                      ClientAddressBy client_address) {
    std::uint32_t& chain = chain_of(flow, protocol);
    leases_[number] = {.flow = flow,
                       .is_taken = true,
                       .client_address = client_address,
                       .next = chain,
                       .free_from_s = 0};
    chain = number + 1;
    if (client_address != ClientAddressBy::none) {
        shifts_[number] = {};
    }
    ++taken_count_;
}

// --- rehearsals ------------------------------------------------------------------------------

void LocalEnds::borrow(std::uint32_t number) {
    assert(!borrowed_);
    borrowed_ =
        Borrowed{number, leases_[number], pools_[number / ports_per_pool_], is_fresh(number)};
}

void LocalEnds::end_rehearsal() {
    is_rehearsal_ = false;
    if (!borrowed_) {
        return;
    }
    const auto [number, lease, pool, was_fresh] = *borrowed_;
    borrowed_.reset();
    const LeasingFlow flow = leases_[number].flow;
    chain_of(flow, pooled[number / ports_per_pool_ % protocol_count]) = leases_[number].next;
    --taken_count_;
    leases_[number] = lease;
    pools_[number / ports_per_pool_] = pool;
    if (was_fresh) {
        return;
    }
    // Its neighbours in the queue have closed up.
    if (lease.previous() != 0) {
        leases_[lease.previous() - 1].next = number + 1;
    }
    if (lease.next != 0) {
        leases_[lease.next - 1].set_previous(number + 1);
    }
}

const LeasingFlow* LocalEnds::next_to_ask(const Wish& wish,
                                          std::span<const LocalAddress> addresses) {
    for (std::size_t n = 0; n < addresses.size(); ++n) {
        const LocalAddress& address = addresses[(turn_ + n) % addresses.size()];
        if (address.port != wish.nic_port || family_of(address.is_ipv6) != wish.family) {
            continue;
        }
        const std::uint32_t pool = pool_of(address.place, wish.protocol);
        std::uint32_t& hand = pools_[pool].hand;
        const std::uint32_t number =
            pool * ports_per_pool_ + (fresh_from_ + hand) % ports_per_pool_;
        hand = is_rehearsal_ ? hand : (hand + 1) % ports_per_pool_;
        return leases_[number].is_taken ? &leases_[number].flow : nullptr;
    }
    return nullptr;
}

void LocalEnds::give_back(const LeasingFlow& flow, L4Protocol protocol, std::uint32_t free_from_s,
                          std::uint32_t now_s) {
    const std::uint32_t number = find(flow, protocol);
    if (is_rehearsal_ || number == number_none) {
        return;
    }
    std::uint32_t* link = &chain_of(flow, protocol);
    while (*link != number + 1) {
        link = &leases_[*link - 1].next;
    }
    Lease& lease = leases_[number];
    *link = lease.next;
    lease.is_taken = false;
    lease.free_from_s = free_from_s;
    --taken_count_;
    if (is_fresh(number)) {
        return;  // until its turn comes
    }
    const bool has_rested = static_cast<std::int32_t>(now_s - free_from_s) >= 0;
    has_rested ? queue_first(number) : queue_last(number);
}

}  // namespace fulcrum
