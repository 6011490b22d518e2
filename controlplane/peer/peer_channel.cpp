// Greetings, datagrams of a session, and which link they take.
#include "controlplane/peer/peer_channel.h"

#include <algorithm>
#include <utility>

#include "config/wording.h"

namespace fulcrum {
namespace {

// What sessions look like in messages: directors of different ones do not talk.
constexpr std::uint16_t replica_layout = 1;
constexpr Duration greeting_pause = 200ms;
constexpr std::size_t retired_max = 64;

enum class Body : std::uint8_t { none, message };

// RTT by a clock of microseconds that wraps; 0 means that there is none.
Duration since(std::uint32_t then, std::uint32_t now) {
    return std::chrono::microseconds{static_cast<std::uint32_t>(now - then)};
}

}  // namespace

PeerChannel::PeerChannel(const PairKey& key, PeerSelf self, Send send, DrawId draw_id)
    : key_{key},
      greeting_key_{key.greeting_key()},
      self_{std::move(self)},
      send_{std::move(send)},
      draw_id_{std::move(draw_id)},
      links_(self_.links),
      own_id_{draw_id_()} {}

std::uint32_t PeerChannel::clock_of(Instant now) const {
    const auto passed =
        std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
    return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(passed.count()));
}

bool PeerChannel::is_up(Instant now) const {
    return peer_id_ && last_heard_ && now - *last_heard_ < dead_after;
}

bool PeerChannel::is_link_up(std::size_t link, Instant now) const {
    return links_[link].heard && now - *links_[link].heard < dead_after;
}

PeerFigures PeerChannel::figures() const {
    PeerFigures figures = figures_;
    figures.messages_sent_again = sent_again_before_ + stream_.sent_again_count();
    return figures;
}

// --- hearing ---------------------------------------------------------------------------------

void PeerChannel::hear(std::size_t link, std::span<const std::uint8_t> datagram, Instant now) {
    ++figures_.datagrams_received;
    const std::optional<Envelope> envelope = read_envelope(datagram);
    if (!envelope) {
        ++figures_.refused_strange;
        return;
    }
    if (envelope->kind == EnvelopeKind::greeting) {
        hear_greeting(link, datagram, now);
    } else {
        hear_session(link, *envelope, datagram, now);
    }
}

void PeerChannel::hear_greeting(std::size_t link, std::span<const std::uint8_t> datagram,
                                Instant now) {
    const std::optional<Octets> inside = open_seal(greeting_key_, datagram);
    if (!inside) {
        ++figures_.refused_forged;
        return;
    }
    OctetReader in{*inside};
    Greeting greeting;
    greeting.sender = in.octets<sizeof(SessionId)>();
    greeting.receiver = in.octets<sizeof(SessionId)>();
    greeting.has_session = in.flag();
    greeting.layout = in.number<std::uint16_t>();
    greeting.seed = in.number<std::uint64_t>();
    greeting.owner_prefix.v4 = in.number<std::uint8_t>();
    greeting.owner_prefix.v6 = in.number<std::uint8_t>();
    greeting.name = in.text();
    const bool is_own = greeting.sender == own_id_;
    if (!in.is_sound() || is_own || is_retired(greeting.sender)) {
        ++(is_own || !in.is_sound() ? figures_.refused_strange : figures_.refused_old);
        return;
    }
    const std::string objection = objection_to(greeting);
    const bool is_fresh = greeting.receiver == own_id_;
    if (!objection.empty()) {
        ++figures_.refused_stranger;
        problem_ = objection;
        if (!is_fresh) {
            greet(link, now);
        }
        return;
    }
    believed_ = greeting.sender;
    if (!is_fresh) {
        // It has not heard us yet, or since it started.
        if (peer_id_ != greeting.sender) {
            greet(link, now);
        }
        return;
    }
    problem_.clear();
    const bool begins = peer_id_ != greeting.sender;
    if (begins) {  // else it may be an old one, and proves nothing
        links_[link].heard = now;
        last_heard_ = now;
        begin_session(greeting.sender);
        next_due_ = now;
    }
    if (begins || !greeting.has_session) {
        greet(link, now);
    }
}

