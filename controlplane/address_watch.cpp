// Asking and hearing.
#include "controlplane/address_watch.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "controlplane/kernel/claim_socket.h"

namespace fulcrum {
namespace {

constexpr Duration step = 100ms;
constexpr std::size_t frames_per_turn_max = 64;
// Of those who claim, each with a line in `status`; a forger could name any number.
constexpr std::size_t claims_max = 64;

}  // namespace

Result<std::unique_ptr<AddressWatch>> AddressWatch::open(EventLoop& loop,
                                                         const std::vector<Link>& links, Log& log,
                                                         OnClaim on_claim) {
    std::unique_ptr<AddressWatch> watch{new AddressWatch{loop, log, std::move(on_claim)}};
    for (const Link& link : links) {
        Result<FileDescriptor> socket = open_claim_socket(link.name);
        if (!socket) {
            return Error{socket.error().sentence +
                         "; nobody would notice another host that answers for the director's "
                         "addresses"};
        }
        auto listener = std::make_unique<Listener>(Listener{link, std::move(*socket), nullptr});
        listener->watch =
            std::make_unique<DescriptorWatch>(loop, listener->socket.get(),
                                              [watch = watch.get(), at = listener.get()](
                                                  DescriptorWatch::Ready) { watch->listen(*at); });
        listener->watch->want(/*to_read=*/true, /*to_write=*/false);
        watch->listeners_.push_back(std::move(listener));
    }
    return watch;
}

void AddressWatch::follow(std::vector<IpAddress> addresses) {
    std::ranges::sort(addresses);
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
    if (addresses == addresses_) {
        return;
    }
    addresses_ = std::move(addresses);
    std::erase_if(claims_, [this](const auto& claim) {
        return !std::ranges::binary_search(addresses_, claim.first.first);
    });
    begin_round();
}

void AddressWatch::begin_round() {
    forget_silent();
    asked_ = 0;
    round_began_ = loop_.now();
    ask_some();
}

// As many as take, step by step, no longer than the round.
void AddressWatch::ask_some() {
    constexpr std::size_t steps = round / step;
    const std::size_t end = std::min(asked_ + addresses_.size() / steps + 1, addresses_.size());
    for (; asked_ < end; ++asked_) {
        for (const auto& listener : listeners_) {
            const auto question = claim_question(addresses_[asked_], listener->link.mac);
            // A link that takes nothing now is asked again in the next round.
            static_cast<void>(
                send(listener->socket.get(), question.data(), question.size(), MSG_DONTWAIT));
        }
    }
    if (asked_ < addresses_.size()) {
        next_.after(step, [this] { ask_some(); });
    } else {
        next_.at(round_began_ + round, [this] { begin_round(); });
    }
}

void AddressWatch::listen(Listener& listener) {
    std::array<std::uint8_t, 128> frame;
    for (std::size_t n = 0; n < frames_per_turn_max; ++n) {
        const ssize_t length = recv(listener.socket.get(), frame.data(), frame.size(), 0);
        if (length < 0) {
            return;
        }
        if (const auto claim = claim_in({frame.data(), static_cast<std::size_t>(length)})) {
            hear(listener.link.name, *claim);
        }
    }
}

void AddressWatch::hear(const std::string& port, const AddressClaim& claim) {
    const bool is_watched = std::ranges::binary_search(addresses_, claim.address);
    const bool is_ours = std::ranges::any_of(
        listeners_, [&](const auto& listener) { return listener->link.mac == claim.mac; });
    const std::pair key{claim.address, to_string(claim.mac)};
    const bool is_new = !claims_.contains(key);
    if (!is_watched || is_ours || (is_new && claims_.size() >= claims_max)) {
        return;
    }
    claims_[key] = {port, loop_.now()};
    if (on_rival_ != nullptr) {
        on_rival_(claim.address);
    }
    if (is_new) {
        const std::string sentence = "port \"" + port + "\": " + key.second + " answers for " +
                                     to_string(claim.address) + ", which is ours";
        log_.error(LogArea::kernel, sentence);
        on_claim_(/*is_over=*/false, sentence);
    }
}

void AddressWatch::forget_silent() {
    std::erase_if(claims_, [this](const auto& claim) {
        const bool is_silent = loop_.now() - claim.second.last_heard > 3 * round;
        if (is_silent) {
            const std::string sentence =
                claim.first.second + " no longer answers for " + to_string(claim.first.first);
            log_.notice(LogArea::kernel, sentence);
            on_claim_(/*is_over=*/true, sentence);
        }
        return is_silent;
    });
}

std::vector<std::string> AddressWatch::conflicts() const {
    std::vector<std::string> conflicts;
    for (const auto& [key, claimed] : claims_) {
        conflicts.push_back("port \"" + claimed.port + "\": " + key.second + " answers for " +
                            to_string(key.first) +
                            ", which is the director's: a real that holds the VIP must not (on "
                            "Linux arp_ignore = 1 and arp_announce = 2, or the VIP on its lo)");
    }
    return conflicts;
}

}  // namespace fulcrum
