// Widths and letters.
#include "controlplane/fulcrumctl/table_parts.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace fulcrum {

std::string printable(std::string text) {
    for (char& letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        letter = code < 0x20 || code == 0x7F ? ' ' : letter;
    }
    return text;
}

std::string fixed(double value, int digits) {
    std::array<char, 64> text{};
    const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
    return {text.data(), static_cast<std::size_t>(length)};
}

std::string cell(const Json& row, const char* name) {
    const auto found = row.find(name);
    if (found == row.end() || found->is_null()) {
        return "n/a";
    }
    return printable(found->is_string() ? found->get<std::string>() : found->dump());
}

std::string text_of(const Json& json) {
    return printable(json.is_string() ? json.get<std::string>() : json.dump());
}

std::string length_of(std::int64_t seconds) {
    if (seconds < 60) {
        return std::to_string(seconds) + "s";
    }
    if (seconds < 3'600) {
        return std::to_string(seconds / 60) + "m" + std::to_string(seconds % 60) + "s";
    }
    if (seconds < 86'400) {
        return std::to_string(seconds / 3'600) + "h" + std::to_string(seconds / 60 % 60) + "m";
    }
    return std::to_string(seconds / 86'400) + "d" + std::to_string(seconds / 3'600 % 24) + "h";
}

std::string Table::text() {
    for (std::size_t at = 0; at < columns_.size(); ++at) {
        Column& column = columns_[at];
        column.width = std::max(column.width, column.title.size());
        for (const auto& row : rows_) {
            column.width = std::max(column.width, row[at].size());
        }
    }
    std::string lines;
    std::vector<std::string> titles;
    for (const Column& column : columns_) {
        titles.emplace_back(column.title);
    }
    append(lines, titles);
    for (const auto& row : rows_) {
        append(lines, row);
    }
    return lines;
}

void Table::append(std::string& lines, const std::vector<std::string>& row) const {
    std::string line;
    for (std::size_t at = 0; at < columns_.size(); ++at) {
        const std::string padding(columns_[at].width - row[at].size(), ' ');
        line.append(at == 0 ? "" : "  ");
        line.append(columns_[at].side == Side::right ? padding + row[at] : row[at] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.append(line).append("\n");
}

}  // namespace fulcrum
