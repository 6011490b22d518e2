// How long a session has idled, and whether that is too long: the session knows when it was last
// seen, the snapshot how long its service lets it idle in its state. For the sessions of either IP
// family. Pure; worker side.
#pragma once

#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/session_table.h"

namespace fulcrum {

class Ages {
  public:
    // `now_s`: whole seconds of a clock that never jumps, the same for all sessions of a table.
    Ages(const Snapshot& snapshot, std::uint32_t now_s) : snapshot_{snapshot}, now_s_{now_s} {}

    // What last_seen holds for a packet that came now.
    std::uint16_t stamp(bool is_coarse) const {
        return static_cast<std::uint16_t>(is_coarse ? now_s_ / limits::coarse_unit_s : now_s_);
    }

    template <typename Session>
    std::uint32_t age_s(const Session& session) const {
        const bool is_coarse = session.tag.is_coarse();
        const auto age = static_cast<std::uint16_t>(stamp(is_coarse) - session.last_seen);
        return is_coarse ? age * limits::coarse_unit_s : age;
    }

    template <typename Session>
    std::uint32_t timeout_s(const Session& session) const {
        const SnapshotListener* listener = listener_of(session);
        if (listener == nullptr) {
            return 0;
        }
        const SnapshotService& service = snapshot_.services[listener->service];
        const std::uint32_t timeout =
            service.timeouts[timeout_place(session.tag.state(), session.tag.protocol())];
        return service.timeouts_are_coarse ? timeout * limits::coarse_unit_s : timeout;
    }

    // Whether it still names a listener and a real, which a reload may have taken away.
    template <typename Session>
    bool is_nameless(const Session& session) const {
        const SnapshotListener* listener = listener_of(session);
        return listener == nullptr || session.real >= listener->real_count ||
               snapshot_.real_of(*listener, session.real).standing == RealStanding::absent;
    }

    template <typename Session>
    bool is_expired(const Session& session) const {
        return is_nameless(session) || age_s(session) > timeout_s(session);
    }

    const Snapshot& snapshot() const { return snapshot_; }
    std::uint32_t now_s() const { return now_s_; }

  private:
    template <typename Session>
    const SnapshotListener* listener_of(const Session& session) const {
        if (session.listener >= snapshot_.listeners.size()) {
            return nullptr;
        }
        const SnapshotListener& listener = snapshot_.listeners[session.listener];
        return listener.is_present ? &listener : nullptr;
    }

    const Snapshot& snapshot_;
    std::uint32_t now_s_;
};

}  // namespace fulcrum
