// A configuration file with everything that it includes, as one text, and the way back from a line
// of that text to the file and line that the operator wrote. We include by ourselves: libconfig
// would look for included files in the process's working directory, open what nobody has checked,
// and follow a loop ten times. Paths are relative to the including file. Reading is given as a
// function, so that tests and the fuzz target have no file system.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/file_limits.h"
#include "config/findings.h"
#include "config/model/result.h"

namespace fulcrum {

using FileReader = std::function<Result<std::string>(const std::string& path)>;

// A regular file of at most so many bytes; never waits for a pipe.
Result<std::string> read_regular_file(const std::string& path,
                                      std::size_t size_max = limits::file_size_max);

class SourceText {
  public:
    // Problems: files that cannot be read, loops, too many or too large files, control characters,
    // comments without end.
    SourceText(const std::string& path, const FileReader& read_file, Findings& findings);

    // Valid only when no problem was found.
    const std::string& text() const { return text_; }
    SourcePlace place_of(unsigned line) const;
    // The files in the order of their first line, the operator's own first.
    const std::vector<std::string>& files() const { return files_; }

  private:
    // From `first_line` of the text on, lines are those of a file from `line_in_file` on.
    struct Segment {
        unsigned first_line;
        std::size_t file;
        unsigned line_in_file;
    };

    void add_file(const std::string& path, const SourcePlace& included_at);
    void add_content(std::size_t file, const std::string& content);
    void append(std::string_view piece);
    std::string objection_to(const std::string& path) const;

    const FileReader& read_file_;
    Findings& findings_;
    std::string text_;
    unsigned line_count_ = 0;  // line ends in text_
    std::vector<std::string> files_;
    std::vector<std::string> open_paths_;  // the file being read and those that include it
    std::vector<Segment> segments_;
};

}  // namespace fulcrum
