// A burst while somebody captures: the same stages, with copies taken before and after. A packet's
// frames are those that wait in the emitter behind what waited there before it.
#include <rte_mbuf.h>

#include "dataplane/cut.h"
#include "dataplane/worker.h"

namespace fulcrum {
namespace {

// Pieces of a packet and an answer to its sender.
constexpr std::size_t frames_of_packet_max = Pieces::count_max + 1;
static_assert(frames_of_packet_max < limits::burst_size_max);

}  // namespace

void Worker::carry_captured(const Snapshot& snapshot, Origin origin) {
    look_at_buffers();
    tap_.keep(*burst_, *snapshot.capture);
    path_.carry(*burst_, snapshot, clock_.now_s(), origin);
    if (burst_->untagged_count != 0) {
        trim_untagged();
    }
    for (std::size_t i = 0; i < burst_->count; ++i) {
        // A stranger's is captured by its owner.
        if (burst_->decisions[i].verdict == Verdict::hand_over) {
            emit_one(i, snapshot);
        } else {
            emit_captured(i, snapshot);
        }
    }
    burst_->forget_steps();
}

void Worker::emit_captured(std::size_t i, const Snapshot& snapshot) {
    const Decision& decision = burst_->decisions[i];
    const bool is_dropped = decision.verdict == Verdict::drop || decision.verdict == Verdict::reset;
    CapturedFrame& frame = captured_;
    frame.packet_class = name_of(burst_->classified[i].packet_class);
    frame.verdict = name_of(decision.verdict);
    frame.reason = is_dropped ? text_of(decision.reason).name : std::string_view{};
    frame.tally = service_of(i, snapshot) == limits::index_none ? std::uint32_t{limits::tallies_max}
                                                                : decision.tally;

    emitter_.make_room(frames_of_packet_max);
    const Emitter::Mark mark = emitter_.mark();
    emit_one(i, snapshot);
    std::array<CaptureTap::Left, frames_of_packet_max> left;
    std::size_t count = 0;
    emitter_.visit_since(mark, [&](const rte_mbuf* mbuf, std::size_t port) {
        if (count < left.size()) {
            left[count++] = {mbuf, static_cast<std::uint8_t>(port)};
        }
    });
    tap_.tell(i, frame, {left.data(), count}, *snapshot.capture);
}

}  // namespace fulcrum
