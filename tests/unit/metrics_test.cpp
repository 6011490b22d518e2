// The metrics page and the server that hands it out, scraped with plain sockets.
#include "controlplane/metrics.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

#include "controlplane/metrics_server.h"

namespace fulcrum {
namespace {

// --- the page --------------------------------------------------------------------------------

class MetricsPageTest : public testing::Test {
  protected:
    MetricsPageTest() {
        sources_.listing = &listing_;
        sources_.boards = {&first_, &second_};
        sources_.cycles_per_s = 1e9;
        sources_.reloads = &reloads_;
        sources_.loop = &loop_;
        sources_.check_durations = &durations_;
        sources_.log = &log_;
        sources_.twins = {{"wan", &twin_}};
        sources_.ports = [] {
            PortFigures wan;
            wan.port = "wan";
            wan.is_up = true;
            wan.received_bytes = 123;
            return std::vector{wan};
        };
    }

    static ListedReal real_of(const std::string& name, std::uint32_t tally) {
        ListedReal real;
        real.name = name;
        real.tally = tally;
        real.state = RealState::up;
        real.weight = 2;
        real.checks = std::make_shared<CheckTally>();
        return real;
    }
    void list(std::vector<ListedReal> reals) {
        Listing listing;
        listing.epoch = 17;
        listing.services.emplace_back();
        listing.services[0].name = "web";
        listing.services[0].reals = std::move(reals);
        listing_.show(std::move(listing));
    }
    std::string page() { return render_metrics(sources_, Instant{60s}); }
    bool page_has(const std::string& line) {
        const std::string text = page();
        return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
    }

