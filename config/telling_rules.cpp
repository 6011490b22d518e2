// A file where it is needed, and addresses that SMTP can carry.
#include "config/telling_rules.h"

#include <algorithm>
#include <string>

#include "config/wording.h"

namespace fulcrum {
namespace {

void check_address(const std::string& address, const SourcePlace& place, const std::string& label,
                   Findings& findings) {
    if (!is_mail_address(address)) {
        findings.refuse(place, label + in_quotes(address) +
                                   " is not a mail address, as in \"ops@example.net\"");
    }
}

}  // namespace

bool is_mail_address(std::string_view text) {
    constexpr std::size_t length_most = 254;  // RFC 5321, 4.5.3.1.3, less the angle brackets
    const std::size_t at = text.rfind('@');
    const bool is_plain = std::ranges::all_of(text, [](char c) {
        return c > ' ' && c < 0x7F &&
               std::string_view{"<>()[],;:\\\""}.find(c) == std::string_view::npos;
    });
    return is_plain && text.size() <= length_most && at != std::string_view::npos && at > 0 &&
           at + 1 < text.size() && text.find('@') == at;
}

void check_telling(const Config& config, Findings& findings) {
    const SourcePlace file{config.source_file, 0};
    const bool has_file = !config.log.file.empty();
    if (config.log.to == LogPlace::file && !has_file) {
        findings.refuse(file, "log: to: \"file\" needs the key file");
    } else if (config.log.to != LogPlace::file && has_file) {
        findings.warn(file, "log: file has no effect without to = \"file\"");
    }
    if (config.log.to != LogPlace::syslog && config.log.facility != LogSettings{}.facility) {
        findings.warn(file, "log: facility has no effect without to = \"syslog\"");
    }
    const Metrics& metrics = config.metrics;
    if (metrics.certificate.empty() != metrics.key.empty()) {
        findings.refuse(file, "metrics: certificate and key belong together: name both, or none");
    }
    if (!metrics.listen && !(metrics.logins + metrics.certificate).empty()) {
        findings.warn(file, "metrics: logins, certificate and key have no effect without listen");
    }
    if (config.mail) {
        check_address(config.mail->from, file, "mail: from: ", findings);
        for (const std::string& address : config.mail->to) {
            check_address(address, file, "mail: to: ", findings);
        }
    }
    for (const VirtualService& service : config.services) {
        const std::string label = "service " + in_quotes(service.name) + ": mail_to: ";
        for (const std::string& address : service.mail_to) {
            check_address(address, service.place, label, findings);
        }
        if (!config.mail && !service.mail_to.empty()) {
            findings.warn(service.place, label + "nobody gets mail, as there is no group mail");
        }
    }
}

}  // namespace fulcrum
