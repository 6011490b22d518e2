// Where a worker answers SYNs in its services' names: the mint of its cookies, what its services'
// reals have been seen to answer themselves, so that the promise made with a cookie can be kept,
// and the sessions that came of it. One worker's thread.
//
// Learnt of each service, from the SYN-ACKs of its reals that pass: the least MSS and the least
// window scale, and whether there is one that knows no timestamps. Before anything is known the MSS
// is the protocol's own least, and the scale is a middling one; a promise of the scale is one that
// can always be kept, for windows are translated. What has been learnt is learnt anew every hour.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "config/model/snapshot.h"
#include "dataplane/splices.h"
#include "dataplane/syn_cookie.h"

namespace fulcrum {

// A client's SYN, as it came.
struct SynOfClient {
    Endpoint client;
    Endpoint vip;
    std::uint32_t sequence = 0;
    TcpOptions options{};
};

class CookieDesk {
  public:
    // Reals that have not answered yet are asked again, so many at a time; the clients of the
    // others have to ask.
    static constexpr std::size_t half_open_max = 4'096;
    static constexpr std::uint32_t half_open_period_s = 2;  // of whole seconds: one to two
    static constexpr unsigned attempts_max = 5;

    // Null when memory is short. `splices_max`: as many sessions as there may be.
    static std::unique_ptr<CookieDesk> create(std::size_t splices_max, HashKey secret);

    // The answer to a SYN for this service, whose window is shut.
    Segment answer(const SynOfClient& syn, const SnapshotService& service, std::uint32_t now_s);
    // What a client's segment without SYN proves by its numbers; false: nothing.
    bool admit(const SynOfClient& from_client, std::uint32_t acknowledged, std::uint32_t now_s,
               Splice& splice);
    // Whether a cookie of ours may still come back.
    bool is_awaited(std::uint32_t now_s) const {
        return has_answered_ && now_s - answered_s_ <= CookieMint::valid_s;
    }

    // From a SYN-ACK of a real's.
    void learn(const SnapshotService& service, const TcpOptions& options, std::uint32_t now_s);
    void learn_lack_of_timestamps(const SnapshotService& service, std::uint32_t now_s);

    Splices& splices() { return *splices_; }

    // A session whose real has been asked to open its half, and may have to be asked again: the
    // client, who waits for nothing, will not say so.
    struct HalfOpen {
        LeasingFlow flow;
        std::uint32_t due_s = 0;
        std::uint8_t attempt_count = 0;
    };
    void expect_real(const LeasingFlow& flow, std::uint32_t now_s, std::uint8_t attempt_count);
    bool has_due(std::uint32_t now_s) const {
        return half_open_count_ != 0 &&
               static_cast<std::int32_t>(now_s - half_open_[half_open_first_].due_s) >= 0;
    }
    HalfOpen take_due();

    // From here on sessions are found and none are noted or forgotten.
    void rehearse(bool is_rehearsal) { is_rehearsal_ = is_rehearsal; }
    bool is_rehearsal() const { return is_rehearsal_; }

  private:
    struct Learnt {
        std::uint32_t since_s;  // plus one; 0: nothing is known
        std::uint16_t mss;      // 0: likewise
        std::uint8_t scale;     // scale_none: likewise
        bool lacks_timestamps;
    };
    static_assert(sizeof(Learnt) == 8);

    CookieDesk(std::unique_ptr<Splices> splices, LazyMemory memory, HashKey secret);
    Learnt& learnt_of(const SnapshotService& service, std::uint32_t now_s);
    Agreement agreement_for(const TcpOptions& options, const Learnt& learnt) const;

    CookieMint mint_;
    std::unique_ptr<Splices> splices_;
    LazyMemory memory_;
    std::span<Learnt> learnt_;  // by the service's number
    // A queue; what is in it waits as long as any other.
    std::array<HalfOpen, half_open_max> half_open_{};
    std::size_t half_open_first_ = 0;
    std::size_t half_open_count_ = 0;
    bool has_answered_ = false;
    std::uint32_t answered_s_ = 0;
    bool is_rehearsal_ = false;
};

}  // namespace fulcrum
