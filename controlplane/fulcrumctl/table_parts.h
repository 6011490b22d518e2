// What tables are made of: cells of a reply's members, columns of steady width. For the rooms that
// print replies. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/fulcrumctl/tables.h"

namespace fulcrum {

// A server's answer or a name must not command the terminal.
std::string printable(std::string text);
std::string fixed(double value, int digits);
// Text as it is, numbers in full, null as what it means: not available.
std::string cell(const Json& row, const char* name);
std::string text_of(const Json& json);
std::string length_of(std::int64_t seconds);  // "4m10s"

enum class Side : std::uint8_t { left, right };

// Columns are at least `width` wide, so that a table that is printed again and again stands still.
struct Column {
    std::string_view title;
    Side side = Side::left;
    std::size_t width = 0;
};

class Table {
  public:
    explicit Table(std::vector<Column> columns) : columns_{std::move(columns)} {}

    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    std::string text();

  private:
    void append(std::string& lines, const std::vector<std::string>& row) const;

    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace fulcrum
