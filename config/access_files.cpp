// File after file, line after line.
#include "config/access_files.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "config/file_limits.h"
#include "config/value_type.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

using Prefixes = std::vector<IpPrefix>;

std::string_view without_blanks(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const std::size_t first = text.find_first_not_of(blanks);
    return first == std::string_view::npos
               ? std::string_view{}
               : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// One look into each file, however many services name it.
class ListFiles {
  public:
    ListFiles(const FileReader& read_file, Findings& findings)
        : read_file_{read_file}, findings_{findings} {}

    const Prefixes& prefixes_of(const std::string& path, const SourcePlace& named_at,
                                const std::string& subject) {
        const auto [known, is_new] = files_.try_emplace(path);
        if (!is_new) {
            return known->second;
        }
        const Result<std::string> content = read_file_(path);
        if (content) {
            read_lines(path, *content, known->second);
        } else {
            findings_.refuse(
                named_at, subject + "the file " + in_quotes(path) + " " + content.error().sentence);
        }
        return known->second;
    }

  private:
    void read_lines(const std::string& path, std::string_view content, Prefixes& prefixes) {
        unsigned line_number = 0;
        while (!content.empty()) {
            const std::size_t end = std::min(content.find('\n'), content.size());
            std::string_view line = content.substr(0, end);
            content.remove_prefix(std::min(end + 1, content.size()));
            ++line_number;
            line = without_blanks(line.substr(0, line.find('#')));
            if (line.empty()) {
                continue;
            }
            if (const auto prefix = parse_client_prefix(line)) {
                prefixes.push_back(*prefix);
            } else {
                findings_.refuse({path, line_number},
                                 in_quotes(line.substr(0, 64)) + " is not " +
                                     describe(ValueType{ValueKind::client_prefix}));
            }
        }
        if (prefixes.size() > limits::list_length_max) {
            findings_.refuse({path, 0}, "the list has " + std::to_string(prefixes.size()) +
                                            " prefixes, at most " +
                                            std::to_string(limits::list_length_max));
        }
    }

    const FileReader& read_file_;
    Findings& findings_;
    std::map<std::string, Prefixes> files_;
};

std::string beside(const SourcePlace& place, const std::string& path) {
    return path.front() == '/' ? path : place.file.substr(0, place.file.rfind('/') + 1) + path;
}

}  // namespace

Result<std::string> read_list_file(const std::string& path) {
    return read_regular_file(path, limits::list_file_size_max);
}

void gather_access_rules(Config& config, const FileReader& read_file, Findings& findings) {
    ListFiles files{read_file, findings};
    std::vector<std::shared_ptr<const AccessRules>> made;
    for (VirtualService& service : config.services) {
        Access& access = service.access;
        AccessRules rules{access.allow, access.deny};
        const auto add_file = [&](const std::string& file, const char* key, Prefixes& to) {
            if (!file.empty()) {
                const std::string subject =
                    "service " + in_quotes(service.name) + ": " + key + ": ";
                const Prefixes& from =
                    files.prefixes_of(beside(service.place, file), service.place, subject);
                to.insert(to.end(), from.begin(), from.end());
            }
        };
        add_file(access.allow_file, "allow_file", rules.allow);
        add_file(access.deny_file, "deny_file", rules.deny);
        // An empty file of allowed ones lets nobody in, and is hardly meant.
        if (!access.allow_file.empty() && rules.allow.empty() && findings.problems.empty()) {
            findings.refuse(service.place, "service " + in_quotes(service.name) +
                                               ": allow_file: no prefix stands there: nobody would "
                                               "be let in, and without the key everybody is");
        }
        if (rules.is_empty()) {
            continue;
        }
        const auto same =
            std::ranges::find_if(made, [&](const auto& each) { return *each == rules; });
        access.rules =
            same != made.end() ? *same : std::make_shared<const AccessRules>(std::move(rules));
        if (same == made.end()) {
            made.push_back(access.rules);
        }
    }
}

}  // namespace fulcrum
