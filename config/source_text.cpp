// Splicing: everything up to an include directive, the included file, the rest.
#include "config/source_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "config/file_limits.h"
#include "config/prelexer.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

class FileDescriptor {
  public:
    explicit FileDescriptor(int number) : number_{number} {}
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    int number() const { return number_; }

  private:
    int number_;
};

std::string too_large(std::size_t size_max) {
    return "is larger than " + std::to_string(size_max >> 20) + " MiB";
}

// libconfig would end the text at a NUL, within a comment too.
bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && c != '\t' && c != '\r' && c != '\n';
}

Error failure(const char* what) { return {std::string{what} + ": " + std::strerror(errno)}; }

}  // namespace

Result<std::string> read_regular_file(const std::string& path, std::size_t size_max) {
    // Not blocking, or the open of a pipe would wait for its writer.
    const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat status {};
    if (file.number() < 0 || ::fstat(file.number(), &status) != 0) {
        return failure("cannot be opened");
    }
    if (!S_ISREG(status.st_mode)) {
        return Error{"is not a regular file"};
    }
    std::string content;
    std::size_t length = 0;
    while (length <= size_max) {
        content.resize(length + 65'536);
        const ssize_t count = ::read(file.number(), content.data() + length, 65'536);
        if (count < 0 && errno != EINTR) {
            return failure("cannot be read");
        }
        if (count == 0) {
            content.resize(length);
            return content;
        }
        length += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    return Error{too_large(size_max)};
}

SourceText::SourceText(const std::string& path, const FileReader& read_file, Findings& findings)
    : read_file_{read_file}, findings_{findings} {
    add_file(path, {});
}

SourcePlace SourceText::place_of(unsigned line) const {
    const auto after = std::upper_bound(
        segments_.begin(), segments_.end(), line,
        [](unsigned wanted, const Segment& segment) { return wanted < segment.first_line; });
    if (after == segments_.begin()) {
        return {files_.empty() ? std::string{} : files_.front(), 0};
    }
    const Segment& segment = *std::prev(after);
    return {files_[segment.file], segment.line_in_file + (line - segment.first_line)};
}

// NOLINTNEXTLINE(misc-no-recursion): limits::includes_max bounds the depth
void SourceText::add_file(const std::string& path, const SourcePlace& included_at) {
    const bool is_first = open_paths_.empty();
    const SourcePlace blamed = is_first ? SourcePlace{path, 0} : included_at;
    const std::string subject =
        is_first ? "the file " : "the included file " + in_quotes(path) + " ";
    if (const std::string objection = objection_to(path); !objection.empty()) {
        findings_.refuse(blamed, subject + objection);
        return;
    }
    const Result<std::string> content = read_file_(path);
    if (!content) {
        findings_.refuse(blamed, subject + content.error().sentence);
        return;
    }
    if (text_.size() + content->size() > limits::file_size_max) {
        findings_.refuse(blamed,
                         subject + "with all before it " + too_large(limits::file_size_max));
        return;
    }
    files_.push_back(path);
    open_paths_.push_back(path);
    add_content(files_.size() - 1, *content);
    open_paths_.pop_back();
}

std::string SourceText::objection_to(const std::string& path) const {
    if (std::find(open_paths_.begin(), open_paths_.end(), path) != open_paths_.end()) {
        return "includes itself";
    }
    if (files_.size() > limits::includes_max) {
        return "is one more than " + std::to_string(limits::includes_max) + " included files";
    }
    return {};
}

// NOLINTNEXTLINE(misc-no-recursion): as add_file
void SourceText::add_content(std::size_t file, const std::string& content) {
    const std::string path = files_[file];
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    segments_.push_back({line_count_ + 1, file, 1});
    if (const auto control = std::find_if(content.begin(), content.end(), is_control);
        control != content.end()) {
        const auto line = 1 + std::count(content.begin(), control, '\n');
        findings_.refuse({path, static_cast<unsigned>(line)},
                         "the control character " + in_quotes({&*control, 1}) + " stands here");
        return;
    }
    Prelexer lexer{content};
    std::size_t copied = 0;
    for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
        if (token.kind != TokenKind::include) {
            continue;
        }
        const std::size_t begin = lexer.position() - token.text.size();
        append(std::string_view{content}.substr(copied, begin - copied));
        append("\n");
        const std::string included{include_path(token)};
        add_file(included.front() == '/' ? included : folder + included, {path, token.line});
        segments_.push_back({line_count_ + 1, file, token.line});
        copied = lexer.position();
    }
    append(std::string_view{content}.substr(copied));
    append("\n");
    if (lexer.open_comment_line() != 0) {
        findings_.refuse({path, lexer.open_comment_line()}, "the comment is never closed with */");
    }
}

void SourceText::append(std::string_view piece) {
    line_count_ += static_cast<unsigned>(std::count(piece.begin(), piece.end(), '\n'));
    text_ += piece;
}

}  // namespace fulcrum
