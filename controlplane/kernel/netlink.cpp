// Netlink on libmnl: batches out, acknowledgements and dumps in. Acknowledgements of a slice must
// fit into the socket's receive buffer (about 208 KiB by default, a kilobyte each with its
// bookkeeping), which bounds the slice.
#include "controlplane/kernel/netlink.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "controlplane/kernel/errno_words.h"

namespace fulcrum {

namespace {

constexpr std::size_t message_size_max = 1'024;
constexpr std::size_t slice_length_max = 64;
constexpr std::size_t datagram_size_max = 32'768;  // the kernel fills a dump's pieces up to this
constexpr int dump_attempts_max = 5;
constexpr int receive_buffer_size = 8 * 1'024 * 1'024;

// The kernel's sentence, when it sent one beside the number.
std::string sentence_of(const nlmsghdr* message) {
    const char* end = end_of(message);
    const auto* attribute =
        static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(message, sizeof(nlmsgerr)));
    const auto left = [&] {
        return static_cast<int>(end - reinterpret_cast<const char*>(attribute));
    };
    for (; mnl_attr_ok(attribute, left()); attribute = mnl_attr_next(attribute)) {
        if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG) {
            const char* text = mnl_attr_get_str(attribute);
            return {text, strnlen(text, mnl_attr_get_payload_len(attribute))};
        }
    }
    return {};
}

std::string words_of(const nlmsghdr* message, int error) {
    const bool has_attributes =
        message->nlmsg_type == NLMSG_ERROR && (message->nlmsg_flags & NLM_F_ACK_TLVS) != 0;
    const std::string sentence = has_attributes ? sentence_of(message) : std::string{};
    return errno_words(error) + (sentence.empty() ? "" : " (kernel: " + sentence + ")");
}

// The errno in an NLMSG_ERROR or NLMSG_DONE message; 0 is an acknowledgement.
int error_of(const nlmsghdr* message) {
    int error = 0;
    if (mnl_nlmsg_get_payload_len(message) >= sizeof(error)) {
        std::memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
    }
    return -error;
}

void gather(const nlmsghdr* message, NetlinkAnswers& answers) {
    if (message->nlmsg_type != NLMSG_ERROR && message->nlmsg_type != NLMSG_DONE) {
        const auto* bytes = reinterpret_cast<const char*>(message);
        answers.bytes.insert(answers.bytes.end(), bytes, bytes + MNL_ALIGN(message->nlmsg_len));
    } else if (const int error = error_of(message); error != 0) {
        answers.error = error;
        answers.words = words_of(message, error);
    }
}

}  // namespace

nlmsghdr* NetlinkRequests::message() {
    return reinterpret_cast<nlmsghdr*>(bytes_.data() + starts_.back());
}

void NetlinkRequests::open_message(std::uint16_t type, std::uint16_t flags) {
    close_message();
    starts_.push_back(bytes_.size());
    bytes_.resize(bytes_.size() + message_size_max);
    nlmsghdr* header = mnl_nlmsg_put_header(bytes_.data() + starts_.back());
    header->nlmsg_type = type;
    header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
}

void NetlinkRequests::close_message() {
    if (!starts_.empty()) {
        bytes_.resize(starts_.back() + MNL_ALIGN(message()->nlmsg_len));
    }
}

void NetlinkAnswers::each(const std::function<void(const nlmsghdr*)>& visit) const {
    int left = static_cast<int>(bytes.size());
    auto* message = reinterpret_cast<const nlmsghdr*>(bytes.data());
    while (mnl_nlmsg_ok(message, left)) {
        visit(message);
        message = mnl_nlmsg_next(message, &left);
    }
}

NetlinkSocket::NetlinkSocket(mnl_socket* socket) : socket_{socket}, buffer_(datagram_size_max) {}

Result<NetlinkSocket> NetlinkSocket::open(int netlink_family, unsigned groups) {
    mnl_socket* raw = mnl_socket_open2(netlink_family, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (raw == nullptr) {
        return Error{"netlink: opening a socket failed: " + errno_words(errno)};
    }
    NetlinkSocket socket{raw};
    // Short acknowledgements and the kernel's own words; a kernel without them does no harm.
    int on = 1;
    mnl_socket_setsockopt(raw, NETLINK_CAP_ACK, &on, sizeof(on));
    mnl_socket_setsockopt(raw, NETLINK_EXT_ACK, &on, sizeof(on));
    if (groups != 0 && setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer_size,
                                  sizeof(receive_buffer_size)) != 0) {
        // Not privileged outside its own namespace: as much as anybody may have.
        setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_size,
                   sizeof(receive_buffer_size));
    }
    if (mnl_socket_bind(raw, groups, MNL_SOCKET_AUTOPID) != 0) {
        return Error{"netlink: binding a socket failed: " + errno_words(errno)};
    }
    return socket;
}

