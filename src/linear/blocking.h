// How a product is cut: into cache blocks, and into parts for a team.
#pragma once

#include <cstddef>

#include "threading/parallel.h"

namespace simdrop::detail {

// The largest block that block_rows() makes.
inline constexpr std::size_t max_block_rows = 256;

// `rows` of k elements are packed in L2 a block at a time. The rows of a block, a multiple of
// `multiple`: they take three quarters of L2 at most, and all blocks are nearly equal.
std::size_t block_rows(std::size_t rows, std::size_t k, std::size_t element_bytes,
                       std::size_t multiple) noexcept;

// The same for columns of k elements, however many they are.
std::size_t columns_in_l2(std::size_t columns, std::size_t k, std::size_t element_bytes,
                          std::size_t multiple) noexcept;

struct Grid {
  std::size_t m_parts = 1, n_parts = 1;
};

// The cut of m x n tiles into at most `threads` rectangles whose largest is smallest; among equals
// the one with most parts in m.
Grid choose_grid(std::size_t m_tiles, std::size_t n_tiles, std::size_t threads) noexcept;

// Members that have enough to do in a product of so many operations; others would only wait.
std::size_t useful_threads(std::size_t team, double multiply_adds) noexcept;

}  // namespace simdrop::detail
