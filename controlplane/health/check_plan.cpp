// From services and reals to subjects and probes.
#include "controlplane/health/check_plan.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>

#include "config/model/checks_of.h"

namespace fulcrum {
namespace {

// A real under one of its checks.
struct Wanted {
    const VirtualService* service;
    const RealServer* real;
    const Check* check;
    std::uint16_t ordinal;
    const Check* shape;  // of the probe; equal ones are one
    Endpoint target;
    Endpoint vip;
    std::size_t probe = 0;

    bool is_same_probe(const Wanted& other) const {
        return shape == other.shape && target == other.target && vip == other.vip;
    }
    // As their specs stand to each other.
    bool asks_before(const Wanted& other) const {
        return shape == other.shape ? std::tie(target, vip) < std::tie(other.target, other.vip)
                                    : *shape < *other.shape;
    }
    bool speaks_before(const Wanted& other) const {
        return std::tie(service->name, real->name, ordinal) <
               std::tie(other.service->name, other.real->name, other.ordinal);
    }
};

// The shapes of probes, each once. A check is looked at once, however many reals are under it.
class Shapes {
  public:
    const Check* of(const Check& check) {
        const Check*& shape = known_[&check];
        if (shape == nullptr) {
            shape = &*distinct_.insert(probed(check)).first;
        }
        return shape;
    }

  private:
    std::unordered_map<const Check*, const Check*> known_;
    std::set<Check> distinct_;
};

std::vector<Wanted> wanted_by(const Config& config, Shapes& shapes) {
    std::vector<Wanted> wanted;
    for (const VirtualService& service : config.services) {
        for (const RealServer& real : service.reals) {
            std::uint16_t ordinal = 0;
            visit_checks(service, real, [&](const Check& check) {
                if (is_asked(check.type)) {
                    wanted.push_back({&service, &real, &check, ordinal++, shapes.of(check),
                                      probe_target(real, check), probe_vip(service, check)});
                }
            });
        }
    }
    return wanted;
}

}  // namespace

CheckPlan plan_checks(const Config& config) {
    Shapes shapes;
    std::vector<Wanted> wanted = wanted_by(config, shapes);
    CheckPlan plan;
    std::ranges::sort(wanted, &Wanted::asks_before);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        Wanted& want = wanted[i];
        if (i == 0 || !want.is_same_probe(wanted[i - 1])) {
            plan.probes.push_back({*want.shape, want.target, want.vip});
        }
        want.probe = plan.probes.size() - 1;
    }
    std::ranges::sort(wanted, &Wanted::speaks_before);
    plan.subjects.reserve(wanted.size());
    for (const Wanted& want : wanted) {
        plan.subjects.push_back({want.service->name,
                                 want.real->name,
                                 want.ordinal,
                                 want.real->endpoint,
                                 {want.check->rise, want.check->fall},
                                 want.probe,
                                 want.check->passive && !is_one_way(want.real->forward)});
    }
    return plan;
}

}  // namespace fulcrum
