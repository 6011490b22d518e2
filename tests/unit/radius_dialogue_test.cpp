// The server's side of RFC 2865, from the secret that both know.
#include "controlplane/health/radius_dialogue.h"

#include <gtest/gtest.h>

#include "controlplane/health/digests.h"

namespace fulcrum {
namespace {

const std::string secret = "shared secret";

ProbeSpec spec(const std::string& password = "a password of more than sixteen octets") {
    ProbeSpec asked;
    asked.check.type = CheckType::radius;
    asked.check.login = "probe";
    asked.check.password = password;
    asked.check.secret = secret;
    return asked;
}

std::string attribute_of(const std::string& request, char type) {
    for (std::size_t at = 20; at + 2 <= request.size();) {
        const auto length = static_cast<std::size_t>(static_cast<unsigned char>(request[at + 1]));
        if (request[at] == type) {
            return request.substr(at + 2, length - 2);
        }
        at += length;
    }
    return {};
}

std::string answer_to(const std::string& request, char code, const std::string& by_secret) {
    const std::string head{code, request[1], 0, 20};
    return head + md5(head + request.substr(4, 16) + by_secret);
}

TEST(RadiusDialogue, HidesThePasswordUnderTheSecretAlone) {
    RadiusDialogue dialogue{spec()};
    const std::string request = dialogue.begin().send;
    EXPECT_EQ(request[0], 1);
    EXPECT_EQ(static_cast<unsigned char>(request[3]), request.size());
    EXPECT_EQ(attribute_of(request, 1), "probe");
    std::string shown;
    std::string before = request.substr(4, 16);
    const std::string hidden = attribute_of(request, 2);
    for (std::size_t at = 0; at < hidden.size(); at += 16) {
        shown += xor_of(hidden.substr(at, 16), md5(secret + before));
        before = hidden.substr(at, 16);
    }
    EXPECT_EQ(shown.substr(0, shown.find('\0')), spec().check.password);
}

TEST(RadiusDialogue, ProvesTheWholeRequest) {
    RadiusDialogue dialogue{spec()};
    std::string request = dialogue.begin().send;
    const std::string proof = attribute_of(request, 80);
    request.replace(request.size() - 16, 16, std::string(16, '\0'));  // RFC 3579, 3.2
    EXPECT_EQ(hmac_md5(secret, request), proof);
}

TEST(RadiusDialogue, TellsAcceptFromRejectAndFromAnotherSecret) {
    RadiusDialogue accepted{spec()};
    EXPECT_EQ(accepted.on_received(answer_to(accepted.begin().send, 2, secret)).outcome->verdict,
              ProbeVerdict::success);
    RadiusDialogue rejected{spec("")};
    EXPECT_EQ(rejected.on_received(answer_to(rejected.begin().send, 3, secret)).outcome->sentence,
              "RADIUS Access-Reject: the login was refused");
    RadiusDialogue stranger{spec()};
    EXPECT_FALSE(stranger.on_received(answer_to(stranger.begin().send, 2, "another")).outcome);
    EXPECT_EQ(stranger.on_timeout().sentence, "the answer was made with another secret");
}

TEST(RadiusDialogue, PassesOverWhatIsNoAnswer) {
    RadiusDialogue dialogue{spec()};
    const std::string answer = answer_to(dialogue.begin().send, 2, secret);
    for (std::size_t length = 0; length < answer.size(); ++length) {
        EXPECT_FALSE(dialogue.on_received(answer.substr(0, length)).outcome);
    }
    std::string other = answer;
    other[1] = static_cast<char>(other[1] + 1);
    EXPECT_FALSE(dialogue.on_received(other).outcome);
    EXPECT_EQ(dialogue.on_timeout().sentence, "no answer within 3000 ms");
}

}  // namespace
}  // namespace fulcrum
