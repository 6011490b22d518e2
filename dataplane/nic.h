// EAL, packet buffers and NIC ports: all that DPDK must be told at start and asked at the end. Main
// thread only, at start and at the end; no other room calls a DPDK function that can fail.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/paths.h"
#include "config/model/result.h"
#include "config/model/service.h"
#include "dataplane/steering.h"

struct rte_mempool;

namespace fulcrum {

inline constexpr std::uint16_t nic_descriptor_count = 1'024;
inline constexpr unsigned nic_pool_cache_size = 256;

// Whether the ports' devices are there at all, and have the queues that DPDK would find missing
// without a word; one sentence if not. Before EAL starts.
Status check_devices(const Config& config);

// Starts EAL with these devices, silently: what DPDK would print is kept for the error's sentence.
// Once a process. `dpdk_bytes` matters with ordinary memory alone.
Status start_eal(const Config& config, std::uint64_t dpdk_bytes);
void stop_eal();

// All packet buffers, of one size; `frame_room` as of frame_room_for().
class PacketPool {
  public:
    static Result<PacketPool> create(std::uint64_t mbuf_count, std::uint32_t frame_room);
    PacketPool(PacketPool&& other) noexcept;
    PacketPool& operator=(PacketPool&&) = delete;
    ~PacketPool();

    rte_mempool* get() const { return pool_; }
    unsigned in_use() const;

  private:
    explicit PacketPool(rte_mempool* pool) : pool_{pool} {}
    rte_mempool* pool_;
};

struct PortStatistics {
    std::uint64_t received_packets = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t transmitted_packets = 0;
    std::uint64_t transmitted_bytes = 0;
    std::uint64_t missed_packets = 0;  // the receive queue was full
    std::uint64_t receive_errors = 0;
    std::uint64_t transmit_errors = 0;
    std::uint64_t no_buffer = 0;
};

// By what a port's packets come to their receive queues.
enum class QueueChoice : std::uint8_t {
    single,   // there is one queue
    device,   // as the device likes: it cannot be told otherwise
    refused,  // the same: it was told otherwise, and kept its own key or table
    client,   // as `owner_of` has it, see rss.h
};
std::string_view name_of(QueueChoice choice);

// An open, started port; stopped and closed at the end of its life.
class OpenPort {
  public:
    // One queue pair for each worker; fewer receive queues where the device has no more. A device
    // that can be told which queue a client's packets belong to is told so by `steering`.
    static Result<OpenPort> open(const Config& config, std::size_t index, const Steering& steering,
                                 const PacketPool& pool);
    OpenPort(OpenPort&& other) noexcept;
    OpenPort& operator=(OpenPort&&) = delete;
    ~OpenPort();

    std::uint16_t id() const { return id_; }
    std::uint16_t receive_queue_count() const { return receive_queue_count_; }
    QueueChoice queue_choice() const { return queue_choice_; }
    const PortLink& link() const { return link_; }
    // Any thread.
    PortStatistics statistics() const;
    bool is_up() const;

  private:
    OpenPort() = default;

    static constexpr std::uint16_t closed = 0xFFFF;
    std::uint16_t id_ = closed;
    std::uint16_t receive_queue_count_ = 0;
    QueueChoice queue_choice_ = QueueChoice::device;
    PortLink link_;
    std::string interface_;  // of the kernel, where the port is read through one; else empty
};

// EAL's name for a port's device: "net_af_packet1" for the second port.
std::string eal_device_name(const NicPort& port, std::size_t index);

}  // namespace fulcrum
