// One group of the schema as it is written: its keys in the order of the calls, each value in the
// form that the key's row demands, and left out where it is the default. Pure; one thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/file_layout.h"
#include "config/model/port_ranges.h"

namespace fulcrum {

class GroupWriter {
  public:
    // `prefix` is the group's path with the dot behind it; empty for the root.
    explicit GroupWriter(std::string prefix) : prefix_{std::move(prefix)} {}

    // Durations in milliseconds, words as their enumerators.
    void number(std::string_view name, std::int64_t value) { put(name, as_said(name, value)); }
    template <typename Enum>
    void word(std::string_view name, Enum value) {
        number(name, static_cast<std::int64_t>(value));
    }
    void seconds(std::string_view name, std::uint32_t value) {
        number(name, std::int64_t{value} * 1'000);
    }
    void text(std::string_view name, std::string_view value) { put(name, as_file_text(value)); }
    // For keys whose default is told in words: nothing, if the value is that default.
    void number_unless(std::int64_t none, std::string_view name, std::int64_t value) {
        if (value != none) {
            number(name, value);
        }
    }
    void text_if_any(std::string_view name, std::string_view value) {
        if (!value.empty()) {
            text(name, value);
        }
    }
    void ports(std::string_view name, PortRange value) {
        put(name, value.is_single() ? std::to_string(value.first) : as_file_text(to_string(value)));
    }
    template <typename Range, typename InWords>
    void texts(std::string_view name, const Range& values, const InWords& in_words) {
        FilePart array{.shape = FilePart::Shape::array};
        for (const auto& value : values) {
            array.parts.push_back({.text = as_file_text(in_words(value))});
        }
        add_if_any(name, std::move(array));
    }
    void numbers(std::string_view name, const std::vector<unsigned>& values) {
        FilePart array{.shape = FilePart::Shape::array};
        for (const unsigned value : values) {
            array.parts.push_back({.text = std::to_string(value)});
        }
        add_if_any(name, std::move(array));
    }

    // Those of the key's words whose flags are set.
    void words(std::string_view name, std::initializer_list<bool> flags) {
        FilePart array{.shape = FilePart::Shape::array};
        std::int64_t word = 0;
        for (const bool is_set : flags) {
            if (is_set) {
                array.parts.push_back({.text = as_said(name, word)});
            }
            ++word;
        }
        add_if_any(name, std::move(array));
    }

    // `write` is called with the inner group, and once an element of a list.
    template <typename Write>
    void group(std::string_view name, const Write& write) {
        GroupWriter inner{prefix_ + std::string{name} + "."};
        write(inner);
        add(name, inner.take());
    }
    template <typename Write>
    void group_if_any(std::string_view name, const Write& write) {
        GroupWriter inner{prefix_ + std::string{name} + "."};
        write(inner);
        add_if_any(name, inner.take());
    }
    template <typename Range, typename Write>
    void list(std::string_view name, const Range& elements, const Write& write) {
        FilePart list{.shape = FilePart::Shape::list};
        for (const auto& element : elements) {
            GroupWriter inner{prefix_ + std::string{name} + "[]."};
            write(inner, element);
            list.parts.push_back(inner.take());
        }
        add_if_any(name, std::move(list));
    }
    void comment(std::string lines) {
        parts_.push_back({.shape = FilePart::Shape::comment, .text = std::move(lines)});
    }

    FilePart take() { return {.shape = FilePart::Shape::group, .parts = std::move(parts_)}; }

  private:
    // A number as the key's type says it: digits, a duration, one of its words, true or false.
    std::string as_said(std::string_view name, std::int64_t number) const;
    void put(std::string_view name, std::string value);
    void add(std::string_view name, FilePart part);
    void add_if_any(std::string_view name, FilePart part) {
        if (!part.parts.empty()) {
            add(name, std::move(part));
        }
    }

    std::string prefix_;
    std::vector<FilePart> parts_;
};

}  // namespace fulcrum
