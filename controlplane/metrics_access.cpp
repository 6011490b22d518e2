// Lines of names and passwords; TLS's own files are read as they are.
#include "controlplane/metrics_access.h"

#include <algorithm>

#include "config/wording.h"
#include "controlplane/secret_file.h"

namespace fulcrum {
namespace {

Result<std::vector<std::string>> logins_in(const std::string& path, std::string_view text) {
    std::vector<std::string> logins;
    for (unsigned number = 1; !text.empty(); ++number) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        line.remove_suffix(line.ends_with('\r') ? 1 : 0);
        const std::size_t colon = line.find(':');
        if (line.empty() || line.front() == '#') {
            continue;
        }
        if (colon == std::string_view::npos || colon == 0 || colon + 1 == line.size()) {
            return Error{"metrics.logins " + in_quotes(path) + ": line " + std::to_string(number) +
                         " does not read NAME:PASSWORD"};
        }
        logins.emplace_back(line);
    }
    if (logins.empty()) {
        return Error{"metrics.logins " + in_quotes(path) +
                     " names nobody: write a line NAME:PASSWORD, or take the key away"};
    }
    return logins;
}

bool are_equal(std::string_view a, std::string_view b) {
    unsigned difference = a.size() == b.size() ? 0 : 1;
    for (std::size_t i = 0; i < b.size(); ++i) {
        const char of_a = a.empty() ? '\0' : a[i % a.size()];
        difference |= static_cast<unsigned char>(of_a ^ b[i]);
    }
    return difference == 0;
}

}  // namespace

bool MetricsAccess::admits(std::string_view name, std::string_view password) const {
    const std::string asked = std::string{name}.append(":").append(password);
    unsigned admitted = logins.empty() ? 1 : 0;
    for (const std::string& login : logins) {
        admitted |= are_equal(login, asked) ? 1U : 0U;
    }
    return admitted != 0;
}

Result<MetricsAccess> read_metrics_access(const Metrics& metrics) {
    MetricsAccess access;
    if (!metrics.logins.empty()) {
        const auto text = read_small_file("metrics.logins", metrics.logins, /*is_secret=*/true);
        if (!text) {
            return text.error();
        }
        auto logins = logins_in(metrics.logins, *text);
        if (!logins) {
            return logins.error();
        }
        access.logins = std::move(*logins);
    }
    if (metrics.certificate.empty()) {
        return access;
    }
    auto certificate =
        read_small_file("metrics.certificate", metrics.certificate, /*is_secret=*/false);
    if (!certificate) {
        return certificate.error();
    }
    auto key = read_small_file("metrics.key", metrics.key, /*is_secret=*/true);
    if (!key) {
        return key.error();
    }
    access.certificate = std::move(*certificate);
    access.key = std::move(*key);
    return access;
}

}  // namespace fulcrum
