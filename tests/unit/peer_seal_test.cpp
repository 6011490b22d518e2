// What a seal keeps out.
#include "controlplane/peer/peer_seal.h"

#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace fulcrum {
namespace {

const std::string line(64, 'a');
const std::string other_line(64, 'b');

PairKey key_of(const std::string& text) { return *PairKey::from_line(text); }

SessionId id_of(std::uint8_t first) {
    SessionId id{};
    id[0] = first;
    return id;
}

const Octets inside{1, 2, 3, 4, 5};

TEST(PeerSeal, OpensWhatWasSealedUnderTheSameKey) {
    const SealKey key = key_of(line).key_for(id_of(1), id_of(2));
    const Octets datagram = seal(key, id_of(1), 7, inside);
    EXPECT_EQ(datagram.size(), peer_head_size + inside.size() + peer_seal_size);
    EXPECT_EQ(open_seal(key, datagram), inside);
    const auto envelope = read_envelope(datagram);
    ASSERT_TRUE(envelope);
    EXPECT_EQ(envelope->kind, EnvelopeKind::session);
    EXPECT_EQ(envelope->counter, 7U);
    EXPECT_EQ(envelope->session, 0x0100'0000'0000'0000U);
}

TEST(PeerSeal, OpensAGreeting) {
    const SealKey key = key_of(line).greeting_key();
    const Octets datagram = seal_greeting(key, id_of(1), inside);
    EXPECT_EQ(open_seal(key, datagram), inside);
    EXPECT_NE(seal_greeting(key, id_of(1), inside), datagram) << "each has a nonce of its own";
}

TEST(PeerSeal, ShowsNothingOfWhatIsInside) {
    const Octets secret(64, 0x5A);
    const Octets datagram = seal(key_of(line).greeting_key(), id_of(1), 0, secret);
    EXPECT_EQ(std::search_n(datagram.begin(), datagram.end(), 4, 0x5A), datagram.end());
}

TEST(PeerSeal, KeepsOutWhatAnyBitOfHasBeenChanged) {
    const SealKey key = key_of(line).greeting_key();
    for (const Octets& sound :
         {seal(key, id_of(1), 7, inside), seal_greeting(key, id_of(1), inside)}) {
        for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
            Octets changed = sound;
            changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
            EXPECT_FALSE(open_seal(key, changed)) << "bit " << bit;
        }
    }
}

TEST(PeerSeal, KeepsOutWhatIsNotWhole) {
    const SealKey key = key_of(line).greeting_key();
    const Octets sound = seal(key, id_of(1), 7, inside);
    for (std::size_t length = 0; length < sound.size(); ++length) {
        EXPECT_FALSE(open_seal(key, std::span{sound}.first(length))) << length;
    }
    Octets longer = sound;
    longer.push_back(0);
    EXPECT_FALSE(open_seal(key, longer));
}

TEST(PeerSeal, KeepsOutWhatAnotherKeyHasSealed) {
    EXPECT_FALSE(open_seal(key_of(other_line).greeting_key(),
                           seal(key_of(line).greeting_key(), id_of(1), 7, inside)));
}

TEST(PeerSeal, HasAKeyForEachDirectionAndEachSession) {
    const PairKey key = key_of(line);
    const SealKey there = key.key_for(id_of(1), id_of(2));
    EXPECT_NE(there, key.key_for(id_of(2), id_of(1)));
    EXPECT_NE(there, key.key_for(id_of(3), id_of(2)));
    EXPECT_NE(there, key.key_for(id_of(1), id_of(3)));
    EXPECT_NE(there, key.greeting_key());
    EXPECT_EQ(there, key_of(line + "\n").key_for(id_of(1), id_of(2)));
}

TEST(ReplayWindow, TakesEachCounterOnceAndNoneThatIsTooOld) {
    ReplayWindow window;
    EXPECT_TRUE(window.take(0));
    EXPECT_FALSE(window.take(0));
    EXPECT_TRUE(window.take(5));
    EXPECT_TRUE(window.take(3));
    EXPECT_FALSE(window.take(3));
    EXPECT_FALSE(window.take(5));
    EXPECT_TRUE(window.take(5 + 1'024));
    EXPECT_FALSE(window.take(5)) << "1,024 behind the highest";
    EXPECT_TRUE(window.take(6)) << "1,023 behind it";
    EXPECT_TRUE(window.take(1'000'000));
    EXPECT_FALSE(window.take(6));
    EXPECT_TRUE(window.take(999'999));
    EXPECT_FALSE(window.take(UINT64_MAX));
}

class KeyFile : public ::testing::Test {
  protected:
    std::string path_ =
        std::filesystem::temp_directory_path() / ("pair_key_test." + std::to_string(getpid()));

    void write(const std::string& text, mode_t mode) const {
        std::ofstream{path_} << text;
        chmod(path_.c_str(), mode);
    }
    ~KeyFile() override { std::filesystem::remove(path_); }

    std::string refusal() const {
        const Result<PairKey> key = PairKey::load(path_);
        return key ? "" : key.error().sentence;
    }
};

TEST_F(KeyFile, IsOneLineOfHexadecimalDigits) {
    write(line + "\n", 0600);
    EXPECT_EQ(refusal(), "");
    write(std::string(1'024, '7'), 0400);
    EXPECT_EQ(refusal(), "");
}

TEST_F(KeyFile, IsRefusedWhenOthersCanReadIt) {
    for (const mode_t mode : {0640U, 0604U, 0620U}) {
        write(line, mode);
        EXPECT_EQ(refusal(), "pair: key: " + path_ +
                                 ": others than its owner may read or write it: chmod 600 " +
                                 path_);
    }
}

TEST_F(KeyFile, IsRefusedWhenItIsTooShortOrNoSuchLine) {
    const std::string expected =
        "pair: key: " + path_ +
        ": is not one line of 64 to 1024 hexadecimal digits, as fulcrumctl pair-key makes one";
    for (const std::string& text : {std::string{}, line.substr(2), line + "a", line + "zz",
                                    line + "\n" + line, std::string(1'026, 'a')}) {
        write(text, 0600);
        EXPECT_EQ(refusal(), expected) << text;
    }
}

TEST_F(KeyFile, IsMissedWithTheRemedy) {
    EXPECT_EQ(refusal(),
              "pair: key: " + path_ +
                  ": no such file or directory; fulcrumctl pair-key makes one, which the "
                  "peer needs too");
}

}  // namespace
}  // namespace fulcrum
