// What a worker counts of connections that begin: which SYNs went to a real that has not answered,
// and how it answered the first time. Nothing of what comes later.
#include <gtest/gtest.h>

#include "dataplane/track.h"
#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint real_a{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint client{Ipv4Address::of(10, 9, 0, 5), be16{40'000}};

constexpr std::uint8_t syn = tcp_flag::syn;
constexpr std::uint8_t ack = tcp_flag::ack;
constexpr std::uint8_t rst_ack = tcp_flag::rst | tcp_flag::ack;
constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;

struct Counts {
    std::uint64_t asked = 0;
    std::uint64_t answered = 0;
    std::uint64_t refused = 0;

    friend bool operator==(const Counts&, const Counts&) = default;
    friend void PrintTo(const Counts& counts, std::ostream* out) {
        *out << counts.asked << " asked, " << counts.answered << " answered, " << counts.refused
             << " refused";
    }
};

class Openings {
  public:
    explicit Openings(ForwardingMode mode = ForwardingMode::nat,
                      L4Protocol protocol = L4Protocol::tcp)
        : room_{snapshot_of(mode, protocol)} {}

    void ask(std::uint8_t flags, Endpoint from = client) {
        room_.carry(Packet::tcp(from, vip).flags(flags).bytes());
    }
    void answer(std::uint8_t flags, Endpoint to = client) {
        room_.carry(
            Packet::tcp(real_a, to).macs(mac_of(real_a.address), lan_mac).flags(flags).bytes());
    }
    TrackingRoom& room() { return room_; }
    Counts counts() const {
        const OpeningTally& line = room_.opening(room_.snapshot().reals[0].tally);
        return {line.asked.read(), line.answered.read(), line.refused.read()};
    }

  private:
    static std::unique_ptr<const Snapshot> snapshot_of(ForwardingMode mode, L4Protocol protocol) {
        Scene scene;
        const Endpoint endpoint = is_one_way(mode) ? Endpoint{real_a.address, vip.port} : real_a;
        scene.service("web", vip, protocol).real("a", endpoint, mode);
        return scene.snapshot();
    }

    TrackingRoom room_;
};

TEST(Opening, IsAskedByASynAndAnsweredByTheRealsOwn) {
    Openings real;
    real.ask(syn);
    EXPECT_EQ(real.counts(), (Counts{1, 0, 0}));
    real.answer(syn_ack);
    EXPECT_EQ(real.counts(), (Counts{1, 1, 0}));
}

TEST(Opening, AnsweredTwiceIsAnsweredOnce) {
    Openings real;
    real.ask(syn);
    real.answer(syn_ack);
    real.answer(syn_ack);
    real.ask(syn);
    EXPECT_EQ(real.counts(), (Counts{1, 1, 0})) << "a repetition says nothing new";
}

TEST(Opening, IsAskedAgainByEachSynThatIsRepeated) {
    Openings real;
    real.ask(syn);
    real.ask(syn);
    real.ask(syn);
    EXPECT_EQ(real.counts(), (Counts{3, 0, 0}));
}

TEST(Opening, IsRefusedByAResetAsOftenAsItIsTried) {
    Openings real;
    for (int n = 0; n < 3; ++n) {
        real.ask(syn);
        real.answer(rst_ack);
    }
    EXPECT_EQ(real.counts(), (Counts{3, 0, 3}));
}

TEST(Opening, IsOverOnceTheRealHasAnswered) {
    Openings real;
    real.ask(syn);
    real.answer(syn_ack);
    real.answer(rst_ack);
    real.ask(ack);
    real.answer(ack);
    real.answer(rst_ack);
    EXPECT_EQ(real.counts(), (Counts{1, 1, 0})) << "a reset of a connection is no refusal";
}

TEST(Opening, IsNotWhatBeganElsewhere) {
    Openings real;
    real.ask(ack);
    real.answer(rst_ack);
    EXPECT_EQ(real.counts(), (Counts{0, 0, 0})) << "nobody knows whose connection it was";
}

TEST(Opening, IsNotSeenWhereAnswersDoNotPass) {
    Openings direct{ForwardingMode::direct};
    direct.ask(syn);
    direct.ask(syn);
    EXPECT_EQ(direct.room().live_count(), 1U);
    EXPECT_EQ(direct.counts(), (Counts{0, 0, 0}));
}

TEST(Opening, IsNoMatterOfDatagrams) {
    Openings names{ForwardingMode::nat, L4Protocol::udp};
    names.room().carry(Packet::udp(client, vip).payload("query").bytes());
    EXPECT_EQ(names.room().live_count(), 1U);
    EXPECT_EQ(names.counts(), (Counts{0, 0, 0}));
}

TEST(Opening, IsAnAssociationsInitLikewise) {
    constexpr std::uint8_t init = 1;
    constexpr std::uint8_t abort = 6;
    Openings real{ForwardingMode::nat, L4Protocol::sctp};
    const std::string init_content(16, '\1');
    real.room().carry(Packet::sctp(client, vip, 0).chunk(init, init_content).bytes());
    EXPECT_EQ(real.counts(), (Counts{1, 0, 0}));
    real.room().carry(Packet::sctp(real_a, client, 0x0101'0101)
                          .macs(mac_of(real_a.address), lan_mac)
                          .chunk(abort, "")
                          .bytes());
    EXPECT_EQ(real.counts(), (Counts{1, 0, 1}));
}

}  // namespace
}  // namespace fulcrum::test