std::string PeerChannel::objection_to(const Greeting& greeting) const {
    const std::string label = "pair: the director " + in_quotes(greeting.name);
    if (greeting.name != self_.peer) {
        return label + " greets, and pair.peer is " + in_quotes(self_.peer);
    }
    if (greeting.layout != replica_layout) {
        return label + " speaks of sessions in another version's way: run one version on both";
    }
    if (greeting.seed != self_.seed) {
        return label + " has another director.seed, so both would place sessions differently";
    }
    if (greeting.owner_prefix.v4 != self_.owner_prefix.v4 ||
        greeting.owner_prefix.v6 != self_.owner_prefix.v6) {
        return label + " finds the worker of a client by /" +
               std::to_string(greeting.owner_prefix.v4) + " and /" +
               std::to_string(greeting.owner_prefix.v6) + ", this one by /" +
               std::to_string(self_.owner_prefix.v4) + " and /" +
               std::to_string(self_.owner_prefix.v6) +
               ": start both with the same affinity and limits";
    }
    return {};
}

bool PeerChannel::is_retired(const SessionId& id) const {
    return std::find(retired_.begin(), retired_.end(), id) != retired_.end();
}

void PeerChannel::begin_session(const SessionId& peer) {
    if (peer_id_) {
        retired_.push_back(*peer_id_);
    }
    sent_again_before_ += stream_.sent_again_count();
    stream_ = PeerStream{};
    replay_ = ReplayWindow{};
    counter_ = 0;
    echo_ = 0;
    owes_acknowledgement_ = false;
    if (retired_.size() > retired_max) {
        retired_.clear();
        own_id_ = draw_id_();
        peer_id_.reset();
        return;
    }
    peer_id_ = peer;
    sending_key_ = key_.key_for(own_id_, peer);
    hearing_key_ = key_.key_for(peer, own_id_);
    ++session_number_;
}

void PeerChannel::hear_session(std::size_t link, const Envelope& envelope,
                               std::span<const std::uint8_t> datagram, Instant now) {
    if (!peer_id_ || envelope.session != short_form(*peer_id_)) {
        ++figures_.refused_old;
        return;
    }
    const std::optional<Octets> inside = open_seal(hearing_key_, datagram);
    if (!inside) {
        ++figures_.refused_forged;
        return;
    }
    if (!replay_.take(envelope.counter)) {
        ++figures_.refused_replayed;
        return;
    }
    OctetReader in{*inside};
    const auto configuration = in.number<std::uint64_t>();
    const bool is_ready = in.flag();
    const auto sent_at = in.number<std::uint32_t>();
    const auto echo = in.number<std::uint32_t>();
    PeerStream::Acknowledgement told;
    told.next = in.number<std::uint64_t>();
    told.room = in.number<std::uint16_t>();
    const auto behind = in.octets<PeerStream::window / 8>();
    for (std::size_t i = 0; i < PeerStream::window; ++i) {
        told.behind.set(i, (behind[i / 8] >> (i % 8) & 1) != 0);
    }
    const auto body = static_cast<Body>(in.number<std::uint8_t>());
    if (!in.is_sound() || body > Body::message) {
        ++figures_.refused_strange;
        return;
    }
    links_[link].heard = now;
    last_heard_ = now;
    peers_configuration_ = configuration;
    is_peer_ready_ = is_ready;
    if (echo != 0) {
        stream_.on_round_trip(since(echo, clock_of(now)));
    }
    stream_.on_acknowledged(told);
    if (body == Body::message) {
        const auto number = in.number<std::uint64_t>();
        const std::span<const std::uint8_t> message = in.rest();
        if (in.is_sound()) {
            stream_.take(number, message);
            owes_acknowledgement_ = true;
            echo_ = sent_at;  // what is answered at once
        }
    }
}

