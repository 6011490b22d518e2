// Questions a round, and answers as they come.
#include "controlplane/roles/neighbour_probe.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "controlplane/kernel/address_claims.h"
#include "controlplane/kernel/claim_socket.h"

namespace fulcrum {
namespace {

constexpr int frames_per_turn_max = 64;

}  // namespace

Result<std::unique_ptr<NeighbourProbe>> NeighbourProbe::open(
    EventLoop& loop, const std::vector<Announcer::Link>& links, std::function<void()> on_round) {
    std::unique_ptr<NeighbourProbe> probe{new NeighbourProbe{loop}};
    probe->on_round_ = std::move(on_round);
    for (const Announcer::Link& link : links) {
        Result<FileDescriptor> socket = open_claim_socket(link.name);
        if (!socket) {
            return Error{socket.error().sentence + "; no witness could be asked"};
        }
        auto listener = std::make_unique<Listener>(Listener{link.mac, std::move(*socket), nullptr});
        listener->watch =
            std::make_unique<DescriptorWatch>(loop, listener->socket.get(),
                                              [probe = probe.get(), at = listener.get()](
                                                  DescriptorWatch::Ready) { probe->listen(*at); });
        listener->watch->want(/*to_read=*/true, /*to_write=*/false);
        probe->listeners_.push_back(std::move(listener));
    }
    probe->timer_.after(Duration{0}, [probe = probe.get()] { probe->ask(); });
    return probe;
}

void NeighbourProbe::follow(std::vector<Announcer::Place> neighbours) {
    neighbours_ = std::move(neighbours);
    std::map<IpAddress, std::optional<Answer>> answers;
    for (const Announcer::Place& neighbour : neighbours_) {
        answers.emplace(neighbour.address, answer_of(neighbour.address));
    }
    answers_ = std::move(answers);
}

std::optional<NeighbourProbe::Answer> NeighbourProbe::answer_of(const IpAddress& address) const {
    const auto known = answers_.find(address);
    return known == answers_.end() ? std::nullopt : known->second;
}

void NeighbourProbe::ask() {
    timer_.after(period, [this] { ask(); });
    for (const auto& listener : listeners_) {
        listen(*listener);  // what has come counts before it is judged
    }
    on_round_();
    for (const Announcer::Place& neighbour : neighbours_) {
        const Listener& listener = *listeners_[neighbour.port];
        const auto question = claim_question(neighbour.address, listener.mac);
        // A link that takes nothing now is asked again in the next round.
        static_cast<void>(
            send(listener.socket.get(), question.data(), question.size(), MSG_DONTWAIT));
    }
}

void NeighbourProbe::listen(Listener& listener) {
    std::array<std::uint8_t, 128> frame;
    for (int n = 0; n < frames_per_turn_max; ++n) {
        const ssize_t length =
            recv(listener.socket.get(), frame.data(), frame.size(), MSG_DONTWAIT);
        if (length < 0) {
            return;
        }
        const auto claim = claim_in({frame.data(), static_cast<std::size_t>(length)});
        const auto asked = claim ? answers_.find(claim->address) : answers_.end();
        const bool is_ours = claim && std::ranges::any_of(listeners_, [&](const auto& each) {
                                 return each->mac == claim->mac;
                             });
        if (asked != answers_.end() && !is_ours) {
            asked->second = Answer{loop_.now(), claim->mac};
        }
    }
}

}  // namespace fulcrum
