// Memory for what a worker may come to need: reserved at start, zeroed and backed by the kernel
// page by page at the first use. Called at start; what lies in it is its owner's.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <utility>

namespace fulcrum {

class LazyMemory {
  public:
    explicit LazyMemory(std::size_t size) : size_{size} {
        void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        octets_ = memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
    }
    LazyMemory(LazyMemory&& other) noexcept
        : octets_{std::exchange(other.octets_, nullptr)}, size_{other.size_} {}
    LazyMemory& operator=(LazyMemory&&) = delete;
    ~LazyMemory() {
        if (octets_ != nullptr) {
            munmap(octets_, size_);
        }
    }

    std::byte* octets() const { return octets_; }  // null: there was none

  private:
    std::byte* octets_ = nullptr;
    std::size_t size_;
};

}  // namespace fulcrum
