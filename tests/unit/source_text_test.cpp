// Included files spliced in, lines led back to where they were written, loops and floods refused.
#include "config/source_text.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <string>

#include "config/file_limits.h"

namespace fulcrum {
namespace {

// Files in memory.
FileReader reader_of(std::map<std::string, std::string> files) {
    return [files = std::move(files)](const std::string& path) -> Result<std::string> {
        const auto file = files.find(path);
        return file == files.end() ? Result<std::string>{Error{"does not exist"}}
                                   : Result<std::string>{file->second};
    };
}

std::string shown(const SourcePlace& place) {
    return place.file + ":" + std::to_string(place.line);
}

// All problems of reading "main" from `files`, a line each.
std::string complaints_about(std::map<std::string, std::string> files) {
    Findings findings;
    const FileReader reader = reader_of(std::move(files));
    const SourceText source{"main", reader, findings};
    std::string result;
    for (const Finding& finding : findings.problems.kept()) {
        result += shown(finding.place) + ": " + finding.sentence + "\n";
    }
    return result;
}

TEST(SourceText, LeadsLinesBackThroughIncludes) {
    Findings findings;
    const FileReader reader =
        reader_of({{"conf/main", "one\n@include \"sub/a\" # why\nthree"},
                   {"conf/sub/a", "a1\n@include \"b\"\n@include \"/etc/c\"\na4"},
                   {"conf/sub/b", "b1\nb2\n"},
                   {"/etc/c", "c1"}});
    const SourceText source{"conf/main", reader, findings};
    ASSERT_TRUE(findings.problems.empty());
    // Each directive gives way to a line end, and each file ends in one.
    std::map<std::string, std::string> places;
    unsigned line = 0;
    std::string rest = source.text();
    while (!rest.empty()) {
        ++line;
        const std::string content = rest.substr(0, rest.find('\n'));
        rest.erase(0, content.size() + 1);
        if (!content.empty()) {
            places[content] = shown(source.place_of(line));
        }
    }
    EXPECT_EQ(places, (std::map<std::string, std::string>{{"one", "conf/main:1"},
                                                          {"a1", "conf/sub/a:1"},
                                                          {"b1", "conf/sub/b:1"},
                                                          {"b2", "conf/sub/b:2"},
                                                          {"c1", "/etc/c:1"},
                                                          {"a4", "conf/sub/a:4"},
                                                          {" # why", "conf/main:2"},
                                                          {"three", "conf/main:3"}}));
}

TEST(SourceText, TakesNoDirectiveFromCommentsAndTexts) {
    EXPECT_EQ(
        complaints_about({{"main", "# @include \"x\"\n/* @include \"x\" */ a = \"@include\";"}}),
        "");
}

TEST(SourceText, BlamesTheDirectiveForAFileThatCannotBeRead) {
    EXPECT_EQ(complaints_about({{"main", "\n\n@include \"no\"\n@include \"nor\""}}),
              "main:3: the included file \"no\" does not exist\n"
              "main:4: the included file \"nor\" does not exist\n");
    EXPECT_EQ(complaints_about({}), "main:0: the file does not exist\n");
}

TEST(SourceText, RefusesALoop) {
    EXPECT_EQ(complaints_about({{"main", "@include \"a\""}, {"a", "\n@include \"main\""}}),
              "a:2: the included file \"main\" includes itself\n");
    EXPECT_EQ(complaints_about({{"main", "@include \"main\""}}),
              "main:1: the included file \"main\" includes itself\n");
}

TEST(SourceText, BoundsTheNumberOfIncludes) {
    std::string text;
    for (std::size_t i = 0; i < limits::includes_max; ++i) {
        text += "@include \"a\"\n";
    }
    EXPECT_EQ(complaints_about({{"main", text}, {"a", "x"}}), "");
    EXPECT_EQ(complaints_about({{"main", text + "@include \"a\""}, {"a", "x"}}),
              "main:65: the included file \"a\" is one more than 64 included files\n");
}

// Ten files, each including the next ten times, would be ten to the tenth.
TEST(SourceText, DoesNotExplodeOnNestedIncludes) {
    std::map<std::string, std::string> files{{"main", ""}};
    for (int i = 0; i < 10; ++i) {
        std::string& text = files[i == 0 ? "main" : "f" + std::to_string(i)];
        for (int j = 0; j < 10; ++j) {
            text += "@include \"f" + std::to_string(i + 1) + "\"\n";
        }
    }
    files["f10"] = "x";
    EXPECT_NE(complaints_about(files), "");
}

TEST(SourceText, BoundsTheSizeOfAllFilesTogether) {
    const std::string half(limits::file_size_max / 2, ' ');
    EXPECT_EQ(complaints_about({{"main", "@include \"a\""}, {"a", half}}), "");
    EXPECT_EQ(
        complaints_about({{"main", "@include \"a\"\n@include \"a\"\n@include \"a\""}, {"a", half}}),
        "main:2: the included file \"a\" with all before it is larger than 16 MiB\n"
        "main:3: the included file \"a\" with all before it is larger than 16 MiB\n");
}

TEST(SourceText, RefusesACommentThatAFileLeavesOpen) {
    EXPECT_EQ(complaints_about({{"main", "@include \"a\"\n*/ b = 1;"}, {"a", "x\n/* y"}}),
              "a:2: the comment is never closed with */\n");
}

// libconfig takes a NUL for the end of everything.
TEST(SourceText, RefusesControlCharactersEvenInComments) {
    using namespace std::string_literals;
    EXPECT_EQ(complaints_about({{"main", "a = 1;\n# b\0c\n"s}}),
              "main:2: the control character \"\\x00\" stands here\n");
    EXPECT_EQ(complaints_about({{"main", "a = 1;\r\n\tb = 2;"}}), "");
}

class TemporaryFolder : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/fulcrum_source_text_XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        folder_ = name;
    }
    void TearDown() override {
        ::unlink(path().c_str());
        ::rmdir(folder_.c_str());
    }
    std::string path() const { return folder_ + "/file"; }
    void write(std::size_t size) const {
        std::FILE* const file = std::fopen(path().c_str(), "w");
        ASSERT_NE(file, nullptr);
        const std::string content(size, '#');
        EXPECT_EQ(std::fwrite(content.data(), 1, size, file), size);
        std::fclose(file);
    }

    std::string folder_;
};

TEST_F(TemporaryFolder, GivesARegularFileUpToTheLimit) {
    write(limits::file_size_max);
    const Result<std::string> content = read_regular_file(path());
    ASSERT_TRUE(content);
    EXPECT_EQ(content->size(), limits::file_size_max);
}

TEST_F(TemporaryFolder, RefusesALargerFile) {
    write(limits::file_size_max + 1);
    const Result<std::string> content = read_regular_file(path());
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().sentence, "is larger than 16 MiB");
}

TEST_F(TemporaryFolder, DoesNotWaitForAPipe) {
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    const Result<std::string> content = read_regular_file(path());
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().sentence, "is not a regular file");
}

TEST_F(TemporaryFolder, SaysWhyAFileCannotBeOpened) {
    const Result<std::string> missing = read_regular_file(path());
    const Result<std::string> folder = read_regular_file(folder_);
    ASSERT_FALSE(missing);
    ASSERT_FALSE(folder);
    EXPECT_EQ(missing.error().sentence, "cannot be opened: No such file or directory");
    EXPECT_EQ(folder.error().sentence, "is not a regular file");
}

}  // namespace
}  // namespace fulcrum
