// The kernel's links, addresses, routes and neighbours, followed by netlink: what lets BIRD, ip and
// the kernel's own ARP decide where workers send.
//
// Two sockets: one listens to changes, one reads dumps. While a dump is read, changes wait in the
// first socket and are applied after it, in order; that ends in the kernel's state whatever
// happened meanwhile. When changes were lost (the socket's buffer ran over), the rest is thrown
// away and everything is dumped again. Only the main table is followed (no policy routing), and of
// a route with several hops the first living one.
//
// Control thread. Nothing but open() waits, and each call does a bounded amount of work.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/model/paths.h"
#include "config/model/result.h"
#include "config/model/time.h"
#include "controlplane/kernel/file_descriptor.h"
#include "controlplane/kernel/kernel_view.h"
#include "controlplane/kernel/netlink.h"

namespace fulcrum {

class KernelMirror {
  public:
    // The twins' names in the order of the configuration's ports. Returns when the first dump is
    // complete, or with an error after `deadline`.
    static Result<KernelMirror> open(std::vector<std::string> twins, Duration deadline = 5s);

    // Readable when on_readable() has work.
    int fd() const { return ready_.get(); }
    // True when tables() has changed. To be called as long as fd() is readable, and every few
    // seconds in any case: a dump that failed for want of memory is then begun again.
    bool on_readable();
    const KernelTables& tables();

    struct Neighbour {
        std::uint8_t port = port_none;
        IpAddress address{};

        friend bool operator==(const Neighbour&, const Neighbour&) = default;
    };
    // Has the kernel resolve it now (an ARP request or a solicitation leaves at once). Cheap to
    // repeat: while a request is out the kernel sends no second one, and a usable neighbour is left
    // in peace.
    Status want_neighbour(Neighbour wanted) { return keep_alive({&wanted, 1}); }
    // The kernel never sees the workers' traffic, so it would let the neighbours they use grow
    // stale and forget them. Of those in use, has it probe the stale ones, and resolve the missing
    // ones. To be called every few seconds.
    Status keep_alive(std::span<const Neighbour> in_use);

    // How often changes were lost and everything was read again.
    std::uint64_t overruns() const { return overruns_; }

  private:
    KernelMirror(NetlinkSocket changes, NetlinkSocket dump, NetlinkSocket requests,
                 std::vector<std::string> twins);

    bool step(bool& has_more);
    bool owes_dump() const;
    void start_dump();
    bool read_dump(bool& has_more);
    bool finish_dump();
    bool read_changes(bool& has_more);
    void discard_changes(bool& has_more);
    void want_all_tables() { wanted_.fill(true); }

    std::vector<std::string> twins_;
    NetlinkSocket changes_;
    NetlinkSocket dump_;
    NetlinkSocket requests_;
    FileDescriptor ready_;  // an epoll of changes_ and dump_

    KernelView view_;
    KernelTables tables_;
    bool tables_are_current_ = false;

    std::array<bool, kernel_table_count> wanted_{};  // to be dumped
    bool is_discarding_ = false;                     // old changes, before a dump after a loss
    std::unique_ptr<KernelView> fresh_;              // not null: a dump is under way
    KernelTable dumped_ = KernelTable::links;
    bool dump_is_complete_ = false;
    bool dump_is_torn_ = false;  // the table changed under it, or it failed
    std::uint64_t overruns_ = 0;
};

}  // namespace fulcrum
