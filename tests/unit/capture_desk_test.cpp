// A capture from its order to the end of its file, with workers that post what a test tells them.
#include "controlplane/capture_desk.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/control_bench.h"

namespace fulcrum {
namespace {

class CaptureDeskTest : public ControlBench {
  protected:
    void SetUp() override {
        begin_with({"web11", "web12"});
        for (int worker = 0; worker < 2; ++worker) {
            mailboxes_.push_back(Mailbox<CapturedFrame>::create(
                "desk_captured" + std::to_string(worker), limits::captured_frames_length));
        }
        desk_ = std::make_unique<CaptureDesk>(CaptureDesk::Parts{
            loop_, *applier_, {mailboxes_[0].get(), mailboxes_[1].get()}, {"wan", "lan"}});
    }

    // Refused, or at work with a stream.
    Reply ask(const Json& arguments) {
        const Result<CaptureAsked> asked = capture_of(arguments);
        EXPECT_TRUE(asked) << asked.error().sentence;
        std::optional<Reply> reply;
        desk_->begin(*asked, [&](const Reply& told) { reply = told; });
        EXPECT_TRUE(loop_until(loop_, [&] { return reply.has_value(); }));
        return reply.value_or(Reply{});
    }
    void post(std::size_t worker, std::uint32_t id, std::uint8_t port = 0, bool is_after = false) {
        CapturedFrame frame{};
        frame.capture_id = id;
        frame.length = 60;
        frame.octet_count = 4;
        frame.port = port;
        frame.is_after = is_after;
        frame.tally = publisher_.current()->reals[0].tally;
        frame.packet_class = "request";
        frame.verdict = "transmit";
        frame.octets = {1, 2, 3, 4};
        ASSERT_TRUE(mailboxes_[worker]->post(frame));
    }
    // What the stream gives until it has given enough, or has ended.
    bool reads_until(ReplyStream& stream, const std::function<bool()>& is_enough) {
        const auto read = [&] {
            if (!is_asking_ && !is_at_end_) {
                is_asking_ = true;
                stream.next([this](const std::string& octets) {
                    is_asking_ = false;
                    is_at_end_ = octets.empty();
                    text_ += octets;
                });
            }
            return is_enough();
        };
        return loop_until(loop_, read, 5s);
    }
    bool has(const std::string& text) const { return text_.find(text) != std::string::npos; }
    std::uint32_t order_id() const { return publisher_.current()->capture->id; }
    bool is_over() const { return publisher_.current()->capture == nullptr; }

    std::vector<std::unique_ptr<Mailbox<CapturedFrame>>> mailboxes_;
    std::unique_ptr<CaptureDesk> desk_;
    std::string text_;
    bool is_asking_ = false;
    bool is_at_end_ = false;
};

TEST_F(CaptureDeskTest, TheWorkersHaveTheOrderBeforeTheClientHasHisAnswer) {
    const Reply reply = ask({{"octets", 100}, {"filter", "1,6 0 0 1"}});
    ASSERT_TRUE(reply.is_ok);
    ASSERT_NE(publisher_.current()->capture, nullptr);
    EXPECT_EQ(publisher_.current()->capture->octets_max, 100);
    EXPECT_EQ(publisher_.current()->capture->filter.size(), 1U);
    EXPECT_EQ(applier_->epoch_seen(), publisher_.current()->epoch);
}

TEST_F(CaptureDeskTest, PassesOnFramesOfAllWorkersByInterfaceWithAComment) {
    const Reply reply = ask({{"frames", 3}});
    post(0, order_id());
    post(1, order_id(), 1, true);
    ASSERT_TRUE(
        reads_until(*reply.stream, [&] { return has("after: request, transmit, web/web"); }));
    EXPECT_TRUE(has("{\"octets\":"));
    EXPECT_TRUE(has("wan before"));
    EXPECT_TRUE(has("lan after"));
    EXPECT_TRUE(has("before: request, transmit, web/web11"));
    EXPECT_FALSE(is_over());
}

TEST_F(CaptureDeskTest, EndsWithAsManyFramesAsAskedFor) {
    const Reply reply = ask({{"frames", 2}});
    for (int i = 0; i < 5; ++i) {
        post(0, order_id());
    }
    ASSERT_TRUE(reads_until(*reply.stream, [&] { return is_at_end_; }));
    EXPECT_TRUE(has(R"({"ok":true,"result":{"frames":2,"lost":0,"ended_by":"packets"}})"));
    EXPECT_TRUE(is_over());
}

TEST_F(CaptureDeskTest, EndsWhenItsTimeIsOverAndTellsWhatWasLost) {
    const Reply reply = ask({{"seconds", 1}});
    boards_[1]->worker().captures_lost.add(41);
    ASSERT_TRUE(reads_until(*reply.stream, [&] { return is_at_end_; }));
    EXPECT_TRUE(has(R"("frames":0,"lost":41,"ended_by":"seconds")"));
}

TEST_F(CaptureDeskTest, EndsWhenItsClientWantsNoMoreWithWhatHadBeenSeen) {
    const Reply reply = ask(Json::object());
    post(0, order_id());
    reply.stream->end();
    ASSERT_TRUE(reads_until(*reply.stream, [&] { return is_at_end_; }));
    EXPECT_TRUE(has(R"("frames":1,"lost":0,"ended_by":"client")"));
}

TEST_F(CaptureDeskTest, EndsWhenItsClientIsGoneAndMakesRoomForTheNext) {
    Reply reply = ask(Json::object());
    EXPECT_EQ(ask(Json::object()).code, "capture_under_way");
    reply.stream.reset();
    ASSERT_TRUE(loop_until(loop_, [&] { return is_over(); }));
    ASSERT_TRUE(loop_until(loop_, [&] { return ask(Json::object()).is_ok; }));
}

TEST_F(CaptureDeskTest, TakesNoFramesOfTheOneBefore) {
    Reply first = ask(Json::object());
    const std::uint32_t old = order_id();
    first.stream.reset();
    Reply second;
    ASSERT_TRUE(loop_until(loop_, [&] { return (second = ask({{"frames", 1}})).is_ok; }));
    EXPECT_NE(order_id(), old);
    post(0, old);
    reads_until(*second.stream, [&] { return mailboxes_[0]->is_empty(); });
    second.stream->end();
    ASSERT_TRUE(reads_until(*second.stream, [&] { return is_at_end_; }));
    EXPECT_TRUE(has(R"("frames":0)"));
}

TEST_F(CaptureDeskTest, RefusesLimitsAndFiltersThatCannotBe) {
    EXPECT_FALSE(capture_of({{"frames", 0}}));
    EXPECT_FALSE(capture_of({{"seconds", 3'601}}));
    EXPECT_FALSE(capture_of({{"octets", 63}}));
    EXPECT_FALSE(capture_of({{"octets", limits::captured_octets_max + 1}}));
    EXPECT_FALSE(capture_of({{"filter", "1,5 0 0 0"}}));
}

}  // namespace
}  // namespace fulcrum
