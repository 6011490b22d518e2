// How a packet's passage ends. One verdict per packet, given by the rooms that judge it and carried
// out by `emit` alone. Every way to be dropped has a reason with a name and a sentence, written
// once here: a packet that vanishes without one is a defect.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fulcrum {

enum class Verdict : std::uint8_t {
    pending,    // not judged yet
    transmit,   // out of a NIC port
    refit,      // the same, after rare changes: in a tunnel, in pieces, with another segment size
    splice,     // the same, as the other side of a spliced session counts
    deliver,    // to the kernel's twin of the hop's port, for a program of the director's own
    answer,     // a segment of ours takes its place, forth or back: a SYN cookie, and what follows
    punt,       // to the kernel's twin of the port it came from
    hand_over,  // to the worker that owns its client
    hold,       // waits, bounded, for a neighbour to be resolved
    hear,       // an error about a tunnel: to be read, and perhaps told to a client
    await,      // waits, bounded, for the first fragment of its datagram
    drop,
    reset,  // dropped for `reason`, and both sides of its session are reset
};

// Whether the packet itself goes on, with new octets.
constexpr bool is_rewritten(Verdict verdict) {
    return verdict >= Verdict::transmit && verdict <= Verdict::deliver;
}

inline constexpr std::size_t verdict_count = static_cast<std::size_t>(Verdict::reset) + 1;
std::string_view name_of(Verdict verdict);

enum class DropReason : std::uint8_t {
    // The frame is not what it says it is.
    frame_truncated,
    headers_scattered,
    ipv4_truncated,
    ipv4_version,
    ipv4_header_length,
    ipv4_total_length,
    ipv4_checksum,
    ipv4_source,
    ipv6_truncated,
    ipv6_version,
    ipv6_payload_length,
    ipv6_source,
    ipv6_extension,
    l4_truncated,
    l4_header_length,
    l4_length,
    l4_port_zero,
    udp_checksum_missing,
    tcp_flags,
    icmp_quotation,
    fragment_bounds,
    tunnel_error,
    // The frame is sound, and not for us to carry.
    ethertype,
    vlan,
    ipv6_fragment,
    fragment_overlap,
    fragment_unmatched,
    sctp_fragment,
    local_fragment,
    destination,
    ttl_expired,
    mtu_exceeded,
    no_service_reset,
    no_service_drop,
    // A service's packet that cannot be served.
    denied,
    client_limited,
    service_limited,
    no_real,
    no_local_port,
    no_session,
    cookie_refused,
    session_ended,
    table_full,
    client_port_in_use,
    no_route,
    no_buffer,
    neighbour_unresolved,
    // We were too slow, or the next room was full.
    transmit_full,
    punt_full,
    punt_policed,
    handover_full,
    handed_over_twice,
};
inline constexpr std::size_t drop_reason_count =
    static_cast<std::size_t>(DropReason::handed_over_twice) + 1;

struct DropReasonText {
    std::string_view name;  // the label in metrics and listings
    std::string_view sentence;
};
const DropReasonText& text_of(DropReason reason);

// Classes of frames for the kernel, most precious first. Each has its own token bucket, so that a
// flood of one starves no other.
enum class PuntClass : std::uint8_t {
    keepalive,  // VRRP
    link,       // ARP, and what IPv6 has in its place
    check,      // from real servers to our own addresses
    peer,       // what the other director of a pair tells this one
    routing,    // BGP, BFD, SSH
    local,      // from clients to programs on the director itself that are reals
    transit,    // between real servers and elsewhere, through the kernel
    rest,
};
inline constexpr std::size_t punt_class_count = static_cast<std::size_t>(PuntClass::rest) + 1;
std::string_view name_of(PuntClass punt_class);

}  // namespace fulcrum
