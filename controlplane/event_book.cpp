// Streams read the book by numbers, so that nothing is kept for any of them.
#include "controlplane/event_book.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace fulcrum {
namespace {

constexpr std::size_t piece_size_max = std::size_t{64} << 10;

// "2026-11-21T20:15:03.123Z"
std::string time_in_words(std::chrono::system_clock::time_point time) {
    const auto since_epoch =
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch());
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text.data() + length, text.size() - length, ".%03dZ",
                  static_cast<int>(since_epoch.count() % 1'000));
    return text.data();
}

std::string line_of(const EventRecord& event) {
    Json json;
    json["number"] = event.number;
    json["time"] = time_in_words(event.time);
    json["event"] = to_string(event.kind);
    if (!event.service.empty()) {
        json["service"] = event.service;
    }
    if (!event.real.empty()) {
        json["real"] = event.real;
    }
    json["sentence"] = event.sentence;
    return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string_view to_string(EventKind kind) {
    constexpr std::array<std::string_view, 17> words{"real_up",
                                                     "real_down",
                                                     "real_drained",
                                                     "real_undrained",
                                                     "check_hastened",
                                                     "reload_applied",
                                                     "reload_refused",
                                                     "edit_applied",
                                                     "returned",
                                                     "taken_back",
                                                     "saved",
                                                     "quorum_up",
                                                     "quorum_down",
                                                     "fallback_used",
                                                     "fallback_rests",
                                                     "address_conflict",
                                                     "address_conflict_over"};
    return words[static_cast<std::size_t>(kind)];
}

// One client's place in the book.
class EventBook::Stream : public ReplyStream {
  public:
    Stream(EventBook& book, std::uint64_t next, bool follows)
        : book_{book.self_}, next_{next}, is_ending_{!follows} {
        book.streams_.push_back(this);
    }
    ~Stream() override {
        if (const auto book = book_.lock()) {
            std::erase((*book)->streams_, this);
        }
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    void next(std::function<void(std::string octets)> give) override {
        give_ = std::move(give);
        go_on();
    }
    void end() override {
        is_ending_ = true;
        go_on();
    }
    // What there is, to a client that waits for it.
    void go_on() {
        const auto book = book_.lock();
        if (give_ == nullptr) {
            return;
        }
        if (book == nullptr || is_over_) {
            return std::exchange(give_, nullptr)({});
        }
        std::string octets = piece_of(**book);
        if (!octets.empty()) {
            std::exchange(give_, nullptr)(std::move(octets));
        }
    }

  private:
    std::string piece_of(const EventBook& book) {
        if (next_ < book.oldest_number()) {
            is_over_ = true;
            return render(Reply::refusal(
                "too_slow", std::to_string(book.oldest_number() - next_) +
                                " events were forgotten before they were read: ask again, for " +
                                "those since " + std::to_string(book.oldest_number() - 1)));
        }
        std::string lines = book.lines_from(next_);
        if (!lines.empty()) {
            return Json{{"octets", lines.size()}}.dump() + "\n" + lines;
        }
        is_over_ = is_ending_;
        return is_ending_ ? render(Reply::of({{"next", next_}})) : std::string{};
    }

    std::weak_ptr<EventBook*> book_;
    std::uint64_t next_;
    bool is_ending_;
    bool is_over_ = false;  // the last reply is given
    std::function<void(std::string octets)> give_;
};

void EventBook::note(EventRecord event) {
    event.number = ++count_;
    event.time = std::chrono::system_clock::now();
    kept_.push_back(std::move(event));
    if (kept_.size() > kept_max) {
        kept_.pop_front();
    }
    for (Stream* stream : streams_) {
        stream->go_on();
    }
}

void EventBook::begin(const Asked& asked, const CommandSocket::Answer& answer) {
    if (streams_.size() >= streams_max) {
        return answer(Reply::refusal("too_many_streams", std::to_string(streams_max) +
                                                             " clients follow the events already"));
    }
    const std::uint64_t since = asked.since.value_or(asked.follows ? count_ : 0);
    if (since > count_) {
        return answer(
            Reply::refusal("bad_arguments", "since " + std::to_string(since) +
                                                ": the latest event is " + std::to_string(count_) +
                                                ": numbers begin anew with the director"));
    }
    const std::uint64_t next = std::max(since + 1, oldest_number());
    Reply reply = Reply::of({{"next", next}, {"forgotten", next - since - 1}});
    reply.stream = std::make_shared<Stream>(*this, next, asked.follows);
    answer(reply);
}

std::string EventBook::lines_from(std::uint64_t& number) const {
    std::string lines;
    for (; number < next_number() && lines.size() < piece_size_max; ++number) {
        lines += line_of(kept_[number - oldest_number()]);
    }
    return lines;
}

}  // namespace fulcrum
