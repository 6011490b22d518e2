// The table of types.
#include "config/model/check.h"

#include <array>

namespace fulcrum {
namespace {

using enum CheckKey;

template <typename... Keys>
constexpr std::uint32_t all_of(Keys... keys) {
    return (static_cast<std::uint32_t>(keys) | ... | 0U);
}

constexpr std::uint32_t asked = all_of(port, when);
constexpr std::uint32_t text = all_of(expect, match);
constexpr std::uint32_t web = asked | text | all_of(path, host, method, headers, status, http2);
constexpr std::uint32_t mail = asked | all_of(login);
constexpr std::uint32_t secured = all_of(host, tls);
constexpr std::uint32_t upgraded = all_of(starttls);

// In the order of the enumerators.
constexpr std::array<CheckFacts, check_type_count> facts{{
    {"none", CheckCarrier::nothing, 0},
    {"off", CheckCarrier::nothing, 0},
    {"connect", CheckCarrier::tcp, asked},
    {"tcp", CheckCarrier::tcp, asked | text | all_of(send)},
    {"tls", CheckCarrier::tcp, asked | text | secured | all_of(send)},
    {"udp", CheckCarrier::udp, asked | text | all_of(send)},
    {"http", CheckCarrier::tcp, web},
    {"https", CheckCarrier::tcp, web | secured},
    {"ping", CheckCarrier::icmp, all_of(when)},
    {"dns", CheckCarrier::udp, asked | text | all_of(query, record)},
    {"smtp", CheckCarrier::tcp, mail | upgraded},
    {"smtps", CheckCarrier::tcp, mail | secured},
    {"ftp", CheckCarrier::tcp, mail | text | upgraded | all_of(path)},
    {"ftps", CheckCarrier::tcp, mail | text | secured | all_of(path)},
    {"imap", CheckCarrier::tcp, mail | upgraded},
    {"imaps", CheckCarrier::tcp, mail | secured},
    {"pop3", CheckCarrier::tcp, mail | upgraded},
    {"pop3s", CheckCarrier::tcp, mail | secured},
    {"ldap", CheckCarrier::tcp, mail | text | upgraded | all_of(query)},
    {"ldaps", CheckCarrier::tcp, mail | text | secured | all_of(query)},
    {"nntp", CheckCarrier::tcp, asked},
    {"mysql", CheckCarrier::tcp, mail | all_of(database, query)},
    {"pgsql", CheckCarrier::tcp, mail | all_of(database, query)},
    {"redis", CheckCarrier::tcp, mail},
    {"sip", CheckCarrier::udp, mail},
    {"radius", CheckCarrier::udp, mail | all_of(secret)},
    {"program", CheckCarrier::program, asked | all_of(command)},
}};
static_assert(facts.back().word == "program");
static_assert(static_cast<std::size_t>(CheckType::program) == check_type_count - 1);

}  // namespace

const CheckFacts& facts_of(CheckType type) { return facts[static_cast<std::size_t>(type)]; }

std::string_view to_string(CheckType type) { return facts_of(type).word; }

std::string to_string(const std::vector<StatusRange>& ranges) {
    std::string words;
    for (const StatusRange& range : ranges) {
        words.append(words.empty() ? "" : ", ").append(std::to_string(range.first));
        if (range.last != range.first) {
            words.append("-").append(std::to_string(range.last));
        }
    }
    return words;
}

}  // namespace fulcrum
