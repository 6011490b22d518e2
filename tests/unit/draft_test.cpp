// What an importer drafts is a file that reads as the same: what a file cannot say is lost by name.
#include "config/import/draft.h"

#include "config/loader.h"
#include "tests/support/import_bench.h"

namespace fulcrum {
namespace {

struct OddFile {
    const char* sentence;  // what is odd
    Dialect dialect;
    std::string text;
    std::vector<std::string> lost;  // its lines
};

void PrintTo(const OddFile& file, std::ostream* out) { *out << file.sentence; }

class Draft : public testing::TestWithParam<OddFile> {};

TEST_P(Draft, ReadsAsTheSame) {
    const OddFile& file = GetParam();
    Imported import = imported(file.dialect, file.text);
    EXPECT_EQ(lost(import), file.lost);
    import.config.director.workers = {1};
    import.config.ports = {{.name = "p", .kind = DeviceKind::vdev, .device = "net_null0" }};
    const std::string text = write_config(import.config);
    const LoadOutcome outcome = load_config_text(text, "old");
    EXPECT_TRUE(outcome.config == import.config)
        << text << testing::PrintToString(outcome.problems);
}

std::string in_section(const std::string& lines) {
    return "virtual=192.0.2.1:80\n real=10.0.0.1:80 masq\n" + lines;
}

std::string in_block(const std::string& lines) {
    return "virtual a {\naddress = 192.0.2.1\nport = 25\n" + lines + "}\n";
}

std::string in_checker(const std::string& checker) {
    return "virtual_server 192.0.2.1 80 {\nreal_server 10.0.0.1 80 {\n" + checker + "\n}\n}\n";
}

std::string many(const std::string& piece, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) {
        all += piece;
    }
    return all;
}

const std::string zero(1, '\0');

INSTANTIATE_TEST_SUITE_P(
    OfLdirectord, Draft,
    testing::Values(OddFile{"octets that are no UTF-8",
                            Dialect::ldirectord,
                            in_section(" service=http\n receive=\"Gr\xFC\xDF\"\n"),
                            {"receive=\"Gr\xFC\xDF\""}},
                    OddFile{"a zero in an expression",
                            Dialect::ldirectord,
                            in_section(" service=http\n receive=\"a.*" + zero + "\"\n"),
                            {"receive=\"a.*" + zero + "\""}},
                    OddFile{"a password that is no UTF-8",
                            Dialect::ldirectord,
                            in_section(" service=ftp\n login=\"x\"\n passwd=\"\xFF\"\n"),
                            {"passwd=\"\xFF\""}},
                    OddFile{"octets to be sent",
                            Dialect::ldirectord,
                            in_section(" service=simpletcp\n request=\"\xFF" + zero + "\"\n"),
                            {}},
                    OddFile{"a status that nothing has",
                            Dialect::ldirectord,
                            "emailalert=\"a@b\"\nemailalertstatus=begin\n",
                            {"emailalertstatus=begin"}},
                    OddFile{"mail at the end alone",
                            Dialect::ldirectord,
                            "emailalert=\"a@b\"\nemailalertstatus=stopping\n",
                            {}},
                    OddFile{"a VIP that is the machine's own",
                            Dialect::ldirectord,
                            "virtual=127.0.0.1:80\n",
                            {"virtual=127.0.0.1:80"}},
                    OddFile{"a range that is a network of its own",
                            Dialect::ldirectord,
                            "virtual=192.0.2.1:80\n real=10.0.0.0->10.0.255.255:80 masq\n",
                            {"real=10.0.0.0->10.0.255.255:80 masq"}},
                    OddFile{"minutes",
                            Dialect::ldirectord,
                            in_section(" checktimeout=50m\n"),
                            {"checktimeout=50m"}},
                    OddFile{"an interval of many ages",
                            Dialect::ldirectord,
                            "autoreload=yes\ncheckinterval=9223372036854775807\n",
                            {"autoreload=yes"}},
                    OddFile{"a program without a path",
                            Dialect::ldirectord,
                            in_section(" checktype=external\n checkcommand=\"x\"\n"),
                            {"checkcommand=\"x\""}},
                    OddFile{"a program of as many words as there may be",
                            Dialect::ldirectord,
                            in_section(" checktype=external\n checkcommand=\"/x" + many(" y", 60) +
                                       "\"\n"),
                            {"checkcommand=\"/x" + many(" y", 60) + "\""}}));

INSTANTIATE_TEST_SUITE_P(
    OfPiranha, Draft,
    testing::Values(OddFile{"a zero in an answer",
                            Dialect::piranha,
                            in_block("send = \"x\"\nexpect = \"a" + zero + "\"\n"),
                            {"expect = \"a" + zero + "\""}},
                    OddFile{"half a second",
                            Dialect::piranha,
                            in_block("timeout = 500m\n"),
                            {"timeout = 500m"}},
                    OddFile{"a return after many ages",
                            Dialect::piranha,
                            in_block("reentry = 9223372036854775807\n"),
                            {"reentry = 9223372036854775807"}},
                    OddFile{"a program of many words",
                            Dialect::piranha,
                            in_block("send_program = \"/x" + many(" y", 64) + "\"\n"),
                            {"send_program = \"/x" + many(" y", 64) + "\""}},
                    OddFile{"a program's word with a percent sign",
                            Dialect::piranha,
                            in_block("send_program = \"/x %h 5%\"\n"),
                            {}}));

INSTANTIATE_TEST_SUITE_P(
    OfKeepalived, Draft,
    testing::Values(OddFile{"a path that is no UTF-8",
                            Dialect::keepalived,
                            in_checker("MISC_CHECK {\nmisc_path /x\xFF\n}"),
                            {"misc_path /x\xFF"}},
                    OddFile{"more recipients than a mail has",
                            Dialect::keepalived,
                            "global_defs {\nnotification_email {\n" + many("a@b\n", 33) + "}\n}\n",
                            {"a@b"}},
                    OddFile{"a recipient longer than an address",
                            Dialect::keepalived,
                            "global_defs {\nnotification_email {\n" + many("a", 253) + "@b\n}\n}\n",
                            {many("a", 253) + "@b"}},
                    OddFile{"a group of many networks",
                            Dialect::keepalived,
                            "virtual_server_group g {\n" + many("192.0.2.0/28 80\n", 1'025) +
                                "}\nvirtual_server group g {\n}\n",
                            {"virtual_server group g {"}}));

INSTANTIATE_TEST_SUITE_P(OfIpvsadm, Draft,
                         testing::Values(OddFile{"a real whose address begins with colons",
                                                 Dialect::ipvsadm,
                                                 "-A -t [2001:db8::1]:80\n"
                                                 "-a -t [2001:db8::1]:80 -r [::1]:80 -m\n",
                                                 {}},
                                         OddFile{"a VIP of the machine's own",
                                                 Dialect::ipvsadm,
                                                 "-A -t 127.0.0.1:80\n",
                                                 {"-A -t 127.0.0.1:80"}}));

}  // namespace
}  // namespace fulcrum
