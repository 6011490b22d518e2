// Sockets, timers, sentences.
#include "controlplane/peer/peer_link.h"

#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "config/common_part.h"
#include "config/model/owner_prefix.h"
#include "config/wording.h"
#include "config/writer.h"
#include "controlplane/kernel/errno_words.h"

namespace fulcrum {
namespace {

constexpr Duration rhythm = 5ms;     // in which workers' mailboxes are emptied
constexpr Duration hurried = 200us;  // while there is more than one turn may do
constexpr Duration look_around_every = 1s;
constexpr unsigned datagrams_per_turn_max = 64;
constexpr int buffer_size = 4 * 1024 * 1024;

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const Endpoint& endpoint) {
    SocketAddress address;
    if (endpoint.address.is_v4()) {
        auto& v4 = *reinterpret_cast<sockaddr_in*>(&address.storage);
        v4.sin_family = AF_INET;
        v4.sin_port = endpoint.port.wire();
        v4.sin_addr.s_addr = endpoint.address.v4().value.wire();
        address.length = sizeof(v4);
    } else {
        auto& v6 = *reinterpret_cast<sockaddr_in6*>(&address.storage);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = endpoint.port.wire();
        std::copy(endpoint.address.v6().octets.begin(), endpoint.address.v6().octets.end(),
                  v6.sin6_addr.s6_addr);
        address.length = sizeof(v6);
    }
    return address;
}

SyncDoors sync_doors(const PeerLink::Parts& parts) {
    const std::vector<PeerDoors>& workers = parts.doors;
    SyncDoors doors;
    doors.workers = workers.size();
    doors.collect = [workers](std::size_t worker, Replica* into, unsigned count_max) {
        return workers[worker].told->collect(into, count_max);
    };
    doors.post = [workers](std::size_t worker, const Replica& replica) {
        return workers[worker].heard->post(replica);
    };
    doors.ask_for_all = [workers](std::size_t worker, std::uint32_t transfer) {
        WorkerRequest request;
        request.kind = RequestKind::replicate;
        request.walk_id = transfer;
        return workers[worker].inbox->post(request);
    };
    doors.lost_count = [boards = parts.boards] {
        std::uint64_t lost = 0;
        for (const CounterBoard* board : boards) {
            lost += board->worker().replicas_lost.read();
        }
        return lost;
    };
    doors.owner_of = parts.owner_of;
    return doors;
}

PeerSelf self_of(const Config& config) {
    return {.name = config.director.name,
            .peer = config.pair->peer,
            .seed = siphash_2_4({}, config.director.seed),
            .owner_prefix = owner_prefix_of(config),
            .links = config.pair->links.size()};
}

}  // namespace

Result<std::unique_ptr<PeerLink>> PeerLink::open(const Config& config, Parts parts) {
    if (sodium_init() < 0) {
        return Error{"pair: this machine gives no random numbers"};
    }
    Result<PairKey> key = PairKey::load(config.pair->key_file);
    if (!key) {
        return key.error();
    }
    return std::unique_ptr<PeerLink>{new PeerLink{config, *key, std::move(parts)}};
}

PeerLink::PeerLink(const Config& config, const PairKey& key, Parts parts)
    : loop_{parts.loop},
      helper_{parts.helper},
      state_{parts.state},
      log_{parts.log},
      peer_{config.pair->peer},
      channel_{key, self_of(config),
               [this](std::size_t link, std::span<const std::uint8_t> datagram) {
                   send(link, datagram);
               },
               random_session_id},
      sync_{channel_,
            [&] {
                SyncDoors doors = sync_doors(parts);
                doors.on_other = [this](const PeerMessage& message) { hear(message); };
                return doors;
            }(),
            std::chrono::steady_clock::now()},
      drains_{channel_,
              {[this] { return drained_reals(); },
               [this](const std::string& service, const std::string& real) {
                   return find_drained(service, real);
               },
               std::move(parts.set_drain)}},
      configs_{config.pair->replicates_config
                   ? std::make_unique<ConfigSync>(channel_, peer_, std::move(parts.replication))
                   : nullptr},
      epoch_seen_{std::move(parts.epoch_seen)},
      version_{std::move(parts.version)},
      next_{loop_},
      second_{loop_} {
    for (const PairLink& ends : config.pair->links) {
        links_.push_back(std::make_unique<Link>());
        links_.back()->ends = ends;
    }
    look_around();
    turn();
}

// --- sockets ---------------------------------------------------------------------------------

void PeerLink::bind_all() {
    for (std::size_t i = 0; i < links_.size(); ++i) {
        Link& link = *links_[i];
        if (link.socket.is_open()) {
            continue;
        }
        const Status bound = bind_socket(link);
        link.problem = bound ? std::string{} : bound.error().sentence;
        if (bound) {
            link.watch = std::make_unique<DescriptorWatch>(
                loop_, link.socket.get(), [this, i](DescriptorWatch::Ready) { listen(i); });
            link.watch->want(/*to_read=*/true, /*to_write=*/false);
        }
    }
}

