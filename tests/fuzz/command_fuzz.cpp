// The command socket's request parser, fed whatever comes. It must refuse or take, never throw, and
// what it takes must survive being rendered into a reply.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "controlplane/request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
    const std::string_view line{reinterpret_cast<const char*>(octets), size};
    const auto request = fulcrum::parse_request(line);
    if (request) {
        static_cast<void>(fulcrum::render(fulcrum::Reply::of(request->arguments)));
        static_cast<void>(fulcrum::render(fulcrum::Reply::refusal("code", request->command)));
    } else {
        static_cast<void>(fulcrum::render(fulcrum::Reply::refusal("code", std::string{line})));
    }
    return 0;
}
