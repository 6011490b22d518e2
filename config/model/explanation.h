// What an operator asks of the workers before a packet has come, and what they answer: a made-up
// frame one way, the other way what would become of it and why. Words are constants of the program,
// so that the answer says them as they are said everywhere. Plain, trivially copyable; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "config/model/address.h"
#include "config/model/limits.h"
#include "config/model/paths.h"
#include "config/model/session.h"

namespace fulcrum {

using ExplainedOctets = std::array<std::uint8_t, limits::explained_octets_max>;

struct Question {
    std::uint32_t id = 0;  // comes back with each answer
    // The NIC port where the frame arrives; port_none: the one by which its source is reached.
    std::uint8_t port = port_none;
    std::uint16_t octet_count = 0;  // of `octets`; the worker addresses the frame to its port
    std::uint32_t length = 0;       // of the whole frame: what is beyond `octets` is not looked at
    IpAddress source;               // as in `octets`
    ExplainedOctets octets{};
};

struct Explanation {
    std::uint32_t question_id = 0;
    std::uint64_t epoch = 0;
    std::uint8_t worker = 0;      // who answers
    std::uint8_t owner = 0;       // whose the client is; who answers, if the packet has no client
    std::uint8_t port = 0;        // where it arrives
    std::string_view the_class;   // "request", "reply", "punt", "refused"
    std::string_view punt_class;  // of a punt
    std::string_view verdict;     // "transmit", "hold", "punt", "hand_over", "drop"
    std::string_view reason;      // of a drop: its name
    std::string_view sentence;    // why it is dropped, or goes on otherwise than it came
    std::uint16_t listener = limits::index_none;
    std::uint16_t real = limits::index_none;
    bool has_session = false;
    bool opens_session = false;
    bool has_hop = false;
    SessionRecord session;  // has_session: before the packet; opens_session: behind it
    // opens_session: where the flow's first draw falls; the greatest number: others decide as well
    std::uint32_t ring_slot = UINT32_MAX;
    NextHop hop;          // has_hop
    IpAddress neighbour;  // has_hop: whose MAC address the frame is sent to
    std::uint16_t octet_count = 0;
    ExplainedOctets octets{};  // transmit: the frame as it leaves
};

static_assert(std::is_trivially_copyable_v<Question> && std::is_trivially_copyable_v<Explanation>);

}  // namespace fulcrum
