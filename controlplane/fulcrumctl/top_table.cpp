// What flows now, the busiest first.
#include <algorithm>
#include <vector>

#include "controlplane/fulcrumctl/table_parts.h"
#include "controlplane/fulcrumctl/tables.h"

namespace fulcrum {
namespace {

std::uint64_t rate_of(const Json& row, const char* name) {
    return row.at("rates").value(name, std::uint64_t{0});
}

// "12.3k", so that a column stands still.
std::string short_number(std::uint64_t number) {
    constexpr std::string_view units = " kMGT";
    auto value = static_cast<double>(number);
    std::size_t unit = 0;
    while (value >= 1'000 && unit + 1 < units.size()) {
        value /= 1'000;
        ++unit;
    }
    return unit == 0 ? std::to_string(number) : fixed(value, 1) + units[unit];
}

std::vector<std::string> row_of(const std::string& name, const std::string& sessions,
                                const Json& row) {
    return {name,
            sessions,
            short_number(rate_of(row, "sessions_opened")),
            short_number(rate_of(row, "in_packets")),
            short_number(rate_of(row, "out_packets")),
            short_number(rate_of(row, "in_bytes") * 8),
            short_number(rate_of(row, "out_bytes") * 8)};
}

std::vector<const Json*> busiest_first(const Json& rows) {
    std::vector<const Json*> ordered;
    for (const Json& row : rows) {
        ordered.push_back(&row);
    }
    std::ranges::stable_sort(ordered, [](const Json* a, const Json* b) {
        return rate_of(*a, "in_packets") > rate_of(*b, "in_packets");
    });
    return ordered;
}

}  // namespace

std::string show_top(const Json& result) {
    Table table{{{"SERVICE, REAL", Side::left, 24},
                 {"SESSIONS", Side::right, 9},
                 {"NEW/s", Side::right, 8},
                 {"IN pps", Side::right, 8},
                 {"OUT pps", Side::right, 8},
                 {"IN bit/s", Side::right, 8},
                 {"OUT bit/s", Side::right, 9}}};
    for (const Json* service : busiest_first(result.at("services"))) {
        std::uint64_t sessions = 0;
        for (const Json& real : service->at("reals")) {
            sessions += real.value("sessions", std::uint64_t{0});
        }
        table.add(row_of(cell(*service, "name"), std::to_string(sessions), *service));
        for (const Json* real : busiest_first(service->at("reals"))) {
            table.add(row_of("  " + cell(*real, "name"), cell(*real, "sessions"), *real));
        }
    }
    return table.text();
}

}  // namespace fulcrum
