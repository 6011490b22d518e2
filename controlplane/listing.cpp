// From the director's state to a listing, and the sums over workers.
#include "controlplane/listing.h"

#include <algorithm>
#include <utility>

namespace fulcrum {
namespace {

ListedReal listed(const RealView& view, const HealthCheck* health) {
    ListedReal real;
    real.name = view.name;
    real.endpoint = view.endpoint;
    real.forward = view.forward;
    real.client_address = view.client_address;
    real.path_mtu = view.path_mtu;
    real.weight = view.weight;
    real.weight_configured = view.weight_configured;
    real.state = view.state;
    real.since = view.since;
    real.check = view.check;
    real.connections = view.connections;
    real.is_fallback = view.is_fallback;
    real.drain = view.drain;
    real.admitted = static_cast<double>(view.admitted) / admitted_all;
    real.index = view.index;
    real.tally = view.tally;
    real.is_sound = view.state == RealState::up || view.state == RealState::drained;
    const bool is_checked = health != nullptr && view.state != RealState::removed;
    if (const CheckReport* report =
            is_checked ? health->report_of(view.service, view.name) : nullptr) {
        real.checks = report->tally;
        real.is_sound = report->health == Health::up;
    }
    return real;
}

}  // namespace

TallyTotals& TallyTotals::operator+=(const TallyTotals& other) {
    in_packets += other.in_packets;
    in_bytes += other.in_bytes;
    out_packets += other.out_packets;
    out_bytes += other.out_bytes;
    sessions_opened += other.sessions_opened;
    sessions_live += other.sessions_live;
    sessions_active += other.sessions_active;
    return *this;
}

TallyTotals TallyTotals::since(const TallyTotals& base) const {
    TallyTotals difference = *this;
    difference.in_packets -= base.in_packets;
    difference.in_bytes -= base.in_bytes;
    difference.out_packets -= base.out_packets;
    difference.out_bytes -= base.out_bytes;
    difference.sessions_opened -= base.sessions_opened;
    return difference;
}

TallyTotals read_tally(const Boards& boards, std::uint32_t tally) {
    TallyTotals totals;
    for (const CounterBoard* board : boards) {
        const RealTally& line = board->tally(tally);
        totals += {.in_packets = line.in_packets.read(),
                   .in_bytes = line.in_bytes.read(),
                   .out_packets = line.out_packets.read(),
                   .out_bytes = line.out_bytes.read(),
                   .sessions_opened = line.sessions_opened.read(),
                   .sessions_live = line.sessions_live.read(),
                   .sessions_active = line.sessions_active.read()};
    }
    return totals;
}

TallyTotals ListedReal::totals(const Boards& boards) const {
    return read_tally(boards, tally).since(base);
}

DropTotals read_drops(const Boards& boards, std::uint16_t service) {
    DropTotals totals{};
    for (const CounterBoard* board : boards) {
        for (std::size_t reason = 0; service < board->service_count() && reason < totals.size();
             ++reason) {
            totals[reason] += board->drops(service).by_reason[reason].read();
        }
    }
    return totals;
}

std::uint64_t read_cookies(const Boards& boards, std::uint16_t service) {
    std::uint64_t total = 0;
    for (const CounterBoard* board : boards) {
        total += service < board->service_count() ? board->drops(service).cookies_sent.read() : 0;
    }
    return total;
}

std::string ListedReal::check_sentence() const {
    return checks == nullptr ? check : *checks->sentence.look();
}

TallyTotals ListedService::totals(const Boards& boards) const {
    TallyTotals totals = retired;
    for (const ListedReal& real : reals) {
        totals += real.totals(boards);
    }
    return totals;
}

DropTotals ListedService::drops(const Boards& boards) const {
    DropTotals totals = read_drops(boards, number);
    for (std::size_t reason = 0; reason < totals.size(); ++reason) {
        totals[reason] -= drops_at_start[reason];
    }
    return totals;
}

DropTotals ListedService::shown_drops(const Boards& boards) const {
    DropTotals totals = drops(boards);
    for (std::size_t reason = 0; reason < totals.size(); ++reason) {
        totals[reason] -= drops_zeroed[reason];
    }
    return totals;
}

const ListedReal* ListedService::find(std::string_view real) const {
    const auto found = std::ranges::find(reals, real, &ListedReal::name);
    return found == reals.end() ? nullptr : &*found;
}

const ListedService* Listing::find(std::string_view service) const {
    const auto found = std::ranges::find(services, service, &ListedService::name);
    return found == services.end() ? nullptr : &*found;
}

bool sees_replies(const ListedService& service) {
    return service.reals.empty() || std::ranges::any_of(service.reals, [](const ListedReal& real) {
               return !is_one_way(real.forward);
           });
}

void TallyBook::keep(Listing& listing) {
    keep_drops(listing);
    for (auto& [tally, line] : lines_) {
        line.is_listed = false;
    }
    for (ListedService& service : listing.services) {
        for (ListedReal& real : service.reals) {
            const Line& line =
                line_of({service.name, real.name, real.endpoint, real.forward}, real.tally);
            real.base = line.base;
            real.zeroed = line.zeroed;
        }
    }
    std::erase_if(lines_, [this](const auto& entry) {
        const auto& [tally, line] = entry;
        if (!line.is_listed) {
            retire(tally, line);
        }
        return !line.is_listed;
    });
    std::map<std::string, TallyTotals> retired;
    std::map<std::string, TallyTotals> zeroed;
    for (ListedService& service : listing.services) {
        if (const auto found = retired_.find(service.name); found != retired_.end()) {
            service.retired = found->second;
            retired.insert(*found);
        }
        if (const auto found = zeroed_.find(service.name); found != zeroed_.end()) {
            service.zeroed = found->second;
            zeroed.insert(*found);
        }
    }
    retired_ = std::move(retired);  // a service that is gone takes its past with it
    zeroed_ = std::move(zeroed);
}

void TallyBook::zero(const ListedService& service, std::string_view real) {
    for (const ListedReal& each : service.reals) {
        const auto line = lines_.find(each.tally);
        if (line != lines_.end() && (real.empty() || each.name == real)) {
            line->second.zeroed = each.totals(boards_);
        }
    }
    if (real.empty()) {
        zeroed_[service.name] = service.totals(boards_);
        drop_lines_[service.number].zeroed = service.drops(boards_);
    }
}

// A service keeps its number under a new name, and when it has gone another may get it.
void TallyBook::keep_drops(Listing& listing) {
    std::map<std::uint16_t, DropLine> kept;
    for (ListedService& service : listing.services) {
        const auto known = drop_lines_.find(service.number);
        const bool is_its_own =
            known != drop_lines_.end() && known->second.service_id == service.id;
        const DropLine line = is_its_own ? known->second
                                         : DropLine{service.id,
                                                    read_drops(boards_, service.number),
                                                    {},
                                                    read_cookies(boards_, service.number)};
        service.drops_at_start = line.at_start;
        service.drops_zeroed = line.zeroed;
        service.cookies_at_start = line.cookies_at_start;
        kept[service.number] = line;
    }
    drop_lines_ = std::move(kept);
}

// Begins anew for an owner who has just got it.
const TallyBook::Line& TallyBook::line_of(const Owner& owner, std::uint32_t tally) {
    const auto [place, is_new] = lines_.try_emplace(tally);
    Line& line = place->second;
    if (!is_new && line.owner != owner) {
        retire(tally, line);
    }
    if (is_new || line.owner != owner) {
        line.owner = owner;
        line.base = read_tally(boards_, tally);
        line.zeroed = {};
    }
    line.is_listed = true;
    return line;
}

void TallyBook::retire(std::uint32_t tally, const Line& line) {
    TallyTotals counted = read_tally(boards_, tally).since(line.base);
    counted.sessions_live = 0;
    counted.sessions_active = 0;
    retired_[line.owner.service] += counted;
}

Listing list(const DirectorState& state, const HealthCheck* health) {
    Listing listing;
    listing.epoch = state.epoch();
    for (const ServiceView& view : state.services()) {
        ListedService service;
        service.name = view.asked->name;
        service.listeners = listeners_of(*view.asked);
        service.scheduler = view.asked->scheduler;
        service.scheduler_flags = view.asked->scheduler_flags;
        service.affinity = view.asked->affinity;
        service.limits = view.asked->limits;
        service.syn_cookies = view.asked->syn_cookies;
        if (const auto& rules = view.asked->access.rules; rules != nullptr) {
            service.allow_count = rules->allow.size();
            service.deny_count = rules->deny.size();
        }
        service.id = view.id;
        service.number = view.number;
        service.listener_indexes = view.listeners;
        service.usable_count = view.usable_count;
        service.quorum = view.asked->quorum;
        service.hysteresis = view.asked->hysteresis;
        service.has_quorum = view.has_quorum;
        service.is_enabled = view.asked->enabled;
        service.is_quiescent = view.asked->quiescent;
        service.reals.reserve(view.reals.size());
        for (const RealView& real : view.reals) {
            service.reals.push_back(listed(real, health));
        }
        listing.services.push_back(std::move(service));
    }
    return listing;
}

}  // namespace fulcrum