    CounterBoard first_{8, 4};
    CounterBoard second_{8, 4};
    Shown<Listing> listing_;
    ReloadCounters reloads_;
    LoopCounters loop_;
    TwinCounters twin_;
    std::map<CheckType, CheckDurations> durations_;
    Log log_;
    MetricsSources sources_;
};

TEST_F(MetricsPageTest, TellsWorkersDropsByReason) {
    first_.worker().dropped[static_cast<std::size_t>(DropReason::table_full)].add(3);
    second_.worker().dropped[static_cast<std::size_t>(DropReason::no_real)].add(4);
    EXPECT_TRUE(page_has(R"(fulcrum_dropped_packets_total{reason="table_full",worker="0"} 3)"));
    EXPECT_TRUE(page_has(R"(fulcrum_dropped_packets_total{reason="no_real",worker="1"} 4)"));
    EXPECT_TRUE(page_has(R"(fulcrum_dropped_packets_total{reason="no_real",worker="0"} 0)"));
}

TEST_F(MetricsPageTest, TellsAServicesDropsByReasonWhereThereHaveBeenAny) {
    list({});
    EXPECT_EQ(page().find("service_drops_total"), std::string::npos);
    first_.drops(0).by_reason[static_cast<std::size_t>(DropReason::no_real)].add(4);
    second_.drops(0).by_reason[static_cast<std::size_t>(DropReason::no_real)].add(1);
    EXPECT_TRUE(page_has(R"(fulcrum_service_drops_total{service="web",reason="no_real"} 5)"));
    EXPECT_EQ(page().find(R"(service="web",reason="no_session")"), std::string::npos);
}

TEST_F(MetricsPageTest, CountsTimeInSeconds) {
    first_.worker().busy_cycles.add(2'500'000'000);
    EXPECT_TRUE(page_has(R"(fulcrum_worker_busy_seconds_total{worker="0"} 2.5)"));
    EXPECT_TRUE(page_has("fulcrum_uptime_seconds 60"));
    list({});
    EXPECT_TRUE(page_has("fulcrum_epoch 17"));
}

TEST_F(MetricsPageTest, SumsAServiceOverWorkersAndReals) {
    list({real_of("web1", 5), real_of("web2", 6)});
    first_.tally(5).in_packets.add(10);
    second_.tally(5).in_packets.add(20);
    second_.tally(6).in_packets.add(1);
    EXPECT_TRUE(page_has(R"(fulcrum_real_in_packets_total{service="web",real="web1"} 30)"));
    EXPECT_TRUE(page_has(R"(fulcrum_service_in_packets_total{service="web"} 31)"));
    EXPECT_TRUE(page_has(R"(fulcrum_real_weight{service="web",real="web2"} 2)"));
}

TEST_F(MetricsPageTest, NamesARealOnceEvenWhenItsPredecessorDrains) {
    ListedReal removed = real_of("web1", 6);
    removed.state = RealState::removed;
    list({real_of("web1", 5), removed});
    first_.tally(6).in_packets.add(9);
    const std::string text = page();
    const std::string sample = R"(fulcrum_real_in_packets_total{service="web",real="web1"} )";
    EXPECT_EQ(text.find(sample), text.rfind(sample));
    EXPECT_TRUE(page_has(R"(fulcrum_service_in_packets_total{service="web"} 9)"));
}

TEST_F(MetricsPageTest, SaysNothingOfRepliesUnderDirectRouting) {
    ListedReal real = real_of("web1", 5);
    real.forward = ForwardingMode::direct;
    list({real});
    const std::string text = page();
    EXPECT_EQ(text.find("fulcrum_real_out_packets_total{"), std::string::npos);
    EXPECT_EQ(text.find("fulcrum_service_out_packets_total{"), std::string::npos);
    EXPECT_NE(text.find("fulcrum_real_in_packets_total{"), std::string::npos);
}

TEST_F(MetricsPageTest, AddsUpCheckDurationsAsAHistogram) {
    durations_[CheckType::http].counts[0].add(2);  // up to 1 ms
    durations_[CheckType::http].counts[3].add(1);  // up to 10 ms
    durations_[CheckType::http].counts.back().add(1);
    durations_[CheckType::http].sum_us.add(5'000'000);
    EXPECT_TRUE(page_has(R"(fulcrum_check_duration_seconds_bucket{type="http",le="0.001"} 2)"));
    EXPECT_TRUE(page_has(R"(fulcrum_check_duration_seconds_bucket{type="http",le="3"} 3)"));
    EXPECT_TRUE(page_has(R"(fulcrum_check_duration_seconds_bucket{type="http",le="+Inf"} 4)"));
    EXPECT_TRUE(page_has(R"(fulcrum_check_duration_seconds_count{type="http"} 4)"));
    EXPECT_TRUE(page_has(R"(fulcrum_check_duration_seconds_sum{type="http"} 5)"));
}

TEST_F(MetricsPageTest, TellsPortsAndTwins) {
    twin_.to_kernel.add(8);
    EXPECT_TRUE(page_has(R"(fulcrum_port_received_bytes_total{port="wan"} 123)"));
    EXPECT_TRUE(page_has(R"(fulcrum_port_up{port="wan"} 1)"));
    EXPECT_TRUE(page_has(R"(fulcrum_twin_to_kernel_frames_total{port="wan"} 8)"));
}

TEST_F(MetricsPageTest, KeepsPrometheusConventions) {
    list({real_of("web1", 5)});
    durations_[CheckType::http].counts[0].add(1);
    std::istringstream lines{page()};
    const std::regex name{"fulcrum_[a-z_]+"};
    std::set<std::string> families;
    std::set<std::string> samples;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words{line};
        std::string hash;
        std::string kind;
        std::string family;
        std::string type;
        words >> hash >> kind >> family >> type;
        if (hash != "#") {
            EXPECT_TRUE(samples.insert(line.substr(0, line.rfind(' '))).second)
                << "twice: " << line;
            continue;
        }
        if (kind != "TYPE") {
            continue;
        }
        EXPECT_TRUE(families.insert(family).second) << "family twice: " << family;
        EXPECT_TRUE(std::regex_match(family, name)) << family;
        EXPECT_EQ(type == "counter", family.ends_with("_total")) << family << " " << type;
    }
    EXPECT_GT(families.size(), 50U);
}

// --- the server ------------------------------------------------------------------------------

class Scrape {
  public:
    explicit Scrape(Endpoint server) : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        const timeval waiting_max{5, 0};
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &waiting_max, sizeof(waiting_max));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = server.address.v4().value.wire();
        address.sin_port = server.port.wire();
        is_connected =
            ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    }
    ~Scrape() { ::close(socket_); }
    Scrape(const Scrape&) = delete;
    Scrape& operator=(const Scrape&) = delete;

    void send(const std::string& octets) {
        ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
    }
    std::string receive_all() {
        std::string text;
        std::array<char, 65'536> octets{};
        for (ssize_t n = 0; (n = recv(socket_, octets.data(), octets.size(), 0)) > 0;) {
            text.append(octets.data(), static_cast<std::size_t>(n));
        }
        return text;
    }
    std::string ask(const std::string& method, const std::string& path) {
        send(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        return receive_all();
    }

    bool is_connected = false;

  private:
    int socket_;
};

class MetricsServerTest : public testing::Test {
  protected:
    MetricsServerTest() {
        auto opened = MetricsServer::open({Ipv4Address::of(127, 0, 0, 1), be16{}}, [this] {
            ++rendered_count_;
            return page_;
        });
        EXPECT_TRUE(opened);
        server_ = std::move(*opened);
    }
    std::string ask(const std::string& method, const std::string& path) {
        return Scrape{server_->endpoint()}.ask(method, path);
    }

