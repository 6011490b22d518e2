// Rounds over the addresses, so many a step.
#include "controlplane/roles/announcer.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "controlplane/kernel/announcement.h"

namespace fulcrum {
namespace {

constexpr Duration step = 5ms;
constexpr std::size_t addresses_per_step_max = 50;  // 20,000 frames a second

}  // namespace

Result<std::unique_ptr<Announcer>> Announcer::open(EventLoop& loop,
                                                   const std::vector<Link>& links) {
    std::unique_ptr<Announcer> announcer{new Announcer{loop}};
    for (const Link& link : links) {
        // It hears nothing: its protocol is none.
        FileDescriptor socket{::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
        sockaddr_ll twin{};
        twin.sll_family = AF_PACKET;
        twin.sll_ifindex = static_cast<int>(if_nametoindex(link.name.c_str()));
        if (!socket.is_open() ||
            bind(socket.get(), reinterpret_cast<const sockaddr*>(&twin), sizeof(twin)) != 0) {
            return Error{"port \"" + link.name +
                         "\": a packet socket, by which the link is told where addresses are, "
                         "cannot be had: " +
                         std::strerror(errno)};
        }
        announcer->ports_.push_back({link, std::move(socket)});
    }
    return announcer;
}

void Announcer::announce(const std::string& group, std::vector<Place> places) {
    Campaign campaign{.places = std::move(places)};
    const Instant now = loop_.now();
    for (int round = 0; round < burst_length; ++round) {
        campaign.rounds.push_back(now + round * burst_step);
    }
    for (const Duration later : {1s, 5s, 10s}) {
        campaign.rounds.push_back(now + later);
    }
    campaigns_[group] = std::move(campaign);
    go_on();
}

void Announcer::fall_silent(const std::string& group) { campaigns_.erase(group); }

void Announcer::go_on() {
    std::size_t room = addresses_per_step_max;
    std::optional<Instant> next;
    for (auto& [group, campaign] : campaigns_) {
        room -= say_some(campaign, room);
        if (!campaign.rounds.empty()) {
            const Instant due = campaign.next > 0 ? loop_.now() + step : campaign.rounds.front();
            next = std::min(next.value_or(due), std::max(due, loop_.now() + step));
        }
    }
    std::erase_if(campaigns_, [](const auto& each) { return each.second.rounds.empty(); });
    if (next) {
        timer_.at(*next, [this] { go_on(); });
    }
}

// How many were said.
std::size_t Announcer::say_some(Campaign& campaign, std::size_t most) {
    std::size_t said = 0;
    if (campaign.rounds.empty() || campaign.rounds.front() > loop_.now()) {
        return said;
    }
    for (; said < most && campaign.next < campaign.places.size(); ++said) {
        say(campaign.places[campaign.next++]);
    }
    if (campaign.next == campaign.places.size()) {
        campaign.next = 0;
        campaign.rounds.pop_front();
    }
    return said;
}

// A link that takes nothing now is told in the next round.
void Announcer::say(const Place& place) {
    const Port& port = ports_[place.port];
    for (const auto& frame : announcement_of(place.address, port.link.mac)) {
        if (send(port.socket.get(), frame.data(), frame.size(), MSG_DONTWAIT) > 0) {
            sent_.add(1);
        }
    }
}

}  // namespace fulcrum
