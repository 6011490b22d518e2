// What lands in one line and what gets a line for each, told by whole texts.
#include "config/file_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace fulcrum {
namespace {

using Shape = FilePart::Shape;

FilePart plain(const std::string& name, const std::string& text) {
    return {.name = name, .text = text};
}
FilePart group(const std::string& name, std::vector<FilePart> parts) {
    return {.shape = Shape::group, .name = name, .parts = std::move(parts)};
}
FilePart list(const std::string& name, std::vector<FilePart> parts) {
    return {.shape = Shape::list, .name = name, .parts = std::move(parts)};
}

TEST(FileLayout, KeepsAShortGroupInOneLineAndPutsEmptyLinesBetweenTopLevelParts) {
    EXPECT_EQ(lay_out({group("a", {plain("x", "1"), plain("y", "\"two\"")}), group("b", {})}),
              "a = { x = 1; y = \"two\"; };\n\nb = {};\n");
}

TEST(FileLayout, GivesALineToEachKeyOfAGroupThatHoldsAGroup) {
    EXPECT_EQ(lay_out({group("a", {plain("x", "1"), group("inner", {plain("y", "2")})})}),
              "a = {\n    x = 1;\n    inner = { y = 2; };\n};\n");
}

TEST(FileLayout, GivesALineToEachGroupOfAListButOfASingleOneThatFits) {
    EXPECT_EQ(lay_out({list("one", {group("", {plain("x", "1")})})}), "one = ( { x = 1; } );\n");
    EXPECT_EQ(lay_out({list("two", {group("", {plain("x", "1")}), group("", {plain("x", "2")})})}),
              "two = (\n    { x = 1; },\n    { x = 2; }\n);\n");
}

TEST(FileLayout, BreaksWhatWouldBeTooLongForOneLine) {
    const std::string wide(60, '7');
    EXPECT_EQ(lay_out({group("a", {plain("x", wide), plain("y", wide)})}),
              "a = {\n    x = " + wide + ";\n    y = " + wide + ";\n};\n");
    FilePart array{.shape = Shape::array, .name = "many"};
    for (int i = 0; i < 4'096; ++i) {
        array.parts.push_back({.text = as_file_text("198.51.100.0/24")});
    }
    std::istringstream lines{lay_out({array})};
    std::size_t longest = 0;
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        longest = std::max(longest, line.size());
    }
    EXPECT_LE(longest, 100U);
    EXPECT_GT(longest, 80U);
    EXPECT_EQ(count, 4'096 / 5 + 3);  // five in a line, the rest, and the brackets
}

TEST(FileLayout, FillsALineToItsLastColumnAndNotFurther) {
    const std::string fits(100 - 12, '7');  // "a = { x = " and " };" less one for "; "
    const auto lines_of = [](const std::string& digits) {
        const std::string text = lay_out({group("a", {plain("x", digits)})});
        return std::count(text.begin(), text.end(), '\n');
    };
    const std::string line = lay_out({group("a", {plain("x", std::string(86, '7'))})});
    EXPECT_EQ(line.size(), 101U) << line;  // with its end
    EXPECT_EQ(lines_of(std::string(86, '7')), 1);
    EXPECT_EQ(lines_of(std::string(87, '7')), 3);
    EXPECT_EQ(lines_of(fits), 3);
}

TEST(FileLayout, PutsCommentsWhereTheyStand) {
    const FilePart comment{.shape = Shape::comment, .text = "one\n\ntwo"};
    EXPECT_EQ(lay_out({group("a", {plain("x", "1"), comment})}),
              "a = {\n    x = 1;\n    # one\n    #\n    # two\n};\n");
}

TEST(FileLayout, EscapesWhatWouldEndAText) {
    EXPECT_EQ(as_file_text("a\"b\\c\x01\r\n\xC3\xA9"), "\"a\\\"b\\\\c\\x01\\r\\n\xC3\xA9\"");
}

}  // namespace
}  // namespace fulcrum
