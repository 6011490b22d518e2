// Which reals the names of files mean.
#include "controlplane/maintenance.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace fulcrum {
namespace {

const Endpoint web1{Ipv4Address::of(10, 0, 0, 11), be16{8'080}};

TEST(Maintenance, KnowsARealByItsNameItsServiceItsAddressAndItsPort) {
    for (const char* name : {"web1", "shop", "10.0.0.11", "10.0.0.11:8080"}) {
        EXPECT_TRUE(is_in_maintenance({name}, "shop", "web1", web1)) << name;
    }
    for (const char* name : {"web", "web11", "10.0.0.1", "10.0.0.11:80", "shop/web1"}) {
        EXPECT_FALSE(is_in_maintenance({name}, "shop", "web1", web1)) << name;
    }
    const Endpoint ipv6{*parse_ip_address("2001:db8::11"), be16{80}};
    EXPECT_TRUE(is_in_maintenance({"2001:db8::11"}, "shop", "web6", ipv6));
    EXPECT_TRUE(is_in_maintenance({"[2001:db8::11]:80"}, "shop", "web6", ipv6));
}

TEST(Maintenance, ReadsAFolderAndNothingWhereThereIsNone) {
    const std::string folder =
        testing::TempDir() + "maintenance_test." + std::to_string(::getpid());
    EXPECT_TRUE(names_in_folder(folder).empty());
    std::filesystem::create_directory(folder);
    std::ofstream{folder + "/web1"};
    std::ofstream{folder + "/10.0.0.11:80"} << "whatever";
    EXPECT_EQ(names_in_folder(folder), (std::set<std::string>{"10.0.0.11:80", "web1"}));
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace fulcrum
