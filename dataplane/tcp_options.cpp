// Four kinds of options.
#include "dataplane/tcp_options.h"

#include <cstring>

namespace fulcrum {
namespace {

constexpr std::uint8_t window_scale_max = 14;  // RFC 7323, 2.3

template <typename T>
T value_at(const std::uint8_t* at) {
    T value;
    std::memcpy(&value, at, sizeof(value));
    return value;
}

template <typename T>
std::uint8_t* put(std::uint8_t* to, T value) {
    std::memcpy(to, &value, sizeof(value));
    return to + sizeof(value);
}

std::uint8_t* begin(std::uint8_t* to, std::uint8_t kind, std::size_t length) {
    *to++ = kind;
    *to++ = static_cast<std::uint8_t>(length);
    return to;
}

}  // namespace

TcpOptions read_tcp_options(const std::uint8_t* tcp, std::size_t size) {
    TcpOptions options;
    visit_tcp_options(tcp, size, [&](const std::uint8_t* option, std::size_t length) {
        if (*option == tcp_option::mss && length == tcp_option::mss_length) {
            options.mss = value_at<be16>(option + 2).host();
        } else if (*option == tcp_option::window_scale &&
                   length == tcp_option::window_scale_length) {
            options.window_scale = std::min(option[2], window_scale_max);
        } else if (*option == tcp_option::sack_permitted &&
                   length == tcp_option::sack_permitted_length) {
            options.permits_sack = true;
        } else if (*option == tcp_option::timestamps && length == tcp_option::timestamps_length) {
            options.has_timestamps = true;
            options.timestamp = value_at<be32>(option + 2).host();
            options.timestamp_echo = value_at<be32>(option + 6).host();
        }
    });
    return options;
}

// In the order, and with the padding before them, that lets receivers read timestamps in one piece.
std::size_t write_tcp_options(std::uint8_t* to, const TcpOptions& options) {
    std::uint8_t* at = to;
    const auto pad = [&at](int count) {
        for (; count > 0; --count) {
            *at++ = tcp_option::nothing;
        }
    };
    if (options.mss != 0) {
        at = put(begin(at, tcp_option::mss, tcp_option::mss_length), be16{options.mss});
    }
    if (options.permits_sack != options.has_timestamps) {
        pad(2);
    }
    if (options.permits_sack) {
        at = begin(at, tcp_option::sack_permitted, tcp_option::sack_permitted_length);
    }
    if (options.has_timestamps) {
        at = begin(at, tcp_option::timestamps, tcp_option::timestamps_length);
        at = put(put(at, be32{options.timestamp}), be32{options.timestamp_echo});
    }
    if (options.window_scale != TcpOptions::scale_none) {
        pad(1);
        at = begin(at, tcp_option::window_scale, tcp_option::window_scale_length);
        *at++ = options.window_scale;
    }
    return static_cast<std::size_t>(at - to);
}

}  // namespace fulcrum
