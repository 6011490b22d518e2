// The page that is made from the table.
#include "config/schema.h"

namespace fulcrum {
namespace {

using enum Presence;

std::string preset_in_markdown(const SchemaKey& key) {
    switch (key.presence) {
        case required:
            return key.unless.empty()
                       ? "**required**"
                       : std::string{"**required** without any of: "}.append(key.unless);
        case optional:
            return std::string{"`"}.append(key.preset).append("`");
        case optional_in_words:
            return std::string{key.preset};
    }
    return {};
}

}  // namespace

std::string reference_page() {
    std::string page = "| Key | Holds | Default | Meaning |\n|---|---|---|---|\n";
    for (const SchemaKey& key : schema()) {
        if (key.is_told_elsewhere) {
            continue;
        }
        page += "| `" + std::string{key.path} + "` | " + describe(key.type) + " | " +
                preset_in_markdown(key) + " | " + std::string{key.help} + " |\n";
    }
    return page;
}

}  // namespace fulcrum
