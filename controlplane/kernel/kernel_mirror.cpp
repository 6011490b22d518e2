// The mirror's clockwork: discard (after a loss), dump what is wanted, apply changes, in that
// order, one datagram a step and a bounded number of steps a call.
#include "controlplane/kernel/kernel_mirror.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "controlplane/kernel/errno_words.h"
#include "controlplane/kernel/interface.h"

namespace fulcrum {

namespace {

constexpr int steps_per_call_max = 32;  // a datagram each, at most 32 KiB: about 500 routes
constexpr int steps_max = 8 * steps_per_call_max;
constexpr unsigned group_bit(unsigned group) { return 1U << (group - 1); }
constexpr unsigned groups = group_bit(RTNLGRP_LINK) | group_bit(RTNLGRP_IPV4_IFADDR) |
                            group_bit(RTNLGRP_IPV4_ROUTE) | group_bit(RTNLGRP_IPV6_IFADDR) |
                            group_bit(RTNLGRP_IPV6_ROUTE) | group_bit(RTNLGRP_NEIGH) |
                            group_bit(RTNLGRP_NEXTHOP);

NetlinkRequests dump_request(KernelTable table) {
    NetlinkRequests request;
    switch (table) {
        case KernelTable::links:
            request.begin<ifinfomsg>(RTM_GETLINK, NLM_F_DUMP);
            break;
        case KernelTable::addresses:
            request.begin<ifaddrmsg>(RTM_GETADDR, NLM_F_DUMP)->ifa_family = AF_UNSPEC;
            break;
        case KernelTable::routes:
            request.begin<rtmsg>(RTM_GETROUTE, NLM_F_DUMP)->rtm_family = AF_UNSPEC;
            break;
        case KernelTable::neighbours:
            request.begin<ndmsg>(RTM_GETNEIGH, NLM_F_DUMP)->ndm_family = AF_UNSPEC;
            break;
    }
    return request;
}

Status watch(const FileDescriptor& ready, int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(ready.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return Error{"kernel mirror: watching a socket failed: " + errno_words(errno)};
    }
    return done();
}

}  // namespace

KernelMirror::KernelMirror(NetlinkSocket changes, NetlinkSocket dump, NetlinkSocket requests,
                           std::vector<std::string> twins)
    : twins_{std::move(twins)},
      changes_{std::move(changes)},
      dump_{std::move(dump)},
      requests_{std::move(requests)},
      ready_{epoll_create1(EPOLL_CLOEXEC)},
      view_{twins_} {}

Result<KernelMirror> KernelMirror::open(std::vector<std::string> twins, Duration deadline) {
    auto changes = NetlinkSocket::open(NETLINK_ROUTE, groups);
    auto dump = NetlinkSocket::open(NETLINK_ROUTE);
    auto requests = NetlinkSocket::open(NETLINK_ROUTE);
    for (const auto* socket : {&changes, &dump, &requests}) {
        if (!*socket) {
            return Error{"kernel mirror: " + socket->error().sentence};
        }
    }
    KernelMirror mirror{std::move(*changes), std::move(*dump), std::move(*requests),
                        std::move(twins)};
    for (const int fd : {mirror.changes_.fd(), mirror.dump_.fd()}) {
        if (auto watched = watch(mirror.ready_, fd); !watched) {
            return watched.error();
        }
    }
    mirror.want_all_tables();
    const auto give_up_at = std::chrono::steady_clock::now() + deadline;
    do {
        mirror.on_readable();
        if (std::chrono::steady_clock::now() > give_up_at) {
            return Error{"kernel mirror: the kernel's tables could not be read in time"};
        }
    } while (mirror.fresh_ != nullptr || mirror.owes_dump());
    return mirror;
}

bool KernelMirror::on_readable() {
    bool is_changed = false;
    bool has_more = true;
    // What is owed but not begun makes no socket readable: it is begun in this call.
    const auto is_owing = [this] { return owes_dump() || view_.doubts_routes(); };
    for (int i = 0; has_more && (i < steps_per_call_max || (is_owing() && i < steps_max)); ++i) {
        is_changed |= step(has_more);
    }
    tables_are_current_ &= !is_changed;
    return is_changed;
}

bool KernelMirror::step(bool& has_more) {
    if (is_discarding_) {
        discard_changes(has_more);
        return false;
    }
    if (fresh_ != nullptr) {
        return read_dump(has_more);
    }
    if (owes_dump()) {
        start_dump();
        return false;
    }
    return read_changes(has_more);
}

bool KernelMirror::owes_dump() const {
    return fresh_ == nullptr &&
           (is_discarding_ || std::ranges::find(wanted_, true) != wanted_.end());
}

void KernelMirror::start_dump() {
    const auto next = std::ranges::find(wanted_, true) - wanted_.begin();
    dumped_ = static_cast<KernelTable>(next);
    wanted_[static_cast<std::size_t>(next)] = false;
    fresh_ = std::make_unique<KernelView>(twins_);
    dump_is_complete_ = false;
    NetlinkRequests request = dump_request(dumped_);
    dump_is_torn_ = !dump_.send(request);
}

bool KernelMirror::read_dump(bool& has_more) {
    const auto reading = dump_.read_datagram([this](const nlmsghdr* message) {
        dump_is_torn_ |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
        if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
            dump_is_complete_ = true;
            dump_is_torn_ |= message->nlmsg_type == NLMSG_ERROR;
        } else {
            fresh_->apply(parse_kernel_event(message));
        }
    });
    if (reading != NetlinkSocket::Reading::read) {
        // The next piece of a dump lies ready when the one before has been read; if not, it never
        // will. Begun again at the next call rather than in a hot loop.
        dump_is_torn_ = true;
        dump_is_complete_ = true;
        has_more = false;
    }
    return dump_is_complete_ && finish_dump();
}

