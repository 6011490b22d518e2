// The replaced operators. All other forms of `new` end in one of these, by the library's defaults.
#include "tests/support/no_allocation.h"

#include <unistd.h>

#include <cstdlib>
#include <new>

namespace fulcrum::test {
namespace {

thread_local unsigned guards = 0;

void* guarded(void* memory) {
    if (guards > 0) {
        constexpr char sentence[] = "an allocation where nothing may be allocated\n";
        [[maybe_unused]] const ssize_t written = write(2, sentence, sizeof(sentence) - 1);
        std::abort();
    }
    return memory;
}

void* allocated(void* memory) {
    if (guarded(memory) == nullptr) {
        throw std::bad_alloc{};
    }
    return memory;
}

}  // namespace

NoAllocation::NoAllocation() { ++guards; }
NoAllocation::~NoAllocation() { --guards; }

}  // namespace fulcrum::test

void* operator new(std::size_t size) {
    return fulcrum::test::allocated(std::malloc(size == 0 ? 1 : size));
}

void* operator new(std::size_t size, std::align_val_t alignment) {
    const auto unit = static_cast<std::size_t>(alignment);
    const std::size_t rounded = (size + unit - 1) / unit * unit;
    return fulcrum::test::allocated(std::aligned_alloc(unit, rounded == 0 ? unit : rounded));
}

// The address sanitizer has these of its own, which would not match our `delete`.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return fulcrum::test::guarded(std::malloc(size == 0 ? 1 : size));
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
