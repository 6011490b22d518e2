// Who gets mail first: without anybody there is none, whatever else is said of it.
#include "config/import/ldirectord_telling.h"

#include <algorithm>

#include "config/telling_rules.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

// "a@b, c@d"
std::vector<std::string> addresses_in(Draft& draft, const Statement& said) {
    std::vector<std::string> addresses;
    std::string_view rest = said.value;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        const std::string address{trimmed(rest.substr(0, end))};
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (addresses.size() == mail_recipients_max) {
            draft.lost(said.line, in_quotes(address) + " is one more than can get mail",
                       "let a list of mail have one address");
        } else if (is_mail_address(address)) {
            addresses.push_back(address);
        } else {
            draft.lost(said.line, in_quotes(address) + " is not a mail address");
        }
    }
    return addresses;
}

// Nothing: no mail is sent in any status that there is.
std::optional<MailPhases> phases_in(Draft& draft, const Statement& said) {
    MailPhases phases{false, false, false};
    bool is_understood = true;
    std::string spaced = said.value;
    std::ranges::replace(spaced, ',', ' ');
    for (const std::string& word : words_in(spaced)) {
        const bool is_all = word == "all";
        phases.starting = phases.starting || is_all || word == "starting";
        phases.running = phases.running || is_all || word == "running";
        phases.reloading = phases.reloading || is_all || word == "reloading";
        if (word == "stopping") {
            draft.changed(said.line, "the director's end is no change of a real, and gets no mail");
        } else if (word == "none") {
            return std::nullopt;
        } else if (!is_all && word != "starting" && word != "running" && word != "reloading") {
            draft.lost(said.line, in_quotes(word) + " is not a status that is known here");
            is_understood = false;
        }
    }
    if (phases != MailPhases{false, false, false}) {
        return phases;
    }
    return is_understood ? std::nullopt : std::optional{MailPhases{}};
}

void set_sender(Draft& draft, Statements& globals, MailSettings& mail) {
    if (const Statement* said = find_in(globals, "emailalertfrom")) {
        if (is_mail_address(said->value)) {
            mail.from = said->value;
        } else {
            draft.lost(said->line, in_quotes(said->value) + " is not a mail address");
        }
    }
}

void set_server(Draft& draft, const Statement& recipients, Statements& globals,
                MailSettings& mail) {
    const Statement* const said = find_in(globals, "smtp");
    if (said == nullptr) {
        draft.changed(recipients.line, "mail goes to the SMTP server of this machine",
                      "name another one with mail.server");
    } else if (draft.fits(said->line, "mail.server", said->value)) {
        mail.server = said->value;
    }
}

// A path is a file, a word is a facility of syslog.
void set_log(Draft& draft, const Statement& said) {
    LogSettings& log = draft.config().log;
    if (said.value.starts_with('/')) {
        if (draft.fits(said.line, "log.file", said.value)) {
            log.to = LogPlace::file;
            log.file = said.value;
        }
        return;
    }
    if (const auto facility = draft.word_of("log.facility", said.value)) {
        log.to = LogPlace::syslog;
        log.facility = static_cast<std::uint8_t>(*facility);
        return;
    }
    draft.lost(
        said.line,
        "without a leading / ldirectord takes it for a facility of syslog, and there is none of "
        "that name; the log goes to standard error",
        "say it with log.to");
}

}  // namespace

void set_telling(Draft& draft, LdirectordFile& file) {
    if (const Statement* said = find_in(file.globals, "logfile")) {
        set_log(draft, *said);
    }
    const Statement* recipients = find_in(file.globals, "emailalert");
    for (Section& section : file.sections) {
        recipients = recipients != nullptr ? recipients : find_in(section.children, "emailalert");
    }
    if (recipients == nullptr) {
        return;
    }
    MailSettings mail{.server = "localhost", .from = "root@localhost", .to = {}, .when = {}};
    mail.to = addresses_in(draft, *recipients);
    if (mail.to.empty()) {
        return;
    }
    set_sender(draft, file.globals, mail);
    set_server(draft, *recipients, file.globals, mail);
    if (const Statement* said = find_in(file.globals, "emailalertfreq")) {
        mail.repeat_s = draft.seconds_of(said->line, "mail.repeat", said->value).value_or(0);
    }
    if (const Statement* said = find_in(file.globals, "emailalertstatus")) {
        const auto phases = phases_in(draft, *said);
        if (!phases) {
            draft.needless(recipients->line, "no mail is sent in any status");
            return;
        }
        mail.when = *phases;
    }
    draft.config().mail = std::move(mail);
}

void set_recipients(Draft& draft, Statements& section) {
    const Statement* const said = find_in(section, "emailalert");
    if (said != nullptr && draft.config().mail) {
        const std::vector<std::string> addresses = addresses_in(draft, *said);
        if (addresses != draft.config().mail->to) {
            draft.service().mail_to = addresses;
        }
    }
    for (const char* key : {"emailalertfreq", "emailalertstatus", "emailalertfrom", "smtp"}) {
        if (const Statement* own = find_in(section, key)) {
            draft.lost(own->line, "it holds for all services alike", "say it once, in `mail`");
        }
    }
}

}  // namespace fulcrum
