// A target that must fail: it reads behind a block of memory once the fuzzer has found three bytes
// in a row. If it ever passes, the harness no longer notices anything, and neither do the others.
#include <cstdint>
#include <cstdlib>
#include <memory>

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size >= 3 && bytes[0] == 'F' && bytes[1] == 'U' && bytes[2] == 'L') {
        const auto block = std::make_unique<std::uint8_t[]>(size);
        const volatile std::uint8_t* const behind = block.get() + size;
        return *behind == 1 ? -1 : 0;
    }
    return 0;
}
