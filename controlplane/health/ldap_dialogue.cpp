// Writing is a tag and a length before its content; reading doubts every length.
#include "controlplane/health/ldap_dialogue.h"

#include <cstdint>
#include <optional>

namespace fulcrum {
namespace {

// Tags: universal, and LDAP's own.
constexpr std::uint8_t boolean_tag = 0x01;
constexpr std::uint8_t integer_tag = 0x02;
constexpr std::uint8_t octets_tag = 0x04;
constexpr std::uint8_t enumerated_tag = 0x0A;
constexpr std::uint8_t sequence_tag = 0x30;
constexpr std::uint8_t bind_request = 0x60;
constexpr std::uint8_t bind_response = 0x61;
constexpr std::uint8_t search_request = 0x63;
constexpr std::uint8_t search_entry = 0x64;
constexpr std::uint8_t search_done = 0x65;
constexpr std::uint8_t extended_request = 0x77;
constexpr std::uint8_t extended_response = 0x78;
constexpr std::uint8_t simple_password = 0x80;
constexpr std::uint8_t request_name = 0x80;
constexpr std::uint8_t filter_present = 0x87;

const std::string unbind{"\x30\x05\x02\x01\x03\x42\x00", 7};

std::string element(std::uint8_t tag, const std::string& content) {
    std::string text{static_cast<char>(tag)};
    const std::size_t length = content.size();
    if (length < 0x80) {
        text.push_back(static_cast<char>(length));
    } else {
        text.push_back('\x82');  // two octets of length
        text.push_back(static_cast<char>(length >> 8U));
        text.push_back(static_cast<char>(length & 0xFFU));
    }
    return text + content;
}

std::string small(std::uint8_t tag, char value) { return element(tag, std::string(1, value)); }

std::string message(char id, const std::string& operation) {
    return element(sequence_tag, small(integer_tag, id) + operation);
}

struct Element {
    std::uint8_t tag = 0;
    std::string_view content;
    std::string_view rest;  // behind it
};

enum class Reading { whole, incomplete, malformed };

Reading read(std::string_view text, Element& element) {
    if (text.size() < 2) {
        return Reading::incomplete;
    }
    std::size_t length = static_cast<std::uint8_t>(text[1]);
    std::size_t head = 2;
    if (length >= 0x80) {
        const std::size_t count = length & 0x7FU;
        if (count == 0 || count > 4) {
            return Reading::malformed;
        }
        if (text.size() < head + count) {
            return Reading::incomplete;
        }
        length = 0;
        for (std::size_t at = 0; at < count; ++at) {
            length = length << 8U | static_cast<std::uint8_t>(text[head + at]);
        }
        head += count;
    }
    if (length > answer_size_max) {
        return Reading::malformed;
    }
    if (text.size() - head < length) {
        return Reading::incomplete;
    }
    element = {static_cast<std::uint8_t>(text[0]), text.substr(head, length),
               text.substr(head + length)};
    return Reading::whole;
}

// Of a response: its result code comes first.
std::optional<unsigned> result_of(std::string_view content) {
    Element code;
    if (read(content, code) != Reading::whole || code.tag != enumerated_tag ||
        code.content.size() != 1) {
        return std::nullopt;
    }
    return static_cast<std::uint8_t>(code.content[0]);
}

std::string word_of(unsigned result) {
    switch (result) {
        case 32:
            return "noSuchObject";
        case 49:
            return "invalidCredentials";
        case 50:
            return "insufficientAccessRights";
        case 51:
            return "busy";
        case 52:
            return "unavailable";
        case 53:
            return "unwillingToPerform";
        default:
            return "result " + std::to_string(result);
    }
}

// RFC 4511, 4.14.1.
std::string start_tls_request() {
    return message(3, element(extended_request, element(request_name, "1.3.6.1.4.1.1466.20037")));
}

const std::string malformed = "the answer is not LDAP";

}  // namespace

LdapDialogue::LdapDialogue(const ProbeSpec& spec)
    : GatheringDialogue{spec},
      rule_{spec.check},
      starts_tls_{spec.check.starttls},
      bind_{message(
          1, element(bind_request, small(integer_tag, 3) + element(octets_tag, spec.check.login) +
                                       element(simple_password, spec.check.password)))},
      search_{message(
          2, element(search_request,
                     element(octets_tag, spec.check.query) + small(enumerated_tag, 0) +
                         small(enumerated_tag, 0) + small(integer_tag, 0) + small(integer_tag, 0) +
                         small(boolean_tag, 0) + element(filter_present, "objectClass") +
                         element(sequence_tag, element(octets_tag, "1.1"))))} {}

DialogueTurn LdapDialogue::begin() { return say(starts_tls_ ? start_tls_request() : bind_); }

DialogueTurn LdapDialogue::on_answer(std::string& answer) {
    for (;;) {
        if (!answer.empty() && static_cast<std::uint8_t>(answer[0]) != sequence_tag) {
            return fail(malformed);
        }
        Element whole;
        const Reading reading = read(answer, whole);
        if (reading == Reading::incomplete) {
            return listen_on();
        }
        if (reading == Reading::malformed) {
            return fail(malformed);
        }
        const std::string content{whole.content};
        answer.erase(0, answer.size() - whole.rest.size());
        DialogueTurn turn = on_message(content);
        if (turn.outcome || !turn.send.empty()) {
            return turn;
        }
    }
}

DialogueTurn LdapDialogue::on_message(std::string_view message) {
    Element id;
    Element operation;
    if (read(message, id) != Reading::whole || read(id.rest, operation) != Reading::whole) {
        return fail(malformed);
    }
    if (operation.tag == search_entry) {
        Element name;
        has_entry_ = read(operation.content, name) == Reading::whole;
        entry_ = name.content;
        return listen_on();
    }
    const bool is_for_tls = starts_tls_ && operation.tag == extended_response;
    if (!is_for_tls &&
        (starts_tls_ || (operation.tag != bind_response && operation.tag != search_done))) {
        return listen_on();
    }
    const auto result = result_of(operation.content);
    if (!result) {
        return fail(malformed);
    }
    if (*result != 0) {
        return fail(std::string{"LDAP "} +
                    (is_for_tls  ? "StartTLS: "
                     : is_bound_ ? "search: "
                                 : "bind: ") +
                    word_of(*result));
    }
    if (is_for_tls) {
        starts_tls_ = false;
        return say_within_tls(bind_, answer());
    }
    if (!is_bound_) {
        is_bound_ = true;
        return say(search_);
    }
    if (!has_entry_) {
        return fail("LDAP search: no entry");
    }
    return rule_.fits(entry_) ? succeed("LDAP entry found", unbind)
                              : fail("the entry's name lacks " + rule_.lack_of(entry_));
}

}  // namespace fulcrum
