// Requests to the kernel over netlink, on libmnl. The kernel works a request off inside the call
// that sends it, so that the answers lie ready when that call returns: nothing here ever waits, and
// all of it may be called on the event loop. Control thread.
#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/model/result.h"

namespace fulcrum {

// The first octet after a message. (libmnl's own tail is rounded up to four: up to three octets
// beyond a message that lies about its length.)
inline const char* end_of(const nlmsghdr* message) {
    return reinterpret_cast<const char*>(message) + message->nlmsg_len;
}

// Messages to be sent together, one after the other in one buffer.
class NetlinkRequests {
  public:
    // Opens a message (NLM_F_REQUEST is implied) with its family's fixed header, zeroed. Attributes
    // are put with libmnl; the pointers are valid until the next begin().
    template <typename FamilyHeader>
    FamilyHeader* begin(std::uint16_t type, std::uint16_t flags) {
        open_message(type, flags);
        return static_cast<FamilyHeader*>(
            mnl_nlmsg_put_extra_header(message(), sizeof(FamilyHeader)));
    }
    // The message opened last.
    nlmsghdr* message();
    std::size_t count() const { return starts_.size(); }

  private:
    friend class NetlinkSocket;

    void open_message(std::uint16_t type, std::uint16_t flags);
    void close_message();

    std::vector<char> bytes_;
    std::vector<std::size_t> starts_;  // of each message in bytes_
};

// A request that the kernel said no to.
struct NetlinkRefusal {
    std::size_t index = 0;  // of the request in its batch
    int error = 0;          // an errno
    std::string words;      // the kernel's, or the errno's
};

// What came back for one question: messages, or a refusal.
struct NetlinkAnswers {
    std::vector<char> bytes;
    int error = 0;
    std::string words;

    void each(const std::function<void(const nlmsghdr*)>& visit) const;
};

class NetlinkSocket {
  public:
    // `groups` is the mask of multicast groups to join.
    static Result<NetlinkSocket> open(int netlink_family, unsigned groups = 0);

    int fd() const { return mnl_socket_get_fd(socket_.get()); }

    // Carries out all requests; each is asked for an acknowledgement. The refused ones are given.
    Result<std::vector<NetlinkRefusal>> submit(NetlinkRequests& requests);

    // One question, a dump (NLM_F_DUMP) among them, and all of its answers. A dump that changed
    // while it was read is read again.
    Result<NetlinkAnswers> ask(NetlinkRequests& request);

    // The two halves of ask(), for who reads a long dump piece by piece.
    Status send(NetlinkRequests& requests);
    enum class Reading {
        nothing,  // no datagram waits
        read,     // one datagram's messages were visited
        overrun,  // datagrams were lost since the last reading
        failed,
    };
    Reading read_datagram(const std::function<void(const nlmsghdr*)>& visit);

  private:
    struct Close {
        void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
    };
    explicit NetlinkSocket(mnl_socket* socket);

    Result<NetlinkAnswers> ask_once(NetlinkRequests& request, bool& is_torn);
    Status send_slice(NetlinkRequests& requests, std::size_t first, std::size_t count);
    Status collect_refusals(std::size_t first, std::size_t count,
                            std::vector<NetlinkRefusal>& refusals);

    std::unique_ptr<mnl_socket, Close> socket_;
    std::vector<char> buffer_;
    std::uint32_t sequence_ = 0;        // of the last message sent
    std::uint32_t slice_sequence_ = 0;  // of the first message of the last slice
};

// The first refusal as an error, with `place` before it ("port \"wan\": ...").
Status first_refusal(const std::string& place, const Result<std::vector<NetlinkRefusal>>& outcome);

}  // namespace fulcrum
