// A packet is code, identifier, length, authenticator, and attributes of a type and a length each.
#include "controlplane/health/radius_dialogue.h"

#include <cstdint>

#include "controlplane/health/digests.h"

namespace fulcrum {
namespace {

constexpr std::size_t header_size = 20;
constexpr std::size_t digest_size = 16;
constexpr char access_request = 1;
constexpr char access_accept = 2;
constexpr char access_reject = 3;
constexpr char access_challenge = 11;
constexpr char user_name = 1;
constexpr char user_password = 2;
constexpr char nas_identifier = 32;
constexpr char message_authenticator = 80;

std::string attribute(char type, const std::string& value) {
    return std::string{type, static_cast<char>(value.size() + 2)} + value;
}

std::string head(char code, char id, std::size_t length) {
    return {code, id, static_cast<char>(length >> 8U), static_cast<char>(length & 0xFFU)};
}

// RFC 2865, 5.2: block by block, each under a digest of the one before.
std::string hidden(std::string password, const std::string& secret, std::string before) {
    constexpr std::size_t password_max = 128;
    password.resize(std::min(password_max, (password.size() + 15) / 16 * 16), '\0');
    std::string result;
    for (std::size_t at = 0; at < password.size(); at += digest_size) {
        before = xor_of(password.substr(at, digest_size), md5(secret + before));
        result += before;
    }
    return result;
}

}  // namespace

RadiusDialogue::RadiusDialogue(const ProbeSpec& spec)
    : secret_{spec.check.secret},
      authenticator_{random_octets(digest_size)},
      timeout_outcome_{outcome_of_timeout(spec)} {
    const char id = random_octets(1)[0];
    const std::string attributes =
        attribute(user_name, spec.check.login.substr(0, 253)) +
        attribute(user_password, hidden(spec.check.password, secret_, authenticator_)) +
        attribute(nas_identifier, "fulcrum");
    const std::string head_and_all =
        head(access_request, id, header_size + attributes.size() + 2 + digest_size) +
        authenticator_ + attributes;
    const std::string proof = hmac_md5(
        secret_, head_and_all + attribute(message_authenticator, std::string(digest_size, '\0')));
    request_ = head_and_all + attribute(message_authenticator, proof);
}

DialogueTurn RadiusDialogue::begin() { return say(request_); }

DialogueTurn RadiusDialogue::on_received(std::string_view octets) {
    if (octets.size() < header_size || octets[1] != request_[1]) {
        return listen_on();
    }
    const std::size_t length = static_cast<std::size_t>(static_cast<std::uint8_t>(octets[2]))
                                   << 8U |
                               static_cast<std::uint8_t>(octets[3]);
    if (length < header_size || length > octets.size()) {
        return listen_on();
    }
    const std::string proof =
        md5(std::string{octets.substr(0, 4)} + authenticator_ +
            std::string{octets.substr(header_size, length - header_size)} + secret_);
    if (octets.substr(4, digest_size) != proof) {
        has_heard_a_stranger_ = true;
        return listen_on();
    }
    switch (octets[0]) {
        case access_accept:
            return succeed("RADIUS Access-Accept");
        case access_reject:
            return fail("RADIUS Access-Reject: the login was refused");
        case access_challenge:
            return fail("RADIUS Access-Challenge: the login asks for more");
        default:
            return listen_on();
    }
}

ProbeOutcome RadiusDialogue::on_timeout() {
    return has_heard_a_stranger_
               ? ProbeOutcome{ProbeVerdict::failure, "the answer was made with another secret"}
               : timeout_outcome_;
}

}  // namespace fulcrum
