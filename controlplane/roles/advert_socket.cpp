// The options that make a raw socket one of VRRP's, and the ancillary words in which the kernel
// tells a packet's ends.
#include "controlplane/roles/advert_socket.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace fulcrum {
namespace {

constexpr int packets_per_turn_max = 64;
constexpr int precedence_of_control = 0xC0;  // "internetwork control"

Status failed(const std::string& twin, const char* what) {
    return Error{"port \"" + twin + "\": " + what + " for VRRP failed: " + std::strerror(errno)};
}

template <typename T>
bool set(int socket, int level, int option, const T& value) {
    return ::setsockopt(socket, level, option, &value, sizeof(value)) == 0;
}

in6_addr octets_of(const IpAddress& address) {
    in6_addr octets{};
    std::memcpy(&octets, address.v6().octets.data(), sizeof(octets));
    return octets;
}
IpAddress address_of(const in6_addr& octets) {
    Ipv6Address address;
    std::memcpy(address.octets.data(), &octets, sizeof(octets));
    return address;
}
IpAddress address_of(const in_addr& octets) { return Ipv4Address::from_host(ntohl(octets.s_addr)); }

// Reads the words of IPv6 that come beside a packet: where to, and over how many hops.
void read_ends(msghdr& message, AdvertEnds& ends) {
    for (cmsghdr* word = CMSG_FIRSTHDR(&message); word != nullptr;
         word = CMSG_NXTHDR(&message, word)) {
        if (word->cmsg_level == IPPROTO_IPV6 && word->cmsg_type == IPV6_HOPLIMIT) {
            int hops = 0;
            std::memcpy(&hops, CMSG_DATA(word), sizeof(hops));
            ends.hops = static_cast<std::uint8_t>(hops);
        } else if (word->cmsg_level == IPPROTO_IPV6 && word->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo place{};
            std::memcpy(&place, CMSG_DATA(word), sizeof(place));
            ends.destination = address_of(place.ipi6_addr);
        }
    }
}

// Puts one word beside a message that is to be sent.
template <typename T>
void add_word(msghdr& message, std::array<char, 64>& room, int level, int type, const T& value) {
    message.msg_control = room.data();
    message.msg_controllen = CMSG_SPACE(sizeof(value));
    cmsghdr* const word = CMSG_FIRSTHDR(&message);
    word->cmsg_level = level;
    word->cmsg_type = type;
    word->cmsg_len = CMSG_LEN(sizeof(value));
    std::memcpy(CMSG_DATA(word), &value, sizeof(value));
}

}  // namespace

AdvertSocket::AdvertSocket(Place place, Heard heard)
    : place_{std::move(place)},
      destination_{place_.peer.is_unspecified() ? vrrp_group(place_.source.family()) : place_.peer},
      heard_{std::move(heard)},
      interface_{static_cast<int>(if_nametoindex(place_.twin.c_str()))} {}

Result<std::unique_ptr<AdvertSocket>> AdvertSocket::open(EventLoop& loop, const Place& place,
                                                         Heard heard) {
    std::unique_ptr<AdvertSocket> opened{new AdvertSocket{place, std::move(heard)}};
    const bool is_v4 = place.source.is_v4();
    const int type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
    opened->socket_ =
        FileDescriptor{::socket(is_v4 ? AF_INET : AF_INET6, type, int{vrrp_protocol})};
    const int socket = opened->socket_.get();
    if (socket < 0 || ::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, place.twin.c_str(),
                                   static_cast<socklen_t>(place.twin.size())) != 0) {
        return failed(place.twin, "opening a raw socket").error();
    }
    set(socket, SOL_SOCKET, SO_PRIORITY, 6);
    if (const Status set_up = is_v4 ? opened->set_up_v4() : opened->set_up_v6(); !set_up) {
        return set_up.error();
    }
    opened->watch_ = std::make_unique<DescriptorWatch>(
        loop, socket, [at = opened.get()](DescriptorWatch::Ready) { at->read(); });
    opened->watch_->want(/*to_read=*/true, /*to_write=*/false);
    return opened;
}

