// Each part is tried in one line first; the depth is that of the schema.
#include "config/file_layout.h"

#include <algorithm>
#include <cstdio>

namespace fulcrum {
namespace {

using Shape = FilePart::Shape;

constexpr std::size_t width = 100;
constexpr std::size_t step = 4;  // of indentation

bool is_nested(const FilePart& part) {
    return !part.parts.empty() && (part.shape == Shape::list || part.shape == Shape::group);
}

// Whether it may stand in one line at all, however short it is.
bool is_flat(const FilePart& part) {
    if (part.shape == Shape::list) {
        return part.parts.size() <= 1 && std::ranges::all_of(part.parts, is_flat);
    }
    return std::ranges::none_of(part.parts, [](const FilePart& inner) {
        return is_nested(inner) || inner.shape == Shape::comment;
    });
}

// NOLINTBEGIN(misc-no-recursion)
std::string in_one_line(const FilePart& part) {
    if (part.shape == Shape::plain) {
        return part.text;
    }
    const bool is_group = part.shape == Shape::group;
    std::string inner;
    for (const FilePart& each : part.parts) {
        if (is_group) {
            inner += " " + each.name + " = " + in_one_line(each) + ";";
        } else {
            inner += (inner.empty() ? " " : ", ") + in_one_line(each);
        }
    }
    inner += inner.empty() ? "" : " ";
    switch (part.shape) {
        case Shape::group:
            return "{" + inner + "}";
        case Shape::list:
            return "(" + inner + ")";
        default:
            return "[" + inner + "]";
    }
}

class Layout {
  public:
    void add(const FilePart& part, std::size_t depth);
    void end_line() { text_ += '\n'; }
    std::string take() { return std::move(text_); }

  private:
    void begin_line(std::size_t depth) { text_.append(depth * step, ' '); }
    void add_comment(const FilePart& part, std::size_t depth);
    void add_value(const FilePart& part, std::size_t depth, std::size_t taken);
    void add_array(const FilePart& part, std::size_t depth);

    std::string text_;
};

// An part of a group, with the end of its line.
void Layout::add(const FilePart& part, std::size_t depth) {
    if (part.shape == Shape::comment) {
        return add_comment(part, depth);
    }
    begin_line(depth);
    text_ += part.name + " = ";
    add_value(part, depth, depth * step + part.name.size() + 3);
    text_ += ";\n";
}

void Layout::add_comment(const FilePart& part, std::size_t depth) {
    std::string_view rest = part.text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        begin_line(depth);
        text_.append(end == 0 ? "#" : "# ").append(rest.substr(0, end)) += '\n';
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

// `taken`: columns of its line before it.
void Layout::add_value(const FilePart& part, std::size_t depth, std::size_t taken) {
    if (is_flat(part)) {
        const std::string line = in_one_line(part);
        if (part.shape == Shape::plain || taken + line.size() + 1 <= width) {
            text_ += line;
            return;
        }
    }
    switch (part.shape) {
        case Shape::group:
            text_ += "{\n";
            for (const FilePart& inner : part.parts) {
                add(inner, depth + 1);
            }
            begin_line(depth);
            text_ += "}";
            return;
        case Shape::list:
            text_ += "(\n";
            for (const FilePart& inner : part.parts) {
                begin_line(depth + 1);
                add_value(inner, depth + 1, (depth + 1) * step);
                text_ += &inner == &part.parts.back() ? "\n" : ",\n";
            }
            begin_line(depth);
            text_ += ")";
            return;
        default:
            add_array(part, depth);
    }
}

// NOLINTEND(misc-no-recursion)

// As many elements in a line as fit.
void Layout::add_array(const FilePart& part, std::size_t depth) {
    text_ += "[";
    std::size_t column = width;
    for (const FilePart& inner : part.parts) {
        const std::string element = inner.text + (&inner == &part.parts.back() ? "" : ",");
        if (column + 1 + element.size() > width) {
            text_ += '\n';
            begin_line(depth + 1);
            column = (depth + 1) * step + element.size();
        } else {
            text_ += ' ';
            column += 1 + element.size();
        }
        text_ += element;
    }
    text_ += '\n';
    begin_line(depth);
    text_ += "]";
}

}  // namespace

std::string as_file_text(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (c == '\r' || c == '\n' || c == '\t') {
            result += c == '\r' ? "\\r" : c == '\n' ? "\\n" : "\\t";
        } else if (byte < 0x20 || byte == 0x7F) {
            char escaped[5];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
            result += escaped;
        } else {
            result += c;
        }
    }
    return result + "\"";
}

std::string lay_out(const std::vector<FilePart>& parts) {
    Layout layout;
    for (const FilePart& part : parts) {
        if (&part != &parts.front()) {
            layout.end_line();
        }
        layout.add(part, 0);
    }
    return layout.take();
}

}  // namespace fulcrum
