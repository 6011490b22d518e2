// Every bound of the product with its unit, and the arithmetic that relates bounds, asserted here.
// A bare name elsewhere is a variable; limits::x is not. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fulcrum::limits {

// --- the machine -----------------------------------------------------------------------------
inline constexpr std::size_t cache_line_size = 64;

// --- shape -----------------------------------------------------------------------------------
inline constexpr std::size_t workers_max = 16;
inline constexpr std::size_t ports_max = 16;
inline constexpr std::size_t owner_slots_count = 64;  // the low six bits of the owner hash
inline constexpr std::size_t role_groups_max = 16;
inline constexpr std::size_t services_max = 16'384;
// A session names its listener and its real in 16 bits each; the last value means "none".
inline constexpr std::size_t listeners_max = 65'535;
inline constexpr std::size_t reals_per_service_max = 65'535;
inline constexpr std::uint16_t index_none = 65'535;
inline constexpr std::uint32_t service_id_none = 0xFFFF'FFFF;
// Reals of all services: each has one tally (a cache line) in every worker.
inline constexpr std::size_t tallies_max = 131'072;
inline constexpr std::uint32_t weight_max = 2'147'483'647;
inline constexpr std::size_t name_length_max = 63;

// --- a worker's turn -------------------------------------------------------------------------
inline constexpr std::size_t burst_size_max = 64;
inline constexpr std::size_t inbox_requests_per_turn_max = 16;
inline constexpr std::size_t walk_buckets_per_turn_max = 256;
inline constexpr std::size_t sweep_buckets_per_turn_max = 256;
inline constexpr std::size_t held_packets_max = 256;
inline constexpr std::size_t from_kernel_per_turn_max = 32;

// --- rings -----------------------------------------------------------------------------------
inline constexpr std::size_t handover_ring_length = 1'024;
inline constexpr std::size_t punt_ring_length = 512;
inline constexpr std::size_t from_kernel_ring_length = 512;
inline constexpr std::size_t worker_inbox_length = 256;
inline constexpr std::size_t worker_outbox_length = 4'096;
inline constexpr std::size_t explanations_length = 4;

// --- time ------------------------------------------------------------------------------------
inline constexpr std::uint32_t sweep_period_s = 10;  // a whole sweep of a table takes at most this
inline constexpr std::uint32_t hold_ms_max = 1'000;  // how long a packet waits for a neighbour
// last-seen has 16 bits: in seconds it spans 18.2 h, and half of that can be told from the future.
inline constexpr std::uint32_t timeout_in_seconds_max_s = 8 * 3'600;
inline constexpr std::uint32_t coarse_unit_s = 64;
inline constexpr std::uint32_t timeout_max_s = 31 * 24 * 3'600;
static_assert(timeout_in_seconds_max_s < 65'536 / 2);
static_assert(timeout_max_s / coarse_unit_s < 65'536 - 2 * sweep_period_s);

// --- the ring --------------------------------------------------------------------------------
inline constexpr std::uint32_t ring_size_default = 65'537;
// A slot of an unusable real is followed by this many further draws before the walk over all reals.
inline constexpr std::uint32_t ring_draws_max = 8;
// In that walk, the usable reals that may be refused to one flow (its client port is in use there)
// before the flow itself is refused.
inline constexpr std::uint32_t ring_refusals_max = 64;

// --- schedulers ------------------------------------------------------------------------------
// The numbers by which workers know services, and keep their schedulers' states: of those present
// and of those that are leaving.
inline constexpr std::size_t service_numbers_max = 32'768;
// A real that refuses a flow is followed by the scheduler's next choice, so many times.
inline constexpr std::size_t scheduler_refusals_max = 16;
// How many other workers' tallies a miss may read: each is another core's cache line.
inline constexpr std::size_t tallies_summed_per_miss_max = 256;
inline constexpr std::uint32_t counts_renewed_ms = 10;
// Destinations that lblc and lblcr remember, and reals of one destination's set.
inline constexpr std::size_t locality_destinations_max = 16'384;
inline constexpr std::size_t locality_set_max = 16;
inline constexpr std::uint32_t locality_idle_s_max = 24 * 3'600;

// --- full NAT --------------------------------------------------------------------------------
// Local addresses that a director may come to have from its start to its end: each has a place of
// its own in every worker's memory of ports.
inline constexpr std::size_t local_addresses_max = 64;
// From its session's last packet on a local port serves nobody else: for so long a real keeps what
// it closed last (TIME-WAIT is 60 s on Linux), and would take a newcomer's packets for the old
// connection's.
inline constexpr std::uint32_t local_port_rest_s = 60;

// --- fragments -------------------------------------------------------------------------------
inline constexpr std::size_t datagrams_in_fragments_max = 1'024;  // remembered by each worker
inline constexpr std::uint32_t fragments_follow_s = 2;            // the first one, at the least
inline constexpr std::size_t early_fragments_max = 128;           // waiting, in each worker
inline constexpr std::uint32_t early_fragment_ms_max = 500;

// --- the gate --------------------------------------------------------------------------------
inline constexpr std::size_t list_length_max = 1'000'000;    // prefixes of a file
inline constexpr std::size_t limited_clients_max = 131'072;  // remembered by each worker, 16 octets
inline constexpr std::uint32_t rate_max = 10'000'000;        // a second

// --- the peer --------------------------------------------------------------------------------
// What a worker has to tell of its sessions, until the control thread takes it: a third of a second
// of 100,000 new ones a second; and what it is told of the peer's.
inline constexpr std::size_t replicas_told_length = 32'767;
inline constexpr std::size_t replicas_heard_length = 8'191;
inline constexpr std::size_t replicas_per_turn_max = 256;
// A full transfer leaves so much of the first mailbox to what happens meanwhile.
inline constexpr std::size_t replicas_kept_free = replicas_told_length / 2;
// A session that goes on is told of again when such a part of its time has passed.
inline constexpr std::uint32_t replica_renewals = 4;
inline constexpr std::size_t pair_links_max = 2;

// --- captures --------------------------------------------------------------------------------
inline constexpr std::size_t captured_octets_max = 2'048;   // of a frame
inline constexpr std::size_t captured_frames_length = 511;  // between a worker and its reader
inline constexpr std::size_t filter_length_max = 2'000;     // instructions

// --- frames ----------------------------------------------------------------------------------
inline constexpr std::uint16_t frame_size_max = 2'048 - 128;  // a default mbuf's data room
inline constexpr std::uint16_t mtu_default = 1'500;
inline constexpr std::uint16_t mtu_min = 1'280;  // of IPv6: RFC 8200, 5
inline constexpr std::uint16_t mtu_max = 9'216;
// Of a made-up frame and of what becomes of it: all headers, those of a tunnel included.
inline constexpr std::size_t explained_octets_max = 192;

}  // namespace fulcrum::limits
