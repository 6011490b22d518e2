// A whole stream behind a PROXY header, by a naive twin of each end: a client that sends, repeats
// and probes as it pleases, and a real that puts together what it gets. Between them and the worker
// segments are lost, come twice and in any order. In the end the real has the header and the
// client's octets, each once; and on the way nobody hears what cannot be.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include "dataplane/client_address.h"
#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr std::uint32_t real_isn = 5'000;
constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;

using Random = std::mt19937;

bool happens(Random& random, unsigned in_a_hundred) { return random() % 100 < in_a_hundred; }

struct Segment {
    std::uint32_t sequence = 0;
    std::uint32_t acknowledged = 0;
    std::uint8_t flags = 0;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks;
    std::string content;
};

std::uint32_t word_at(const Frame& frame, std::size_t at) {
    return std::uint32_t{frame[at]} << 24 | std::uint32_t{frame[at + 1]} << 16 |
           std::uint32_t{frame[at + 2]} << 8 | frame[at + 3];
}

// Of a frame without IP options and extension headers.
Segment read(const Frame& frame) {
    const bool is_v6 = frame[ip_at] >> 4 == 6;
    const std::size_t tcp = ip_at + (is_v6 ? 40 : 20);
    const std::size_t options_end = tcp + (frame[tcp + 12] >> 4) * 4U;
    Segment segment{word_at(frame, tcp + 4), word_at(frame, tcp + 8), frame[tcp + 13], {}, {}};
    for (std::size_t at = tcp + 20; at < options_end;) {
        const std::size_t length = frame[at] == 1 ? 1 : frame[at + 1];
        for (std::size_t block = at + 2; frame[at] == 5 && block < at + length; block += 8) {
            segment.blocks.emplace_back(word_at(frame, block), word_at(frame, block + 4));
        }
        at += length;
    }
    segment.content.assign(frame.begin() + static_cast<std::ptrdiff_t>(options_end), frame.end());
    return segment;
}

bool has_sound_checksum(const Frame& frame) {
    if (frame[ip_at] >> 4 == 4) {
        return has_sound_checksums(frame);
    }
    const auto length = static_cast<std::uint32_t>(frame.size() - ip_at - 40);
    const std::uint32_t pseudo = naive_sum(frame, ip_at + 8, ip_at + 40) + 6 + length;
    return naive_sum(frame, ip_at + 40, frame.size(), pseudo) == 0xFFFF;
}

struct Ends {
    Endpoint client;
    Endpoint vip;
    Endpoint real;
    IpAddress local;
};

