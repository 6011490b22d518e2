// A frame out of words, and words out of an explanation.
#include "controlplane/explain.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "controlplane/packet_words.h"
#include "controlplane/reports.h"

namespace fulcrum {
namespace {

constexpr std::size_t ethernet_size = 14;
constexpr std::size_t ipv4_size = 20;
constexpr std::size_t ipv6_size = 40;
constexpr std::size_t tcp_size = 20;
constexpr std::size_t udp_size = 8;
constexpr std::size_t sctp_size = 12 + 20;  // with an INIT, the largest chunk made here
constexpr std::array protocols{L4Protocol::tcp, L4Protocol::udp, L4Protocol::sctp};

constexpr std::size_t header_size_of(L4Protocol protocol) {
    switch (protocol) {
        case L4Protocol::udp:
            return udp_size;
        case L4Protocol::sctp:
            return sctp_size;
        default:
            return tcp_size;
    }
}
constexpr std::uint64_t ip_length_max = 65'535;

// --- the question ----------------------------------------------------------------------------

constexpr std::array<std::pair<std::string_view, std::uint8_t>, 5> flag_bits{
    {{"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04}, {"psh", 0x08}, {"ack", 0x10}}};

std::optional<std::uint8_t> flags_of(std::string_view text) {
    std::uint8_t flags = 0;
    while (!text.empty()) {
        const std::size_t length = std::min(text.find_first_of(",|"), text.size());
        const auto known = std::ranges::find(flag_bits, text.substr(0, length),
                                             &std::pair<std::string_view, std::uint8_t>::first);
        if (known == flag_bits.end()) {
            return std::nullopt;
        }
        flags = static_cast<std::uint8_t>(flags | known->second);
        text.remove_prefix(std::min(length + 1, text.size()));
    }
    return flags;
}

// The chunk of SCTP (RFC 9260) that stands where these flags stand in TCP.
unsigned chunk_of(std::uint8_t flags) {
    constexpr unsigned init = 1;
    constexpr unsigned init_ack = 2;
    constexpr unsigned sack = 3;
    constexpr unsigned abort = 6;
    constexpr unsigned shutdown = 7;
    if ((flags & 0x02) != 0) {
        return (flags & 0x10) != 0 ? init_ack : init;
    }
    return (flags & 0x04) != 0 ? abort : (flags & 0x01) != 0 ? shutdown : sack;
}

struct Wanted {
    L4Protocol protocol = L4Protocol::tcp;
    Endpoint source;
    Endpoint destination;
    std::uint8_t tcp_flags = 0;
    std::uint16_t ip_length = 0;
};

// Writes a frame front to back.
class Writer {
  public:
    explicit Writer(ExplainedOctets& octets) : octets_{octets} {}

    Writer& octet(unsigned value) {
        octets_[at_++] = static_cast<std::uint8_t>(value);
        return *this;
    }
    Writer& word(unsigned value) { return octet(value >> 8).octet(value & 255); }
    Writer& address(const IpAddress& address) {
        const auto& octets = address.v6().octets;
        for (std::size_t at = address.is_v4() ? 12 : 0; at < octets.size(); ++at) {
            octet(octets[at]);
        }
        return *this;
    }
    Writer& zeros(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            octet(0);
        }
        return *this;
    }
    std::size_t size() const { return at_; }

  private:
    ExplainedOctets& octets_;
    std::size_t at_ = 0;
};

// RFC 1071
unsigned sum_of(std::span<const std::uint8_t> octets) {
    unsigned sum = 0;
    for (std::size_t i = 0; i + 1 < octets.size(); i += 2) {
        sum += unsigned{octets[i]} << 8 | octets[i + 1];
    }
    while (sum > 0xFFFF) {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return sum;
}

void write_ipv4(const Wanted& wanted, Writer& frame, ExplainedOctets& octets) {
    frame.word(0x0800).word(0x4500).word(wanted.ip_length).zeros(2).word(0x4000);
    frame.octet(64).octet(static_cast<unsigned>(wanted.protocol)).zeros(2);
    frame.address(wanted.source.address).address(wanted.destination.address);
    const unsigned checksum =
        ~sum_of(std::span{octets}.subspan(ethernet_size, ipv4_size)) & 0xFFFFU;
    octets[ethernet_size + 10] = static_cast<std::uint8_t>(checksum >> 8);
    octets[ethernet_size + 11] = static_cast<std::uint8_t>(checksum & 255);
}

void write_ipv6(const Wanted& wanted, Writer& frame) {
    frame.word(0x86DD).word(0x6000).zeros(2).word(wanted.ip_length - unsigned{ipv6_size});
    frame.octet(static_cast<unsigned>(wanted.protocol)).octet(64);
    frame.address(wanted.source.address).address(wanted.destination.address);
}

std::size_t ip_size_of(const Wanted& wanted) {
    return wanted.source.address.is_v4() ? ipv4_size : ipv6_size;
}

// Headers alone. The L4 checksum is left open: nobody on the way looks at it, but whether a
// datagram over IPv6 has one.
void write_frame(const Wanted& wanted, Question& question) {
    constexpr unsigned some_checksum = 0xFFFF;
    const bool is_v4 = wanted.source.address.is_v4();
    Writer frame{question.octets};
    // The worker writes its port's MAC address; the sender's is of no account.
    frame.zeros(6).word(0x0200).zeros(4);
    is_v4 ? write_ipv4(wanted, frame, question.octets) : write_ipv6(wanted, frame);
    frame.word(wanted.source.port.host()).word(wanted.destination.port.host());
    if (wanted.protocol == L4Protocol::udp) {
        frame.word(wanted.ip_length - static_cast<unsigned>(ip_size_of(wanted)));
        frame.word(is_v4 ? 0 : some_checksum);
    } else if (wanted.protocol == L4Protocol::sctp) {
        // Tag and checksum, then one chunk.
        frame.zeros(8).octet(chunk_of(wanted.tcp_flags)).octet(0).word(20).zeros(16);
    } else {
        frame.word(0).word(1).word(0).word((wanted.tcp_flags & 0x10) != 0 ? 1 : 0);
        frame.octet(0x50).octet(wanted.tcp_flags).word(0xFFFF).zeros(4);
    }
    question.octet_count = static_cast<std::uint16_t>(frame.size());
    question.length = std::uint32_t{wanted.ip_length} + ethernet_size;
    question.source = wanted.source.address;
}

Result<Wanted> wanted_of(const Json& arguments) {
    Wanted wanted;
    const std::string protocol = text_of(arguments, "protocol");
    const auto spoken =
        std::ranges::find(protocols, protocol, [](L4Protocol each) { return to_string(each); });
    if (spoken == protocols.end()) {
        return Error{"protocol \"" + protocol + "\" is not one of tcp, udp, sctp"};
    }
    wanted.protocol = *spoken;
    for (const auto& [name, place] :
         {std::pair{"source", &wanted.source}, {"destination", &wanted.destination}}) {
        const std::string text = text_of(arguments, name);
        const std::optional<Endpoint> endpoint = parse_endpoint(text);
        if (!endpoint) {
            return Error{std::string{name} + " \"" + text +
                         "\" does not read ADDRESS:PORT, as in 192.0.2.7:40000 or "
                         "[2001:db8::7]:40000"};
        }
        *place = *endpoint;
    }
    if (wanted.source.address.family() != wanted.destination.address.family()) {
        return Error{"source and destination are not of one IP version"};
    }
    const std::string flags = arguments.value("flags", std::string{"syn"});
    const std::optional<std::uint8_t> bits = flags_of(flags);
    if (!bits) {
        return Error{"flags \"" + flags + "\" are not some of fin, syn, rst, psh, ack"};
    }
    wanted.tcp_flags = *bits;
    const std::uint64_t size_min = ip_size_of(wanted) + header_size_of(wanted.protocol);
    const std::uint64_t size = arguments.value("size", size_min);
    if (size < size_min || size > ip_length_max) {
        return Error{"size " + std::to_string(size) + " is out of range: " +
                     std::to_string(size_min) + " to " + std::to_string(ip_length_max)};
    }
    wanted.ip_length = static_cast<std::uint16_t>(size);
    return wanted;
}

// --- the report ------------------------------------------------------------------------------

Json text_or_null(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

std::string name_of_port(const std::vector<std::string>& port_names, std::uint8_t port) {
    return port < port_names.size() ? port_names[port] : std::string{};
}

Json report_real(const ListedReal& real) {
    const std::uint16_t port = real.endpoint.port.host();
    return {{"name", real.name},
            {"address", to_string(real.endpoint.address)},
            {"port", port != 0 ? Json(port) : Json("any")},
            {"forward", to_string(real.forward)},
            {"client_address", to_string(real.client_address)},
            {"state", to_string(real.state)}};
}

Json report_session(const Explanation& explanation) {
    return {{"state", to_string(explanation.session.state, explanation.session.protocol)},
            {"local", local_end_of(explanation.session)},
            {"idle_s", explanation.session.idle_s},
            {"timeout_s", explanation.session.timeout_s}};
}

Json report_way(const Explanation& explanation, const std::vector<std::string>& port_names) {
    const std::span octets{explanation.octets.data(), explanation.octet_count};
    return {{"port", name_of_port(port_names, explanation.hop.port)},
            {"neighbour", to_string(explanation.neighbour)},
            {"source_mac", to_string(explanation.hop.source)},
            {"destination_mac", explanation.hop.is_resolved
                                    ? Json(to_string(explanation.hop.destination))
                                    : Json(nullptr)},
            {"mtu", explanation.hop.mtu},
            {"packet", packet_in_words(octets)}};
}

}  // namespace

Result<Question> question_of(const Json& arguments, const std::vector<std::string>& port_names) {
    const Result<Wanted> wanted = wanted_of(arguments);
    if (!wanted) {
        return wanted.error();
    }
    Question question;
    if (const std::string from = text_of(arguments, "from"); !from.empty()) {
        const auto found = std::ranges::find(port_names, from);
        if (found == port_names.end()) {
            return Error{"there is no port \"" + from + "\""};
        }
        question.port = static_cast<std::uint8_t>(found - port_names.begin());
    }
    write_frame(*wanted, question);
    return question;
}

Json report_explanation(const Explanation& explanation, const Listing& listing,
                        const std::vector<std::string>& port_names) {
    Json json;
    json["epoch"] = explanation.epoch;
    json["arrives_at"] = name_of_port(port_names, explanation.port);
    json["worker"] = explanation.owner;
    json["class"] = explanation.the_class;
    json["punt_class"] = text_or_null(explanation.punt_class);
    const auto service = std::ranges::find_if(listing.services, [&](const ListedService& each) {
        return std::ranges::find(each.listener_indexes, explanation.listener) !=
               each.listener_indexes.end();
    });
    const bool has_service =
        explanation.listener != limits::index_none && service != listing.services.end();
    json["service"] = has_service ? Json(service->name) : Json(nullptr);
    json["session"] = explanation.has_session ? report_session(explanation) : Json(nullptr);
    json["opens_session"] = explanation.opens_session;
    const bool has_slot = explanation.opens_session && explanation.ring_slot != UINT32_MAX;
    json["ring_slot"] = has_slot ? Json(explanation.ring_slot) : Json(nullptr);
    json["real"] = nullptr;
    if (has_service && explanation.real != limits::index_none) {
        const auto real = std::ranges::find(service->reals, explanation.real, &ListedReal::index);
        json["real"] = real == service->reals.end() ? Json(nullptr) : report_real(*real);
    }
    json["verdict"] = explanation.verdict;
    json["reason"] = text_or_null(explanation.reason);
    json["sentence"] = text_or_null(explanation.sentence);
    json["leaves"] = explanation.has_hop ? report_way(explanation, port_names) : Json(nullptr);
    return json;
}

}  // namespace fulcrum