Result<std::vector<NetlinkRefusal>> NetlinkSocket::submit(NetlinkRequests& requests) {
    requests.close_message();
    for (std::size_t start : requests.starts_) {
        auto* message = reinterpret_cast<nlmsghdr*>(requests.bytes_.data() + start);
        message->nlmsg_flags = static_cast<std::uint16_t>(message->nlmsg_flags | NLM_F_ACK);
    }
    std::vector<NetlinkRefusal> refusals;
    for (std::size_t first = 0; first < requests.count(); first += slice_length_max) {
        const std::size_t count = std::min(slice_length_max, requests.count() - first);
        if (auto sent = send_slice(requests, first, count); !sent) {
            return sent.error();
        }
        if (auto read = collect_refusals(first, count, refusals); !read) {
            return read.error();
        }
    }
    return refusals;
}

Status NetlinkSocket::send_slice(NetlinkRequests& requests, std::size_t first, std::size_t count) {
    slice_sequence_ = sequence_ + 1;
    for (std::size_t i = first; i < first + count; ++i) {
        reinterpret_cast<nlmsghdr*>(requests.bytes_.data() + requests.starts_[i])->nlmsg_seq =
            ++sequence_;
    }
    const std::size_t begin = requests.starts_[first];
    const std::size_t end =
        first + count < requests.count() ? requests.starts_[first + count] : requests.bytes_.size();
    if (mnl_socket_sendto(socket_.get(), requests.bytes_.data() + begin, end - begin) < 0) {
        return Error{"netlink: sending failed: " + errno_words(errno)};
    }
    return done();
}

Status NetlinkSocket::collect_refusals(std::size_t first, std::size_t count,
                                       std::vector<NetlinkRefusal>& refusals) {
    bool is_answered = false;
    const auto visit = [&](const nlmsghdr* message) {
        const std::uint32_t offset = message->nlmsg_seq - slice_sequence_;
        if (message->nlmsg_type != NLMSG_ERROR || offset >= count) {
            return;
        }
        is_answered = true;
        if (const int error = error_of(message); error != 0) {
            refusals.push_back({first + offset, error, words_of(message, error)});
        }
    };
    for (;;) {
        switch (read_datagram(visit)) {
            case Reading::read:
                continue;
            case Reading::nothing:
                return is_answered ? done() : Status{Error{"netlink: the kernel did not answer"}};
            case Reading::overrun:
                return Error{"netlink: acknowledgements were lost"};
            case Reading::failed:
                return Error{"netlink: receiving failed: " + errno_words(errno)};
        }
    }
}

Status NetlinkSocket::send(NetlinkRequests& requests) {
    requests.close_message();
    return send_slice(requests, 0, requests.count());
}

NetlinkSocket::Reading NetlinkSocket::read_datagram(
    const std::function<void(const nlmsghdr*)>& visit) {
    const ssize_t size = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
    if (size < 0) {
        switch (errno) {
            case EAGAIN:
                return Reading::nothing;
            case EINTR:
                return Reading::read;
            case ENOBUFS:
                return Reading::overrun;
            default:
                return Reading::failed;
        }
    }
    int left = static_cast<int>(size);
    auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
    while (mnl_nlmsg_ok(message, left)) {
        visit(message);
        message = mnl_nlmsg_next(message, &left);
    }
    return Reading::read;
}

Result<NetlinkAnswers> NetlinkSocket::ask(NetlinkRequests& request) {
    for (int attempt = 0; attempt < dump_attempts_max; ++attempt) {
        bool is_torn = false;
        auto answers = ask_once(request, is_torn);
        if (!answers || !is_torn) {
            return answers;
        }
    }
    return Error{"netlink: the kernel's tables change faster than they can be read"};
}

Result<NetlinkAnswers> NetlinkSocket::ask_once(NetlinkRequests& request, bool& is_torn) {
    if (auto sent = send(request); !sent) {
        return sent.error();
    }
    NetlinkAnswers answers;
    const auto visit = [&](const nlmsghdr* message) {
        if (message->nlmsg_seq == sequence_) {
            is_torn |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            gather(message, answers);
        }
    };
    for (;;) {
        switch (read_datagram(visit)) {
            case Reading::read:
                continue;
            case Reading::nothing:
                return answers;
            case Reading::overrun:
                return Error{"netlink: answers were lost"};
            case Reading::failed:
                return Error{"netlink: receiving failed: " + errno_words(errno)};
        }
    }
}

Status first_refusal(const std::string& place, const Result<std::vector<NetlinkRefusal>>& outcome) {
    if (!outcome) {
        return Error{place + ": " + outcome.error().sentence};
    }
    return outcome->empty() ? done() : Status{Error{place + ": " + outcome->front().words}};
}

}  // namespace fulcrum
