#include "linear/blocking.h"

#include <algorithm>
#include <limits>

#include "dispatch/cpu.h"

namespace simdrop::detail {
namespace {

// About 3 microseconds: some barriers.
constexpr double min_multiply_adds = 250'000;

constexpr std::size_t ceil_div(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

// The size of nearly equal blocks, a multiple of `multiple`: `fit` elements at most, or that one.
std::size_t equal_blocks(std::size_t n, std::size_t fit, std::size_t multiple) {
  const std::size_t pieces = ceil_div(std::max<std::size_t>(n, 1), multiple);
  if (n <= fit) return pieces * multiple;
  const std::size_t max_pieces = std::max<std::size_t>(1, fit / multiple);
  return ceil_div(pieces, ceil_div(pieces, max_pieces)) * multiple;
}

std::size_t fit_in_l2(std::size_t k, std::size_t element_bytes) {
  return cache_sizes().l2 / 4 * 3 / (std::max<std::size_t>(k, 1) * element_bytes);
}

}  // namespace

std::size_t block_rows(std::size_t rows, std::size_t k, std::size_t element_bytes,
                       std::size_t multiple) noexcept {
  return equal_blocks(rows, std::min(max_block_rows, fit_in_l2(k, element_bytes)), multiple);
}

std::size_t columns_in_l2(std::size_t columns, std::size_t k, std::size_t element_bytes,
                          std::size_t multiple) noexcept {
  return equal_blocks(columns, fit_in_l2(k, element_bytes), multiple);
}

Grid choose_grid(std::size_t m_tiles, std::size_t n_tiles, std::size_t threads) noexcept {
  Grid best;
  std::size_t best_area = std::numeric_limits<std::size_t>::max();
  for (std::size_t m_parts = std::min(threads, m_tiles); m_parts >= 1; --m_parts) {
    const std::size_t n_parts = std::max<std::size_t>(1, std::min(threads / m_parts, n_tiles));
    const std::size_t area = ceil_div(m_tiles, m_parts) * ceil_div(n_tiles, n_parts);
    if (area < best_area) {
      best = {m_parts, n_parts};
      best_area = area;
    }
  }
  return best;
}

std::size_t useful_threads(std::size_t team, double multiply_adds) noexcept {
  const double useful = 1.0 + multiply_adds / min_multiply_adds;
  return useful < static_cast<double>(team) ? static_cast<std::size_t>(useful) : team;
}

}  // namespace simdrop::detail
