// The file in which sessions outlive a process: taken up by whoever would have laid it out in the
// same way, set aside for another size, and refused with a reason in all other cases.
#include "dataplane/session_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace fulcrum {
namespace {

constexpr std::uint32_t now_s = 100'000;

class SessionFileTest : public testing::Test {
  protected:
    ~SessionFileTest() override {
        std::filesystem::remove(path_);
        std::filesystem::remove(path_ + ".former");
    }

    SessionFile::Wish wish() const {
        return {.path = path_,
                .kind = Memory::ordinary,
                .sizes = {.worker_count = 2, .buckets = 64, .buckets6 = 32, .affinity_records = 16},
                .owners = 5};
    }
    static SessionFile opened(const SessionFile::Wish& wish, std::uint32_t at_s = now_s) {
        Result<SessionFile> file = SessionFile::open(wish, at_s);
        EXPECT_TRUE(file) << (file ? "" : file.error().sentence);
        return std::move(*file);
    }
    std::string refusal() const {
        const Result<SessionFile> file = SessionFile::open(wish(), now_s);
        return file ? "" : file.error().sentence;
    }
    // Of a file in whose header this octet is another.
    std::string remark_after_change(std::size_t at) const {
        { opened(wish()); }
        {
            std::fstream file{path_, std::ios::in | std::ios::out | std::ios::binary};
            file.seekg(static_cast<std::streamoff>(at));
            const int octet = file.get();
            file.seekp(static_cast<std::streamoff>(at));
            file.put(static_cast<char>(octet ^ 1));
        }
        const SessionFile file = opened(wish());
        EXPECT_FALSE(file.is_taken_up());
        EXPECT_EQ(file.former(), nullptr);
        return file.remark();
    }

    std::string path_ = testing::TempDir() + "session_file." + std::to_string(::getpid());
};

TEST_F(SessionFileTest, WhatOneProcessHasWrittenTheNextOneReads) {
    HashKey secret;
    {
        SessionFile first = opened(wish());
        EXPECT_FALSE(first.is_taken_up());
        EXPECT_EQ(first.remark(), "");
        secret = first.secret();
        for (std::size_t worker = 0; worker < 2; ++worker) {
            const SessionFile::Tables tables = first.tables_of(worker);
            std::memset(tables.sessions.data(), static_cast<int>(1 + worker), 64);
            std::memset(tables.sessions6.data(), static_cast<int>(3 + worker), 64);
            std::memset(tables.affinity.data(), static_cast<int>(5 + worker), 64);
        }
    }
    const SessionFile second = opened(wish());
    EXPECT_TRUE(second.is_taken_up());
    EXPECT_EQ(second.secret(), secret);
    for (std::size_t worker = 0; worker < 2; ++worker) {
        const SessionFile::Tables tables = second.tables_of(worker);
        EXPECT_EQ(tables.sessions[63], static_cast<std::byte>(1 + worker));
        EXPECT_EQ(tables.sessions6[63], static_cast<std::byte>(3 + worker));
        EXPECT_EQ(tables.affinity[63], static_cast<std::byte>(5 + worker));
    }
}

TEST_F(SessionFileTest, WithoutAPathNothingIsKept) {
    SessionFile::Wish nowhere = wish();
    nowhere.path.clear();
    const HashKey first = opened(nowhere).secret();
    const SessionFile second = opened(nowhere);
    EXPECT_FALSE(second.is_taken_up());
    EXPECT_NE(second.secret(), first);
    EXPECT_EQ(second.tables_of(1).affinity[0], std::byte{0});
}

TEST_F(SessionFileTest, TablesOfAnotherSizeAreHandedOutAndGoWhenTheyAreForgotten) {
    {
        SessionFile first = opened(wish());
        first.tables_of(1).sessions[0] = std::byte{9};
    }
    for (const bool is_size : {true, false}) {
        SessionFile::Wish other = wish();
        other.sizes.buckets = is_size ? 128 : 64;
        other.owners = is_size ? 5 : 6;
        {
            SessionFile second = opened(other);
            EXPECT_FALSE(second.is_taken_up());
            ASSERT_NE(second.former(), nullptr);
            EXPECT_EQ(second.tables_of(1).sessions[0], std::byte{0});
            EXPECT_EQ(second.former()->tables_of(1).sessions[0],
                      is_size ? std::byte{9} : std::byte{0});
            second.forget_former();
            EXPECT_FALSE(std::filesystem::exists(path_ + ".former"));
        }
        EXPECT_TRUE(opened(other).is_taken_up());
    }
}

TEST_F(SessionFileTest, WhatIsNoSoundFileOfThisMachineIsRefusedWithItsReason) {
    EXPECT_NE(remark_after_change(0).find("not a session file"), std::string::npos);
    EXPECT_NE(remark_after_change(8).find("by a version that lays"), std::string::npos);
    EXPECT_NE(remark_after_change(16).find("from another machine"), std::string::npos);
    std::ofstream{path_, std::ios::trunc} << "something else";
    EXPECT_NE(opened(wish()).remark().find("not a session file"), std::string::npos);
    std::filesystem::resize_file(path_, 6 << 20);
    EXPECT_NE(opened(wish()).remark().find("its size"), std::string::npos);
}

TEST_F(SessionFileTest, SessionsThatNobodyHasServedForAnHourAreNotTakenUp) {
    {
        SessionFile first = opened(wish());
        first.note_alive(now_s + 1'000);
    }
    EXPECT_TRUE(opened(wish(), now_s + 1'000 + 3'600).is_taken_up());
    EXPECT_NE(opened(wish(), now_s + 1'000 + 2 * 3'600 + 1).remark().find("more than an hour ago"),
              std::string::npos);
}

TEST_F(SessionFileTest, AfterItHasBegunAfreshNothingIsLeft) {
    HashKey secret;
    {
        SessionFile first = opened(wish());
        secret = first.secret();
        first.tables_of(0).sessions[0] = std::byte{9};
    }
    SessionFile second = opened(wish());
    ASSERT_TRUE(second.is_taken_up());
    second.begin_afresh();
    EXPECT_FALSE(second.is_taken_up());
    EXPECT_EQ(second.tables_of(0).sessions[0], std::byte{0});
    EXPECT_NE(second.secret(), secret);
}

TEST_F(SessionFileTest, AFileInUseOrOpenToOthersIsRefused) {
    {
        const SessionFile held = opened(wish());
        EXPECT_NE(refusal().find("in use by another fulcrumd"), std::string::npos);
    }
    EXPECT_EQ(refusal(), "");
    ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
    EXPECT_NE(refusal().find("does not belong to fulcrumd alone"), std::string::npos);
    std::filesystem::remove(path_);
    std::filesystem::create_symlink("/dev/null", path_);
    EXPECT_NE(refusal().find("cannot be opened"), std::string::npos);
}

TEST_F(SessionFileTest, HugePagesAreAskedForWhereThereAreHugePages) {
    SessionFile::Wish huge = wish();
    huge.kind = Memory::hugepages;
    const Result<SessionFile> file = SessionFile::open(huge, now_s);
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().sentence.find("is not on a hugetlbfs"), std::string::npos);
}

}  // namespace
}  // namespace fulcrum
