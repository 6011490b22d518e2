// The way from events to mail and hook: a mail server of a few lines, and a real program.
#include "controlplane/telling/teller.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// Takes every mail: what SMTP's client says, line by line.
class MailServer {
  public:
    MailServer() : listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
        ::listen(listener_.get(), 8);
        socklen_t length = sizeof address;
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread{[this] { serve(); }};
    }
    ~MailServer() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
    }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    std::string heard() const {
        const std::lock_guard lock{mutex_};
        return heard_;
    }

  private:
    void serve() {
        for (;;) {
            const FileDescriptor wire{::accept(listener_.get(), nullptr, nullptr)};
            if (!wire.is_open()) {
                return;
            }
            converse(wire.get());
        }
    }
    void converse(int wire) {
        bool is_text = false;
        std::string rest;
        say(wire, "220 twin\r\n");
        char octets[4'096];
        for (ssize_t count = 0; (count = ::recv(wire, octets, sizeof octets, 0)) > 0;) {
            rest.append(octets, static_cast<std::size_t>(count));
            for (std::size_t end = 0; (end = rest.find("\r\n")) != std::string::npos;) {
                const std::string line = rest.substr(0, end);
                rest.erase(0, end + 2);
                {
                    const std::lock_guard lock{mutex_};
                    heard_ += line + "\n";
                }
                if (is_text) {
                    is_text = line != ".";
                    say(wire, is_text ? "" : "250 taken\r\n");
                } else {
                    is_text = line == "DATA";
                    say(wire, is_text ? "354 go on\r\n" : "250 yes\r\n");
                }
            }
        }
    }
    static void say(int wire, const std::string& words) {
        ::send(wire, words.data(), words.size(), MSG_NOSIGNAL);
    }

    FileDescriptor listener_;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::string heard_;
    std::thread thread_;
};

class TellerTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "teller_test.XXXXXX").string();
        folder_ = mkdtemp(name.data());
        config_.director.name = "lb1";
        VirtualService& service = config_.services.emplace_back();
        service.name = "web";
        service.vip = Ipv4Address::of(203, 0, 113, 80);
        service.port = be16{80};
        service.reals = {{.name = "web1", .endpoint = {Ipv4Address::of(10, 0, 0, 1), be16{80}}},
                         {.name = "web2", .endpoint = {Ipv4Address::of(10, 0, 0, 2), be16{80}}}};
        config_.mail = MailSettings{.server = server_.address(),
                                    .from = "lb1@example.net",
                                    .to = {"ops@example.net"},
                                    .when = {},
                                    .gather_s = 0};
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string content_of(const std::string& name) const {
        std::ostringstream content;
        content << std::ifstream{folder_ / name}.rdbuf();
        return content.str();
    }
    void call_a_program() {
        const fs::path path = folder_ / "program";
        std::ofstream{path} << "#!/bin/sh\necho $FULCRUM_REAL $FULCRUM_FROM $FULCRUM_TO "
                            << "$FULCRUM_EVENT $FULCRUM_REALS_UP >> " << (folder_ / "told").string()
                            << "\n";
        chmod(path.c_str(), 0755);
        config_.hook = HookSettings{.program = path};
    }
    // Until `is_so`, with the loop running.
    template <typename IsSo>
    bool turns_true(const IsSo& is_so) {
        for (int i = 0; i < 2'000 && !is_so(); ++i) {
            loop_.run_for(10ms);
        }
        return is_so();
    }

    MailServer server_;
    fs::path folder_;
    Config config_;
    EventLoop loop_;
    Log log_;
};

TEST_F(TellerTest, SendsAMailThatAServerTakes) {
    Teller teller{loop_, log_};
    teller.follow(config_);
    teller.on_event({"web", "web1", RealNews::down, "connection refused"});
    ASSERT_TRUE(turns_true([this] { return server_.heard().find("\n.\n") != std::string::npos; }));
    const std::string heard = server_.heard();
    EXPECT_NE(heard.find("MAIL FROM:<lb1@example.net>"), std::string::npos) << heard;
    EXPECT_NE(heard.find("RCPT TO:<ops@example.net>"), std::string::npos) << heard;
    EXPECT_NE(heard.find("\nSubject: [lb1] web/web1 is down\n"), std::string::npos) << heard;
    EXPECT_NE(
        heard.find("(203.0.113.80:80/tcp): real \"web1\" (10.0.0.1:80): unknown becomes down: "
                   "connection refused; 0 of 2 reals are up\n"),
        std::string::npos)
        << heard;
}

TEST_F(TellerTest, CallsTheHookForEachChangeInItsOrder) {
    config_.mail.reset();
    call_a_program();
    Teller teller{loop_, log_};
    teller.follow(config_);
    teller.on_event({"web", "web1", RealNews::up, "HTTP 200"});
    teller.on_event({"web", "web2", RealNews::up, "HTTP 200"});
    teller.on_event({"web", "web1", RealNews::down, "HTTP 500"});
    teller.on_event({"web", "web2", RealNews::drained, ""});
    teller.on_event({"web", "web2", RealNews::down, "HTTP 500"});  // nobody's concern now
    teller.on_event({"web", "web2", RealNews::undrained, ""});
    teller.on_event({"web", "web3", RealNews::up, ""});  // is no real
    const std::string wanted =
        "web1 unknown up up 1\nweb2 unknown up up 2\nweb1 up down down 1\n"
        "web2 up drained drained 0\nweb2 drained down undrained 0\n";
    EXPECT_TRUE(turns_true([&] { return content_of("told").size() >= wanted.size(); }));
    EXPECT_EQ(content_of("told"), wanted);
}

TEST_F(TellerTest, TellsOfAServiceThatGainsAndLosesItsQuorum) {
    call_a_program();
    Teller teller{loop_, log_};
    teller.follow(config_);
    teller.on_event({"web", "web1", RealNews::up, "HTTP 200"});
    teller.on_event({"web", "", RealNews::quorum_up, "its sound reals weigh 1"});
    teller.follow(config_);
    teller.on_event({"web", "", RealNews::quorum_down, "its sound reals weigh 0"});
    const std::string wanted =
        "web1 unknown up up 1\nunknown up quorum_up 1\nup down quorum_down 1\n";
    EXPECT_TRUE(turns_true([&] { return content_of("told").size() >= wanted.size(); }));
    EXPECT_EQ(content_of("told"), wanted);
    ASSERT_TRUE(turns_true([this] {
        return server_.heard().find("its quorum: up becomes down: its sound reals weigh 0; ") !=
               std::string::npos;
    })) << server_.heard();
}

TEST_F(TellerTest, TellsFirstVerdictsOfAReloadFromThoseOfAStart) {
    config_.mail->when = {.starting = false, .running = false, .reloading = true};
    Teller teller{loop_, log_};
    teller.follow(config_);
    teller.on_event({"web", "web1", RealNews::down, "first"});
    config_.services[0].reals.push_back(
        {.name = "web3", .endpoint = {Ipv4Address::of(10, 0, 0, 3), be16{80}}});
    teller.follow(config_);
    teller.on_event({"web", "web1", RealNews::up, "second"});
    teller.on_event({"web", "web3", RealNews::up, "third"});
    ASSERT_TRUE(turns_true([this] { return server_.heard().find("\n.\n") != std::string::npos; }));
    EXPECT_EQ(server_.heard().find("first"), std::string::npos);
    EXPECT_EQ(server_.heard().find("second"), std::string::npos);
    EXPECT_NE(server_.heard().find("third"), std::string::npos);
}

}  // namespace
}  // namespace fulcrum
