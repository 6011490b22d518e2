// Something said, and an answer judged: without a wire.
#include "controlplane/health/send_expect.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

ProbeSpec spec_of(CheckType type, const std::string& send, const std::string& expect = "") {
    ProbeSpec spec;
    spec.check.type = type;
    spec.check.send = send;
    spec.check.expect = expect;
    spec.check.timeout = std::chrono::milliseconds{300};
    return spec;
}

std::string sentence_of(const DialogueTurn& turn) {
    return turn.outcome ? turn.outcome->sentence : "none yet";
}

TEST(SendExpect, IsContentWithTheConnectionWhereNothingIsAsked) {
    SendExpect connect{spec_of(CheckType::connect, "")};
    EXPECT_EQ(sentence_of(connect.begin()), "connection accepted");
    SendExpect tls{spec_of(CheckType::tls, "")};
    EXPECT_EQ(sentence_of(tls.begin()), "TLS handshake done");
}

TEST(SendExpect, SucceedsWithTheAnswerThatComesInPieces) {
    SendExpect dialogue{spec_of(CheckType::tcp, "PING\r\n", "PONG")};
    EXPECT_EQ(dialogue.begin().send, "PING\r\n");
    EXPECT_FALSE(dialogue.on_received("+PO").outcome);
    const DialogueTurn last = dialogue.on_received("NG\r\n");
    ASSERT_TRUE(last.outcome);
    EXPECT_EQ(last.outcome->verdict, ProbeVerdict::success);
}

TEST(SendExpect, TakesAnyAnswerWhereNoneIsDescribed) {
    SendExpect dialogue{spec_of(CheckType::tcp, "hello")};
    EXPECT_FALSE(dialogue.begin().outcome);
    EXPECT_EQ(sentence_of(dialogue.on_received("?")), "answered as expected");
}

TEST(SendExpect, SaysAtTheEndAndAtTheTimeoutWhatItHasHeardInstead) {
    SendExpect dialogue{spec_of(CheckType::tcp, "PING\r\n", "PONG")};
    dialogue.begin();
    EXPECT_EQ(dialogue.on_end().sentence, "connection closed without an answer");
    EXPECT_EQ(dialogue.on_timeout().sentence, "no answer within 300 ms");
    dialogue.on_received("-LOADING\r\n");
    EXPECT_EQ(dialogue.on_end().sentence,
              "the answer \"-LOADING\\x0d\\x0a\" lacks \"PONG\" at its end");
    EXPECT_EQ(dialogue.on_timeout().sentence,
              "the answer \"-LOADING\\x0d\\x0a\" lacks \"PONG\" at the timeout");
}

TEST(SendExpect, ReadsNoMoreThanItsBound) {
    SendExpect dialogue{spec_of(CheckType::tcp, "", "PONG")};
    dialogue.begin();
    const std::string piece(10'000, 'x');
    DialogueTurn turn;
    for (int n = 0; n < 7 && !turn.outcome; ++n) {
        turn = dialogue.on_received(piece);
    }
    ASSERT_TRUE(turn.outcome);
    EXPECT_EQ(turn.outcome->verdict, ProbeVerdict::failure);
    EXPECT_LT(turn.outcome->sentence.size(), 200U);
}

TEST(SendExpect, JudgesADatagramByItself) {
    SendExpect dialogue{spec_of(CheckType::udp, "ping", "pong")};
    EXPECT_EQ(dialogue.begin().send, "ping");
    EXPECT_EQ(sentence_of(dialogue.on_received("po")), "the answer \"po\" lacks \"pong\"");
}

TEST(SendExpect, TakesSilenceForSoundByDatagramsAlone) {
    EXPECT_EQ(SendExpect{spec_of(CheckType::udp, "ping")}.on_timeout().verdict,
              ProbeVerdict::success);
    EXPECT_EQ((SendExpect{spec_of(CheckType::udp, "ping", "pong")}.on_timeout().verdict),
              ProbeVerdict::failure);
    EXPECT_EQ(SendExpect{spec_of(CheckType::tcp, "ping")}.on_timeout().verdict,
              ProbeVerdict::failure);
}

}  // namespace
}  // namespace fulcrum
