#include "linear/few_rows.h"

#include <algorithm>

#include "threading/parallel.h"

namespace simdrop::detail {
namespace {

// Rows of x that pass a tile of W while it lies in L1.
constexpr std::size_t rows_at_once = 16;
// Less is not worth a thread: products of about 5 microseconds, which read 512 KiB of weights.
constexpr std::size_t products_per_thread = 131072;
// Threads write whole cache lines of y.
constexpr std::size_t floats_per_line = 16;

}  // namespace

void linear_small(const KernelTable& table, const TeamMember& member, ConstMatrix x, ConstMatrix w,
                  std::span<const float> bias, bool relu, Matrix y) {
  const std::size_t worth = 1 + x.rows * w.rows * w.cols / products_per_thread;
  const std::size_t parts = std::min(member.size, worth);
  if (member.rank >= parts) return;
  const Range mine = share(w.rows, floats_per_line, member.rank, parts);
  const float* b = bias.empty() ? nullptr : bias.data() + mine.begin;
  for (std::size_t row = 0; row < x.rows && !mine.empty(); row += rows_at_once) {
    table.few_rows_f32(std::min(rows_at_once, x.rows - row), mine.end - mine.begin, w.cols,
                       x.row(row), x.ld, w.row(mine.begin), w.ld, b, relu, y.row(row) + mine.begin,
                       y.ld);
  }
}

}  // namespace simdrop::detail