std::optional<Octets> PeerChannel::fetch() {
    const bool had_no_room = stream_.acknowledgement().room == 0;
    std::optional<Octets> message = stream_.fetch();
    owes_acknowledgement_ = owes_acknowledgement_ || (message && had_no_room);
    return message;
}

// --- sending ---------------------------------------------------------------------------------

void PeerChannel::tick(Instant now) {
    next_due_ = now + heartbeat;
    for (std::size_t link = 0; link < links_.size(); ++link) {
        const bool needs_greeting =
            !peer_id_ || !is_link_up(link, now) || !last_heard_ || now - *last_heard_ > dead_after;
        if (needs_greeting &&
            (!links_[link].greeted || now - *links_[link].greeted >= greeting_pause)) {
            greet(link, now);
        }
    }
    if (!peer_id_) {
        return;
    }
    const std::size_t best = best_link(now);
    const std::size_t other = links_.size() - 1 - best;  // of one link: itself
    while (const std::optional<PeerStream::Outgoing> message = stream_.next_to_go(now)) {
        const bool detours = message->attempts % 2 == 0 && is_link_up(other, now);
        say(detours ? other : best, &*message, now);
    }
    if (owes_acknowledgement_) {
        say(best, nullptr, now);
    }
    for (std::size_t link = 0; link < links_.size(); ++link) {
        if (!links_[link].signalled || now - *links_[link].signalled >= heartbeat) {
            say(link, nullptr, now);
        }
    }
    if (const std::optional<Instant> due = stream_.next_due()) {
        next_due_ = std::min(next_due_, *due);
    }
}

// The one heard last; a silent one as good as any other.
std::size_t PeerChannel::best_link(Instant now) const {
    std::size_t best = 0;
    for (std::size_t link = 1; link < links_.size(); ++link) {
        if (is_link_up(link, now) &&
            (!is_link_up(best, now) || *links_[link].heard > *links_[best].heard + heartbeat * 3)) {
            best = link;
        }
    }
    return best;
}

void PeerChannel::greet(std::size_t link, Instant now) {
    links_[link].greeted = now;
    Octets inside;
    OctetWriter out{inside};
    out.octets(own_id_);
    out.octets(believed_);
    out.flag(peer_id_ && *peer_id_ == believed_);
    out.number(replica_layout);
    out.number(self_.seed);
    out.number(self_.owner_prefix.v4);
    out.number(self_.owner_prefix.v6);
    out.text(self_.name);
    ++figures_.datagrams_sent;
    send_(link, seal_greeting(greeting_key_, own_id_, inside));
}

void PeerChannel::say(std::size_t link, const PeerStream::Outgoing* message, Instant now) {
    links_[link].signalled = now;
    owes_acknowledgement_ = false;
    Octets inside;
    inside.reserve(peer_datagram_max);
    OctetWriter out{inside};
    out.number(configuration_);
    out.flag(is_ready_);
    out.number(clock_of(now));
    out.number(std::exchange(echo_, 0));
    const PeerStream::Acknowledgement told = stream_.acknowledgement();
    out.number(told.next);
    out.number(told.room);
    std::array<std::uint8_t, PeerStream::window / 8> behind{};
    for (std::size_t i = 0; i < PeerStream::window; ++i) {
        behind[i / 8] = static_cast<std::uint8_t>(
            behind[i / 8] | (static_cast<unsigned>(told.behind.test(i)) << (i % 8)));
    }
    out.octets(behind);
    out.number(static_cast<std::uint8_t>(message == nullptr ? Body::none : Body::message));
    if (message != nullptr) {
        out.number(message->number);
        out.octets(*message->message);
    }
    ++figures_.datagrams_sent;
    send_(link, seal(sending_key_, own_id_, counter_++, inside));
}

}  // namespace fulcrum
