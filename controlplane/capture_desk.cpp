// Begin, collect, end.
#include "controlplane/capture_desk.h"

#include <algorithm>
#include <utility>

#include "controlplane/pcapng.h"

namespace fulcrum {
namespace {

constexpr Duration collecting_period = 1ms;
constexpr std::size_t frames_at_once = 64;
constexpr std::size_t pieces_size_max = std::size_t{4} * 1'024 * 1'024;
constexpr std::uint64_t frames_default = 1'000;
constexpr std::uint64_t frames_max = 10'000'000;
constexpr std::uint64_t seconds_default = 60;
constexpr std::uint64_t seconds_max = 3'600;
constexpr std::uint64_t octets_least = 64;

Result<std::uint64_t> count_of(const Json& arguments, const char* name, std::uint64_t otherwise,
                               std::pair<std::uint64_t, std::uint64_t> range) {
    const std::uint64_t count = arguments.value(name, otherwise);
    if (count < range.first || count > range.second) {
        return Error{std::string{name} + " " + std::to_string(count) + " is out of range: " +
                     std::to_string(range.first) + " to " + std::to_string(range.second)};
    }
    return count;
}

// Each port twice: what came there, and what left there.
std::uint32_t interface_of(const CapturedFrame& frame) {
    return frame.port * 2U + (frame.is_after ? 1U : 0U);
}

}  // namespace

Result<CaptureAsked> capture_of(const Json& arguments) {
    CaptureAsked asked;
    const auto frames = count_of(arguments, "frames", frames_default, {1, frames_max});
    const auto seconds = count_of(arguments, "seconds", seconds_default, {1, seconds_max});
    const auto octets = count_of(arguments, "octets", limits::captured_octets_max,
                                 {octets_least, limits::captured_octets_max});
    for (const auto* count : {&frames, &seconds, &octets}) {
        if (!*count) {
            return count->error();
        }
    }
    asked.frames_max = *frames;
    asked.length_max = std::chrono::seconds{*seconds};
    asked.octets_max = static_cast<std::uint16_t>(*octets);
    if (arguments.contains("filter")) {
        Result<PacketFilter> filter = parse_packet_filter(arguments["filter"].get<std::string>());
        if (!filter) {
            return filter.error();
        }
        asked.filter = std::move(*filter);
    }
    return asked;
}

// The client's hold on the capture that he asked for.
class CaptureDesk::Stream : public ReplyStream {
  public:
    Stream(std::weak_ptr<CaptureDesk*> desk, std::uint32_t id) : desk_{std::move(desk)}, id_{id} {}
    ~Stream() override {
        if (CaptureDesk* const desk = here()) {
            desk->running_->is_left = true;
            desk->running_->give = nullptr;
            desk->end("client");
            desk->pass_on();
        }
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    void next(Give give) override {
        CaptureDesk* const desk = here();
        if (desk == nullptr) {
            give({});
            return;
        }
        desk->running_->give = std::move(give);
        desk->pass_on();
    }
    void end() override {
        if (CaptureDesk* const desk = here()) {
            desk->end("client");
        }
    }

  private:
    // Null: it is over.
    CaptureDesk* here() const {
        const auto desk = desk_.lock();
        const bool is_running =
            desk != nullptr && (*desk)->running_ != nullptr && (*desk)->running_->id == id_;
        return is_running ? *desk : nullptr;
    }

    std::weak_ptr<CaptureDesk*> desk_;
    std::uint32_t id_;
};

CaptureDesk::CaptureDesk(Parts parts)
    : loop_{parts.loop},
      applier_{parts.applier},
      mailboxes_{std::move(parts.mailboxes)},
      ports_{std::move(parts.ports)},
      frames_(frames_at_once),
      next_{loop_},
      deadline_{loop_},
      self_{std::make_shared<CaptureDesk*>(this)} {}

CaptureDesk::~CaptureDesk() { self_.reset(); }

void CaptureDesk::begin(CaptureAsked asked, CommandSocket::Answer answer) {
    if (running_ != nullptr) {
        answer(Reply::refusal("capture_under_way",
                              "a capture is under way, and there is one at a time: end it, or try "
                              "again when it has ended"));
        return;
    }
    running_ = std::make_unique<Running>();
    running_->asked = std::move(asked);
    running_->id = ++last_id_;
    running_->lost_before = lost_count();
    auto order = std::make_shared<const CaptureOrder>(
        CaptureOrder{running_->id, running_->asked.filter, running_->asked.octets_max});
    applier_.capture(std::move(order),
                     [this, answer = std::move(answer)](const ApplyResult&) { open(answer); });
}

// The workers have seen the order.
void CaptureDesk::open(const CommandSocket::Answer& answer) {
    Running& running = *running_;
    running.pieces = pcapng_section("fulcrum " FULCRUM_VERSION);
    for (const std::string& port : ports_) {
        running.pieces += pcapng_interface(port + " before", running.asked.octets_max);
        running.pieces += pcapng_interface(port + " after", running.asked.octets_max);
    }
    deadline_.after(running.asked.length_max, [this] { end("seconds"); });
    next_.after(collecting_period, [this] { collect(); });
    Reply reply =
        Reply::of({{"frames", running.asked.frames_max}, {"octets", running.asked.octets_max}});
    reply.stream = std::make_shared<Stream>(self_, running.id);
    answer(reply);
}

void CaptureDesk::collect() {
    if (running_ == nullptr || running_->is_complete) {
        return;
    }
    next_.after(collecting_period, [this] { collect(); });
    if (running_->pieces.size() < pieces_size_max) {
        collect_all();
    }
    pass_on();
}

// As much as there is, which is no more than the mailboxes hold.
void CaptureDesk::collect_all() {
    learn_names();
    for (Mailbox<CapturedFrame>* mailbox : mailboxes_) {
        unsigned left = mailbox->count();
        while (left > 0) {
            const unsigned count = mailbox->collect(
                frames_.data(), std::min<unsigned>(left, static_cast<unsigned>(frames_.size())));
            for (unsigned n = 0; n < count; ++n) {
                take(frames_[n]);
            }
            left = count == 0 ? 0 : left - count;
        }
    }
}

void CaptureDesk::take(const CapturedFrame& frame) {
    Running& running = *running_;
    if (frame.capture_id != running.id || running.frame_count == running.asked.frames_max) {
        return;
    }
    ++running.frame_count;
    running.latest_ns = std::max(running.latest_ns, frame.time_ns);
    running.pieces +=
        pcapng_frame({.interface = interface_of(frame),
                      .time_ns = frame.time_ns,
                      .length = frame.length,
                      .octets = {frame.octets.data(), frame.octet_count},
                      .direction = frame.is_after ? Direction::outbound : Direction::inbound,
                      .comment = comment_of(frame)});
    if (running.frame_count == running.asked.frames_max) {
        end("packets");
    }
}

// "after: request, transmit, web/web1"
std::string CaptureDesk::comment_of(const CapturedFrame& frame) const {
    std::string text = frame.is_after ? "after: " : "before: ";
    text.append(frame.packet_class).append(", ").append(frame.verdict);
    if (!frame.reason.empty()) {
        text.append(" ").append(frame.reason);
    }
    const auto name = running_->names.find(frame.tally);
    return name == running_->names.end() ? text : text.append(", ").append(name->second);
}

// The reals' names, anew after each change: there may be tens of thousands of them, and frames too.
void CaptureDesk::learn_names() {
    std::shared_ptr<const Listing> listing = applier_.listing().look();
    if (listing == running_->listing) {
        return;
    }
    running_->listing = std::move(listing);
    running_->names.clear();
    for (const ListedService& service : running_->listing->services) {
        for (const ListedReal& real : service.reals) {
            running_->names.emplace(real.tally, service.name + "/" + real.name);
        }
    }
}

// Workers stop with the next snapshot; what they posted until then is the capture's.
void CaptureDesk::end(const std::string& why) {
    if (running_ == nullptr || !running_->ended_by.empty()) {
        return;
    }
    running_->ended_by = why;
    deadline_.cancel();
    applier_.capture(nullptr, [this](const ApplyResult&) { complete(); });
}

void CaptureDesk::complete() {
    collect_all();
    next_.cancel();
    Running& running = *running_;
    running.is_complete = true;
    const std::uint64_t lost = lost_count() - running.lost_before;
    running.pieces += pcapng_lost(0, running.latest_ns, lost);
    pass_on();
}

// Pieces to who waits for them; behind the last one what became of it all.
void CaptureDesk::pass_on() {
    Running& running = *running_;
    if (running.is_left) {
        running.pieces.clear();
        if (running.is_complete) {
            running_.reset();
        }
        return;
    }
    if (running.give == nullptr || (running.pieces.empty() && !running.is_complete)) {
        return;
    }
    std::string octets;
    if (!running.pieces.empty()) {
        octets = Json{{"octets", running.pieces.size()}}.dump() + "\n" + running.pieces;
        running.pieces.clear();
    }
    if (running.is_complete) {
        octets += render(Reply::of({{"frames", running.frame_count},
                                    {"lost", lost_count() - running.lost_before},
                                    {"ended_by", running.ended_by}}));
    }
    const Give give = std::exchange(running.give, nullptr);
    if (running.is_complete) {
        running_.reset();
    }
    give(std::move(octets));
}

std::uint64_t CaptureDesk::lost_count() const {
    std::uint64_t count = 0;
    for (const CounterBoard* board : applier_.boards()) {
        count += board->worker().captures_lost.read();
    }
    return count;
}

}  // namespace fulcrum
