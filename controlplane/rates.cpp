// Totals only rise, unless a line of counters has got another owner: that one begins anew.
#include "controlplane/rates.h"

#include <chrono>

namespace fulcrum {
namespace {

constexpr double share_of_news = 0.25;

double moved(double rate, std::uint64_t last, std::uint64_t now, double seconds) {
    return rate + (static_cast<double>(now - last) / seconds - rate) * share_of_news;
}

Rates::Line next_line(const std::unordered_map<std::uint32_t, Rates::Line>& before,
                      std::uint32_t key, const TallyTotals& now, double seconds) {
    const auto found = before.find(key);
    if (found == before.end() || now.in_packets < found->second.last.in_packets ||
        now.sessions_opened < found->second.last.sessions_opened ||
        now.out_packets < found->second.last.out_packets) {
        return {now, {}};
    }
    const auto& [last, rate] = found->second;
    return {now,
            {.sessions = moved(rate.sessions, last.sessions_opened, now.sessions_opened, seconds),
             .in_packets = moved(rate.in_packets, last.in_packets, now.in_packets, seconds),
             .out_packets = moved(rate.out_packets, last.out_packets, now.out_packets, seconds),
             .in_bytes = moved(rate.in_bytes, last.in_bytes, now.in_bytes, seconds),
             .out_bytes = moved(rate.out_bytes, last.out_bytes, now.out_bytes, seconds)}};
}

Rate rate_in(const std::unordered_map<std::uint32_t, Rates::Line>& lines, std::uint32_t key) {
    const auto found = lines.find(key);
    return found == lines.end() ? Rate{} : found->second.rate;
}

}  // namespace

Rate Rates::of(const ListedReal& real) const { return rate_in(reals, real.tally); }
Rate Rates::of(const ListedService& service) const { return rate_in(services, service.id); }

Rates next_rates(const Rates& before, const Listing& listing, const Boards& boards,
                 Duration length) {
    const double seconds = std::chrono::duration<double>(length).count();
    Rates rates;
    for (const ListedService& service : listing.services) {
        TallyTotals sum = service.retired;
        for (const ListedReal& real : service.reals) {
            const TallyTotals totals = real.totals(boards);
            sum += totals;
            rates.reals[real.tally] = next_line(before.reals, real.tally, totals, seconds);
        }
        rates.services[service.id] = next_line(before.services, service.id, sum, seconds);
    }
    return rates;
}

}  // namespace fulcrum
