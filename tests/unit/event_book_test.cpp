// The book of events and those who read it, and what the control plane writes into it.
#include "controlplane/event_book.h"

#include <gtest/gtest.h>

#include "tests/support/control_bench.h"

namespace fulcrum {
namespace {

// What a stream gives to a client that takes it at once; `is_open`: it is waiting for more.
struct Reader {
    std::shared_ptr<ReplyStream> stream;
    std::string text;
    bool is_open = true;

    void read() {
        bool has_given = true;
        while (has_given && is_open) {
            has_given = false;
            stream->next([&](const std::string& octets) {
                has_given = true;
                is_open = !octets.empty();
                text += octets;
            });
        }
    }
    bool has(const std::string& part) const { return text.find(part) != std::string::npos; }
};

Reply ask(EventBook& book, const EventBook::Asked& asked) {
    Reply reply;
    book.begin(asked, [&reply](const Reply& told) { reply = told; });
    return reply;
}

void note(EventBook& book, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        book.note({EventKind::real_up, "web", "web1", "it answers"});
    }
}

TEST(EventBook, GivesWhatIsKeptAndEnds) {
    EventBook book;
    book.note({EventKind::real_down, "web", "web1", "connection refused"});
    Reader reader{ask(book, {.since = 0, .follows = false}).stream};
    reader.read();
    EXPECT_TRUE(reader.has(R"("event":"real_down","service":"web","real":"web1",)"
                           R"("sentence":"connection refused"})"))
        << reader.text;
    EXPECT_TRUE(reader.has(R"({"ok":true,"result":{"next":2}})")) << reader.text;
    EXPECT_FALSE(reader.is_open);
}

TEST(EventBook, TellsThoseWhoLookOnOfWhatComes) {
    EventBook book;
    note(book, 3);
    Reply reply = ask(book, {});
    EXPECT_EQ(reply.result.at("next"), 4);
    Reader reader{reply.stream};
    std::string given;
    reader.stream->next([&given](const std::string& octets) { given = octets; });
    EXPECT_EQ(given, "");
    book.note({EventKind::saved, {}, {}, "the old file is x"});
    EXPECT_NE(given.find(R"("number":4,)"), std::string::npos) << given;
    EXPECT_EQ(given.find("web1"), std::string::npos) << given;
}

TEST(EventBook, TellsWhoAsksLaterHowManyAreForgotten) {
    EventBook book;
    note(book, EventBook::kept_max + 7);
    EXPECT_EQ(book.kept().size(), EventBook::kept_max);
    EXPECT_EQ(ask(book, {.since = 2}).result.at("forgotten"), 5);
    EXPECT_EQ(ask(book, {.since = 7}).result.at("forgotten"), 0);
}

TEST(EventBook, RefusesToBeginBehindWhatHasNotHappened) {
    EventBook book;
    EXPECT_EQ(ask(book, {.since = 1}).code, "bad_arguments");
}

TEST(EventBook, DropsAClientThatIsTooSlowWithASentence) {
    EventBook book;
    Reader reader{ask(book, {}).stream};
    note(book, EventBook::kept_max + 1);
    reader.read();
    EXPECT_TRUE(reader.has(R"({"ok":false,"error":{"code":"too_slow","sentence":"1 events were )"
                           R"(forgotten before they were read)"))
        << reader.text;
    EXPECT_FALSE(reader.is_open);
}

TEST(EventBook, EndsWhenItsClientHasEnough) {
    EventBook book;
    Reader reader{ask(book, {}).stream};
    reader.stream->end();
    reader.read();
    EXPECT_EQ(reader.text, "{\"ok\":true,\"result\":{\"next\":1}}\n");
}

TEST(EventBook, IsNotReadByMoreClientsThanItHasPlacesFor) {
    EventBook book;
    std::vector<Reply> replies;
    for (std::size_t i = 0; i < EventBook::streams_max; ++i) {
        replies.push_back(ask(book, {}));
    }
    EXPECT_EQ(ask(book, {}).code, "too_many_streams");
    replies.pop_back();
    EXPECT_TRUE(ask(book, {}).is_ok);
}

class EventsOfTheControlPlane : public ControlBench {
  protected:
    // "real_down web/web11", of all that is kept.
    std::vector<std::string> kept() const {
        std::vector<std::string> words;
        for (const EventRecord& event : applier_->events().kept()) {
            words.push_back(std::string{to_string(event.kind)} +
                            (event.service.empty() ? "" : " " + event.service) +
                            (event.real.empty() ? "" : "/" + event.real));
        }
        return words;
    }
    std::vector<std::string> kept_after(std::size_t count) const {
        std::vector<std::string> words = kept();
        words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
        return words;
    }
};

TEST_F(EventsOfTheControlPlane, AreRealsAndTheQuorumOfTheirService) {
    begin_with({"web11"});
    EXPECT_EQ(kept(), (std::vector<std::string>{"real_up web/web11", "quorum_up web"}));
    prober_->down[11] = true;
    ASSERT_TRUE(becomes_usable(0));
    EXPECT_EQ(kept_after(2), (std::vector<std::string>{"real_down web/web11", "quorum_down web"}));
}

TEST_F(EventsOfTheControlPlane, AreDrainsThatAreNotRefused) {
    begin_with({"web11", "web12"});
    const std::size_t before = kept().size();
    applier_->drain({.service = "web", .real = "nobody"}, [](const ApplyResult&) {});
    applier_->drain({.service = "web", .real = "web11"}, [](const ApplyResult&) {});
    applier_->undrain("web", "web11", [](const ApplyResult&) {});
    EXPECT_EQ(kept_after(before),
              (std::vector<std::string>{"real_drained web/web11", "real_undrained web/web11"}));
}

TEST_F(EventsOfTheControlPlane, AreReloadsAppliedAndRefused) {
    begin_with({"web11"});
    const std::size_t before = kept().size();
    write(text_of({"web11", "web12"}));
    reload();
    write("services = ();");
    reload();
    EXPECT_EQ(applier_->events().kept().at(before).sentence,
              "the file: service \"web\": real \"web12\" added (10.2.0.12:8080, weight 1, nat)");
    EXPECT_EQ(kept_after(before).front(), "reload_applied");
    EXPECT_EQ(kept().back(), "reload_refused");
}

}  // namespace
}  // namespace fulcrum
