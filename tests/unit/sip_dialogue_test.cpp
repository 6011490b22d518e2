// A request as RFC 3261 wants it, and answers to it.
#include "controlplane/health/sip_dialogue.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

ProbeSpec spec() {
    ProbeSpec asked;
    asked.check.type = CheckType::sip;
    asked.check.login = "ping";
    asked.target = {Ipv4Address::of(192, 0, 2, 1), be16{5'060}};
    return asked;
}

std::string header_of(const std::string& text, const std::string& name) {
    const std::size_t at = text.find("\r\n" + name + ": ");
    return at == std::string::npos ? "" : text.substr(at + 2, text.find("\r\n", at + 2) - at);
}

TEST(SipDialogue, AsksForOptions) {
    SipDialogue dialogue{spec()};
    const std::string request = dialogue.begin().send;
    EXPECT_TRUE(request.starts_with("OPTIONS sip:ping@192.0.2.1:5060 SIP/2.0\r\n")) << request;
    EXPECT_TRUE(request.ends_with("\r\n\r\n"));
    for (const char* name : {"Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "Contact"}) {
        EXPECT_NE(header_of(request, name), "") << name;  // RFC 3261, 8.1.1
    }
    EXPECT_NE(header_of(request, "Via").find(";branch=z9hG4bK"), std::string::npos);
}

TEST(SipDialogue, IsContentWith200Alone) {
    for (const auto& [status, sentence] :
         {std::pair{"200 OK", "SIP 200"},
          std::pair{"503 Service Unavailable", "SIP 503 Service Unavailable"}}) {
        SipDialogue dialogue{spec()};
        const std::string call = header_of(dialogue.begin().send, "Call-ID");
        EXPECT_FALSE(dialogue.on_received("SIP/2.0 100 Trying\r\n" + call + "\r\n").outcome);
        EXPECT_FALSE(dialogue.on_received("SIP/2.0 200 OK\r\nCall-ID: other\r\n\r\n").outcome);
        const DialogueTurn turn =
            dialogue.on_received(std::string{"SIP/2.0 "} + status + "\r\n" + call + "\r\n");
        ASSERT_TRUE(turn.outcome);
        EXPECT_EQ(turn.outcome->sentence, sentence);
    }
}

}  // namespace
}  // namespace fulcrum
