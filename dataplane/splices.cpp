// Chains.
#include "dataplane/splices.h"

#include <bit>
#include <utility>

namespace fulcrum {

// One for every two.
std::size_t Splices::chain_count(std::size_t splices_max) {
    return std::bit_ceil(splices_max / 2 + 1);
}

std::unique_ptr<Splices> Splices::create(std::size_t splices_max, HashKey key) {
    LazyMemory memory{splices_max * sizeof(Entry) +
                      chain_count(splices_max) * sizeof(std::uint32_t)};
    return memory.octets() == nullptr
               ? nullptr
               : std::unique_ptr<Splices>{new Splices{splices_max, key, std::move(memory)}};
}

Splices::Splices(std::size_t splices_max, HashKey key, LazyMemory memory)
    : key_{key},
      memory_{std::move(memory)},
      entries_{reinterpret_cast<Entry*>(memory_.octets()), splices_max},
      chains_{reinterpret_cast<std::uint32_t*>(memory_.octets() + entries_.size_bytes()),
              chain_count(splices_max)} {}

std::uint32_t& Splices::chain_of(const LeasingFlow& flow) const {
    const std::uint64_t rest = flow.client_port.wire() |
                               (std::uint64_t{flow.vip_port.wire()} << 16) |
                               (std::uint64_t{flow.listener} << 32);
    const std::uint64_t client = hash_words(key_, flow.client.word(0), flow.client.word(1));
    return chains_[hash_words(key_, client, rest) & (chains_.size() - 1)];
}

Splice* Splices::find(const LeasingFlow& flow) {
    for (std::uint32_t link = chain_of(flow); link != 0; link = entries_[link - 1].next) {
        if (entries_[link - 1].flow == flow) {
            return &entries_[link - 1].splice;
        }
    }
    return nullptr;
}

void Splices::add(const LeasingFlow& flow, const Splice& splice) {
    std::uint32_t link = free_;
    if (link != 0) {
        free_ = entries_[link - 1].next;
    } else {
        link = static_cast<std::uint32_t>(++fresh_used_);
    }
    std::uint32_t& chain = chain_of(flow);
    entries_[link - 1] = {.flow = flow, .next = chain, .splice = splice};
    chain = link;
    ++count_;
}

void Splices::remove(const LeasingFlow& flow) {
    std::uint32_t* link = &chain_of(flow);
    while (*link != 0 && entries_[*link - 1].flow != flow) {
        link = &entries_[*link - 1].next;
    }
    if (*link == 0) {
        return;
    }
    const std::uint32_t removed = *link;
    *link = entries_[removed - 1].next;
    entries_[removed - 1].next = std::exchange(free_, removed);
    --count_;
}

}  // namespace fulcrum
