// Bounds on a configuration file before it is parsed. libconfig takes seconds for one enormous
// identifier and gigabytes for millions of one-digit values, and a reload must not starve the
// director: what exceeds these is refused with a sentence. The largest configuration that the model
// admits (131,072 reals of seven keys, 16,384 services) has 1.2 million values. Pure.
#pragma once

#include <cstddef>

namespace fulcrum::limits {

inline constexpr std::size_t file_size_max = std::size_t{16} << 20;  // with all that it includes
inline constexpr std::size_t list_file_size_max = std::size_t{64} << 20;  // a list of clients
inline constexpr std::size_t line_size_max = std::size_t{16} << 10;
inline constexpr std::size_t identifier_length_max = 128;
inline constexpr unsigned nesting_max = 16;
inline constexpr std::size_t includes_max = 64;
inline constexpr std::size_t keys_per_group_max = 64;
inline constexpr std::size_t values_max = 2'000'000;
// More than a person reads; the rest is only counted.
inline constexpr std::size_t findings_max = 200;

}  // namespace fulcrum::limits
