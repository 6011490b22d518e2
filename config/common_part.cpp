// Taking out, weighing, and putting in.
#include "config/common_part.h"

#include <string>
#include <utility>

#include "config/model/hash.h"
#include "config/writer.h"

namespace fulcrum {
namespace {

// "lb.cfg:14: service ..." without its place.
void take_places_off(std::vector<std::string>& sentences, const std::string& path) {
    for (std::string& sentence : sentences) {
        if (sentence.starts_with(path + ":")) {
            sentence.erase(0, sentence.find(' ', path.size()) + 1);
        }
    }
}

}  // namespace

Config common_part_of(const Config& config) {
    Config common;
    common.director.seed = config.director.seed;
    common.vips = config.vips;
    common.marks = config.marks;
    common.timeouts = config.timeouts;
    common.services = config.services;
    common.source_file = config.source_file;
    return common;
}

std::uint64_t checksum_of_service(const Config& config) {
    return siphash_2_4({}, write_config(common_part_of(config)));
}

LoadOutcome with_common_part(const Config& own, std::string_view common) {
    Config rest = own;
    rest.vips.clear();
    rest.marks.clear();
    rest.timeouts = {};
    rest.services.clear();
    std::string text = write_config(rest);
    text += '\n';
    text += common;
    LoadOutcome outcome = load_config_as(text, own.source_file);
    take_places_off(outcome.problems, own.source_file);
    take_places_off(outcome.warnings, own.source_file);
    return outcome;
}

}  // namespace fulcrum
