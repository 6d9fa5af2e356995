// Words of a stream in plain C++.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/mask/philox_block.h"

namespace simdrop::detail {
namespace {

struct PhiloxStream {
  std::uint64_t seed, stream;
  std::int32_t rounds;

  void block(std::uint64_t index, std::uint32_t* words) const {
    words[0] = static_cast<std::uint32_t>(index);
    words[1] = static_cast<std::uint32_t>(index >> 32);
    words[2] = static_cast<std::uint32_t>(stream);
    words[3] = static_cast<std::uint32_t>(stream >> 32);
    philox_block(words, static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                 rounds);
  }
};

inline void philox_fill(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block,
                        unsigned skip, std::int32_t rounds, std::uint32_t* out, std::size_t n) {
  const PhiloxStream philox{seed, stream, rounds};
  std::uint32_t words[4];
  for (std::size_t done = 0; done < n; ++first_block) {
    philox.block(first_block, words);
    for (; skip < 4 && done < n; ++skip) out[done++] = words[skip];
    skip = 0;
  }
}

}  // namespace
}  // namespace simdrop::detail
