// The filter, and the socket that has it.
#include "controlplane/kernel/claim_socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace fulcrum {
namespace {

// ARP, and ICMPv6 neighbour advertisements right behind the IPv6 header.
constexpr std::uint32_t next_header_at = sizeof(ether_header) + 6;
constexpr std::uint32_t icmp_type_at = sizeof(ether_header) + 40;
constexpr std::array<sock_filter, 9> claims_only{{
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(ether_header, ether_type)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 5, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 0, 5),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, next_header_at),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, icmp_type_at),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_ADVERT, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 128),  // octets of the frame
    BPF_STMT(BPF_RET | BPF_K, 0),
}};

Error failed(const std::string& port, const std::string& what) {
    return {"port \"" + port + "\": " + what + ": " + std::strerror(errno)};
}

}  // namespace

Result<FileDescriptor> open_claim_socket(const std::string& port) {
    FileDescriptor socket{::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!socket.is_open()) {
        return failed(port, "opening a packet socket");
    }
    const sock_fprog filter{static_cast<unsigned short>(claims_only.size()),
                            const_cast<sock_filter*>(claims_only.data())};
    const int ignores_ours = 1;
    sockaddr_ll twin{};
    twin.sll_family = AF_PACKET;
    twin.sll_protocol = htons(ETH_P_ALL);
    twin.sll_ifindex = static_cast<int>(if_nametoindex(port.c_str()));
    if (setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) != 0 ||
        setsockopt(socket.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &ignores_ours,
                   sizeof(ignores_ours)) != 0) {
        return failed(port, "setting a packet socket's filter");
    }
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&twin), sizeof(twin)) != 0) {
        return failed(port, "binding a packet socket");
    }
    return socket;
}

}  // namespace fulcrum
