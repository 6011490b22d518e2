// Promises, and what they rest on.
#include "dataplane/cookie_desk.h"

#include <algorithm>
#include <utility>

namespace fulcrum {
namespace {

constexpr std::uint32_t learnt_for_s = 3'600;
constexpr std::uint8_t scale_unlearnt = 7;
// Of who does not say (RFC 9293, 3.7.1).
constexpr std::uint16_t mss_unsaid(bool is_v4) { return is_v4 ? 536 : 1'220; }

CookieFlow flow_of(const SynOfClient& syn) {
    return {.client = syn.client.address.v6(),
            .vip = syn.vip.address.v6(),
            .client_port = syn.client.port,
            .vip_port = syn.vip.port};
}

}  // namespace

std::unique_ptr<CookieDesk> CookieDesk::create(std::size_t splices_max, HashKey secret) {
    std::unique_ptr<Splices> splices = Splices::create(splices_max, secret);
    LazyMemory memory{limits::service_numbers_max * sizeof(Learnt)};
    return splices == nullptr || memory.octets() == nullptr
               ? nullptr
               : std::unique_ptr<CookieDesk>{
                     new CookieDesk{std::move(splices), std::move(memory), secret}};
}

CookieDesk::CookieDesk(std::unique_ptr<Splices> splices, LazyMemory memory, HashKey secret)
    : mint_{secret},
      splices_{std::move(splices)},
      memory_{std::move(memory)},
      learnt_{reinterpret_cast<Learnt*>(memory_.octets()), limits::service_numbers_max} {}

Agreement CookieDesk::agreement_for(const TcpOptions& options, const Learnt& learnt) const {
    Agreement agreement;
    if (!options.has_timestamps || learnt.lacks_timestamps) {
        return agreement;
    }
    agreement.has_timestamps = true;
    agreement.has_sack = options.permits_sack;
    if (options.window_scale != TcpOptions::scale_none) {
        agreement.client_scale = options.window_scale;
        agreement.real_scale =
            learnt.scale == TcpOptions::scale_none ? scale_unlearnt : learnt.scale;
    }
    return agreement;
}

Segment CookieDesk::answer(const SynOfClient& syn, const SnapshotService& service,
                           std::uint32_t now_s) {
    const bool is_v4 = syn.client.address.is_v4();
    const Learnt& learnt = learnt_of(service, now_s);
    const Agreement agreement = agreement_for(syn.options, learnt);
    CookieFlow flow = flow_of(syn);
    flow.client_first = syn.sequence + 1;
    const std::uint16_t asked = syn.options.mss != 0 ? syn.options.mss : mss_unsaid(is_v4);
    const std::uint16_t mss = learnt.mss != 0 ? learnt.mss : mss_unsaid(is_v4);

    Segment answer{.source = syn.vip, .destination = syn.client};
    answer.sequence = mint_.cookie_for(flow, asked, agreement, now_s);
    answer.acknowledged = flow.client_first;
    answer.flags = tcp_flag::syn | tcp_flag::ack;
    answer.options.mss = service.mss_max == 0 ? mss : std::min(mss, service.mss_max);
    answer.options.permits_sack = agreement.has_sack;
    answer.options.window_scale = agreement.real_scale;
    answer.options.has_timestamps = agreement.has_timestamps;
    answer.options.timestamp = mint_.timestamp_for(agreement, now_s);
    answer.options.timestamp_echo = syn.options.timestamp;
    has_answered_ = true;
    answered_s_ = now_s;
    return answer;
}

// A probe of a window that is shut stands an octet before the client's first one.
bool CookieDesk::admit(const SynOfClient& from_client, std::uint32_t acknowledged,
                       std::uint32_t now_s, Splice& splice) {
    const TcpOptions& options = from_client.options;
    Agreement agreement;
    if (options.has_timestamps) {
        agreement = Agreement::from_bits(options.timestamp_echo & ((1U << agreement_width) - 1));
    }
    CookieFlow flow = flow_of(from_client);
    const std::uint32_t cookie = acknowledged - 1;
    for (const std::uint32_t first : {from_client.sequence, from_client.sequence + 1}) {
        flow.client_first = first;
        if (const auto mss = mint_.mss_of(cookie, flow, agreement, now_s)) {
            splice = {.client_first = first, .cookie = cookie};
            splice.time_shift = options.timestamp_echo;
            splice.mss = *mss;
            splice.agreement = static_cast<std::uint16_t>(agreement.bits());
            return true;
        }
    }
    return false;
}

void CookieDesk::expect_real(const LeasingFlow& flow, std::uint32_t now_s,
                             std::uint8_t attempt_count) {
    if (half_open_count_ < half_open_.size()) {
        half_open_[(half_open_first_ + half_open_count_++) % half_open_.size()] = {
            flow, now_s + half_open_period_s, attempt_count};
    }
}

auto CookieDesk::take_due() -> HalfOpen {
    const HalfOpen due = half_open_[half_open_first_];
    half_open_first_ = (half_open_first_ + 1) % half_open_.size();
    --half_open_count_;
    return due;
}

auto CookieDesk::learnt_of(const SnapshotService& service, std::uint32_t now_s) -> Learnt& {
    Learnt& learnt = learnt_[service.number];
    const bool is_stale = learnt.since_s != 0 && now_s + 1 - learnt.since_s > learnt_for_s;
    if (is_stale || learnt.since_s == 0) {
        learnt = {.since_s = now_s + 1,
                  .mss = 0,
                  .scale = TcpOptions::scale_none,
                  .lacks_timestamps = false};
    }
    return learnt;
}

// A SYN-ACK without a scale answers a SYN without one, as a rule. None is the greatest there is.
void CookieDesk::learn(const SnapshotService& service, const TcpOptions& options,
                       std::uint32_t now_s) {
    if (is_rehearsal_ || options.mss == 0) {
        return;
    }
    Learnt& learnt = learnt_of(service, now_s);
    learnt.mss = learnt.mss == 0 ? options.mss : std::min(learnt.mss, options.mss);
    learnt.scale = std::min(learnt.scale, options.window_scale);
}

void CookieDesk::learn_lack_of_timestamps(const SnapshotService& service, std::uint32_t now_s) {
    if (!is_rehearsal_) {
        learnt_of(service, now_s).lacks_timestamps = true;
    }
}

}  // namespace fulcrum
