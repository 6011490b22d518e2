// Streams are judged as soon as what has come fits; a datagram by itself.
#include "controlplane/health/send_expect.h"

#include "config/wording.h"

namespace fulcrum {
namespace {

// Enough of an answer for a person to know it by.
std::string beginning_of(const std::string& answer) {
    constexpr std::size_t shown_max = 60;
    return in_quotes(answer.substr(0, shown_max)) + (answer.size() > shown_max ? " ..." : "");
}

}  // namespace

SendExpect::SendExpect(const ProbeSpec& spec)
    : GatheringDialogue{spec}, rule_{spec.check}, send_{spec.check.send}, type_{spec.check.type} {}

DialogueTurn SendExpect::begin() {
    const bool wants_answer = !send_.empty() || rule_.asks_anything();
    if (type_ != CheckType::udp && !wants_answer) {
        return succeed(type_ == CheckType::tls ? "TLS handshake done" : "connection accepted");
    }
    return say(send_);
}

DialogueTurn SendExpect::on_answer(std::string& answer) {
    if (rule_.fits(answer)) {
        return succeed("answered as expected");
    }
    if (type_ == CheckType::udp || answer.size() == answer_size_max) {
        return fail("the answer " + beginning_of(answer) + " lacks " + rule_.lack_of(answer));
    }
    return listen_on();
}

ProbeOutcome SendExpect::judge_incomplete(ProbeOutcome unheard, const std::string& when) const {
    if (answer().empty()) {
        return unheard;
    }
    return {ProbeVerdict::failure,
            "the answer " + beginning_of(answer()) + " lacks " + rule_.lack_of(answer()) + when};
}

ProbeOutcome SendExpect::on_end() {
    return judge_incomplete(GatheringDialogue::on_end(), " at its end");
}

ProbeOutcome SendExpect::on_timeout() {
    if (type_ == CheckType::udp && !rule_.asks_anything()) {
        return {ProbeVerdict::success, "no ICMP error in return"};
    }
    return judge_incomplete(GatheringDialogue::on_timeout(), " at the timeout");
}

}  // namespace fulcrum
