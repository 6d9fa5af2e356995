// Which streams of the generator the MLP runtime reads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace simdrop::detail {

// Domain 0 is left to the caller's own streams.
enum class StreamDomain : std::uint64_t { mask = 1, init = 2, sample = 3 };

inline constexpr std::size_t max_layers = std::size_t{1} << 16;
inline constexpr std::uint64_t max_steps = std::uint64_t{1} << 40;

// domain (8 bits), layer (16), step or sample (40), from the top.
constexpr std::uint64_t stream_id(StreamDomain domain, std::size_t layer, std::uint64_t step) {
  return static_cast<std::uint64_t>(domain) << 56 | static_cast<std::uint64_t>(layer) << 40 | step;
}

}  // namespace simdrop::detail
