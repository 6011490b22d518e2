// Numbers, times and windows of either direction.
#include "dataplane/splice.h"

#include <algorithm>
#include <cstring>

namespace fulcrum {
namespace {

bool has(const TcpHeader& tcp, std::uint8_t flag) { return (tcp.flags & flag) != 0; }

// A window field as the other side understands it: no greater than it is, but by what the scales
// cannot say.
std::uint16_t scaled_window(std::uint32_t field, int by) {
    constexpr std::uint32_t most = UINT16_MAX;
    return static_cast<std::uint16_t>(by < 0 ? field >> -by : std::min(field << by, most));
}

int scale_of(std::uint8_t scale) { return scale == TcpOptions::scale_none ? 0 : scale; }

template <typename Number, typename Change>
void change_number(std::uint8_t* at, const Change& change) {
    Number number;
    std::memcpy(&number, at, sizeof(number));
    number = Number{change(number.host())};
    std::memcpy(at, &number, sizeof(number));
}

// The client's words about the real's octets and clock.
void splice_request_option(const Splice& splice, std::uint8_t* option, std::size_t length) {
    if (*option == tcp_option::sack) {
        for (std::size_t at = 2; at + sizeof(be32) <= length; at += sizeof(be32)) {
            change_number<be32>(option + at,
                                [&](std::uint32_t edge) { return edge - splice.shift; });
        }
    } else if (*option == tcp_option::timestamps && length == tcp_option::timestamps_length) {
        change_number<be32>(option + 6,
                            [&](std::uint32_t echo) { return echo - splice.time_shift; });
    }
}

TcpOptions times(const Splice& splice, std::uint32_t ours, std::uint32_t echo) {
    TcpOptions options;
    options.has_timestamps = splice.agreed().has_timestamps;
    options.timestamp = ours;
    options.timestamp_echo = echo;
    return options;
}

}  // namespace

void note_client(Splice& splice, const TcpHeader& tcp, const TcpOptions& options) {
    splice.client_window = tcp.window.host();
    if (options.has_timestamps) {
        splice.client_time = options.timestamp;
    }
}

bool open_splice(Splice& splice, const TcpHeader& syn_ack, const TcpOptions& options) {
    const Agreement agreed = splice.agreed();
    if (agreed.has_timestamps && !options.has_timestamps) {
        return false;
    }
    splice.shift = splice.cookie - syn_ack.sequence_number.host();
    splice.time_shift -= options.timestamp;
    // A real that scales nothing takes the client's windows as they stand, too.
    const bool scales = options.window_scale != TcpOptions::scale_none;
    splice.reply_scale =
        static_cast<std::int8_t>(scale_of(options.window_scale) - scale_of(agreed.real_scale));
    splice.request_scale = static_cast<std::int8_t>(scales ? 0 : scale_of(agreed.client_scale));
    splice.is_open = true;
    return true;
}

// Its window is one that nothing scales (RFC 7323, 2.2).
Segment syn_for_real(const Splice& splice, std::uint16_t mss_max) {
    const Agreement agreed = splice.agreed();
    Segment syn;
    syn.sequence = splice.client_first - 1;
    syn.flags = tcp_flag::syn;
    syn.window = scaled_window(splice.client_window, scale_of(agreed.client_scale));
    syn.options = times(splice, splice.client_time, 0);
    syn.options.mss = mss_max == 0 ? splice.mss : std::min(splice.mss, mss_max);
    syn.options.window_scale = agreed.client_scale;
    syn.options.permits_sack = agreed.has_sack;
    return syn;
}

Segment ack_for_real(const Splice& splice, std::uint32_t real_time) {
    Segment segment;
    segment.sequence = splice.client_first;
    segment.acknowledged = splice.cookie - splice.shift + 1;
    segment.flags = tcp_flag::ack;
    segment.window = scaled_window(splice.client_window, splice.request_scale);
    segment.options = times(splice, splice.client_time, real_time);
    return segment;
}

Segment window_for_client(const Splice& splice, const TcpHeader& syn_ack, std::uint32_t real_time) {
    Segment segment;
    segment.sequence = splice.cookie + 1;
    segment.acknowledged = splice.client_first;
    segment.flags = tcp_flag::ack;
    segment.window = scaled_window(syn_ack.window.host(), -scale_of(splice.agreed().real_scale));
    segment.options = times(splice, real_time + splice.time_shift, splice.client_time);
    return segment;
}

void splice_request(const Splice& splice, std::uint8_t* tcp, std::size_t size) {
    auto& header = *reinterpret_cast<TcpHeader*>(tcp);
    change_tcp_header(tcp, size, [&] {
        if (has(header, tcp_flag::syn)) {
            return;  // of a connection that is to be
        }
        header.window = be16{scaled_window(header.window.host(), splice.request_scale)};
        if (has(header, tcp_flag::ack)) {
            header.acknowledgment_number = be32{header.acknowledgment_number.host() - splice.shift};
        }
        visit_tcp_options(tcp, size, [&](std::uint8_t* option, std::size_t length) {
            splice_request_option(splice, option, length);
        });
    });
}

void splice_reply(const Splice& splice, std::uint8_t* tcp, std::size_t size) {
    auto& header = *reinterpret_cast<TcpHeader*>(tcp);
    change_tcp_header(tcp, size, [&] {
        header.sequence_number = be32{header.sequence_number.host() + splice.shift};
        header.window = be16{scaled_window(header.window.host(), splice.reply_scale)};
        visit_tcp_options(tcp, size, [&](std::uint8_t* option, std::size_t length) {
            if (*option == tcp_option::timestamps && length == tcp_option::timestamps_length) {
                change_number<be32>(option + 2,
                                    [&](std::uint32_t time) { return time + splice.time_shift; });
            }
        });
    });
}

}  // namespace fulcrum
