// Who speaks which protocol, and what all have in common.
#include "controlplane/health/dialogue.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

// Takes lines away, and is done at "end".
class Lines : public GatheringDialogue {
  public:
    explicit Lines(const ProbeSpec& spec) : GatheringDialogue{spec} {}
    DialogueTurn begin() override { return listen_on(); }

  private:
    DialogueTurn on_answer(std::string& answer) override {
        while (answer.find('\n') != std::string::npos) {
            if (answer.starts_with("end")) {
                return succeed("done", "bye");
            }
            answer.erase(0, answer.find('\n') + 1);
        }
        return listen_on();
    }
};

TEST(Dialogue, IsThereForEachTypeThatIsNobodyElses) {
    for (std::size_t place = 0; place < check_type_count; ++place) {
        const auto type = static_cast<CheckType>(place);
        const CheckCarrier carrier = facts_of(type).carrier;
        const bool is_of_the_web = type == CheckType::http || type == CheckType::https;
        const bool is_wanted =
            (carrier == CheckCarrier::tcp || carrier == CheckCarrier::udp) && !is_of_the_web;
        EXPECT_EQ(make_dialogue({.check = {.type = type}}) != nullptr, is_wanted)
            << to_string(type);
    }
}

TEST(Dialogue, GathersPiecesAndForgetsWhatIsDoneWith) {
    Lines lines{ProbeSpec{}};
    const std::string line(9'000, 'x');
    for (int n = 0; n < 20; ++n) {
        EXPECT_FALSE(lines.on_received(line).outcome);
        EXPECT_FALSE(lines.on_received("\n").outcome);
    }
    EXPECT_FALSE(lines.on_received("en").outcome);
    const DialogueTurn last = lines.on_received("d\n");
    ASSERT_TRUE(last.outcome);
    EXPECT_EQ(last.outcome->sentence, "done");
    EXPECT_EQ(last.send, "bye");
}

TEST(Dialogue, FailsAnAnswerBeyondItsBound) {
    Lines lines{ProbeSpec{}};
    const DialogueTurn turn = lines.on_received(std::string(100'000, 'x'));
    ASSERT_TRUE(turn.outcome);
    EXPECT_EQ(turn.outcome->sentence, "the answer is longer than 65536 octets");
}

TEST(Dialogue, TellsASilentServerFromOneThatBreaksOff) {
    Lines lines{ProbeSpec{}};
    EXPECT_EQ(lines.on_end().sentence, "connection closed without an answer");
    EXPECT_EQ(lines.on_timeout().sentence, "no answer within 3000 ms");
    lines.on_received("half a line");
    EXPECT_EQ(lines.on_end().sentence, "connection closed before the answer's end");
    EXPECT_EQ(lines.on_timeout().sentence, "the answer is incomplete within 3000 ms");
}

}  // namespace
}  // namespace fulcrum
