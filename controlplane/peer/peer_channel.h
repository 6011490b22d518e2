// A director's side of the talk with its peer: greetings until both know each other, then sealed
// datagrams that carry the stream's messages, its acknowledgements, and every 100 ms a sign of
// life. Over one link or two; with both alive either will do, and what is sent again takes the
// other one.
//
//   inside a greeting:  the sender's session id 16 | what it believes the peer's to be 16 |
//                       whether it talks with that one 1 | layout 2 | seed 8 | owner prefix 1 1 |
//                       name
//   inside a session's: configuration 8 | ready 1 | sent at 4 | echo 4 | next 8 | room 2 |
//                       behind 32 | body 1 | (number 8 | message)
//
// A greeting counts when it names our own session: the peer has heard us since we started, so it is
// no old one. Sessions that a peer has replaced by a new one are never taken up again; when there
// are too many to remember, we begin a new session ourselves.
//
// Pure: time, randomness and the sending of datagrams are arguments. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/model/owner_prefix.h"
#include "config/model/time.h"
#include "controlplane/peer/peer_seal.h"
#include "controlplane/peer/peer_stream.h"

namespace fulcrum {

// What both directors have to have in common, and who is who.
struct PeerSelf {
    std::string name;
    std::string peer;        // the other's name
    std::uint64_t seed = 0;  // of `director.seed`, a hash
    OwnerPrefix owner_prefix;
    std::size_t links = 1;
};

struct PeerFigures {
    std::uint64_t datagrams_sent = 0;
    std::uint64_t datagrams_received = 0;
    std::uint64_t messages_sent_again = 0;
    std::uint64_t refused_strange = 0;  // no datagram of a peer's
    std::uint64_t refused_forged = 0;   // the seal does not hold
    std::uint64_t refused_replayed = 0;
    std::uint64_t refused_old = 0;       // of a session that is over, or has not begun
    std::uint64_t refused_stranger = 0;  // a greeting that does not fit; see problem()
};

class PeerChannel {
  public:
    static constexpr Duration heartbeat = 100ms;
    static constexpr Duration dead_after = 1s;
    static constexpr std::size_t message_max = peer_datagram_max - peer_head_size - peer_seal_size -
                                               72;  // what stands before a message inside

    using Send = std::function<void(std::size_t link, std::span<const std::uint8_t> datagram)>;
    using DrawId = std::function<SessionId()>;

    PeerChannel(const PairKey& key, PeerSelf self, Send send, DrawId draw_id);

    void hear(std::size_t link, std::span<const std::uint8_t> datagram, Instant now);
    // Sends what is due. To be called after hear(), send() and fetch(), and by next_due().
    void tick(Instant now);
    Instant next_due() const { return next_due_; }

    // Both have greeted each other, and the peer has been heard lately.
    bool is_up(Instant now) const;
    bool is_link_up(std::size_t link, Instant now) const;
    // Grows with every session that begins: nothing said before has come over.
    std::uint64_t session_number() const { return session_number_; }

    // While is_up(); at most message_max octets each.
    std::size_t free_count() const { return stream_.free_count(); }
    void send(Octets message) { stream_.send(std::move(message)); }
    std::optional<Octets> fetch();

    // Told with every sign of life.
    void set_configuration(std::uint64_t checksum) { configuration_ = checksum; }
    std::uint64_t peers_configuration() const { return peers_configuration_; }
    void set_ready(bool is_ready) { is_ready_ = is_ready; }
    bool is_peer_ready() const { return is_peer_ready_; }

    const PeerStream& stream() const { return stream_; }
    PeerFigures figures() const;
    // Why the peer's greetings are refused; empty: they are not.
    const std::string& problem() const { return problem_; }
    std::optional<Instant> last_heard() const { return last_heard_; }

  private:
    struct Link {
        std::optional<Instant> heard;
        std::optional<Instant> greeted;    // by us
        std::optional<Instant> signalled;  // a sign of life went there
    };
    struct Greeting {
        SessionId sender{};
        SessionId receiver{};
        bool has_session = false;
        std::uint16_t layout = 0;
        std::uint64_t seed = 0;
        OwnerPrefix owner_prefix;
        std::string name;
    };

    void hear_greeting(std::size_t link, std::span<const std::uint8_t> datagram, Instant now);
    void hear_session(std::size_t link, const Envelope& envelope,
                      std::span<const std::uint8_t> datagram, Instant now);
    std::string objection_to(const Greeting& greeting) const;
    bool is_retired(const SessionId& id) const;
    void begin_session(const SessionId& peer);
    void greet(std::size_t link, Instant now);
    void say(std::size_t link, const PeerStream::Outgoing* message, Instant now);
    std::size_t best_link(Instant now) const;
    std::uint32_t clock_of(Instant now) const;

    PairKey key_;
    SealKey greeting_key_;
    PeerSelf self_;
    Send send_;
    DrawId draw_id_;
    std::vector<Link> links_;
    SessionId own_id_;
    SessionId believed_{};  // the peer's, by its latest greeting
    std::optional<SessionId> peer_id_;
    std::vector<SessionId> retired_;
    SealKey sending_key_{};
    SealKey hearing_key_{};
    std::uint64_t session_number_ = 0;
    std::uint64_t counter_ = 0;
    ReplayWindow replay_;
    PeerStream stream_;
    std::uint64_t sent_again_before_ = 0;  // in sessions before this one
    std::uint32_t echo_ = 0;               // the peer's clock in its latest datagram; 0: none
    bool owes_acknowledgement_ = false;
    std::optional<Instant> last_heard_;
    Instant next_due_{};
    std::uint64_t configuration_ = 0;
    std::uint64_t peers_configuration_ = 0;
    bool is_ready_ = false;
    bool is_peer_ready_ = false;
    PeerFigures figures_;
    std::string problem_;
};

}  // namespace fulcrum
