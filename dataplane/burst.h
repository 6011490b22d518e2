// The packets in a worker's hands, as parallel arrays: each stage is a loop over one or two of
// them. Worker side.
#pragma once

#include <array>
#include <cstdint>

#include "config/model/limits.h"
#include "dataplane/classify.h"
#include "dataplane/decide.h"
#include "dataplane/local_ends.h"
#include "dataplane/parse.h"
#include "dataplane/session_table.h"
#include "dataplane/splice.h"

struct rte_mbuf;

namespace fulcrum {

// Where a burst comes from: only what a NIC or the kernel brought may be handed over.
enum class Origin : std::uint8_t { nic, kernel, other_worker, held };

// A packet's octets, as the first segment of its buffer holds them.
struct Frame {
    std::uint8_t* octets;
    std::uint32_t length;          // of the whole frame
    std::uint16_t segment_length;  // of the first segment
    std::uint8_t port;             // index of the NIC port that received it
};

// What is to be done with a packet of a spliced session, as it stood when that was decided.
enum class SpliceStep : std::uint8_t {
    none,       // the session is not spliced
    translate,  // numbers of either direction
    offer,      // a client's SYN: a cookie goes back
    open,       // the client's: the SYN for the real goes in its place
    close_up,   // the real's SYN-ACK: each side gets what it waits for
    rebuff,     // the real's, about an older connection: it is reset
};
struct SplicedPacket {
    Splice splice;
    SpliceStep step = SpliceStep::none;
};

struct Burst {
    std::size_t count = 0;
    Origin origin = Origin::nic;
    std::array<rte_mbuf*, limits::burst_size_max> mbufs;  // for who receives and emits
    std::array<Frame, limits::burst_size_max> frames;
    std::array<ParsedPacket, limits::burst_size_max> packets;
    std::array<Classified, limits::burst_size_max> classified;
    std::array<SessionHome, limits::burst_size_max> homes;
    std::array<Decision, limits::burst_size_max> decisions;

    // Those of IPv4 that are requests or replies of clients that are ours, by index.
    std::array<std::uint8_t, limits::burst_size_max> flows;
    std::size_t flow_count = 0;

    // Those that are fragments of our clients' packets, by index: few, and mostly none.
    std::array<std::uint8_t, limits::burst_size_max> fragments;
    std::size_t fragment_count = 0;

    // Those with a VLAN's tag, by index; and those of them whose tag has been taken out of their
    // frame, which who owns their buffers has yet to learn.
    std::array<std::uint8_t, limits::burst_size_max> tagged;
    std::size_t tagged_count = 0;
    std::array<std::uint8_t, limits::burst_size_max> untagged;
    std::size_t untagged_count = 0;

    // Those to local addresses, of either family, by index: of full NAT alone.
    std::array<std::uint8_t, limits::burst_size_max> local_replies;
    std::size_t local_reply_count = 0;

    // Of those whose decision tells_client().
    std::array<Telling, limits::burst_size_max> tellings;

    // Of those of spliced sessions, and of those that begin one: of the others there is no step, as
    // long as who emits a burst with steps forgets them.
    std::array<SplicedPacket, limits::burst_size_max> spliced;
    bool has_steps = false;

    void note_step(std::size_t i, SpliceStep step) {
        spliced[i].step = step;
        has_steps = true;
    }
    void forget_steps() {
        for (SplicedPacket& packet : spliced) {
            packet.step = SpliceStep::none;
        }
        has_steps = false;
    }

    // Flows of IPv6, with what is of the client.
    std::array<std::uint8_t, limits::burst_size_max> flows6;
    std::size_t flow6_count = 0;
    std::array<ClientKey6, limits::burst_size_max> clients6;
};
static_assert(limits::burst_size_max <= 256);

}  // namespace fulcrum