bool KernelMirror::finish_dump() {
    const auto fresh = std::exchange(fresh_, nullptr);
    if (dump_is_torn_) {
        wanted_[static_cast<std::size_t>(dumped_)] = true;
        return false;
    }
    return view_.adopt(dumped_, *fresh);
}

bool KernelMirror::read_changes(bool& has_more) {
    bool is_changed = false;
    const auto reading = changes_.read_datagram(
        [&](const nlmsghdr* message) { is_changed |= view_.apply(parse_kernel_event(message)); });
    if (reading == NetlinkSocket::Reading::read) {
        return is_changed;
    }
    if (reading == NetlinkSocket::Reading::overrun) {
        ++overruns_;
        is_discarding_ = true;
        return false;
    }
    // All changes are in: now, and once for all of them, routes are read again if they must be.
    if (view_.take_routes_doubt()) {
        wanted_[static_cast<std::size_t>(KernelTable::routes)] = true;
        return false;
    }
    has_more = false;
    return false;
}

// What still lies in the socket is older than the dump to come. Applied after it, an old "is there"
// without its lost "is gone" would stay for good.
void KernelMirror::discard_changes(bool& has_more) {
    const auto reading = changes_.read_datagram([](const nlmsghdr*) {});
    if (reading == NetlinkSocket::Reading::overrun) {
        ++overruns_;
    } else if (reading != NetlinkSocket::Reading::read) {
        is_discarding_ = false;
        want_all_tables();
        has_more = reading == NetlinkSocket::Reading::nothing;
    }
}

const KernelTables& KernelMirror::tables() {
    if (!tables_are_current_) {
        tables_ = view_.tables();
        tables_are_current_ = true;
    }
    return tables_;
}

Status KernelMirror::keep_alive(std::span<const Neighbour> in_use) {
    NetlinkRequests requests;
    for (const Neighbour& neighbour : in_use) {
        const auto standing = view_.neighbour(neighbour.port, neighbour.address);
        const int interface = view_.interface_of(neighbour.port);
        // A permanent one must not be touched: NTF_USE would take its permanence away.
        if (standing == KernelView::Standing::usable ||
            standing == KernelView::Standing::permanent || interface == 0) {
            continue;
        }
        auto* header = requests.begin<ndmsg>(RTM_NEWNEIGH, NLM_F_CREATE);
        header->ndm_family = neighbour.address.is_v4() ? AF_INET : AF_INET6;
        header->ndm_ifindex = interface;
        header->ndm_flags = NTF_USE;
        put_address(requests, NDA_DST, neighbour.address);
    }
    return first_refusal("kernel mirror: asking for neighbours", requests_.submit(requests));
}

}  // namespace fulcrum
