// Echo requests of sixteen octets: ICMP's eight (RFC 792, RFC 4443), and the token.
#include "controlplane/health/ping_probe.h"

#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace fulcrum {
namespace {

constexpr int times_asked = 3;
constexpr int replies_per_turn_max = 64;

using Echo = std::array<std::uint8_t, 16>;
constexpr std::size_t token_offset = 8;

// RFC 1071. ICMPv6's, over addresses too, is the kernel's to write.
std::uint16_t checksum_of(const Echo& echo) {
    std::uint32_t sum = 0;
    for (std::size_t at = 0; at < echo.size(); at += 2) {
        sum += static_cast<std::uint32_t>(echo[at] << 8U | echo[at + 1]);
    }
    sum = (sum & 0xFFFFU) + (sum >> 16U);
    sum += sum >> 16U;
    return static_cast<std::uint16_t>(~sum);
}

Echo echo_request(bool is_v4, std::uint64_t token) {
    Echo echo{};
    echo[0] = is_v4 ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST};
    std::memcpy(echo.data() + 4, &token,
                2);  // an identifier, which an unprivileged socket sets anew
    std::memcpy(echo.data() + token_offset, &token, sizeof(token));
    if (is_v4) {
        const std::uint16_t checksum = checksum_of(echo);
        echo[2] = static_cast<std::uint8_t>(checksum >> 8U);
        echo[3] = static_cast<std::uint8_t>(checksum & 0xFFU);
    }
    return echo;
}

// The token of an echo reply; nothing: it is something else. A raw socket of IPv4 has the IP header
// before it.
std::optional<std::uint64_t> token_in(std::span<const std::uint8_t> packet, bool is_v4) {
    if (is_v4 && !packet.empty() && packet[0] >> 4U == 4) {
        const std::size_t header = (packet[0] & 0xFU) * std::size_t{4};
        packet = packet.subspan(std::min(header, packet.size()));
    }
    const std::uint8_t reply = is_v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
    if (packet.size() < sizeof(Echo) || packet[0] != reply) {
        return std::nullopt;
    }
    std::uint64_t token = 0;
    std::memcpy(&token, packet.data() + token_offset, sizeof(token));
    return token;
}

socklen_t write_address(const IpAddress& address, sockaddr_storage& storage) {
    if (address.is_v4()) {
        auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
        v4.sin_family = AF_INET;
        v4.sin_addr.s_addr = htonl(address.v4().host());
        return sizeof(sockaddr_in);
    }
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_family = AF_INET6;
    std::memcpy(&v6.sin6_addr, address.v6().octets.data(), sizeof(v6.sin6_addr));
    return sizeof(sockaddr_in6);
}

bool is_from(const sockaddr_storage& sender, const IpAddress& address) {
    sockaddr_storage wanted{};
    write_address(address, wanted);
    if (address.is_v4()) {
        return reinterpret_cast<const sockaddr_in&>(sender).sin_addr.s_addr ==
               reinterpret_cast<const sockaddr_in&>(wanted).sin_addr.s_addr;
    }
    return std::memcmp(&reinterpret_cast<const sockaddr_in6&>(sender).sin6_addr,
                       &reinterpret_cast<const sockaddr_in6&>(wanted).sin6_addr,
                       sizeof(in6_addr)) == 0;
}

void let_in_replies_alone(int socket, bool is_v4) {
    if (is_v4) {
        icmp_filter filter{~(1U << ICMP_ECHOREPLY)};
        ::setsockopt(socket, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter));
        return;
    }
    icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
    ::setsockopt(socket, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
}

// For the answers of thousands who are asked at one instant: what does not fit is lost, and asked
// for again only after a while. Beyond the system's limit where we may.
void make_room_for_answers(int socket) {
    const int size = 8 << 20;
    if (::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0) {
        ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    }
}

}  // namespace

int PingProber::open(Wire& wire, bool is_v4) {
    if (wire.socket.is_open()) {
        return 0;
    }
    const int family = is_v4 ? AF_INET : AF_INET6;
    const int protocol = is_v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
    constexpr int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    FileDescriptor socket{::socket(family, SOCK_DGRAM | flags, protocol)};
    if (!socket.is_open()) {
        socket = FileDescriptor{::socket(family, SOCK_RAW | flags, protocol)};
        if (!socket.is_open()) {
            return errno;
        }
        let_in_replies_alone(socket.get(), is_v4);
    }
    make_room_for_answers(socket.get());
    wire.socket = std::move(socket);
    wire.watch.emplace(loop_, wire.socket.get(),
                       [this, &wire, is_v4](DescriptorWatch::Ready) { receive(wire, is_v4); });
    wire.watch->want(true, false);
    return 0;
}

void PingProber::probe(const ProbeSpec& spec, Done done) {
    auto attempt = std::make_unique<Attempt>(loop_);
    attempt->spec = spec;
    attempt->done = std::move(done);
    attempt->token = random_();
    const std::uint64_t token = attempt->token;
    Attempt& placed = *attempts_.emplace(token, std::move(attempt)).first->second;
    const int error = open(wire_of(placed), spec.target.address.is_v4());
    placed.deadline.after(spec.check.timeout,
                          [this, token, spec] { finish(token, outcome_of_timeout(spec)); });
    loop_.post([this, token, error, life = std::weak_ptr{life_}] {
        if (life.expired()) {
            return;
        }
        if (error != 0) {
            return finish(token, {ProbeVerdict::not_sent,
                                  "probe not sent: " + outcome_of_refusal(error).sentence});
        }
        if (const auto found = attempts_.find(token); found != attempts_.end()) {
            send(*found->second);
        }
    });
}

void PingProber::send(Attempt& attempt) {
    const IpAddress& address = attempt.spec.target.address;
    const Echo echo = echo_request(address.is_v4(), attempt.token);
    sockaddr_storage target{};
    const socklen_t length = write_address(address, target);
    const ssize_t sent = ::sendto(wire_of(attempt).socket.get(), echo.data(), echo.size(), 0,
                                  reinterpret_cast<const sockaddr*>(&target), length);
    if (sent < 0 && errno != EAGAIN) {
        return finish(attempt.token, outcome_of_refusal(errno));
    }
    attempt.patience.after(attempt.spec.check.timeout / times_asked,
                           [this, &attempt] { send(attempt); });
}

void PingProber::receive(Wire& wire, bool is_v4) {
    std::array<std::uint8_t, 256> room;
    for (int n = 0; n < replies_per_turn_max; ++n) {
        sockaddr_storage sender{};
        socklen_t length = sizeof(sender);
        const ssize_t count = ::recvfrom(wire.socket.get(), room.data(), room.size(), 0,
                                         reinterpret_cast<sockaddr*>(&sender), &length);
        if (count < 0) {
            return;
        }
        const auto token = token_in({room.data(), static_cast<std::size_t>(count)}, is_v4);
        const auto found = token ? attempts_.find(*token) : attempts_.end();
        if (found != attempts_.end() && is_from(sender, found->second->spec.target.address)) {
            finish(*token, {ProbeVerdict::success, "echo answered"});
        }
    }
}

void PingProber::finish(std::uint64_t token, ProbeOutcome outcome) {
    const auto found = attempts_.find(token);
    if (found == attempts_.end()) {
        return;
    }
    const auto attempt = std::move(found->second);
    attempts_.erase(found);
    attempt->done(std::move(outcome));
}

}  // namespace fulcrum
