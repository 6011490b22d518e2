// Captures: one at a time, from the order of an operator to the last octet of his file. The order
// reaches the workers with a snapshot, like everything else; what they post is collected here in
// our own rhythm, written as pcapng, and handed to the client as fast as it reads. If it reads too
// slowly the mailboxes fill, and what finds them full is counted as lost; nobody waits.
//
// On the socket, behind the reply: lines {"octets":N}, each followed by N octets of the file, and
// at last {"ok":true,"result":{"frames":..., "lost":..., "ended_by":"packets"}}. The control
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/model/capture.h"
#include "controlplane/apply.h"
#include "controlplane/command_socket.h"
#include "dataplane/mailbox.h"

namespace fulcrum {

struct CaptureAsked {
    PacketFilter filter;
    std::uint16_t octets_max = limits::captured_octets_max;  // of each frame
    std::uint64_t frames_max = 0;
    Duration length_max{};
};

// `arguments`: perhaps filter (a program as parse_packet_filter() reads it), frames, seconds,
// octets (of each frame). An error says what is wrong with them.
Result<CaptureAsked> capture_of(const Json& arguments);

class CaptureDesk {
  public:
    struct Parts {
        EventLoop& loop;
        Applier& applier;
        std::vector<Mailbox<CapturedFrame>*> mailboxes;  // by worker
        std::vector<std::string> ports;                  // names by index
    };
    explicit CaptureDesk(Parts parts);
    ~CaptureDesk();
    CaptureDesk(const CaptureDesk&) = delete;
    CaptureDesk& operator=(const CaptureDesk&) = delete;

    // The answer carries a stream, or a refusal.
    void begin(CaptureAsked asked, CommandSocket::Answer answer);

  private:
    class Stream;
    using Give = std::function<void(std::string octets)>;

    struct Running {
        CaptureAsked asked;
        std::uint32_t id = 0;
        std::uint64_t lost_before = 0;
        std::uint64_t frame_count = 0;
        std::uint64_t latest_ns = 0;
        std::string pieces;    // for the client
        Give give;             // he waits for them
        std::string ended_by;  // empty: it goes on
        bool is_complete = false;
        bool is_left = false;                                  // by its client
        std::shared_ptr<const Listing> listing;                // that the names are of
        std::unordered_map<std::uint32_t, std::string> names;  // of reals, by tally
    };

    void open(const CommandSocket::Answer& answer);
    void collect();
    void collect_all();
    void learn_names();
    void take(const CapturedFrame& frame);
    void end(const std::string& why);
    void complete();
    void pass_on();
    std::string comment_of(const CapturedFrame& frame) const;
    std::uint64_t lost_count() const;

    EventLoop& loop_;
    Applier& applier_;
    std::vector<Mailbox<CapturedFrame>*> mailboxes_;
    std::vector<std::string> ports_;
    std::unique_ptr<Running> running_;
    std::uint32_t last_id_ = 0;
    std::vector<CapturedFrame> frames_;  // in hand
    Timer next_;
    Timer deadline_;
    std::shared_ptr<CaptureDesk*> self_;  // streams hold it weakly
};

}  // namespace fulcrum
