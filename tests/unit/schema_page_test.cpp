// The table against the page made from it.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "config/schema.h"

namespace fulcrum {
namespace {

std::string content_of(const std::string& path) {
    const std::ifstream file{std::string{FULCRUM_SOURCE_ROOT} + "/" + path};
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

TEST(Schema, IsTheTableInTheReadme) {
    const std::string readme = content_of("config/README.md");
    const std::string begin_mark = "<!-- keys: from here -->\n";
    const std::size_t begin = readme.find(begin_mark);
    const std::size_t end = readme.find("<!-- keys: to here -->");
    ASSERT_NE(begin, std::string::npos);
    ASSERT_NE(end, std::string::npos);
    const std::size_t first = begin + begin_mark.size();
    if (readme.substr(first, end - first) != reference_page()) {
        FAIL() << "config/README.md differs from the schema; between its marks should stand:\n"
               << reference_page();
    }
}

}  // namespace
}  // namespace fulcrum
