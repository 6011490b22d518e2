// Slots are drawn by their number, so each step keeps what the one before has admitted.
#include "controlplane/slow_start.h"

#include <algorithm>
#include <map>
#include <vector>

namespace fulcrum {
namespace {

// Whose slot it is meanwhile: draws on the ring, so by weight, until one is in full use.
std::uint16_t substitute(const Ring& ring, HashKey key, std::uint64_t draw,
                         const std::vector<std::uint16_t>& others) {
    constexpr int draws_max = 64;
    for (int n = 0; n < draws_max; ++n) {
        const std::uint16_t index = ring[draw % ring.size()];
        if (std::binary_search(others.begin(), others.end(), index)) {
            return index;
        }
        draw = hash_words(key, draw, static_cast<std::uint64_t>(n));
    }
    return others[draw % others.size()];
}

}  // namespace

std::shared_ptr<const Ring> warming(const std::shared_ptr<const Ring>& ring,
                                    const ServicePlan& service, HashKey key) {
    std::map<std::uint16_t, std::uint16_t> admitted;  // by index, of those that start slowly
    std::vector<std::uint16_t> others;                // in full use
    for (const RealPlan& real : service.reals) {
        if (!real.is_scheduled || real.standing != RealStanding::usable || real.ring_weight == 0) {
            continue;
        }
        if (real.admitted < admitted_all) {
            admitted.emplace(real.index, real.admitted);
        } else {
            others.push_back(real.index);
        }
    }
    if (admitted.empty() || others.empty()) {
        return ring;
    }
    std::sort(others.begin(), others.end());
    auto warm = std::make_shared<Ring>(*ring);
    for (std::size_t slot = 0; slot < warm->size(); ++slot) {
        const auto real = admitted.find((*ring)[slot]);
        if (real == admitted.end()) {
            continue;
        }
        const std::uint64_t draw = hash_words(key, slot, 0x5710'37A7);  // any constant
        if (draw % admitted_all >= real->second) {
            (*warm)[slot] = substitute(*ring, key, hash_words(key, draw, slot), others);
        }
    }
    return warm;
}

std::uint32_t weight_unit(const ServicePlan& plan) {
    const Scheduler scheduler = plan.asked->scheduler;
    const bool is_absolute = scheduler == Scheduler::ovf || scheduler == Scheduler::lblc ||
                             scheduler == Scheduler::lblcr;
    const bool is_warming = std::any_of(
        plan.reals.begin(), plan.reals.end(),
        [](const RealPlan& real) { return real.weight > 0 && real.admitted < admitted_all; });
    const bool has_room = std::all_of(
        plan.reals.begin(), plan.reals.end(),
        [](const RealPlan& real) { return real.weight <= limits::weight_max / admitted_all; });
    return is_warming && has_room && !is_absolute ? admitted_all : 1;
}

std::uint32_t warm_weight(const RealPlan& real, std::uint32_t unit) {
    return unit == 1 ? real.weight : real.weight * real.admitted;
}

}  // namespace fulcrum
