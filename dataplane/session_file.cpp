// Opening: look at what is there, and either take it up, set it aside, or make it anew.
#include "dataplane/session_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <utility>

#include "dataplane/affinity.h"
#include "dataplane/session_table.h"

namespace fulcrum {
namespace {

constexpr std::size_t mebi = 1'024 * 1'024;
constexpr std::size_t huge_page = 2 * mebi;
constexpr std::array<char, 8> magic{'F', 'u', 'l', 'c', 'r', 'u', 'm', '\n'};
// To be raised with every change of what the octets of a session or of an affinity record mean.
constexpr std::uint32_t layout_version = 1;
static_assert(sizeof(Session) == 16 && sizeof(Session6) == 32 && sizeof(AffinityRecord) == 32 &&
              session_state_count == 13);
// What idles longer than this is over for both sides; and stamps of 16 bits would soon mean another
// time.
constexpr std::uint32_t silence_s_max = 3'600;

std::size_t rounded_up(std::size_t size) { return (size + huge_page - 1) / huge_page * huge_page; }

struct Division {
    std::size_t sessions, sessions6, affinity;

    std::size_t of_worker() const { return sessions + sessions6 + affinity; }
};

Division division_of(const TableSizes& sizes) {
    return {rounded_up(SessionTable::size_for(sizes.buckets)),
            rounded_up(SessionTable6::size_for(sizes.buckets6)),
            rounded_up(AffinityTable::size_for(sizes.affinity_records))};
}

std::size_t size_of(const TableSizes& sizes) {
    return huge_page + sizes.worker_count * division_of(sizes).of_worker();
}

// A number of this machine's since it was switched on, and of no other.
std::array<char, 36> boot_id() {
    std::array<char, 36> id{};
    std::ifstream file{"/proc/sys/kernel/random/boot_id"};
    file.read(id.data(), id.size());
    return id;
}

Error about(const std::string& path, const std::string& what) {
    return Error{"director.session_file: " + path + ": " + what};
}

}  // namespace

// Its magic is written last: a file whose making was cut short is none.
struct SessionFile::Header {
    std::array<char, 8> magic;
    std::uint32_t version;
    std::uint32_t alive_s;
    std::array<char, 36> boot;
    TableSizes sizes;
    std::uint64_t owners;
    HashKey secret;
    std::uint64_t number;
};

SessionFile::Header& SessionFile::header() const {
    return *reinterpret_cast<Header*>(mapping_.octets);
}

HashKey SessionFile::secret() const { return header().secret; }
std::uint64_t SessionFile::number() const { return header().number; }

void SessionFile::note_alive(std::uint32_t now_s) { header().alive_s = now_s; }

SessionFile::Tables SessionFile::tables_of(std::size_t worker) const {
    const Division division = division_of(sizes_);
    std::byte* const at = mapping_.octets + huge_page + worker * division.of_worker();
    return {{at, division.sessions},
            {at + division.sessions, division.sessions6},
            {at + division.sessions + division.sessions6, division.affinity}};
}

SessionFile::SessionFile(SessionFile&& other) noexcept
    : mapping_{std::exchange(other.mapping_, {})},
      sizes_{other.sizes_},
      path_{std::move(other.path_)},
      is_taken_up_{other.is_taken_up_},
      remark_{std::move(other.remark_)},
      former_{std::move(other.former_)},
      memory_{std::move(other.memory_)} {}

SessionFile::~SessionFile() {
    if (mapping_.octets != nullptr && !memory_) {
        munmap(mapping_.octets, mapping_.size);
    }
    if (mapping_.descriptor >= 0) {
        close(mapping_.descriptor);  // with it goes the lock
    }
}

// Nobody else's, and nobody's but this process's for as long as it is open.
Result<int> SessionFile::lock(const std::string& path, Memory kind) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        return about(path, std::string{"cannot be opened: "} + std::strerror(errno) +
                               "; name a file on a tmpfs (/dev/shm), or with memory = "
                               "\"hugepages\" on a hugetlbfs (/dev/hugepages)");
    }
    struct stat found {};
    fstat(file, &found);
    if (!S_ISREG(found.st_mode) || found.st_uid != geteuid() || (found.st_mode & 077) != 0) {
        close(file);
        return about(path, "does not belong to fulcrumd alone: remove it");
    }
    struct statfs system {};
    fstatfs(file, &system);
    if ((system.f_type == HUGETLBFS_MAGIC) != (kind == Memory::hugepages)) {
        close(file);
        return about(path, kind == Memory::hugepages
                               ? "is not on a hugetlbfs, where director.memory = \"hugepages\" "
                                 "wants it: /dev/hugepages is one"
                               : "is on a hugetlbfs: set director.memory = \"hugepages\", or name "
                                 "a file on a tmpfs");
    }
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        close(file);
        return about(path, "is in use by another fulcrumd: give each director a file of its own");
    }
    return file;
}

std::string SessionFile::objection_to(const Header& header, std::size_t size, std::uint32_t now_s) {
    if (header.magic != magic) {
        return "it is not a session file, or an unfinished one";
    }
    if (header.version != layout_version) {
        return "it was written by a version that lays sessions out in another way";
    }
    if (header.boot != boot_id()) {
        return "it is from another machine, or from before this one was started";
    }
    if (size_of(header.sizes) != size) {
        return "its size is not what it says";
    }
    if (now_s - header.alive_s > silence_s_max) {
        return "its director ended more than an hour ago";
    }
    return {};
}

