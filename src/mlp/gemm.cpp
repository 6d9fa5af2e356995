#include "mlp/gemm.h"

#include <algorithm>
#include <limits>

#include "parallel.h"

namespace simdrop::detail {
namespace {

// Panels of A and B are packed for whole slabs of at most this size, which bounds the workspace;
// the layers of most networks fit into one slab, so both operands are packed once.
constexpr std::size_t max_slab_m = 2048;
constexpr std::size_t max_slab_n = 4096;
constexpr std::size_t max_slab_k = 2048;
// A kernel call reads at most block_k of k, so that a panel of A or B stays in the L1 cache, and
// at most block_a_floats of A (256 KiB), which stay in L2 while B passes by.
constexpr std::size_t block_k = 256;
constexpr std::size_t block_a_floats = 65536;
// Less work than this is not worth a thread: about 10 microseconds.
constexpr std::size_t min_flops_per_thread = 500'000;
constexpr std::size_t min_packed_per_thread = 16384;
constexpr std::size_t floats_per_line = 16;

constexpr std::size_t ceil_div(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}
constexpr std::size_t round_up(std::size_t a, std::size_t b) {
  return ceil_div(a, b) * b;
}

// The part of a product that is packed at once, and where.
struct Slab {
  std::size_t m, n, k;
  float* a;
  float* b;
};

GemmSize max_slab(const KernelTable& table, const GemmSize& size) {
  return {std::min(size.m, max_slab_m / table.gemm_mr * table.gemm_mr),
          std::min(size.n, max_slab_n / table.gemm_nr * table.gemm_nr),
          std::min(size.k, max_slab_k)};
}

std::size_t packed_a_floats(const KernelTable& table, const GemmSize& slab) {
  return round_up(round_up(slab.m, table.gemm_mr) * slab.k, floats_per_line);
}

// Packs panels [begin, end) of an operand of `rows` x k.
void pack_panels(const KernelTable& table, const GemmOperand& source, std::size_t rows,
                 std::size_t k, std::size_t width, std::size_t begin, std::size_t end,
                 float* packed) {
  const std::size_t first = begin * width;
  table.gemm_pack_f32(std::min(rows, end * width) - first, k,
                      source.data + first * source.row_stride, source.row_stride, source.col_stride,
                      width, packed + first * k);
}

// Packs A's row panels and B's column panels; b's rows are B's columns here.
void pack_slab(const KernelTable& table, const Slab& slab, const GemmOperand& a,
               const GemmOperand& b, int num_threads) {
  const std::size_t mr = table.gemm_mr;
  const std::size_t nr = table.gemm_nr;
  const std::size_t panels_a = ceil_div(slab.m, mr);
  const std::size_t panels_b = ceil_div(slab.n, nr);
  const std::size_t grain = ceil_div(min_packed_per_thread, nr * slab.k);
  parallel_for(panels_a + panels_b, grain, num_threads, [&](std::size_t begin, std::size_t end) {
    if (begin < panels_a) {
      pack_panels(table, a, slab.m, slab.k, mr, begin, std::min(end, panels_a), slab.a);
    }
    if (end > panels_a) {
      pack_panels(table, b, slab.n, slab.k, nr, std::max(begin, panels_a) - panels_a,
                  end - panels_a, slab.b);
    }
  });
}

struct PanelRange {
  std::size_t begin;
  std::size_t end;
};

// Part `part` of `parts` nearly equal ones.
PanelRange split(std::size_t panels, std::size_t part, std::size_t parts) {
  return {panels * part / parts, panels * (part + 1) / parts};
}

// One thread's rectangle of C. Blocks of k are equally long and depend on k alone.
void multiply_rectangle(const KernelTable& table, const Slab& slab, PanelRange rows,
                        PanelRange cols, float alpha, float* c, std::size_t ldc, bool accumulate) {
  const std::size_t mr = table.gemm_mr;
  const std::size_t nr = table.gemm_nr;
  const std::size_t kc = ceil_div(slab.k, ceil_div(slab.k, block_k));
  const std::size_t panels_per_block = std::max<std::size_t>(1, block_a_floats / (kc * mr));
  const std::size_t col = cols.begin * nr;
  const std::size_t n = std::min(slab.n, cols.end * nr) - col;
  for (std::size_t p = 0; p < slab.k; p += kc) {
    for (std::size_t i = rows.begin; i < rows.end; i += panels_per_block) {
      const std::size_t row = i * mr;
      const std::size_t m = std::min(slab.m, std::min(rows.end, i + panels_per_block) * mr) - row;
      table.gemm_block_f32(m, n, std::min(kc, slab.k - p), alpha, slab.a + row * slab.k + p * mr,
                           mr * slab.k, slab.b + col * slab.k + p * nr, nr * slab.k,
                           c + row * ldc + col, ldc, accumulate || p > 0);
    }
  }
}

struct Grid {
  std::size_t m_parts;
  std::size_t n_parts;
};

// The cut of the panels into at most `threads` rectangles whose largest is smallest; among equals
// the one that reads the least.
Grid choose_grid(const KernelTable& table, std::size_t panels_m, std::size_t panels_n,
                 std::size_t threads) {
  Grid best{1, 1};
  std::size_t best_area = std::numeric_limits<std::size_t>::max();
  std::size_t best_reads = best_area;
  for (std::size_t m_parts = 1; m_parts <= std::min(threads, panels_m); ++m_parts) {
    const std::size_t n_parts = std::min(threads / m_parts, panels_n);
    const std::size_t rows = ceil_div(panels_m, m_parts) * table.gemm_mr;
    const std::size_t cols = ceil_div(panels_n, n_parts) * table.gemm_nr;
    if (rows * cols < best_area || (rows * cols == best_area && rows + cols < best_reads)) {
      best = {m_parts, n_parts};
      best_area = rows * cols;
      best_reads = rows + cols;
    }
  }
  return best;
}

// Threads split panels, never k: each element of C belongs to one thread.
void multiply_slab(const KernelTable& table, const Slab& slab, float alpha, float* c,
                   std::size_t ldc, bool accumulate, int num_threads) {
  const std::size_t panels_m = ceil_div(slab.m, table.gemm_mr);
  const std::size_t panels_n = ceil_div(slab.n, table.gemm_nr);
  const std::size_t worth = 1 + 2 * slab.m * slab.n * slab.k / min_flops_per_thread;
  const std::size_t threads = std::min(static_cast<std::size_t>(num_threads), worth);
  const Grid grid = choose_grid(table, panels_m, panels_n, threads);
  parallel_for(
      grid.m_parts * grid.n_parts, 1, num_threads, [&](std::size_t begin, std::size_t end) {
        for (std::size_t task = begin; task < end; ++task) {
          multiply_rectangle(table, slab, split(panels_m, task % grid.m_parts, grid.m_parts),
                             split(panels_n, task / grid.m_parts, grid.n_parts), alpha, c, ldc,
                             accumulate);
        }
      });
}

}  // namespace

std::size_t gemm_workspace_size(const KernelTable& table, const GemmSize& size) noexcept {
  const GemmSize slab = max_slab(table, size);
  return packed_a_floats(table, slab) + round_up(slab.n, table.gemm_nr) * slab.k;
}

void gemm(const KernelTable& table, const GemmSize& size, float alpha, const GemmOperand& a,
          const GemmOperand& b, float* c, std::size_t ldc, float* workspace, int num_threads) {
  const GemmSize step = max_slab(table, size);
  float* packed_b = workspace + packed_a_floats(table, step);
  for (std::size_t j = 0; j < size.n; j += step.n) {
    for (std::size_t p = 0; p < size.k; p += step.k) {
      for (std::size_t i = 0; i < size.m; i += step.m) {
        const Slab slab{std::min(step.m, size.m - i), std::min(step.n, size.n - j),
                        std::min(step.k, size.k - p), workspace, packed_b};
        const GemmOperand part_a{a.data + i * a.row_stride + p * a.col_stride, a.row_stride,
                                 a.col_stride};
        const GemmOperand part_b{b.data + p * b.row_stride + j * b.col_stride, b.col_stride,
                                 b.row_stride};
        pack_slab(table, slab, part_a, part_b, num_threads);
        multiply_slab(table, slab, alpha, c + i * ldc + j, ldc, p > 0, num_threads);
      }
    }
  }
}

}  // namespace simdrop::detail
