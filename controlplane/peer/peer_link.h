// The peer on the event loop: sockets of the pair's links, the rhythm in which workers' mailboxes
// are emptied, and what an operator sees of it. What is said is decided in PeerChannel and
// SessionSync. The control thread; report() any thread.
//
// Nothing is said or heard before the workers have their first snapshot: what the peer told of
// before that would mean nothing here.
//
// Links are addresses of the kernel's, so they are up when the twins are; a socket that cannot be
// bound is tried again every second, and told of as a problem.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model/result.h"
#include "config/model/service.h"
#include "config/model/worker_messages.h"
#include "controlplane/director_state.h"
#include "controlplane/event_loop.h"
#include "controlplane/helper_thread.h"
#include "controlplane/kernel/file_descriptor.h"
#include "controlplane/log.h"
#include "controlplane/peer/config_sync.h"
#include "controlplane/peer/drain_sync.h"
#include "controlplane/peer/peer_channel.h"
#include "controlplane/peer/peer_report.h"
#include "controlplane/peer/session_sync.h"
#include "controlplane/shown.h"
#include "dataplane/mailbox.h"

namespace fulcrum {

// A worker's. Owned by the composition root, which outlives us.
struct PeerDoors {
    Mailbox<WorkerRequest>* inbox = nullptr;
    Mailbox<Replica>* told = nullptr;
    Mailbox<Replica>* heard = nullptr;
};

class PeerLink {
  public:
    struct Parts {
        EventLoop& loop;
        HelperThread& helper;
        const DirectorState& state;
        Log& log;
        Boards boards;
        std::vector<PeerDoors> doors;  // by worker
        std::function<std::size_t(const IpAddress& client)> owner_of;
        std::function<void(const PeerDrain& drain)> set_drain;  // as an operator would
        // The latest snapshot that every worker has seen.
        std::function<std::uint64_t()> epoch_seen;
        std::function<ConfigVersion()> version;  // of what runs
        ConfigSync::Doors replication;           // under pair.replicate_config
    };
    // Of a configuration with a pair. The error is about its key.
    static Result<std::unique_ptr<PeerLink>> open(const Config& config, Parts parts);

    // The director has adopted another configuration, of which there is no snapshot yet.
    void follow();
    // Whether this director may take over: see SessionSync::is_ready.
    bool is_ready() const;
    PeerReport report() const { return *report_.look(); }

  private:
    struct Link {
        PairLink ends;
        FileDescriptor socket;
        std::string problem;                     // empty: it is bound
        std::unique_ptr<DescriptorWatch> watch;  // last: goes before the socket is closed
    };

    PeerLink(const Config& config, const PairKey& key, Parts parts);
    void bind_all();
    static Status bind_socket(Link& link);
    void listen(std::size_t link);
    void turn();
    void send(std::size_t link, std::span<const std::uint8_t> datagram);
    void take_up_names();
    DrainSync::Real drained_real(const ServiceView& service, const RealView& real) const;
    std::vector<DrainSync::Real> drained_reals() const;
    std::optional<DrainSync::Real> find_drained(const std::string& service,
                                                const std::string& name) const;
    void hear(const PeerMessage& message);
    void tell_drains();
    void meet_for_configuration();
    void tell_configuration();
    void look_around();
    void note_changes(const PeerReport& report);

    EventLoop& loop_;
    HelperThread& helper_;
    const DirectorState& state_;
    Log& log_;
    std::string peer_;
    std::vector<std::unique_ptr<Link>> links_;
    PeerChannel channel_;
    SessionSync sync_;
    DrainSync drains_;
    std::uint64_t drains_session_ = 0;     // the channel's, of which the peer is told
    std::uint64_t drains_epoch_ = 0;       // of the state that it has been told of
    std::unique_ptr<ConfigSync> configs_;  // null: nothing goes over
    std::uint64_t configs_session_ = 0;    // the channel's, in which it has met the peer
    std::function<std::uint64_t()> epoch_seen_;
    std::function<ConfigVersion()> version_;
    std::shared_ptr<const Config> config_;  // the latest
    std::uint64_t config_epoch_ = 0;        // of the first snapshot of it
    bool has_its_names_ = false;            // they are in use: workers know what they mean
    bool is_talking_ = false;
    std::uint64_t checksum_ = 0;   // of that one; 0: it is not known yet
    std::uint64_t strangers_ = 0;  // datagrams from elsewhere
    Shown<PeerReport> report_;
    Timer next_;
    Timer second_;
};

}  // namespace fulcrum
