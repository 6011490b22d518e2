// The memory of session tables and affinity, in a file that outlives the process: on tmpfs, or on
// hugetlbfs where tables lie in huge pages. Who starts next maps it again, and goes on with the
// sessions of whoever was killed, ended or replaced by a newer version.
//
//   ┌────────┬──────────────────────────────┬──────────────────────────────┬───
//   │ header │ worker 0: IPv4 │ IPv6 │ aff. │ worker 1: IPv4 │ IPv6 │ aff. │ ...     each on 2 MiB
//   └────────┴──────────────────────────────┴──────────────────────────────┴───
//
// The header says of what layout the octets are, on which machine and since which boot, under which
// secret sessions were placed, and when somebody was last alive. A file that says anything else
// than we would is never believed in part: tables of other sizes, or split between workers in
// another way, are handed out to be placed anew; for all other differences there is a sentence, and
// an empty file. What sessions mean by their indexes is kept elsewhere (see
// controlplane/index_memory.h), under the file's number.
//
// Without a path it is memory like any other. Main thread; note_alive() by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/model/hash.h"
#include "config/model/result.h"
#include "config/model/service.h"
#include "dataplane/memory_plan.h"

namespace fulcrum {

// How the octets are divided.
struct TableSizes {
    std::uint32_t worker_count = 0;
    std::uint64_t buckets = 0;  // of a worker's tables
    std::uint64_t buckets6 = 0;
    std::uint64_t affinity_records = 0;

    friend bool operator==(const TableSizes&, const TableSizes&) = default;
};

class SessionFile {
  public:
    struct Wish {
        std::string path;  // empty: nothing outlives us
        Memory kind = Memory::ordinary;
        TableSizes sizes;
        std::uint64_t owners = 0;  // stands for all that decides whose a client is
    };
    // An error, if the memory is not to be had, or if the file is another director's: it runs, or
    // others may write there. `now_s`: boot_seconds(), as sessions are stamped.
    static Result<SessionFile> open(const Wish& wish, std::uint32_t now_s);

    SessionFile(SessionFile&&) noexcept;
    SessionFile& operator=(SessionFile&&) = delete;
    ~SessionFile();

    const TableSizes& sizes() const { return sizes_; }
    HashKey secret() const;        // new with every empty file: who knew it could aim at one bucket
    std::uint64_t number() const;  // drawn with the secret
    struct Tables {
        std::span<std::byte> sessions;
        std::span<std::byte> sessions6;
        std::span<std::byte> affinity;
    };
    Tables tables_of(std::size_t worker) const;

    // Sessions of an earlier process lie in the tables.
    bool is_taken_up() const { return is_taken_up_; }
    // The same, in tables of other sizes: whoever wants them places them in ours, which are empty.
    const SessionFile* former() const { return former_.get(); }
    // From here on nothing is left of an earlier process.
    void begin_afresh();
    void forget_former();  // its file goes, too
    // Why sessions of an earlier process are not taken up; empty: they are, or there were none.
    const std::string& remark() const { return remark_; }

    void note_alive(std::uint32_t now_s);

  private:
    struct Header;
    struct Mapping {
        std::byte* octets = nullptr;
        std::size_t size = 0;
        int descriptor = -1;
    };
    SessionFile(Mapping mapping, const TableSizes& sizes, std::string path)
        : mapping_{mapping}, sizes_{sizes}, path_{std::move(path)} {}

    static Result<SessionFile> make_in_memory(const Wish& wish, std::uint32_t now_s);
    static Result<SessionFile> alone(const Wish& wish, std::uint32_t now_s);
    static Result<SessionFile> make(const Wish& wish, std::uint32_t now_s, int descriptor);
    static Result<int> lock(const std::string& path, Memory kind);
    static std::string objection_to(const Header& header, std::size_t size, std::uint32_t now_s);
    Header& header() const;
    void write_header(std::uint64_t owners, std::uint32_t now_s);

    Mapping mapping_;
    TableSizes sizes_;
    std::string path_;
    bool is_taken_up_ = false;
    std::string remark_;
    std::unique_ptr<SessionFile> former_;
    std::optional<TableMemory> memory_;  // without a path
};

}  // namespace fulcrum
