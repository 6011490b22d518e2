// Messages of a letter and four octets of length, which count themselves; the first has no letter.
// Logins: in plain, by MD5, and by SCRAM-SHA-256 (RFC 5802, RFC 7677).
#include "controlplane/health/pgsql_dialogue.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "controlplane/health/answer_rule.h"
#include "controlplane/health/digests.h"

namespace fulcrum {
namespace {

std::string number(std::size_t value) {
    std::string text;
    for (unsigned shift = 32; shift > 0; shift -= 8) {
        text.push_back(static_cast<char>(value >> (shift - 8) & 0xFFU));
    }
    return text;
}

std::size_t number_at(std::string_view text, std::size_t at) {
    std::size_t value = 0;
    for (std::size_t place = at; place < at + 4 && place < text.size(); ++place) {
        value = value << 8U | static_cast<std::uint8_t>(text[place]);
    }
    return value;
}

std::string message(char kind, const std::string& body) {
    return kind + number(body.size() + 4) + body;
}

const std::string farewell = message('X', "");

// "s=..." among what a SCRAM server says, with commas between.
std::string scram_value(std::string_view words, char name) {
    while (!words.empty()) {
        const std::string_view word = words.substr(0, words.find(','));
        if (word.size() >= 2 && word[0] == name && word[1] == '=') {
            return std::string{word.substr(2)};
        }
        words.remove_prefix(std::min(words.size(), word.size() + 1));
    }
    return {};
}

// A field of an error: a letter, words, NUL.
std::string error_field(std::string_view body, char name) {
    while (!body.empty() && body[0] != '\0') {
        const std::size_t end = std::min(body.find('\0'), body.size());
        if (body[0] == name) {
            constexpr std::size_t shown_max = 120;
            return std::string{body.substr(1, std::min(end - 1, shown_max))};
        }
        body.remove_prefix(std::min(body.size(), end + 1));
    }
    return {};
}

}  // namespace

PgsqlDialogue::PgsqlDialogue(const ProbeSpec& spec)
    : GatheringDialogue{spec},
      login_{spec.check.login},
      password_{spec.check.password},
      database_{spec.check.database},
      query_{spec.check.query} {}

DialogueTurn PgsqlDialogue::begin() {
    constexpr std::size_t protocol_3 = 196'608;
    std::string body =
        number(protocol_3) + "user" + '\0' + (login_.empty() ? "fulcrum" : login_) + '\0';
    if (!database_.empty()) {
        body += std::string{"database"} + '\0' + database_ + '\0';
    }
    body += '\0';
    return say(number(body.size() + 4) + body);
}

DialogueTurn PgsqlDialogue::on_answer(std::string& answer) {
    constexpr std::size_t head_size = 5;
    while (answer.size() >= head_size) {
        const std::size_t length = number_at(answer, 1);
        if (length < 4 || length > answer_size_max - 1) {
            return fail("the answer is not PostgreSQL's");
        }
        if (answer.size() < 1 + length) {
            return listen_on();
        }
        const char kind = answer[0];
        const std::string body = answer.substr(head_size, length - 4);
        answer.erase(0, 1 + length);
        DialogueTurn turn = on_message(kind, body);
        if (turn.outcome || !turn.send.empty()) {
            return turn;
        }
    }
    return listen_on();
}

DialogueTurn PgsqlDialogue::on_message(char kind, std::string_view body) {
    switch (kind) {
        case 'R':
            return on_authentication(body);
        case 'E':
            return on_error(body);
        case 'D':
            has_row_ = true;
            return listen_on();
        case 'Z':  // ready for what comes next
            if (is_asking_) {
                return has_row_ ? succeed("PostgreSQL query answered", farewell)
                                : fail("PostgreSQL: the query found no row");
            }
            if (query_.empty()) {
                return succeed("PostgreSQL login accepted", farewell);
            }
            is_asking_ = true;
            return say(message('Q', query_ + '\0'));
        default:
            return listen_on();
    }
}

DialogueTurn PgsqlDialogue::on_authentication(std::string_view body) {
    enum : std::size_t {
        accepted = 0,
        plain = 3,
        by_md5 = 5,
        sasl = 10,
        sasl_more = 11,
        sasl_end = 12
    };
    const std::size_t kind = number_at(body, 0);
    const std::string_view rest = body.substr(std::min<std::size_t>(4, body.size()));
    if (kind != accepted && login_.empty()) {
        return succeed("PostgreSQL asks for a password", farewell);
    }
    switch (kind) {
        case accepted:
            return listen_on();
        case plain:
            return say(message('p', password_ + '\0'));
        case by_md5: {
            const std::string once = in_hexadecimal(md5(password_ + login_));
            return say(message(
                'p', "md5" + in_hexadecimal(md5(once + std::string{rest.substr(0, 4)})) + '\0'));
        }
        case sasl:
            return begin_scram(rest);
        case sasl_more:
            return go_on_with_scram(rest);
        case sasl_end:
            return scram_value(rest, 'v') == in_base64(server_proof_)
                       ? listen_on()
                       : fail("PostgreSQL does not know the password itself");
        default:
            return fail("PostgreSQL asks for a login of kind " + std::to_string(kind));
    }
}

DialogueTurn PgsqlDialogue::begin_scram(std::string_view methods) {
    const std::string method = "SCRAM-SHA-256";
    if (methods.find(method + '\0') == std::string_view::npos) {
        return fail("PostgreSQL asks for a login by other ways than SCRAM-SHA-256");
    }
    nonce_ = in_base64(random_octets(18));
    first_words_ = "n=,r=" + nonce_;
    const std::string words = "n,," + first_words_;
    return say(message('p', method + '\0' + number(words.size()) + words));
}

DialogueTurn PgsqlDialogue::go_on_with_scram(std::string_view challenge) {
    constexpr int rounds_max = 16'384;  // as much as a turn of the loop has time for
    const std::string nonce = scram_value(challenge, 'r');
    const std::string salt = from_base64(scram_value(challenge, 's'));
    const std::string rounds_text = scram_value(challenge, 'i');
    int rounds = 0;
    std::from_chars(rounds_text.data(), rounds_text.data() + rounds_text.size(), rounds);
    if (!nonce.starts_with(nonce_) || salt.empty() || rounds < 1 || rounds > rounds_max) {
        return fail("PostgreSQL's SCRAM is malformed, or of too many rounds");
    }
    const std::string salted = pbkdf2_sha256(password_, salt, rounds);
    const std::string key = hmac_sha256(salted, "Client Key");
    const std::string last_words = "c=biws,r=" + nonce;
    const std::string all = first_words_ + "," + std::string{challenge} + "," + last_words;
    const std::string proof = xor_of(key, hmac_sha256(sha256(key), all));
    server_proof_ = hmac_sha256(hmac_sha256(salted, "Server Key"), all);
    return say(message('p', last_words + ",p=" + in_base64(proof)));
}

// Class 28 is about who logs in: without a login of ours, that is an answer.
DialogueTurn PgsqlDialogue::on_error(std::string_view body) const {
    const std::string code = error_field(body, 'C');
    const bool is_about_login = code.starts_with("28") || code == "3D000";  // no such database
    if (login_.empty() && is_about_login) {
        return succeed("PostgreSQL answers");
    }
    return fail("PostgreSQL: " + code + " " + error_field(body, 'M'));
}

}  // namespace fulcrum
