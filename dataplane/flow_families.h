// What tracking has to ask an IP family of its flows in a burst: which they are, who their clients
// are, where replies go. For the tracker. Worker side.
#pragma once

#include <cstdint>
#include <span>

#include "config/model/snapshot.h"
#include "dataplane/burst.h"
#include "dataplane/choose.h"
#include "dataplane/local_ends.h"
#include "dataplane/parse_ipv6.h"
#include "dataplane/session_table.h"

namespace fulcrum {

// IPv4's flows of a burst, and what only the family knows of them.
struct Ipv4Flows {
    using Sessions = Ipv4Sessions;
    static constexpr DropReason bad_source = DropReason::ipv4_source;

    static std::span<const std::uint8_t> flows_of(const Burst& burst) {
        return {burst.flows.data(), burst.flow_count};
    }
    static ClientKey client_of(const Burst& burst, std::size_t i) {
        return burst.classified[i].client_key;
    }
    static ClientKey client_of(const LeasingFlow& flow, L4Protocol protocol) {
        return client_key_of(IpAddress{flow.client}.v4(), flow.client_port, protocol);
    }
    static void name_client(const Burst& burst, std::size_t i, Session& session) {
        session.client_address = burst.packets[i].source;
        session.client_port = burst.packets[i].source_port;
    }
    // What affinity and schedulers see of the client and its flow.
    static ClientPrefix client_of(const Session& session) {
        return client_prefix_of(session.client_address);
    }
    static ClientPrefix whole_client_of(const Burst& burst, std::size_t i) {
        return client_prefix_of(burst.packets[i].source);
    }
    static FlowTraits traits_of(const Burst& burst, std::size_t i) {
        const ParsedPacket& packet = burst.packets[i];
        return {packet.source.host(), packet.destination.host(), packet.source_port.host()};
    }
    // Where a reply goes.
    static const NextHop& hop_to_client(const Burst& burst, std::size_t i, const Paths& paths) {
        return paths.hop_to(burst.classified[i].client);
    }
    static IpAddress address_of_client(const Burst& burst, std::size_t i) {
        return burst.packets[i].source;
    }
    // Of a reply to a local end: whose it is, and where it goes.
    static void name_client(Burst& burst, std::size_t i, const LeasingFlow& flow) {
        const Ipv4Address client = IpAddress{flow.client}.v4();
        burst.classified[i].client = client;
        burst.classified[i].client_key =
            client_key_of(client, flow.client_port, burst.packets[i].protocol);
        burst.decisions[i].far_address = client;
        burst.decisions[i].far_port = flow.client_port;
    }
};

struct Ipv6Flows {
    using Sessions = Ipv6Sessions;
    static constexpr DropReason bad_source = DropReason::ipv6_source;

    static std::span<const std::uint8_t> flows_of(const Burst& burst) {
        return {burst.flows6.data(), burst.flow6_count};
    }
    static const ClientKey6& client_of(const Burst& burst, std::size_t i) {
        return burst.clients6[i];
    }
    static ClientKey6 client_of(const LeasingFlow& flow, L4Protocol protocol) {
        return {flow.client, flow.client_port, protocol};
    }
    static void name_client(const Burst& burst, std::size_t i, Session6& session) {
        session.client_address = burst.clients6[i].address;
        session.client_port = burst.clients6[i].port;
    }
    static ClientPrefix client_of(const Session6& session) {
        return client_prefix_of(IpAddress{session.client_address});
    }
    static ClientPrefix whole_client_of(const Burst& burst, std::size_t i) {
        return client_prefix_of(IpAddress{burst.clients6[i].address});
    }
    // As IPVS hashes IPv6 addresses: the sum of their four words without carries.
    static FlowTraits traits_of(const Burst& burst, std::size_t i) {
        const Ipv6Ends ends = ipv6_ends_of(burst.frames[i].octets, burst.packets[i]);
        const auto folded = [](const Ipv6Address& address) {
            const std::uint64_t sum =
                __builtin_bswap64(address.word(0)) ^ __builtin_bswap64(address.word(1));
            return static_cast<std::uint32_t>(sum ^ (sum >> 32));
        };
        return {folded(ends.source), folded(ends.destination), burst.packets[i].source_port.host()};
    }
    static const NextHop& hop_to_client(const Burst& burst, std::size_t i, const Paths& paths) {
        return paths.hop_to(burst.clients6[i].address);
    }
    static IpAddress address_of_client(const Burst& burst, std::size_t i) {
        return burst.clients6[i].address;
    }
    static void name_client(Burst& burst, std::size_t i, const LeasingFlow& flow) {
        burst.clients6[i] = {flow.client, flow.client_port, burst.packets[i].protocol};
        burst.decisions[i].far_port = flow.client_port;
    }
};

}  // namespace fulcrum
