// Lines into tokens, tokens into a tree. The depth of both, of files and of braces, is bounded.
#include "config/import/keepalived_file.h"

#include <algorithm>
#include <map>

#include "config/wording.h"

namespace fulcrum {
namespace {

constexpr std::size_t depth_most = 12;       // of braces
constexpr std::size_t files_most = 64;       // included
constexpr std::size_t length_most = 65'536;  // of a line with its definitions put in

bool is_name_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Up to a comment, which # or ! begins, but within quotes.
std::string_view without_comment(std::string_view text) {
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quote != 0) {
            quote = text[i] == quote ? '\0' : quote;
        } else if (text[i] == '"' || text[i] == '\'') {
            quote = text[i];
        } else if (text[i] == '#' || text[i] == '!') {
            return text.substr(0, i);
        }
    }
    return text;
}

class TreeReader {
  public:
    TreeReader(const ImportSource& source, Draft& draft) : source_{source}, draft_{draft} {}

    KeepalivedNode run() {
        open_.push_back(&root_);
        read_text(source_.path, source_.text);
        if (open_.size() > 1) {
            draft_.lost(open_.back()->line, "its brace is not closed");
        }
        for (const auto& [name, definition] : definitions_) {
            if (!definition.is_used) {
                draft_.needless(definition.line, "no line uses the definition");
            }
        }
        return std::move(root_);
    }

  private:
    struct Definition {
        OldLine line;
        std::string text;
        bool is_used = false;
    };

    void read_text(const std::string& path, const std::string& text);
    void read_line(const OldLine& line);
    bool read_definition(const OldLine& line);
    void include(const OldLine& line, const std::string& pattern);
    std::string with_definitions(std::string_view text);
    void add_tokens(const OldLine& line, const std::vector<std::string>& tokens);

    const ImportSource& source_;
    Draft& draft_;
    KeepalivedNode root_;
    std::vector<KeepalivedNode*> open_;
    std::size_t lost_depth_ = 0;  // of braces that are too deep to be kept
    std::map<std::string, Definition> definitions_;
    std::size_t file_count_ = 0;
};

// NOLINTBEGIN(misc-no-recursion): files_most bounds it
void TreeReader::read_text(const std::string& path, const std::string& text) {
    OldLine line;
    for (const OldLine& part : lines_in(path, text)) {
        if (line.text.empty()) {
            line.place = part.place;
        }
        line.text += part.text;
        const std::string_view said = trimmed(line.text);
        if (said.ends_with('\\') && line.text.size() < length_most) {
            line.text = said.substr(0, said.size() - 1);
            continue;
        }
        line.text = trimmed(line.text);
        read_line(line);
        line = {};
    }
    if (!line.text.empty()) {
        read_line(line);
    }
}

void TreeReader::read_line(const OldLine& line) {
    const std::string text{trimmed(without_comment(line.text))};
    if (text.empty()) {
        return;
    }
    if (text.front() == '@') {
        return draft_.lost(line,
                           "it holds on some machines alone, and which one is meant is not "
                           "known here",
                           "take the @... away where it is to hold");
    }
    if (text.front() == '$' && read_definition({line.place, text})) {
        return;
    }
    const std::string full = with_definitions(text);
    if (full.find('~') != std::string::npos && full.find("~SEQ(") != std::string::npos) {
        return draft_.lost(line, "sequences are not unfolded", "write its lines out");
    }
    std::vector<std::string> tokens;
    for (const std::string& word : words_in(full)) {
        // "url{" is "url {"; quoted words are whole by now, so braces within them stay.
        const bool ends_open = word.size() > 1 && word.back() == '{' && word[0] != '{';
        tokens.push_back(ends_open ? word.substr(0, word.size() - 1) : word);
        if (ends_open) {
            tokens.emplace_back("{");
        }
    }
    if (tokens.size() > 1 && tokens[0].starts_with("include")) {
        return include(line, tokens[1]);
    }
    add_tokens(line, tokens);
}

void TreeReader::include(const OldLine& line, const std::string& pattern) {
    const std::string folder = line.place.file.substr(0, line.place.file.rfind('/') + 1);
    const std::string path = pattern.front() == '/' ? pattern : folder + pattern;
    const std::vector<std::string> files =
        source_.files_like ? source_.files_like(path) : std::vector<std::string>{path};
    if (files.empty()) {
        return draft_.lost(line, "there is no file " + in_quotes(path));
    }
    for (const std::string& file : files) {
        if (++file_count_ > files_most) {
            return draft_.lost(line, "more than " + std::to_string(files_most) +
                                         " files are included: is there a loop?");
        }
        const Result<std::string> text = source_.read_file
                                             ? source_.read_file(file)
                                             : Result<std::string>{Error{"cannot be read"}};
        if (text) {
            read_text(file, *text);
        } else {
            draft_.lost(line, "the file " + in_quotes(file) + " " + text.error().sentence);
        }
    }
}

