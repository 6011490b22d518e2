// Lists of clients in files of their own: read, shared, and refused line by line.
#include "config/access_files.h"

#include <gtest/gtest.h>

#include <map>

namespace fulcrum {
namespace {

class AccessFilesTest : public testing::Test {
  protected:
    VirtualService& service(const std::string& name) {
        config_.services.emplace_back();
        config_.services.back().name = name;
        config_.services.back().place = {"/etc/fulcrum/d.cfg", 7};
        return config_.services.back();
    }
    void gather() {
        gather_access_rules(
            config_,
            [this](const std::string& path) -> Result<std::string> {
                read_.push_back(path);
                const auto file = files_.find(path);
                return file == files_.end() ? Result<std::string>{Error{"cannot be opened"}}
                                            : Result<std::string>{file->second};
            },
            findings_);
    }
    std::vector<std::string> problems() const {
        std::vector<std::string> sentences;
        for (const Finding& finding : findings_.problems.kept()) {
            sentences.push_back(finding.place.file + ":" + std::to_string(finding.place.line) +
                                ": " + finding.sentence);
        }
        return sentences;
    }

    Config config_;
    Findings findings_;
    std::map<std::string, std::string> files_;
    std::vector<std::string> read_;
};

constexpr IpPrefix one = IpPrefix::only(Ipv4Address::of(198, 51, 100, 7));

TEST_F(AccessFilesTest, ReadsAPrefixALineBesideTheConfiguration) {
    files_["/etc/fulcrum/bad.txt"] =
        "# known bad\n198.51.100.0/24\n\n  2001:db8::/32  # all of it\r\n198.51.100.7";
    service("web").access.deny_file = "bad.txt";
    config_.services[0].access.deny = {one};
    gather();
    EXPECT_EQ(problems(), std::vector<std::string>{});
    const AccessRules& rules = *config_.services[0].access.rules;
    EXPECT_TRUE(rules.allow.empty());
    EXPECT_EQ(rules.deny, (std::vector<IpPrefix>{one,
                                                 {Ipv4Address::of(198, 51, 100, 0), 24},
                                                 {*parse_ip_address("2001:db8::"), 32},
                                                 one}));
}

TEST_F(AccessFilesTest, LooksIntoAFileOnceAndSharesWhatStandsThere) {
    files_["/lists/bad"] = "198.51.100.7\n";
    service("web").access.deny_file = "/lists/bad";
    service("mail").access.deny_file = "/lists/bad";
    service("open");
    gather();
    EXPECT_EQ(read_, std::vector<std::string>{"/lists/bad"});
    EXPECT_EQ(config_.services[0].access.rules, config_.services[1].access.rules);
    EXPECT_EQ(config_.services[2].access.rules, nullptr);
}

TEST_F(AccessFilesTest, RefusesWhatIsNoPrefixByItsPlace) {
    files_["/etc/fulcrum/bad.txt"] = "198.51.100.0/24\nnobody\n198.51.100.7/24\n300.1.1.1\n";
    service("web").access.deny_file = "bad.txt";
    gather();
    const std::string is_not =
        " is not an address or a network without host bits, as in \"198.51.100.0/24\"";
    EXPECT_EQ(problems(),
              (std::vector<std::string>{"/etc/fulcrum/bad.txt:2: \"nobody\"" + is_not,
                                        "/etc/fulcrum/bad.txt:3: \"198.51.100.7/24\"" + is_not,
                                        "/etc/fulcrum/bad.txt:4: \"300.1.1.1\"" + is_not}));
}

TEST_F(AccessFilesTest, RefusesAFileThatIsNotThere) {
    service("web").access.allow_file = "good.txt";
    gather();
    EXPECT_EQ(problems(),
              (std::vector<std::string>{"/etc/fulcrum/d.cfg:7: service \"web\": allow_file: the "
                                        "file \"/etc/fulcrum/good.txt\" cannot be opened"}));
}

TEST_F(AccessFilesTest, RefusesAnEmptyFileOfWhomToLetIn) {
    files_["/etc/fulcrum/good.txt"] = "# nobody yet\n";
    service("web").access.allow_file = "good.txt";
    gather();
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_NE(problems()[0].find("nobody would be let in"), std::string::npos);
}

TEST_F(AccessFilesTest, HasRoomForAMillionAndForNoMore) {
    std::string text;
    for (std::uint32_t i = 0; i < 1'000'000; ++i) {
        text += to_string(IpAddress{Ipv4Address::from_host(i * 16 + (1U << 24))}) + "/28\n";
    }
    files_["/etc/fulcrum/bad.txt"] = text;
    service("web").access.deny_file = "bad.txt";
    gather();
    EXPECT_EQ(problems(), std::vector<std::string>{});
    EXPECT_EQ(config_.services[0].access.rules->deny.size(), 1'000'000U);
    files_["/etc/fulcrum/bad.txt"] += "198.51.100.7\n";
    gather();
    EXPECT_EQ(problems(),
              (std::vector<std::string>{"/etc/fulcrum/bad.txt:0: the list has 1000001 prefixes, "
                                        "at most 1000000"}));
}

TEST(Access, IsTheSameWhenItsFilesHoldTheSame) {
    Access a;
    a.deny_file = "bad.txt";
    a.rules = std::make_shared<const AccessRules>(AccessRules{.allow = {}, .deny = {one}});
    Access b = a;
    EXPECT_TRUE(a == b);
    b.rules = std::make_shared<const AccessRules>(*a.rules);
    EXPECT_TRUE(a == b);
    b.rules = std::make_shared<const AccessRules>();
    EXPECT_FALSE(a == b);
    b.rules = nullptr;
    EXPECT_FALSE(a == b);
}

}  // namespace
}  // namespace fulcrum