Status PeerLink::bind_socket(Link& link) {
    SocketAddress local = socket_address(link.ends.local);
    FileDescriptor opened{
        socket(local.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    const int buffer = buffer_size;
    if (setsockopt(opened.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) != 0) {
        setsockopt(opened.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    }
    if (!opened.is_open() || bind(opened.get(), local.get(), local.length) != 0) {
        return Error{"pair: link: cannot listen at " + to_string(link.ends.local) + ": " +
                     errno_words(errno) + "; it has to be an address of this machine's kernel"};
    }
    link.socket = std::move(opened);
    return done();
}

void PeerLink::listen(std::size_t link) {
    const Endpoint expected = links_[link]->ends.peer;
    const SocketAddress peer = socket_address(expected);
    std::array<std::uint8_t, peer_datagram_max + 1> octets;
    for (unsigned n = 0; n < datagrams_per_turn_max; ++n) {
        SocketAddress sender;
        sender.length = sizeof(sender.storage);
        const ssize_t length = recvfrom(links_[link]->socket.get(), octets.data(), octets.size(), 0,
                                        sender.get(), &sender.length);
        if (length < 0) {
            break;  // nothing more, or what the kernel heard of an earlier datagram of ours
        }
        const bool is_the_peers =
            sender.length == peer.length &&
            std::memcmp(&sender.storage, &peer.storage, expected.address.is_v4() ? 8 : 4) == 0 &&
            (expected.address.is_v4() ||
             std::memcmp(reinterpret_cast<sockaddr_in6&>(sender.storage).sin6_addr.s6_addr,
                         expected.address.v6().octets.data(), 16) == 0);
        if (!is_the_peers) {
            ++strangers_;
            continue;
        }
        channel_.hear(link, std::span{octets}.first(static_cast<std::size_t>(length)), loop_.now());
    }
    turn();
}

// What does not leave is lost, as much else may be on its way.
void PeerLink::send(std::size_t link, std::span<const std::uint8_t> datagram) {
    if (!links_[link]->socket.is_open()) {
        return;
    }
    SocketAddress peer = socket_address(links_[link]->ends.peer);
    sendto(links_[link]->socket.get(), datagram.data(), datagram.size(), MSG_DONTWAIT, peer.get(),
           peer.length);
}

// --- the rhythm ------------------------------------------------------------------------------

void PeerLink::turn() {
    take_up_names();
    if (!is_talking_) {
        next_.after(rhythm, [this] { turn(); });
        return;
    }
    channel_.set_ready(is_ready());
    tell_configuration();
    const bool has_more = sync_.pump(loop_.now());
    channel_.tick(loop_.now());
    next_.after(has_more ? hurried : rhythm, [this] { turn(); });
}

bool PeerLink::is_ready() const { return sync_.is_ready(loop_.now()); }

void PeerLink::follow() {
    config_ = state_.config();
    config_epoch_ = state_.epoch() + 1;
    has_its_names_ = false;
    struct Told {
        ConfigStanding standing;
        std::shared_ptr<const std::string> text;
    };
    helper_.run(
        [config = config_, version = version_()] {
            return Told{{version, checksum_of_service(*config)},
                        std::make_shared<const std::string>(write_common_part(*config) + "\n")};
        },
        [this, config = config_](Told told) {
            if (config != config_) {
                return;
            }
            checksum_ = told.standing.checksum;
            channel_.set_configuration(checksum_);
            if (configs_ != nullptr) {
                configs_->set_own(told.standing, std::move(told.text));
            }
        });
}

void PeerLink::hear(const PeerMessage& message) {
    if (message.kind == PeerMessageKind::drain) {
        drains_.hear(message.drain);
    } else if (configs_ != nullptr) {
        meet_for_configuration();
        switch (message.kind) {
            case PeerMessageKind::standing:
                return configs_->hear(message.standing);
            case PeerMessageKind::part:
                return configs_->hear(message.part);
            case PeerMessageKind::verdict:
                return configs_->hear(message.verdict);
            default:
                return;
        }
    }
}

void PeerLink::meet_for_configuration() {
    if (configs_session_ != channel_.session_number()) {
        configs_session_ = channel_.session_number();
        configs_->meet(loop_.now());
    }
}

void PeerLink::tell_configuration() {
    if (configs_ != nullptr && channel_.is_up(loop_.now())) {
        meet_for_configuration();
        configs_->pump();
    }
}

// As soon as workers know what they mean.
void PeerLink::take_up_names() {
    if (config_ == nullptr || has_its_names_ || epoch_seen_() < config_epoch_) {
        return;
    }
    has_its_names_ = true;
    sync_.set_names(ReplicaNames{state_.services(), config_->director.seed});
    if (!is_talking_) {
        is_talking_ = true;
        bind_all();
    }
}

// What operators have drained changes with an epoch of the state, and with the peer.
void PeerLink::tell_drains() {
    if (!channel_.is_up(loop_.now())) {
        return;
    }
    if (drains_session_ != channel_.session_number()) {
        drains_session_ = channel_.session_number();
        drains_.meet();
    } else if (drains_epoch_ == state_.epoch()) {
        return;
    }
    drains_epoch_ = drains_.look() ? state_.epoch() : 0;
}

DrainSync::Real PeerLink::drained_real(const ServiceView& service, const RealView& real) const {
    DrainSync::Real told;
    told.service = service.asked->name;
    told.name = real.name;
    told.is_drained = real.drain.has_value();
    if (real.drain && real.drain->deadline) {
        const Duration left = *real.drain->deadline - loop_.now();
        told.deadline_s = static_cast<std::uint32_t>(
            std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(left).count()));
    }
    told.then = real.drain ? real.drain->then : SessionPolicy::keep;
    return told;
}

std::vector<DrainSync::Real> PeerLink::drained_reals() const {
    std::vector<DrainSync::Real> reals;
    for (const ServiceView& service : state_.services()) {
        for (const RealView& real : service.reals) {
            if (real.state != RealState::removed) {
                reals.push_back(drained_real(service, real));
            }
        }
    }
    return reals;
}

std::optional<DrainSync::Real> PeerLink::find_drained(const std::string& service,
                                                      const std::string& name) const {
    const std::optional<ServiceView> view = state_.service(service);
    if (view) {
        for (const RealView& real : view->reals) {
            if (real.name == name && real.state != RealState::removed) {
                return drained_real(*view, real);
            }
        }
    }
    return std::nullopt;
}

// --- what an operator sees -------------------------------------------------------------------

void PeerLink::look_around() {
    if (is_talking_) {
        bind_all();
        tell_drains();
    }
    const Instant now = loop_.now();
    PeerReport report{.name = peer_,
                      .is_up = channel_.is_up(now),
                      .is_ready = is_ready(),
                      .is_peer_ready = channel_.is_peer_ready(),
                      .is_peer_stale = sync_.is_peer_stale(),
                      .is_catching_up = sync_.is_being_told(),
                      .has_our_configuration = channel_.peers_configuration() == checksum_,
                      .round_trip = channel_.stream().round_trip(),
                      .lag = channel_.stream().lag(now),
                      .channel = channel_.figures(),
                      .sync = sync_.figures(),
                      .problems = sync_.names().clashes()};
    report.channel.refused_strange += strangers_;
    if (configs_ != nullptr) {
        report.replication = configs_->report(now);
    }
    for (std::size_t i = 0; i < links_.size(); ++i) {
        const Link& link = *links_[i];
        report.links.push_back(
            {to_string(link.ends.local), to_string(link.ends.peer), channel_.is_link_up(i, now)});
        if (!link.problem.empty()) {
            report.problems.push_back(link.problem);
        } else if (report.is_up && !report.links.back().is_up) {
            report.problems.push_back("pair: the link to " + to_string(link.ends.peer) +
                                      " is dead, and the other one alone carries the sessions");
        }
    }
    if (!channel_.problem().empty()) {
        report.problems.push_back(channel_.problem());
    } else if (!report.is_up) {
        report.problems.push_back("pair: the director " + in_quotes(peer_) +
                                  " does not answer: what is opened now is not known to it");
    } else if (configs_ != nullptr) {
        const std::vector<std::string>& sentences = report.replication->problems;
        report.problems.insert(report.problems.end(), sentences.begin(), sentences.end());
    }
    if (channel_.problem().empty() && report.is_up && !report.has_our_configuration &&
        checksum_ != 0) {
        report.problems.push_back("pair: the director " + in_quotes(peer_) +
                                  " has another configuration: sessions of what only one of them "
                                  "has do not survive a takeover");
    }
    note_changes(report);
    report_.show(std::move(report));
    second_.after(look_around_every, [this] { look_around(); });
}

// Into the log, once each.
void PeerLink::note_changes(const PeerReport& report) {
    const std::shared_ptr<const PeerReport> before = report_.look();
    for (const std::string& problem : report.problems) {
        if (std::find(before->problems.begin(), before->problems.end(), problem) ==
            before->problems.end()) {
            log_.warning(LogArea::director, problem);
        }
    }
    if (report.is_up && !before->is_up) {
        log_.notice(LogArea::director, "pair: talking with the director " + in_quotes(peer_));
    }
    if (report.sync.transfers_received > before->sync.transfers_received) {
        log_.notice(LogArea::director, "pair: caught up with the director " + in_quotes(peer_));
    }
}

}  // namespace fulcrum