// NOLINTEND(misc-no-recursion)

// "$NAME=text"
bool TreeReader::read_definition(const OldLine& line) {
    std::size_t end = 1;
    while (end < line.text.size() && is_name_letter(line.text[end])) {
        ++end;
    }
    const std::size_t equals = line.text.find_first_not_of(" \t", end);
    if (end == 1 || equals == std::string::npos || line.text[equals] != '=') {
        return false;
    }
    const std::string text =
        with_definitions(trimmed(std::string_view{line.text}.substr(equals + 1)));
    definitions_[line.text.substr(1, end - 1)] = {line, text};
    return true;
}

std::string TreeReader::with_definitions(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size() && result.size() < length_most;) {
        const bool has_brace = text.substr(i).starts_with("${");
        const std::size_t begin = i + (has_brace ? 2 : 1);
        std::size_t end = begin;
        while (text[i] == '$' && end < text.size() && is_name_letter(text[end])) {
            ++end;
        }
        const auto found = text[i] == '$'
                               ? definitions_.find(std::string{text.substr(begin, end - begin)})
                               : definitions_.end();
        if (found == definitions_.end()) {
            result += text[i++];
            continue;
        }
        found->second.is_used = true;
        result += found->second.text;
        i = end + (has_brace && end < text.size() && text[end] == '}' ? 1 : 0);
    }
    return result;
}

// A brace may stand behind the words, in a line of its own, or with what is in it in one line.
void TreeReader::add_tokens(const OldLine& line, const std::vector<std::string>& tokens) {
    bool is_new = true;
    for (const std::string& token : tokens) {
        if (token == "{") {
            const bool can_open = !open_.back()->inner.empty() && lost_depth_ == 0;
            if (can_open && open_.size() < depth_most) {
                open_.push_back(&open_.back()->inner.back());
            } else {
                if (lost_depth_ == 0) {
                    draft_.lost(line, "a brace without words before it, or too deep in others");
                }
                ++lost_depth_;
            }
            is_new = true;
        } else if (token == "}") {
            if (lost_depth_ > 0) {
                --lost_depth_;
            } else if (open_.size() > 1) {
                open_.pop_back();
            } else {
                draft_.lost(line, "it closes what was not opened");
            }
            is_new = true;
        } else if (lost_depth_ > 0) {
            draft_.lost(line, "it stands in braces that are not read");
            return;
        } else {
            if (is_new) {
                open_.back()->inner.push_back({.line = line});
                is_new = false;
            }
            open_.back()->inner.back().words.push_back(token);
        }
    }
}

}  // namespace

KeepalivedNode* KeepalivedNode::find_either(std::string_view wanted, std::string_view or_wanted) {
    KeepalivedNode* found = nullptr;
    for (KeepalivedNode& each : inner) {
        if (each.key() == wanted || each.key() == or_wanted) {
            found = &each;
        }
    }
    if (found != nullptr) {
        found->is_used = true;
    }
    return found;
}

bool is_said_again(const KeepalivedNode& parent, const KeepalivedNode& statement) {
    const auto name_of_key = [](std::string_view key) {
        return key == "lvs_method" ? "lb_kind" : key == "lvs_sched" ? "lb_algo" : key;
    };
    bool is_behind = false;
    for (const KeepalivedNode& each : parent.inner) {
        if (is_behind && each.is_used && name_of_key(each.key()) == name_of_key(statement.key())) {
            return true;
        }
        is_behind = is_behind || &each == &statement;
    }
    return false;
}

KeepalivedNode keepalived_tree_of(const ImportSource& source, Draft& draft) {
    return TreeReader{source, draft}.run();
}

// NOLINTBEGIN(misc-no-recursion): depth_most bounds it
std::string meaning_of(const KeepalivedNode& node) {
    std::string meaning;
    for (const std::string& word : node.words) {
        meaning += word + '\0';
    }
    meaning += '\1';
    for (const KeepalivedNode& each : node.inner) {
        meaning += meaning_of(each);
    }
    return meaning + '\2';
}

void lose(Draft& draft, const KeepalivedNode& node, const std::string& why,
          const std::string& remedy) {
    draft.lost(node.line, why, remedy);
    for (const KeepalivedNode& each : node.inner) {
        lose(draft, each, "it belongs to what is not said");
    }
}

// NOLINTEND(misc-no-recursion)

}  // namespace fulcrum
