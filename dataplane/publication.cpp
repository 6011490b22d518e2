// Publish, read and retire over rte_rcu_qsbr.
#include "dataplane/publication.h"

#include <rte_malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace fulcrum {

void Publication::Free::operator()(rte_rcu_qsbr* qsbr) const { std::free(qsbr); }

Publication::Publication(unsigned worker_count) {
    const std::size_t size = rte_rcu_qsbr_get_memsize(worker_count);
    void* memory =
        std::aligned_alloc(limits::cache_line_size,
                           (size + limits::cache_line_size - 1) & ~(limits::cache_line_size - 1));
    if (memory == nullptr) {
        std::abort();
    }
    qsbr_.reset(static_cast<rte_rcu_qsbr*>(memory));
    rte_rcu_qsbr_init(qsbr_.get(), worker_count);
}

SnapshotPublisher::~SnapshotPublisher() {
    publication_.current_.store(nullptr, std::memory_order_relaxed);
}

void SnapshotPublisher::publish(std::unique_ptr<const Snapshot> snapshot) {
    // Pairs with the acquire in current().
    publication_.current_.store(snapshot.get(), std::memory_order_release);
    // The token is taken after the store: who is quiescent after it has dropped the old pointer.
    const std::uint64_t token = rte_rcu_qsbr_start(publication_.qsbr_.get());
    if (current_ != nullptr) {
        retired_.push_back({std::move(current_), token});
    }
    current_ = std::move(snapshot);
    reclaim();
}

std::size_t SnapshotPublisher::reclaim() {
    std::erase_if(retired_, [this](const Retired& retired) {
        return rte_rcu_qsbr_check(publication_.qsbr_.get(), retired.token, /*wait=*/false) == 1;
    });
    return retired_.size();
}

SnapshotReader::SnapshotReader(Publication& publication, unsigned worker_id)
    : publication_{publication}, worker_id_{worker_id} {
    rte_rcu_qsbr_thread_register(publication_.qsbr_.get(), worker_id_);
}

void SnapshotReader::online() { rte_rcu_qsbr_thread_online(publication_.qsbr_.get(), worker_id_); }

}  // namespace fulcrum
