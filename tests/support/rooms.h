// The dataplane's pure rooms, called with frames: what `Worker::carry` does with a burst, without
// buffers, queues and clock. A test says what time it is, and sees decisions and sessions as they
// are.
#pragma once

#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "config/model/snapshot.h"
#include "dataplane/burst.h"
#include "dataplane/classify.h"
#include "dataplane/decide.h"
#include "dataplane/parse.h"
#include "dataplane/session_table.h"
#include "dataplane/track.h"
#include "tests/support/packet.h"
#include "tests/support/scene.h"

namespace fulcrum {

// Of IPv4, where an address is its own name.
constexpr bool operator==(const NamedEndpoint& named, const Endpoint& endpoint) {
    return IpAddress{named.address} == endpoint.address && named.port == endpoint.port;
}

}  // namespace fulcrum

namespace fulcrum::test {

constexpr Endpoint endpoint_of(const NamedEndpoint& named) { return {named.address, named.port}; }

// Who serves a packet, by the snapshot's indexes.
struct Binding {
    std::uint16_t listener = limits::index_none;
    std::uint16_t real = limits::index_none;  // index_none: there is no session
    be16 vip_port;
};

// Rooms fill in where it lies: a room that forgets a field leaves that of the packet before. So
// what they fill in here begins with nonsense.
ParsedPacket parsed(const Frame& frame, const MacAddress& port_mac = wan_mac);
Classified classified(const Frame& frame, const Snapshot& snapshot,
                      const MacAddress& port_mac = wan_mac);
Decision decided_request(const ParsedPacket& packet, const Binding& binding,
                         const Snapshot& snapshot);
Decision decided_reply(const ParsedPacket& packet, const Binding& binding,
                       const Snapshot& snapshot);

// A session table with memory of its own.
template <typename Table>
class OwnedTableOf {
  public:
    static constexpr HashKey default_key{0x0123'4567'89AB'CDEF, 0xD1B5'4A32'D192'ED03};

    explicit OwnedTableOf(std::size_t bucket_count, HashKey key = default_key);

    Table& operator*() { return *table_; }
    Table* operator->() { return table_.get(); }
    const std::byte* memory() const { return memory_.get(); }
    std::span<std::byte> octets() {
        return {memory_.get(), Table::size_for(table_->bucket_count())};
    }

  private:
    struct Free {
        void operator()(std::byte* memory) const { std::free(memory); }
    };
    std::unique_ptr<std::byte[], Free> memory_;
    std::unique_ptr<Table> table_;
};
using OwnedTable = OwnedTableOf<SessionTable>;
using OwnedTable6 = OwnedTableOf<SessionTable6>;

// Where a packet arrives: by its MAC address, `wan_mac` or `lan_mac`.
MacAddress arrival_of(const Frame& frame);

// One worker's tracking: frames go in, decisions come out.
class TrackingRoom {
  public:
    explicit TrackingRoom(std::unique_ptr<const Snapshot> snapshot, std::size_t bucket_count = 256,
                          std::size_t affinity_record_count = 1'024);

    // One burst. Decisions are by frame; one that nobody made stays Verdict::pending.
    std::vector<Decision> carry(const std::vector<Frame>& frames);
    Decision carry(const Frame& frame) { return carry(std::vector<Frame>{frame}).front(); }

    void use(std::unique_ptr<const Snapshot> snapshot) { snapshot_ = std::move(snapshot); }
    void skip_s(std::uint32_t seconds) { now_s_ += seconds; }
    void sweep_all();

    Tracker& tracker() { return tracker_; }
    Ages ages() const { return {*snapshot_, now_s_}; }
    const Snapshot& snapshot() const { return *snapshot_; }
    SessionTable& table() { return *table_; }
    AffinityTable& affinity() { return chooser_.affinity(); }
    std::size_t live_count() { return table_->live_count(); }
    const WorkerCounters& counters() const { return board_.worker(); }
    const RealTally& tally(std::uint32_t index) const { return board_.tally(index); }
    const OpeningTally& opening(std::uint32_t index) const { return board_.opening(index); }
    // All sessions of a client's port, in the table's order.
    std::vector<Session> sessions_of(Endpoint client);

  private:
    std::unique_ptr<const Snapshot> snapshot_;
    OwnedTable table_;
    CounterBoard board_;
    Chooser chooser_;
    std::unique_ptr<LocalEnds> ends_ = LocalEnds::create({}, {0x1234, 0x5678});
    std::unique_ptr<CookieDesk> cookies_ = CookieDesk::create(1'024, {0x1234, 0x5678});
    Tracker tracker_;
    std::unique_ptr<Burst> burst_;
    std::uint32_t now_s_ = 1'000;
};

}  // namespace fulcrum::test
