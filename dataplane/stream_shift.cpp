// Sequence numbers, acknowledgements, SACK blocks.
#include "dataplane/stream_shift.h"

#include <algorithm>
#include <cstring>

#include "dataplane/tcp_options.h"

namespace fulcrum {
namespace {

TcpHeader& header_at(std::uint8_t* tcp) { return *reinterpret_cast<TcpHeader*>(tcp); }

// False: it says nothing about the client's octets, or what its acknowledgement, held back at the
// first octet, would contradict. A block is advice (RFC 2018, 8): one too few does no harm.
bool shift_block(const StreamShift& shift, SackBlock& block) {
    const std::uint32_t left_distance = block.left.host() - shift.first;
    const std::uint32_t right_distance = block.right.host() - shift.first;
    const bool is_of_header = right_distance - 1 < shift.length;
    const bool begins_in_header = left_distance <= shift.length;
    if (is_of_header || (begins_in_header && !shift.is_accepted)) {
        return false;
    }
    const std::uint32_t left = begins_in_header ? shift.first + shift.length : block.left.host();
    block.left = be32{left - shift.length};
    block.right = be32{block.right.host() - shift.length};
    return true;
}

// The blocks that remain close up, and nothing stands where the others were.
void shift_blocks(const StreamShift& shift, std::uint8_t* option, std::size_t length) {
    std::uint8_t* kept = option + 2;
    for (std::size_t at = 2; at + sizeof(SackBlock) <= length; at += sizeof(SackBlock)) {
        SackBlock block;
        std::memcpy(&block, option + at, sizeof(block));
        if (shift_block(shift, block)) {
            std::memcpy(kept, &block, sizeof(block));
            kept += sizeof(block);
        }
    }
    if (kept == option + 2) {
        kept = option;
    } else {
        option[1] = static_cast<std::uint8_t>(kept - option);
    }
    std::fill(kept, option + length, tcp_option::nothing);
}

bool has(const TcpHeader& tcp, std::uint8_t flag) { return (tcp.flags & flag) != 0; }

}  // namespace

void note_beginning(StreamShift& shift, const TcpHeader& syn, std::uint8_t header_length) {
    if (!shift.is_announced) {
        shift.first = syn.sequence_number.host() + 1;
        shift.length = header_length;
    }
}

Announcement announcement_with(StreamShift& shift, const TcpHeader& tcp, bool has_content) {
    const std::int32_t distance = shift.distance(tcp.sequence_number.host());
    const bool can_carry = has(tcp, tcp_flag::ack) && !has(tcp, tcp_flag::rst);
    if (shift.length == 0 || shift.is_accepted || distance > 0 || !can_carry) {
        return Announcement::none;
    }
    const bool is_at_first = distance == 0 && has_content;
    if (is_at_first && shift.is_announced && !shift.is_followed) {
        shift.is_followed = true;
        return Announcement::none;
    }
    shift.is_announced = true;
    shift.is_followed = shift.is_followed || is_at_first;
    return is_at_first ? Announcement::before : Announcement::instead;
}

// A reset has to meet the real where it expects the next octet.
void shift_request(const StreamShift& shift, std::uint8_t* tcp, std::size_t size) {
    TcpHeader& header = header_at(tcp);
    if (has(header, tcp_flag::rst) && !shift.is_announced) {
        return;
    }
    change_tcp_header(tcp, size, [&] {
        header.sequence_number = be32{shift.octet_at_real(header.sequence_number.host())};
    });
}

void shift_reply(StreamShift& shift, std::uint8_t* tcp, std::size_t size) {
    TcpHeader& header = header_at(tcp);
    if (shift.length == 0 || !has(header, tcp_flag::ack)) {
        return;
    }
    const std::uint32_t acknowledged = header.acknowledgment_number.host();
    if (shift.is_announced && !has(header, tcp_flag::syn)) {
        const std::int32_t distance = shift.distance(acknowledged);
        shift.is_accepted = shift.is_accepted || distance >= shift.length;
        // It lacks the header, without which the next content is not to go.
        shift.is_followed = shift.is_followed || distance == 0;
    }
    change_tcp_header(tcp, size, [&] {
        header.acknowledgment_number = be32{shift.at_client(acknowledged)};
        visit_tcp_options(tcp, size, [&](std::uint8_t* option, std::size_t length) {
            if (*option == tcp_option::sack) {
                shift_blocks(shift, option, length);
            }
        });
    });
}

}  // namespace fulcrum
