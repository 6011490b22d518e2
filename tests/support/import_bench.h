// Importing texts and the fixtures of tests/import, without a system around: names are those of a
// small table.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "config/import/dialects.h"
#include "config/writer.h"

namespace fulcrum {

inline std::string import_fixture(const std::string& name) {
    return std::string{FULCRUM_SOURCE_ROOT} + "/tests/import/" + name;
}

inline std::string content_of_file(const std::string& path) {
    std::ostringstream content;
    content << std::ifstream{path}.rdbuf();
    return content.str();
}

// A source that knows the host "web1", the service "http", and the mark 7.
inline ImportSource source_of(const std::string& path, const std::string& text) {
    ImportSource source{.path = path,
                        .text = text,
                        .read_file = [](const std::string& file) -> Result<std::string> {
                            return read_regular_file(file);
                        },
                        .files_like = {},
                        .names = {},
                        .marks = {}};
    source.names.host = [](const std::string& name, IpFamily family) -> std::optional<IpAddress> {
        return name == "web1"
                   ? parse_ip_address(family == IpFamily::v4 ? "10.1.0.1" : "2001:db8::1")
                   : std::nullopt;
    };
    source.names.port = [](const std::string& name) -> std::optional<std::uint16_t> {
        return name == "http" ? std::optional<std::uint16_t>{std::uint16_t{80}} : std::nullopt;
    };
    for (const std::uint16_t port : {std::uint16_t{80}, std::uint16_t{443}}) {
        source.marks[7].push_back({.vip = IpPrefix::only(Ipv4Address::of(203, 0, 113, 7)),
                                   .ports = PortRange::only(port),
                                   .protocol = L4Protocol::tcp,
                                   .place = {}});
    }
    return source;
}

inline Imported imported(Dialect dialect, const std::string& text) {
    return import_as(dialect, source_of("old", text));
}

inline Imported imported_file(Dialect dialect, const std::string& name) {
    const std::string path = import_fixture(name);
    return import_as(dialect, source_of(path, content_of_file(path)));
}

// "KIND: line NUMBER: TEXT" of each remark.
inline std::vector<std::string> told(const Imported& import) {
    std::vector<std::string> sentences;
    for (const Remark& remark : import.remarks) {
        sentences.push_back(std::string{to_string(remark.kind)} + ": line " +
                            std::to_string(remark.line.place.line) + ": " + remark.line.text);
    }
    return sentences;
}

inline std::vector<std::string> lost(const Imported& import) {
    std::vector<std::string> lines;
    for (const Remark& remark : import.remarks) {
        if (remark.kind == Remark::Kind::lost) {
            lines.push_back(remark.line.text);
        }
    }
    return lines;
}

// Each of the lines, in the place of "@@" in the frame, either shows in what is written or has a
// remark of its own.
inline void expect_nothing_in_silence(Dialect dialect, const std::string& frame,
                                      const std::vector<std::string>& lines) {
    const std::size_t at = frame.find("@@");
    const auto with = [&](const std::string& line) {
        return imported(dialect, std::string{frame}.replace(at, 2, line));
    };
    const std::string without = write_config(with("").config);
    const auto first_line =
        static_cast<unsigned>(1 + std::ranges::count(frame.substr(0, at), '\n'));
    for (const std::string& line : lines) {
        const Imported import = with(line);
        const auto last_line = first_line + std::count(line.begin(), line.end(), '\n');
        const bool is_told = std::ranges::any_of(import.remarks, [&](const Remark& remark) {
            return remark.line.place.line >= first_line && remark.line.place.line <= last_line;
        });
        EXPECT_TRUE(is_told || write_config(import.config) != without) << line;
    }
}

}  // namespace fulcrum
