// The road of loader.h, one function a stretch of it, and libconfig with its exceptions.
#include "config/loader.h"

#include <algorithm>
#include <exception>
#include <libconfig.h++>
#include <optional>
#include <tuple>

#include "config/access_files.h"
#include "config/findings.h"
#include "config/grammar.h"
#include "config/mark_rules.h"
#include "config/node.h"
#include "config/schema_reader.h"
#include "config/source_text.h"
#include "config/validate.h"

namespace fulcrum {
namespace {

NodeKind kind_of(const libconfig::Setting& setting) {
    switch (setting.getType()) {
        case libconfig::Setting::TypeInt:
        case libconfig::Setting::TypeInt64:
            return NodeKind::integer;
        case libconfig::Setting::TypeFloat:
            return NodeKind::floating;
        case libconfig::Setting::TypeString:
            return NodeKind::text;
        case libconfig::Setting::TypeBoolean:
            return NodeKind::boolean;
        case libconfig::Setting::TypeArray:
            return NodeKind::array;
        case libconfig::Setting::TypeList:
            return NodeKind::list;
        case libconfig::Setting::TypeGroup:
        case libconfig::Setting::TypeNone:
            break;
    }
    return NodeKind::group;
}

// Each conversion is asked of its own type only: libconfig turns others into zero without a word.
// The depth is bounded by the grammar.
// NOLINTNEXTLINE(misc-no-recursion)
Node node_of(const libconfig::Setting& setting) {
    Node node;
    node.kind = kind_of(setting);
    node.line = setting.getSourceLine();
    const char* const name = setting.getName();
    node.name = name == nullptr ? std::string_view{} : std::string_view{name};
    if (node.kind == NodeKind::text) {
        node.text = setting.c_str();
    } else if (node.kind == NodeKind::boolean) {
        node.integer = static_cast<bool>(setting) ? 1 : 0;
    } else if (setting.getType() == libconfig::Setting::TypeInt) {
        node.integer = static_cast<int>(setting);
    } else if (setting.getType() == libconfig::Setting::TypeInt64) {
        node.integer = static_cast<long long>(setting);
    } else if (setting.isAggregate()) {
        const int count = setting.getLength();
        node.children.reserve(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i) {
            node.children.push_back(node_of(setting[i]));
        }
    }
    return node;
}

// Whether libconfig will read the text.
bool check_tokens(const SourceText& source, Findings& findings) {
    bool is_parseable = true;
    for (LineProblem& problem : check_grammar(source.text())) {
        is_parseable = is_parseable && problem.still_parses;
        findings.refuse(source.place_of(problem.line), std::move(problem.sentence));
    }
    return is_parseable;
}

// The tree is made of views into `parsed`.
std::optional<Node> parse(const SourceText& source, libconfig::Config& parsed, Findings& findings) {
    try {
        parsed.readString(source.text());
        return node_of(parsed.getRoot());
    } catch (const libconfig::ParseException& exception) {
        // The grammar has let through what libconfig refuses; its word counts.
        const int line = std::max(exception.getLine(), 0);
        findings.refuse(source.place_of(static_cast<unsigned>(line)),
                        std::string{"libconfig refuses the file: "} + exception.getError());
    } catch (const std::exception& exception) {
        findings.refuse(source.place_of(0), std::string{"libconfig failed: "} + exception.what());
    }
    return std::nullopt;
}

bool is_blamed(const FindingList& list, const SourcePlace& place) {
    return std::any_of(list.kept().begin(), list.kept().end(), [&place](const Finding& finding) {
        return finding.place.line == place.line && finding.place.file == place.file;
    });
}

// An integer that does not fit was read as another one: what is said of its line is not true.
void add_believable(const FindingList& of_values, FindingList& of_tokens) {
    const FindingList blamed = of_tokens;
    for (const Finding& finding : of_values.kept()) {
        if (!is_blamed(blamed, finding.place)) {
            of_tokens.add(finding.place, finding.sentence);
        }
    }
}

Config read_all(const SourceText& source, const FileReader& read_list, Findings& findings) {
    const bool is_parseable = check_tokens(source, findings);
    libconfig::Config parsed;
    const auto root = is_parseable ? parse(source, parsed, findings) : std::nullopt;
    if (!root) {
        return {};
    }
    Findings of_values;
    Config config = read_by_schema(*root, source, of_values);
    config.source_file = source.files().front();
    gather_access_rules(config, read_list, of_values);
    gather_marked(config);
    validate(config, of_values);
    if (findings.problems.empty()) {
        findings.problems = std::move(of_values.problems);
    } else {
        add_believable(of_values.problems, findings.problems);
    }
    findings.warnings = std::move(of_values.warnings);
    return config;
}

std::vector<std::string> in_file_order(const FindingList& list, const SourceText& source) {
    const auto rank = [&source](const Finding& finding) {
        const auto& files = source.files();
        const auto file = std::find(files.begin(), files.end(), finding.place.file);
        return std::tuple{file - files.begin(), finding.place.line};
    };
    std::vector<Finding> findings = list.kept();
    std::stable_sort(findings.begin(), findings.end(),
                     [&rank](const Finding& a, const Finding& b) { return rank(a) < rank(b); });
    std::vector<std::string> sentences;
    sentences.reserve(findings.size() + 1);
    for (const Finding& finding : findings) {
        const std::string line =
            finding.place.line == 0 ? "" : std::to_string(finding.place.line) + ":";
        sentences.push_back(finding.place.file + ":" + line + " " + finding.sentence);
    }
    if (list.left_off_count() > 0) {
        sentences.push_back(source.files().front() + ": and " +
                            std::to_string(list.left_off_count()) + " more");
    }
    return sentences;
}

LoadOutcome load(const std::string& path, const FileReader& read_file,
                 const FileReader& read_list) {
    Findings findings;
    LoadOutcome outcome;
    const auto noted = [&outcome](const FileReader& reader) -> FileReader {
        return [&outcome, &reader](const std::string& file) {
            outcome.files.push_back(file);
            return reader(file);
        };
    };
    const SourceText source{path, noted(read_file), findings};
    if (findings.problems.empty()) {
        outcome.config = read_all(source, noted(read_list), findings);
    }
    outcome.config.source_file = path;
    outcome.problems = in_file_order(findings.problems, source);
    outcome.warnings = in_file_order(findings.warnings, source);
    return outcome;
}

// Of one file alone.
FileReader reader_of(std::string_view text, const std::string& name) {
    return [text, name](const std::string& path) -> Result<std::string> {
        if (path == name) {
            return std::string{text};
        }
        return Error{"cannot be included from here"};
    };
}

}  // namespace

LoadOutcome load_config(const std::string& path) {
    return load(
        path, [](const std::string& file) { return read_regular_file(file); }, read_list_file);
}

LoadOutcome load_config_text(std::string_view text, const std::string& name) {
    return load(name, reader_of(text, name), [](const std::string&) -> Result<std::string> {
        return Error{"cannot be read from here"};
    });
}

LoadOutcome load_config_as(std::string_view text, const std::string& path) {
    return load(path, reader_of(text, path), read_list_file);
}

}  // namespace fulcrum
