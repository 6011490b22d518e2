// Packets of three octets of length and one of sequence; numbers are little-endian.
#include "controlplane/health/mysql_dialogue.h"

#include <algorithm>
#include <cstdint>

#include "config/wording.h"
#include "controlplane/health/answer_rule.h"
#include "controlplane/health/digests.h"

namespace fulcrum {
namespace {

constexpr std::size_t head_size = 4;
constexpr std::size_t challenge_size = 20;
constexpr char ok_mark = 0x00;
constexpr char more_mark = 0x01;  // of caching_sha2_password
constexpr char end_mark = '\xFE';
constexpr char error_mark = '\xFF';
constexpr unsigned access_denied = 1'045;
const std::string native = "mysql_native_password";
const std::string caching = "caching_sha2_password";

unsigned number_at(std::string_view text, std::size_t at) {
    return text.size() < at + 2
               ? 0
               : static_cast<std::uint8_t>(text[at]) |
                     static_cast<unsigned>(static_cast<std::uint8_t>(text[at + 1])) << 8U;
}

std::string capabilities(bool has_database) {
    constexpr std::uint32_t long_password = 1, with_database = 8, protocol_41 = 0x200,
                            secure_connection = 0x8000, plugin_auth = 0x8'0000;
    const std::uint32_t all = long_password | protocol_41 | secure_connection | plugin_auth |
                              (has_database ? with_database : 0U);
    std::string text;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        text.push_back(static_cast<char>(all >> shift & 0xFFU));
    }
    return text;
}

// "1045 Access denied for user ...": number, perhaps "#" and five octets of state, words.
std::string words_of_error(std::string_view packet) {
    std::string_view words = packet.substr(std::min<std::size_t>(3, packet.size()));
    words.remove_prefix(words.starts_with('#') ? std::min<std::size_t>(6, words.size()) : 0);
    constexpr std::size_t shown_max = 120;
    std::string shown{words.substr(0, shown_max)};
    std::ranges::replace_if(
        shown, [](char c) { return c < ' ' || c == 0x7F; }, ' ');
    return std::to_string(number_at(packet, 1)) + " " + shown;
}

const std::string not_mysql = "the answer is not MySQL's";

}  // namespace

MysqlDialogue::MysqlDialogue(const ProbeSpec& spec)
    : GatheringDialogue{spec},
      login_{spec.check.login},
      password_{spec.check.password},
      database_{spec.check.database},
      query_{spec.check.query} {}

DialogueTurn MysqlDialogue::on_answer(std::string& answer) {
    while (answer.size() >= head_size) {
        const std::size_t length =
            number_at(answer, 0) | std::size_t{static_cast<std::uint8_t>(answer[2])} << 16U;
        if (length == 0 || length > answer_size_max - head_size) {
            return fail(not_mysql);
        }
        if (answer.size() < head_size + length) {
            return listen_on();
        }
        sequence_ = answer[3];
        const std::string packet = answer.substr(head_size, length);
        answer.erase(0, head_size + length);
        DialogueTurn turn = on_packet(packet);
        if (turn.outcome || !turn.send.empty()) {
            return turn;
        }
    }
    return listen_on();
}

DialogueTurn MysqlDialogue::on_packet(std::string_view packet) {
    const bool is_refusal = packet[0] == error_mark;
    if (is_refusal) {
        const bool is_known =
            stage_ == Stage::login && login_.empty() && number_at(packet, 1) == access_denied;
        return is_known ? succeed("MySQL " + version_) : fail("MySQL: " + words_of_error(packet));
    }
    switch (stage_) {
        case Stage::greeting:
            return on_greeting(packet);
        case Stage::login:
            return on_login(packet);
        default:
            return on_rows(packet);
    }
}

DialogueTurn MysqlDialogue::say_packet(const std::string& body) {
    return say(std::string{static_cast<char>(body.size() & 0xFFU),
                           static_cast<char>(body.size() >> 8U & 0xFFU), 0,
                           static_cast<char>(sequence_ + 1)} +
               body);
}

