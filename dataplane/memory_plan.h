// What the director needs of the machine, summed up from its configuration before anything is
// taken: printed at start, and checked against the host, so that a shortage is one sentence and not
// a dump. Called at start on the main thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/model/result.h"
#include "config/model/service.h"

namespace fulcrum {

struct MemoryPlan {
    struct Share {
        std::string what;  // "session tables (2 workers, 1500000 slots)"
        std::uint64_t bytes = 0;
        bool is_of_dpdk = false;  // DPDK's heap, which it must be told of before it starts
    };

    std::vector<Share> shares;
    std::uint32_t frame_room = 0;  // octets of each packet buffer that a frame may fill
    std::uint64_t mbuf_count = 0;  // all that can be in queues, rings and hands at once
    std::uint64_t sessions_per_worker = 0;
    std::uint64_t sessions6_per_worker = 0;  // of IPv6
    std::uint64_t tally_count = 0;
    std::uint64_t service_count = 0;  // whose drops are counted
    std::uint64_t affinity_records_per_worker = 0;

    std::uint64_t total_bytes() const;
    std::uint64_t dpdk_bytes() const;
};

MemoryPlan plan_memory(const Config& config);

// What a host has to give. Read from /proc and /sys by `look_at_host`.
struct HostMemory {
    std::uint64_t available_bytes = 0;
    std::uint64_t huge_page_bytes = 0;  // of one page
    std::uint64_t huge_free_bytes = 0;
};
HostMemory look_at_host();

// An error names what is missing, in MiB, and the remedy.
Status check_memory(const MemoryPlan& plan, Memory kind, const HostMemory& host);

// A zeroed piece of memory for a session table: huge pages if asked, else ordinary ones with the
// request to be made huge. Unmapped at the end of its life.
class TableMemory {
  public:
    static Result<TableMemory> allocate(std::size_t size, Memory kind);
    TableMemory(TableMemory&& other) noexcept;
    TableMemory& operator=(TableMemory&&) = delete;
    ~TableMemory();

    std::span<std::byte> octets() const { return {octets_, size_}; }

  private:
    TableMemory(std::byte* octets, std::size_t size) : octets_{octets}, size_{size} {}

    std::byte* octets_;
    std::size_t size_;
};

}  // namespace fulcrum