const Ends of_ipv4{{Ipv4Address::of(198, 51, 100, 7), be16{40'000}},
                   {Ipv4Address::of(10, 1, 0, 80), be16{80}},
                   {Ipv4Address::of(10, 2, 0, 11), be16{8'080}},
                   Ipv4Address::of(10, 2, 0, 100)};
const Ends of_ipv6{{*parse_ipv6_address("2001:db8:9::7"), be16{40'000}},
                   {*parse_ipv6_address("2001:db8:1::80"), be16{80}},
                   {*parse_ipv6_address("2001:db8:2::11"), be16{8'080}},
                   *parse_ipv6_address("2001:db8:2::100")};

// Positions are relative: 0 is the SYN, 1 the first octet, the FIN comes behind the last.
class NaiveClient {
  public:
    NaiveClient(Random& random, const Ends& ends, std::string stream)
        : random_{random}, ends_{ends}, stream_{std::move(stream)}, isn_{choose_isn()} {}

    bool is_done() const { return acknowledged_ == end(); }

    std::vector<Frame> speak() {
        if (acknowledged_ == 0) {
            const bool is_early = happens(random_, 20);
            return {segment(0, is_early ? 5 : 0, tcp_flag::syn)};
        }
        std::vector<Frame> sent;
        if (happens(random_, 30)) {
            sent.push_back(segment(acknowledged_, 0, tcp_flag::ack));
        }
        if (happens(random_, 10)) {
            sent.push_back(segment(acknowledged_ - 1, 0, tcp_flag::ack));  // a probe
        }
        std::uint32_t from = happens(random_, 60) ? acknowledged_ : std::max(sent_, acknowledged_);
        while (from < end() && happens(random_, 70)) {
            const auto length =
                std::min(1 + static_cast<std::uint32_t>(random_() % 300), end() - from);
            sent.push_back(segment(from, length, tcp_flag::ack));
            from += length;
        }
        sent_ = std::max(sent_, from);
        return sent;
    }

    void hear(const Segment& reply, const std::string& received) {
        ASSERT_NE(reply.flags & tcp_flag::ack, 0);
        const std::uint32_t told = reply.acknowledged - isn_;
        ASSERT_LE(told, std::max(sent_, 1U)) << "an acknowledgement of what was never sent";
        for (const auto& [left, right] : reply.blocks) {
            ASSERT_NE(told, left - isn_);
            ASSERT_GE(left - isn_, 1U);
            ASSERT_LT(left - isn_, right - isn_);
            ASSERT_LE(right - isn_, sent_);
            for (std::uint32_t at = left - isn_; at < right - isn_ && at < end() - 1; ++at) {
                ASSERT_EQ(received[at - 1], stream_[at - 1]) << "the real does not have it";
            }
        }
        acknowledged_ = std::max(acknowledged_, told);
        sent_ = std::max(sent_, acknowledged_);
    }

  private:
    std::uint32_t end() const { return static_cast<std::uint32_t>(stream_.size()) + 2; }
    std::uint32_t choose_isn() {
        return happens(random_, 50) ? static_cast<std::uint32_t>(random_())
                                    : 0U - static_cast<std::uint32_t>(random_() % 2'000);
    }
    Frame segment(std::uint32_t from, std::uint32_t length, std::uint8_t flags) {
        const bool is_syn = flags == tcp_flag::syn;
        const std::uint32_t first = is_syn ? 1 : from;
        const bool has_fin = !is_syn && length > 0 && from + length == end();
        const std::string content =
            length == 0 ? "" : stream_.substr(first - 1, length - (has_fin ? 1 : 0));
        return Packet::tcp(ends_.client, ends_.vip)
            .sequence(isn_ + from)
            .acknowledges(is_syn ? 0 : real_isn + 1)
            .flags(static_cast<std::uint8_t>(flags | (has_fin ? tcp_flag::fin : 0)))
            .payload(content)
            .bytes();
    }

    Random& random_;
    const Ends& ends_;
    std::string stream_;
    std::uint32_t isn_;
    std::uint32_t acknowledged_ = 0;
    std::uint32_t sent_ = 0;
};

// Positions as above, but that the header's octets count.
class NaiveReal {
  public:
    NaiveReal(Random& random, const Ends& ends) : random_{random}, ends_{ends} {}

    void set_local(const Endpoint& local) { local_ = local; }
    // Without gaps so far.
    std::string stream() const {
        std::string octets;
        for (const auto& [at, octet] : octets_) {
            if (at != octets.size() + 1) {
                break;
            }
            octets.push_back(octet);
        }
        return octets;
    }
    // At their places behind the header; what is missing is some other octet.
    std::string behind(std::size_t header_length) const {
        std::string octets(70'000, '\0');
        for (const auto& [at, octet] : octets_) {
            if (at > header_length) {
                octets[at - header_length - 1] = octet;
            }
        }
        return octets;
    }
    bool has_all() const { return fin_at_ && next() == *fin_at_; }

    std::vector<Frame> hear(const Segment& segment) {
        if ((segment.flags & tcp_flag::syn) != 0) {
            EXPECT_TRUE(segment.content.empty());
            isn_ = segment.sequence;
            return {reply(octets_.empty() ? syn_ack : tcp_flag::ack)};
        }
        const std::uint32_t from = segment.sequence - isn_;
        if (from > next() + 60'000) {
            return {reply(tcp_flag::ack)};  // behind what is expected by far: a probe
        }
        // Sometimes there is no room for all of it.
        const std::size_t taken = happens(random_, 10) ? random_() % (segment.content.size() + 1)
                                                       : segment.content.size();
        for (std::size_t i = 0; i < taken; ++i) {
            const auto [place, is_new] =
                octets_.emplace(from + static_cast<std::uint32_t>(i), segment.content[i]);
            EXPECT_EQ(place->second, segment.content[i]) << "another octet at " << from + i;
        }
        if ((segment.flags & tcp_flag::fin) != 0) {
            const auto at = from + static_cast<std::uint32_t>(segment.content.size());
            EXPECT_EQ(fin_at_.value_or(at), at);
            fin_at_ = at;
        }
        return {reply(tcp_flag::ack, segment)};
    }

  private:
    std::uint32_t next() const { return static_cast<std::uint32_t>(stream().size()) + 1; }
    // A block for what is missing none; in front of it, one that repeats what came twice.
    Frame reply(std::uint8_t flags, const Segment& heard = {}) {
        const std::uint32_t expected = next();
        std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks;
        const std::uint32_t from = heard.sequence - isn_;
        const auto heard_end = from + static_cast<std::uint32_t>(heard.content.size());
        if (!heard.content.empty() && heard_end < expected) {
            blocks.emplace_back(from, heard_end);
        }
        const auto gap_end = octets_.upper_bound(expected);
        if (gap_end != octets_.end()) {
            std::uint32_t right = gap_end->first;
            while (octets_.contains(right)) {
                ++right;
            }
            blocks.emplace_back(gap_end->first, right);
        }
        Frame options;
        if (!blocks.empty()) {
            options = {1, 1, 5, static_cast<std::uint8_t>(2 + 8 * blocks.size())};
        }
        for (const auto& [left, right] : blocks) {
            for (const std::uint32_t edge : {isn_ + left, isn_ + right}) {
                for (const unsigned bits : {24U, 16U, 8U, 0U}) {
                    options.push_back(static_cast<std::uint8_t>(edge >> bits));
                }
            }
        }
        const std::uint32_t fin = has_all() ? 1 : 0;
        return Packet::tcp(ends_.real, local_)
            .macs(mac_of(ends_.real.address), lan_mac)
            .sequence(flags == syn_ack ? real_isn : real_isn + 1)
            .acknowledges(isn_ + expected + fin)
            .flags(flags)
            .tcp_options(options)
            .bytes();
    }

    Random& random_;
    const Ends& ends_;
    Endpoint local_;
    std::uint32_t isn_ = 0;
    std::map<std::uint32_t, char> octets_;  // by position
    std::optional<std::uint32_t> fin_at_;
};

// What a bad way makes of frames.
std::vector<Frame> carried(Random& random, const std::vector<Frame>& frames, unsigned loss) {
    std::vector<Frame> arrived;
    for (const Frame& frame : frames) {
        if (!happens(random, loss)) {
            arrived.push_back(frame);
        }
        if (happens(random, 5)) {
            arrived.push_back(frame);
        }
    }
    if (happens(random, 30)) {
        std::shuffle(arrived.begin(), arrived.end(), random);
    }
    return arrived;
}

class WorkerClientStream : public testing::TestWithParam<bool> {
  protected:
    static const Ends& ends() { return GetParam() ? of_ipv6 : of_ipv4; }

    WorkerClientStream() {
        scene_.service("web", ends().vip).real("a", ends().real, ForwardingMode::full_nat);
        scene_.last_service().reals[0].client_address = ClientAddressBy::proxy;
        scene_.config().ports[1].local_addresses = {ends().local};
        scene_.kernel().addresses.push_back(ends().local);
    }

    std::vector<Frame> cross(const Frame& frame, std::size_t from, std::size_t to) {
        rig_->receive_on(from, frame);
        rig_->settle();
        std::vector<Frame> sent = rig_->sent(to);
        for (const Frame& each : sent) {
            EXPECT_TRUE(has_sound_checksum(each));
        }
        return sent;
    }

    void play(unsigned seed) {
        rig_.emplace(scene_);
        Random random{seed};
        const unsigned loss = seed % 3 * 20;
        std::string content(random() % 3'000, '\0');
        std::ranges::generate(content, [&] { return static_cast<char>('a' + random() % 26); });
        std::string expected(proxy_header_length(!GetParam()), '\0');
        const std::size_t header_length = expected.size();
        write_proxy_header(reinterpret_cast<std::uint8_t*>(expected.data()), L4Protocol::tcp,
                           ends().client, ends().vip);
        expected += content;
        NaiveClient client{random, ends(), content};
        NaiveReal real{random, ends()};
        unsigned round = 0;
        for (; round < 2'000 && !(client.is_done() && real.has_all()); ++round) {
            std::vector<Frame> to_real;
            for (const Frame& frame : carried(random, client.speak(), loss)) {
                std::ranges::move(cross(frame, 0, 1), std::back_inserter(to_real));
            }
            for (const Frame& frame : carried(random, to_real, loss)) {
                const std::size_t port_at = GetParam() ? std::size_t{ip_at + 40} : source_port_at;
                real.set_local({ends().local, be16{static_cast<std::uint16_t>(
                                                  frame[port_at] << 8 | frame[port_at + 1])}});
                for (const Frame& reply : carried(random, real.hear(read(frame)), loss)) {
                    for (const Frame& told : carried(random, cross(reply, 1, 0), loss)) {
                        client.hear(read(told), real.behind(header_length));
                    }
                }
            }
            if (HasFailure()) {
                break;
            }
        }
        EXPECT_LT(round, 2'000U) << "not done";
        EXPECT_EQ(real.stream(), expected);
    }

    Scene scene_;
    std::optional<WorkerRig> rig_;
};

TEST_P(WorkerClientStream, ArrivesWholeBehindTheHeaderWhateverTheWayDoesToIt) {
    for (unsigned seed = 0; seed < 150 && !HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        play(seed);
    }
}

INSTANTIATE_TEST_SUITE_P(OverBothVersions, WorkerClientStream, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "IPv6" : "IPv4"; });

}  // namespace
}  // namespace fulcrum::test
