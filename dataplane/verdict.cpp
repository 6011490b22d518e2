// The sentences behind the names. One table each, in the order of the enumerations.
#include "dataplane/verdict.h"

namespace fulcrum {
namespace {

constexpr std::array<DropReasonText, drop_reason_count> drop_reason_texts{{
    {"frame_truncated", "the frame ends within its Ethernet header"},
    {"headers_scattered", "the headers do not lie in the first segment of the buffer"},
    {"ipv4_truncated", "the frame ends within the IPv4 header"},
    {"ipv4_version", "an IPv4 frame carries another version number"},
    {"ipv4_header_length", "the IPv4 header length is below 20 or beyond the frame"},
    {"ipv4_total_length", "the IPv4 total length is below its header or beyond the frame"},
    {"ipv4_checksum", "the IPv4 header checksum is wrong"},
    {"ipv4_source", "the source is unspecified, multicast, broadcast, loopback, reserved, or ours"},
    {"ipv6_truncated", "the frame ends within the IPv6 header"},
    {"ipv6_version", "an IPv6 frame carries another version number"},
    {"ipv6_payload_length", "the IPv6 payload length is beyond the frame"},
    {"ipv6_source",
     "the source is multicast, loopback, IPv4-mapped, or not the client's own alone"},
    {"ipv6_extension", "extension headers are too many, too long, cut, or ask for a detour"},
    {"l4_truncated", "the packet ends within its TCP, UDP, SCTP or ICMP header"},
    {"l4_header_length", "the TCP data offset is below 20 or beyond the packet"},
    {"l4_length", "the UDP length is below 8 or beyond the packet, or an SCTP chunk's below 4"},
    {"l4_port_zero", "a TCP, UDP or SCTP port is zero"},
    {"udp_checksum_missing", "a UDP datagram over IPv6 has no checksum"},
    {"tcp_flags", "the TCP flags contradict each other"},
    {"icmp_quotation", "an ICMP error quotes too little to know whom it concerns"},
    {"fragment_bounds", "a fragment is empty, cut unevenly, or ends beyond the largest packet"},
    {"tunnel_error", "an error about a tunnel was heard, and concerns no client that it names"},
    {"ethertype", "the frame carries neither IP nor ARP"},
    {"vlan", "the frame has the tag of a VLAN that its port does not carry"},
    {"ipv6_fragment",
     "a fragment of IPv6 for a VIP has further headers before its TCP, UDP or SCTP header"},
    {"fragment_overlap", "a fragment covers octets that another one of its datagram has covered"},
    {"fragment_unmatched", "a fragment's first one did not come in time, or too many waited"},
    {"sctp_fragment", "a fragment of SCTP is for a port that would have to be translated"},
    {"local_fragment",
     "a fragment in full NAT came to a worker that does not lease its local end, is an answer of "
     "IPv6, or has no place for its client's address"},
    {"destination", "the destination is nobody whom this director serves or routes for"},
    {"ttl_expired", "the time to live ran out here"},
    {"mtu_exceeded", "the packet is larger than its next hop carries, and may not be cut"},
    {"no_service_reset", "no service has that port of the VIP, and the sender is told"},
    {"no_service_drop", "no service has that port of the VIP, and nobody is told"},
    {"denied", "the service lets its client open no sessions"},
    {"client_limited", "its client has asked for more than the service allows it in a second"},
    {"service_limited", "more was asked for than the service allows in a second"},
    {"no_real", "the service has no usable real and no fallback"},
    {"no_local_port", "full NAT has no free local port on the way to the real"},
    {"no_session", "a TCP packet opens no session and belongs to none"},
    {"cookie_refused",
     "what should open a connection by a SYN cookie proves nothing (its number is none of ours, it "
     "is damaged or in pieces), or its real grants less than was promised"},
    {"session_ended",
     "the session's real is down or gone, or its counts are lost, and both sides were reset"},
    {"table_full", "there is no room for a session that must be tracked"},
    {"client_port_in_use", "another session of this client port meets at the same real and port"},
    {"no_route", "the kernel has no route to the destination"},
    {"no_buffer", "there was no packet buffer for a piece of a packet, or too many pieces"},
    {"neighbour_unresolved", "the next hop did not answer in time, or too many packets waited"},
    {"transmit_full", "the transmit queue of the port was full"},
    {"punt_full", "the ring to the kernel's twin was full"},
    {"punt_policed", "frames of this class for the kernel exceeded their rate"},
    {"handover_full", "the mailbox of the owning worker was full"},
    {"handed_over_twice", "a packet handed over was not at home with its owner"},
}};

constexpr std::array<std::string_view, verdict_count> verdict_names{
    "pending",   "transmit", "refit", "splice", "deliver", "answer", "punt",
    "hand_over", "hold",     "hear",  "await",  "drop",    "reset"};

constexpr std::array<std::string_view, punt_class_count> punt_class_names{
    "keepalive", "link", "check", "peer", "routing", "local", "transit", "rest"};

}  // namespace

const DropReasonText& text_of(DropReason reason) {
    return drop_reason_texts[static_cast<std::size_t>(reason)];
}

std::string_view name_of(Verdict verdict) {
    return verdict_names[static_cast<std::size_t>(verdict)];
}

std::string_view name_of(PuntClass punt_class) {
    return punt_class_names[static_cast<std::size_t>(punt_class)];
}

}  // namespace fulcrum
