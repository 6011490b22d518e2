// A secret that others can read is none, so that is refused rather than told.
#include "controlplane/metrics_access.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "config/wording.h"
#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {
namespace {

constexpr std::size_t file_size_max = std::size_t{64} << 10;

// `key`: of the configuration, for the sentences.
Result<std::string> content_of(const std::string& key, const std::string& path, bool is_secret) {
    const std::string label = key + " " + in_quotes(path);
    const FileDescriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat found {};
    if (!file.is_open() || fstat(file.get(), &found) != 0) {
        return Error{label + " cannot be read: " + std::generic_category().message(errno)};
    }
    if (!S_ISREG(found.st_mode)) {
        return Error{label + " is no file"};
    }
    if (is_secret && (found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return Error{label + " can be read by others than its owner: chmod 600 it"};
    }
    if (is_secret && found.st_uid != 0 && found.st_uid != geteuid()) {
        return Error{label + " belongs to somebody else than root and the director's user"};
    }
    std::string content;
    std::array<char, 4'096> piece{};
    ssize_t length = 0;
    while ((length = read(file.get(), piece.data(), piece.size())) > 0) {
        content.append(piece.data(), static_cast<std::size_t>(length));
        if (content.size() > file_size_max) {
            return Error{label + " is longer than " + std::to_string(file_size_max) + " octets"};
        }
    }
    return content.empty() ? Result<std::string>{Error{label + " is empty"}}
                           : Result<std::string>{std::move(content)};
}

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
        const auto text = content_of("metrics.logins", metrics.logins, /*is_secret=*/true);
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
    auto certificate = content_of("metrics.certificate", metrics.certificate, /*is_secret=*/false);
    if (!certificate) {
        return certificate.error();
    }
    auto key = content_of("metrics.key", metrics.key, /*is_secret=*/true);
    if (!key) {
        return key.error();
    }
    access.certificate = std::move(*certificate);
    access.key = std::move(*key);
    return access;
}

}  // namespace fulcrum