    std::string page_ = "fulcrum_epoch 1\n";
    std::atomic<int> rendered_count_{0};
    std::unique_ptr<MetricsServer> server_;
};

TEST_F(MetricsServerTest, HandsOutThePageInTextFormat) {
    const std::string reply = ask("GET", "/metrics");
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 ")) << reply;
    EXPECT_NE(reply.find("Content-Type: text/plain; version=0.0.4; charset=utf-8"),
              std::string::npos);
    EXPECT_TRUE(reply.ends_with("\r\n\r\nfulcrum_epoch 1\n"));
}

TEST_F(MetricsServerTest, HasNothingElse) {
    EXPECT_TRUE(ask("GET", "/").starts_with("HTTP/1.1 404 "));
    EXPECT_TRUE(ask("GET", "/metrics/x").starts_with("HTTP/1.1 404 "));
    EXPECT_TRUE(ask("POST", "/metrics").starts_with("HTTP/1.1 405 "));
    EXPECT_TRUE(ask("HEAD", "/metrics").ends_with("\r\n\r\n"));
}

TEST_F(MetricsServerTest, MakesOnePageForManyScrapers) {
    for (int n = 0; n < 20; ++n) {
        EXPECT_TRUE(ask("GET", "/metrics").starts_with("HTTP/1.1 200 "));
    }
    EXPECT_LT(rendered_count_, 20);
}

TEST_F(MetricsServerTest, AnswersWhileNineHundredConnectionsStall) {
    std::vector<std::unique_ptr<Scrape>> stalled;
    for (int n = 0; n < 900; ++n) {
        stalled.push_back(std::make_unique<Scrape>(server_->endpoint()));
        stalled.back()->send("GET /metrics HTTP/1.1\r\nHost: ");
    }
    const Instant start = std::chrono::steady_clock::now();
    EXPECT_TRUE(ask("GET", "/metrics").starts_with("HTTP/1.1 200 "));
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

TEST_F(MetricsServerTest, RefusesAHeadWithoutEnd) {
    Scrape scrape{server_->endpoint()};
    scrape.send("GET /metrics HTTP/1.1\r\nX: ");
    for (int n = 0; n < 64; ++n) {
        scrape.send(std::string(16'384, 'x'));
    }
    const std::string reply = scrape.receive_all();
    EXPECT_EQ(reply.find("200 OK"), std::string::npos);
    EXPECT_TRUE(ask("GET", "/metrics").starts_with("HTTP/1.1 200 "));
}

TEST_F(MetricsServerTest, WantsALoginWhereThereAreAny) {
    const auto guarded = MetricsServer::open({Ipv4Address::of(127, 0, 0, 1), be16{}},
                                             [this] { return page_; }, {.logins = {"scrape:pw"}});
    ASSERT_TRUE(guarded);
    const auto ask_as = [&](const std::string& line) {
        Scrape scrape{(*guarded)->endpoint()};
        scrape.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + line + "\r\n");
        return scrape.receive_all();
    };
    EXPECT_TRUE(ask_as("").starts_with("HTTP/1.1 401 "));
    EXPECT_NE(ask_as("").find("WWW-Authenticate: Basic realm=\"metrics\""), std::string::npos);
    // "scrape:pw", "scrape:pv", "scrape:p" in base64
    EXPECT_TRUE(ask_as("Authorization: Basic c2NyYXBlOnB3\r\n").starts_with("HTTP/1.1 200 "));
    EXPECT_TRUE(ask_as("Authorization: Basic c2NyYXBlOnB2\r\n").starts_with("HTTP/1.1 401 "));
    EXPECT_TRUE(ask_as("Authorization: Basic c2NyYXBlOnA=\r\n").starts_with("HTTP/1.1 401 "));
}

TEST(MetricsAccess, IsRefusedWhereOthersCanReadASecret) {
    const std::string path = testing::TempDir() + "metrics_logins";
    const auto write = [&](const std::string& text, mode_t mode) {
        std::ofstream{path} << text;
        chmod(path.c_str(), mode);
        return read_metrics_access({.logins = path});
    };
    const auto readable = write("# who scrapes\nscrape:a:b\n", 0600);
    ASSERT_TRUE(readable) << readable.error().sentence;
    EXPECT_TRUE(readable->admits("scrape", "a:b"));
    EXPECT_FALSE(readable->admits("scrape", "a"));
    EXPECT_EQ(write("scrape:pw\n", 0640).error().sentence,
              "metrics.logins \"" + path + "\" can be read by others than its owner: chmod 600 it");
    EXPECT_NE(write("scrape\n", 0600).error().sentence.find("line 1 does not read NAME:PASSWORD"),
              std::string::npos);
    EXPECT_NE(write("# nobody\n", 0600).error().sentence.find("names nobody"), std::string::npos);
    unlink(path.c_str());
    EXPECT_FALSE(read_metrics_access({.logins = path}));
}

TEST_F(MetricsServerTest, SaysWhyItCannotListen) {
    const auto second = MetricsServer::open(server_->endpoint(), [] { return std::string{"x"}; });
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().sentence, "metrics.listen " + to_string(server_->endpoint()) +
                                           " cannot be opened: Address already in use");
}

}  // namespace
}  // namespace fulcrum
