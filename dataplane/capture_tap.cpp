// Copies.
#include "dataplane/capture_tap.h"

#include <rte_mbuf.h>
#include <time.h>

#include <algorithm>
#include <cstring>

namespace fulcrum {
namespace {

// The first octets of a frame, in however many segments. How many there are.
std::uint16_t copy_octets(const rte_mbuf* mbuf, std::uint16_t octets_max, std::uint8_t* to) {
    const auto count =
        static_cast<std::uint16_t>(std::min<std::uint32_t>(mbuf->pkt_len, octets_max));
    const void* from = rte_pktmbuf_read(mbuf, 0, count, to);
    if (from != to) {
        std::memcpy(to, from, count);
    }
    return count;
}

// As people and other captures tell it. The vDSO's: no system call.
std::uint64_t wall_clock_ns() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

CaptureTap::CaptureTap(Mailbox<CapturedFrame>* out, WorkerCounters& counters)
    : out_{out},
      counters_{counters},
      kept_{std::make_unique<std::array<Kept, limits::burst_size_max>>()} {}

void CaptureTap::keep(const Burst& burst, const CaptureOrder& order) {
    time_ns_ = wall_clock_ns();
    for (std::size_t i = 0; i < burst.count; ++i) {
        Kept& kept = (*kept_)[i];
        kept.length = burst.frames[i].length;
        kept.port = burst.frames[i].port;
        kept.octet_count = copy_octets(burst.mbufs[i], order.octets_max, kept.octets.data());
    }
}

void CaptureTap::tell(std::size_t i, CapturedFrame& verdict, std::span<const Left> left,
                      const CaptureOrder& order) {
    const Kept& kept = (*kept_)[i];
    bool is_wanted = matches(order.filter, {kept.octets.data(), kept.octet_count}, kept.length);
    for (std::size_t n = 0; n < left.size() && !is_wanted; ++n) {
        const std::uint16_t count =
            copy_octets(left[n].mbuf, order.octets_max, verdict.octets.data());
        is_wanted = matches(order.filter, {verdict.octets.data(), count}, left[n].mbuf->pkt_len);
    }
    if (!is_wanted) {
        return;
    }
    verdict.capture_id = order.id;
    verdict.time_ns = time_ns_;
    verdict.length = kept.length;
    verdict.port = kept.port;
    verdict.octet_count = kept.octet_count;
    verdict.is_after = false;
    std::memcpy(verdict.octets.data(), kept.octets.data(), kept.octet_count);
    post(verdict);
    for (const Left& each : left) {
        verdict.is_after = true;
        verdict.length = each.mbuf->pkt_len;
        verdict.port = each.port;
        verdict.octet_count = copy_octets(each.mbuf, order.octets_max, verdict.octets.data());
        post(verdict);
    }
}

void CaptureTap::post(const CapturedFrame& frame) {
    if (out_ == nullptr || !out_->post(frame)) {
        counters_.captures_lost.add(1);
    }
}

}  // namespace fulcrum