// Protocol 10: version, thread, eight octets of challenge, a filler, capabilities, ..., at a fixed
// distance the other twelve.
DialogueTurn MysqlDialogue::on_greeting(std::string_view packet) {
    constexpr char protocol_10 = 10;
    constexpr std::size_t thread_size = 4;
    constexpr std::size_t first_part = 8;
    constexpr std::size_t between = 19;  // filler to reserved
    const std::size_t end = packet.find('\0', 1);
    if (packet[0] != protocol_10 || end == std::string_view::npos) {
        return fail(not_mysql);
    }
    constexpr std::size_t version_max = 40;
    version_ = std::string{packet.substr(1, std::min(end - 1, version_max))};
    const std::size_t first = end + 1 + thread_size;
    const std::size_t second = first + first_part + between;
    if (packet.size() < second + challenge_size - first_part) {
        return fail(not_mysql);
    }
    challenge_ = std::string{packet.substr(first, first_part)} +
                 std::string{packet.substr(second, challenge_size - first_part)};
    stage_ = Stage::login;
    const std::string proof = login_.empty() ? "" : proof_for(native);
    constexpr char utf8 = 33;
    const std::string user = login_.empty() ? "fulcrum" : login_;
    return say_packet(capabilities(!database_.empty()) + std::string{0, 0, 0, 1} + utf8 +
                      std::string(23, '\0') + user + '\0' + static_cast<char>(proof.size()) +
                      proof + (database_.empty() ? "" : database_ + '\0') + native + '\0');
}

std::string MysqlDialogue::proof_for(const std::string& method) const {
    if (password_.empty()) {
        return {};
    }
    if (method == native) {
        const std::string once = sha1(password_);
        return xor_of(once, sha1(challenge_ + sha1(once)));
    }
    const std::string once = sha256(password_);
    return xor_of(once, sha256(sha256(once) + challenge_));
}

DialogueTurn MysqlDialogue::on_login(std::string_view packet) {
    constexpr char fast_is_enough = 3;
    if (packet[0] == end_mark) {  // another method is asked for
        const std::string method{packet.substr(1, packet.find('\0', 1) - 1)};
        if (method != native && method != caching) {
            return login_.empty() ? succeed("MySQL " + version_)
                                  : fail("MySQL asks for a login by " + in_quotes(method));
        }
        challenge_ = std::string{packet.substr(std::min(method.size() + 2, packet.size()))}.substr(
            0, challenge_size);
        const std::string proof = login_.empty() ? "" : proof_for(method);
        // An empty packet is a proof too: that of no password.
        return say_packet(proof);
    }
    if (packet[0] == more_mark) {
        return packet.size() > 1 && packet[1] == fast_is_enough
                   ? listen_on()
                   : fail(
                         "MySQL asks for the password itself, which needs TLS: give the login "
                         "mysql_native_password, or let it log in once elsewhere");
    }
    if (packet[0] != ok_mark) {
        return fail(not_mysql);
    }
    if (query_.empty()) {
        sequence_ = -1;
        constexpr char quit = 1;
        return succeed("MySQL " + version_, say_packet(std::string(1, quit)).send);
    }
    stage_ = Stage::query;
    sequence_ = -1;
    constexpr char run_query = 3;
    return say_packet(run_query + query_);
}

// A number of columns, a packet for each, an end; then rows, and an end.
DialogueTurn MysqlDialogue::on_rows(std::string_view packet) {
    constexpr std::size_t end_size_max = 8;
    const bool is_end = packet[0] == end_mark && packet.size() <= end_size_max;
    if (stage_ == Stage::query) {
        if (packet[0] == ok_mark) {
            return fail("MySQL: the query has no rows to give");
        }
        stage_ = Stage::columns;
        return listen_on();
    }
    if (stage_ == Stage::columns) {
        stage_ = is_end ? Stage::rows : stage_;
        return listen_on();
    }
    return is_end ? fail("MySQL: the query found no row") : succeed("MySQL query answered");
}

}  // namespace fulcrum