Result<SessionFile> SessionFile::open(const Wish& wish, std::uint32_t now_s) {
    if (wish.path.empty()) {
        return make_in_memory(wish, now_s);
    }
    const Result<int> file = lock(wish.path, wish.kind);
    if (!file) {
        return file.error();
    }
    unlink((wish.path + ".former").c_str());  // of one whose start was cut short
    struct stat found {};
    fstat(*file, &found);
    const auto size = static_cast<std::size_t>(found.st_size);
    if (size == 0) {
        return make(wish, now_s, *file);
    }
    void* const octets = size < huge_page ? MAP_FAILED
                                          : mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                                 MAP_SHARED | MAP_POPULATE, *file, 0);
    std::string remark = "it is not a session file";
    if (octets != MAP_FAILED) {
        const Mapping mapping{static_cast<std::byte*>(octets), size, *file};
        SessionFile held{mapping, reinterpret_cast<const Header*>(octets)->sizes, wish.path};
        remark = objection_to(held.header(), size, now_s);
        if (remark.empty() && held.sizes_ == wish.sizes && held.header().owners == wish.owners) {
            held.is_taken_up_ = true;
            held.note_alive(now_s);
            return held;
        }
        if (remark.empty()) {
            // Stands aside, and stays locked, until its sessions have been placed anew.
            held.path_ = wish.path + ".former";
            std::rename(wish.path.c_str(), held.path_.c_str());
            const Result<int> fresh = lock(wish.path, wish.kind);
            Result<SessionFile> made =
                fresh ? make(wish, now_s, *fresh) : Result<SessionFile>{fresh.error()};
            if (made) {
                made->former_ = std::make_unique<SessionFile>(std::move(held));
                return made;
            }
            unlink(held.path_.c_str());
            { const SessionFile gone{std::move(held)}; }
            return alone(wish, now_s);
        }
        held.mapping_.descriptor = -1;  // the lock goes on to the new one
    }
    Result<SessionFile> made = make(wish, now_s, *file);
    if (made) {
        made->remark_ = "the sessions in " + wish.path + " are not taken up: " + remark;
    }
    return made;
}

Result<SessionFile> SessionFile::make_in_memory(const Wish& wish, std::uint32_t now_s) {
    Result<TableMemory> memory = TableMemory::allocate(size_of(wish.sizes), wish.kind);
    if (!memory) {
        return memory.error();
    }
    const std::span<std::byte> octets = memory->octets();
    SessionFile made{{octets.data(), octets.size(), -1}, wish.sizes, wish.path};
    made.memory_.emplace(std::move(*memory));
    made.write_header(wish.owners, now_s);
    return made;
}

// No room for both: better a director without its sessions than none.
Result<SessionFile> SessionFile::alone(const Wish& wish, std::uint32_t now_s) {
    const Result<int> file = lock(wish.path, wish.kind);
    Result<SessionFile> made = file ? make(wish, now_s, *file) : Result<SessionFile>{file.error()};
    if (made) {
        made->remark_ = "the sessions in " + wish.path +
                        " are not taken up: there is no memory for tables of both sizes";
    }
    return made;
}

// `descriptor`: of a locked file, which is emptied.
Result<SessionFile> SessionFile::make(const Wish& wish, std::uint32_t now_s, int descriptor) {
    const std::size_t size = size_of(wish.sizes);
    void* octets = MAP_FAILED;
    if (ftruncate(descriptor, 0) == 0 &&
        fallocate(descriptor, 0, 0, static_cast<off_t>(size)) == 0) {
        octets =
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
    }
    if (octets == MAP_FAILED) {
        const int error = errno;
        [[maybe_unused]] const int ignored = ftruncate(descriptor, 0);
        close(descriptor);
        return about(wish.path,
                     "cannot take " + std::to_string(size / mebi) +
                         " MiB for session tables: " + std::strerror(error) +
                         "; lower director.sessions, or name a file where there is room");
    }
    madvise(octets, size, MADV_HUGEPAGE);
    SessionFile made{{static_cast<std::byte*>(octets), size, descriptor}, wish.sizes, wish.path};
    made.write_header(wish.owners, now_s);
    return made;
}

void SessionFile::write_header(std::uint64_t owners, std::uint32_t now_s) {
    Header fresh{.magic = {},
                 .version = layout_version,
                 .alive_s = now_s,
                 .boot = boot_id(),
                 .sizes = sizes_,
                 .owners = owners,
                 .secret = {},
                 .number = 0};
    [[maybe_unused]] ssize_t taken = getrandom(&fresh.secret, sizeof(fresh.secret), 0);
    taken = getrandom(&fresh.number, sizeof(fresh.number), 0);
    header() = fresh;
    std::atomic_signal_fence(std::memory_order_release);
    header().magic = magic;
}

void SessionFile::begin_afresh() {
    const std::uint64_t owners = header().owners;
    const std::uint32_t alive_s = header().alive_s;
    std::memset(mapping_.octets, 0, mapping_.size);
    write_header(owners, alive_s);
    is_taken_up_ = false;
    forget_former();
}

void SessionFile::forget_former() {
    if (former_ != nullptr) {
        unlink(former_->path_.c_str());
        former_.reset();
    }
}

}  // namespace fulcrum
