// Any bytes as an old file, in each dialect: the importer answers with a draft and remarks, never
// with a crash or a hang; and what it drafts can be written, and reads as the same.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/import/dialects.h"
#include "config/loader.h"
#include "config/writer.h"

namespace {

using namespace fulcrum;

void promise(bool is_kept, const char* what, const std::string& about) {
    if (!is_kept) {
        std::fprintf(stderr, "broken promise: %s: %s\n", what, about.c_str());
        std::abort();
    }
}

void import(Dialect dialect, const ImportSource& source) {
    Imported imported = import_as(dialect, source);
    for (const Remark& remark : imported.remarks) {
        promise(remark.line.place.line > 0, "a remark has its place", remark.why);
        promise(!remark.why.empty(), "a remark says why", remark.line.text);
    }
    imported.config.director.workers = {1};
    imported.config.ports = {{.name = "p", .kind = DeviceKind::vdev, .device = "net_null0"}};
    const std::string text = write_config(imported.config);
    const LoadOutcome outcome = load_config_text(text, source.path);
    for (const VirtualService& service : imported.config.services) {
        promise(service.reals.size() < limits::index_none, "reals have indexes", service.name);
    }
    std::string difference = text;
    for (const std::string& problem : outcome.problems) {
        difference += problem + "\n";
    }
    promise(outcome.config == imported.config, "what is drafted reads as the same", difference);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    ImportSource source{.path = "old",
                        .text = {reinterpret_cast<const char*>(bytes), size},
                        .read_file = {},
                        .files_like = {},
                        .names = {},
                        .marks = {}};
    source.read_file = [&source](const std::string&) -> Result<std::string> { return source.text; };
    source.marks[7] = {{.vip = IpPrefix::only(Ipv4Address::of(192, 0, 2, 7)),
                        .ports = PortRange::only(80),
                        .protocol = L4Protocol::tcp,
                        .place = {}}};
    if (const auto dialect = guess_dialect(source.text)) {
        import(*dialect, source);
    }
    return 0;
}