Status AdvertSocket::set_up_v4() {
    const int socket = socket_.get();
    ip_mreqn all{};
    all.imr_multiaddr.s_addr = htonl(vrrp_group(IpFamily::v4).v4().host());
    all.imr_ifindex = interface_;
    const bool is_set = set(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, all) &&
                        set(socket, IPPROTO_IP, IP_MULTICAST_IF, all) &&
                        set(socket, IPPROTO_IP, IP_MULTICAST_TTL, int{vrrp_hops}) &&
                        set(socket, IPPROTO_IP, IP_TTL, int{vrrp_hops}) &&
                        set(socket, IPPROTO_IP, IP_MULTICAST_LOOP, 0) &&
                        set(socket, IPPROTO_IP, IP_TOS, precedence_of_control);
    return is_set ? done() : failed(place_.twin, "setting a socket of IPv4 up");
}

Status AdvertSocket::set_up_v6() {
    const int socket = socket_.get();
    ipv6_mreq all{octets_of(vrrp_group(IpFamily::v6)), static_cast<unsigned>(interface_)};
    const bool is_set = set(socket, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, all) &&
                        set(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, interface_) &&
                        set(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, int{vrrp_hops}) &&
                        set(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, int{vrrp_hops}) &&
                        set(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) &&
                        set(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) &&
                        set(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
                        set(socket, IPPROTO_IPV6, IPV6_TCLASS, precedence_of_control);
    return is_set ? done() : failed(place_.twin, "setting a socket of IPv6 up");
}

bool AdvertSocket::send(std::span<const std::uint8_t> octets) {
    iovec piece{const_cast<std::uint8_t*>(octets.data()), octets.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    std::array<char, 64> words{};
    sockaddr_in to4{};
    sockaddr_in6 to6{};
    if (destination_.is_v4()) {
        to4.sin_family = AF_INET;
        to4.sin_addr.s_addr = htonl(destination_.v4().host());
        message.msg_name = &to4;
        message.msg_namelen = sizeof(to4);
        in_pktinfo from{};
        from.ipi_ifindex = interface_;
        from.ipi_spec_dst.s_addr = htonl(place_.source.v4().host());
        add_word(message, words, IPPROTO_IP, IP_PKTINFO, from);
    } else {
        to6.sin6_family = AF_INET6;
        to6.sin6_addr = octets_of(destination_);
        to6.sin6_scope_id = static_cast<std::uint32_t>(interface_);
        message.msg_name = &to6;
        message.msg_namelen = sizeof(to6);
        in6_pktinfo from{octets_of(place_.source), static_cast<unsigned>(interface_)};
        add_word(message, words, IPPROTO_IPV6, IPV6_PKTINFO, from);
    }
    return ::sendmsg(socket_.get(), &message, MSG_DONTWAIT) >= 0;
}

void AdvertSocket::read() {
    std::array<std::uint8_t, 2'048> room;
    for (int n = 0; n < packets_per_turn_max; ++n) {
        iovec piece{room.data(), room.size()};
        std::array<char, 256> words{};
        sockaddr_storage sender{};
        msghdr message{};
        message.msg_name = &sender;
        message.msg_namelen = sizeof(sender);
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = words.data();
        message.msg_controllen = words.size();
        const ssize_t length = ::recvmsg(socket_.get(), &message, 0);
        if (length < 0) {
            return;
        }
        std::span<const std::uint8_t> packet{room.data(), static_cast<std::size_t>(length)};
        AdvertEnds ends;
        if (destination_.is_v4()) {  // the IP header comes along
            if (packet.size() < sizeof(ip)) {
                continue;
            }
            ip header{};
            std::memcpy(&header, packet.data(), sizeof(header));
            ends = {address_of(header.ip_src), address_of(header.ip_dst), header.ip_ttl};
            packet = packet.subspan(std::min<std::size_t>(header.ip_hl * 4U, packet.size()));
        } else {
            sockaddr_in6 from{};
            std::memcpy(&from, &sender, sizeof(from));
            ends.source = address_of(from.sin6_addr);
            read_ends(message, ends);
        }
        take(packet, ends);
    }
}

// A path to one peer is heard from that one alone, over any number of hops; one to the whole link
// only from the link.
void AdvertSocket::take(std::span<const std::uint8_t> packet, AdvertEnds ends) {
    if (ends.source == place_.source) {
        return;
    }
    if (!place_.peer.is_unspecified()) {
        if (ends.source != place_.peer) {
            return;
        }
        ends.hops = vrrp_hops;
    } else if (ends.destination != destination_) {
        return;
    }
    heard_(packet, ends);
}

}  // namespace fulcrum
