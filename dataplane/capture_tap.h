// A worker's end of a capture: keeps a burst as it came, runs the operator's filter, and posts
// copies of what is wanted to the control thread. Nobody waits for the reader: frames that find the
// mailbox full are counted as lost. All that it needs is there from the start. One worker's thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "config/model/capture.h"
#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/mailbox.h"

struct rte_mbuf;

namespace fulcrum {

class CaptureTap {
  public:
    // `out` null: nothing is ever posted.
    CaptureTap(Mailbox<CapturedFrame>* out, WorkerCounters& counters);

    // Before anything is done to the burst.
    void keep(const Burst& burst, const CaptureOrder& order);

    // A frame that left because of a packet.
    struct Left {
        const rte_mbuf* mbuf;
        std::uint8_t port;
    };
    // Packet i of the burst has been dealt with: what became of it is in `verdict`, whose octets do
    // not count.
    void tell(std::size_t i, CapturedFrame& verdict, std::span<const Left> left,
              const CaptureOrder& order);

  private:
    struct Kept {
        std::uint32_t length;
        std::uint16_t octet_count;
        std::uint8_t port;
        std::array<std::uint8_t, limits::captured_octets_max> octets;
    };

    void post(const CapturedFrame& frame);

    Mailbox<CapturedFrame>* out_;
    WorkerCounters& counters_;
    std::unique_ptr<std::array<Kept, limits::burst_size_max>> kept_;
    std::uint64_t time_ns_ = 0;
};

}  // namespace fulcrum
