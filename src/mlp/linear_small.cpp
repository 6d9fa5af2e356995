#include "mlp/linear_small.h"

#include <algorithm>

#include "parallel.h"

namespace simdrop::detail {
namespace {

// Rows of x that pass a tile of W while it lies in L1.
constexpr std::size_t rows_at_once = 16;
// Less is not worth a thread: products of about 5 microseconds, which read 512 KiB of weights.
constexpr std::size_t products_per_thread = 131072;
// Threads write whole cache lines of y.
constexpr std::size_t floats_per_line = 16;

}  // namespace

void linear_small(const KernelTable& table, ConstMatrix x, ConstMatrix w,
                  std::span<const float> bias, bool relu, Matrix y, int num_threads) {
  const std::size_t worth = 1 + x.rows * w.rows * w.cols / products_per_thread;
  const auto threads = static_cast<int>(std::min(static_cast<std::size_t>(num_threads), worth));
  parallel_for(w.rows, floats_per_line, threads, [&](std::size_t begin, std::size_t end) {
    const float* b = bias.empty() ? nullptr : bias.data() + begin;
    for (std::size_t row = 0; row < x.rows; row += rows_at_once) {
      table.linear_small_f32(std::min(rows_at_once, x.rows - row), end - begin, w.cols, x.row(row),
                             x.ld, w.row(begin), w.ld, b, relu, y.row(row) + begin, y.ld);
    }
  });
}

}  // namespace simdrop::detail
