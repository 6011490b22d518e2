// Which protocol is whose, and the common part.
#include "controlplane/health/dialogue.h"

#include "controlplane/health/answer_rule.h"
#include "controlplane/health/dns_dialogue.h"
#include "controlplane/health/ldap_dialogue.h"
#include "controlplane/health/line_dialogue.h"
#include "controlplane/health/mysql_dialogue.h"
#include "controlplane/health/pgsql_dialogue.h"
#include "controlplane/health/radius_dialogue.h"
#include "controlplane/health/send_expect.h"
#include "controlplane/health/sip_dialogue.h"

namespace fulcrum {

std::unique_ptr<Dialogue> make_dialogue(const ProbeSpec& spec) {
    switch (spec.check.type) {
        case CheckType::connect:
        case CheckType::tcp:
        case CheckType::tls:
        case CheckType::udp:
            return std::make_unique<SendExpect>(spec);
        case CheckType::dns:
            return std::make_unique<DnsDialogue>(spec);
        case CheckType::smtp:
        case CheckType::smtps:
        case CheckType::ftp:
        case CheckType::ftps:
        case CheckType::imap:
        case CheckType::imaps:
        case CheckType::pop3:
        case CheckType::pop3s:
        case CheckType::nntp:
        case CheckType::redis:
            return std::make_unique<LineDialogue>(spec);
        case CheckType::ldap:
        case CheckType::ldaps:
            return std::make_unique<LdapDialogue>(spec);
        case CheckType::mysql:
            return std::make_unique<MysqlDialogue>(spec);
        case CheckType::pgsql:
            return std::make_unique<PgsqlDialogue>(spec);
        case CheckType::sip:
            return std::make_unique<SipDialogue>(spec);
        case CheckType::radius:
            return std::make_unique<RadiusDialogue>(spec);
        default:
            return nullptr;
    }
}

DialogueTurn say(std::string octets) { return {.send = std::move(octets)}; }
DialogueTurn listen_on() { return {}; }
DialogueTurn say_within_tls(std::string octets, const std::string& said_before) {
    if (!said_before.empty()) {
        return fail("the server went on in clear text after STARTTLS");
    }
    return {.send = std::move(octets), .outcome = std::nullopt, .starts_tls = true};
}
DialogueTurn succeed(std::string sentence, std::string last_words) {
    return {.send = std::move(last_words),
            .outcome = ProbeOutcome{ProbeVerdict::success, std::move(sentence)}};
}
DialogueTurn fail(std::string sentence) {
    return {.outcome = ProbeOutcome{ProbeVerdict::failure, std::move(sentence)}};
}

DialogueTurn GatheringDialogue::on_received(std::string_view octets) {
    has_heard_ = has_heard_ || !octets.empty();
    answer_.append(octets.substr(0, answer_size_max - answer_.size()));
    DialogueTurn turn = on_answer(answer_);
    if (!turn.outcome && answer_.size() == answer_size_max) {
        return fail("the answer is longer than " + std::to_string(answer_size_max) + " octets");
    }
    return turn;
}

ProbeOutcome GatheringDialogue::on_end() {
    return {ProbeVerdict::failure, has_heard_ ? "connection closed before the answer's end"
                                              : "connection closed without an answer"};
}

ProbeOutcome GatheringDialogue::on_timeout() {
    return has_heard_ ? ProbeOutcome{ProbeVerdict::failure,
                                     "the answer is incomplete" +
                                         timeout_outcome_.sentence.substr(
                                             timeout_outcome_.sentence.find(" within"))}
                      : timeout_outcome_;
}

}  // namespace fulcrum
