// gemm_pack_f32 and gemm_block_f32 of every table against a triple loop in double.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "compare.h"
#include "elementwise.h"
#include "gemm_reference.h"
#include "guarded_buffer.h"
#include "tables.h"

namespace {

using simdrop::detail::KernelTable;
using test::Edge;

struct GemmCase {
  std::size_t m = 1;
  std::size_t n = 1;
  std::size_t k = 1;
  float alpha = 1.0F;
  bool accumulate = false;
  std::size_t pad_c = 0;      // ldc - n
  std::size_t panel_gap = 0;  // floats between panels
  bool transposed = false;    // A and B stored the other way round
};

std::size_t panels_of(std::size_t rows, std::size_t width) {
  return (rows + width - 1) / width;
}

std::size_t packed_size(std::size_t rows, std::size_t k, std::size_t width) {
  return panels_of(rows, width) * width * k;
}

// Element (i, p) at src[i * row_stride + p * k_stride], as the layout in kernel_table.h.
std::vector<float> packed(std::size_t rows, std::size_t k, const float* src, std::size_t row_stride,
                          std::size_t k_stride, std::size_t width) {
  std::vector<float> panels(packed_size(rows, k, width), 0.0F);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t p = 0; p < k; ++p) {
      panels[row / width * width * k + p * width + row % width] =
          src[row * row_stride + p * k_stride];
    }
  }
  return panels;
}

// The same panels, `stride` floats apart and NaN between them, which must not reach C.
std::vector<float> spread(const std::vector<float>& panels, std::size_t panel, std::size_t stride) {
  const std::size_t count = panel == 0 ? 0 : panels.size() / panel;
  if (count == 0) return {};
  std::vector<float> out((count - 1) * stride + panel, std::nanf(""));
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(panels.begin() + static_cast<std::ptrdiff_t>(i * panel), panel,
                out.begin() + static_cast<std::ptrdiff_t>(i * stride));
  }
  return out;
}

void check_pack(test::GuardedBuffer<float>& in, test::GuardedBuffer<float>& out, std::size_t rows,
                std::size_t k, std::size_t row_stride, std::size_t k_stride) {
  const std::size_t size =
      rows == 0 || k == 0 ? 0 : (rows - 1) * row_stride + (k - 1) * k_stride + 1;
  const auto src = test::random_floats(size, 51);
  INFO("rows ", rows, ", k ", k, ", strides ", row_stride, " ", k_stride);
  test::for_each_table([&](const KernelTable& table) {
    for (const std::size_t width : {table.gemm_mr, table.gemm_nr}) {
      CAPTURE(width);
      const auto want = packed(rows, k, src.data(), row_stride, k_stride, width);
      const auto source = in.place(src, Edge::end);
      const auto panels = out.place(want.size(), Edge::end);
      std::fill(panels.begin(), panels.end(), test::kPadding);
      table.gemm_pack_f32(rows, k, source.data(), row_stride, k_stride, width, panels.data());
      CHECK(test::first_difference(panels, want) == test::kSame);
      CHECK((in.intact() && out.intact()));
    }
  });
}

struct Product {
  reference::Strided a, b;
  const std::vector<float>& c;  // before
  std::span<const float> got;   // after
};

// Rounding of k products and sums, of alpha, and of the sum with C.
std::size_t count_wrong(const GemmCase& g, const Product& product) {
  const std::size_t ldc = g.n + g.pad_c;
  std::size_t wrong = 0;
  for (std::size_t index = 0; index < product.got.size(); ++index) {
    const std::size_t i = index / ldc;
    const std::size_t j = index % ldc;
    const float got = product.got[index];
    if (j >= g.n) {
      wrong += test::same_float(got, product.c[index]) ? 0 : 1;
      continue;
    }
    const auto exact = reference::dot(product.a, product.b, i, j, g.k);
    const double before = g.accumulate ? static_cast<double>(product.c[index]) : 0.0;
    const double alpha = static_cast<double>(g.alpha);
    const double want = before + alpha * exact.value;
    const double magnitude = std::fabs(before) + std::fabs(alpha) * exact.magnitude;
    const double bound = test::gamma_bound(g.k + 2) * magnitude;
    wrong += std::fabs(static_cast<double>(got) - want) <= bound ? 0 : 1;
  }
  return wrong;
}

struct GemmBuffers {
  test::GuardedBuffer<float> a{1 << 17}, b{1 << 17}, c{1 << 17};
};

void check_block(const GemmCase& g, GemmBuffers& buffers) {
  const auto a = test::random_floats(g.m * g.k, 52);
  const auto b = test::random_floats(g.k * g.n, 53);
  const reference::Strided a_view{a.data(), g.transposed ? 1 : g.k, g.transposed ? g.m : 1};
  const reference::Strided b_view{b.data(), g.transposed ? 1 : g.n, g.transposed ? g.k : 1};
  const std::size_t ldc = g.n + g.pad_c;
  const auto c = test::random_floats(test::extent(g.m, g.n, ldc), 54);
  INFO("m ", g.m, ", n ", g.n, ", k ", g.k, ", alpha ", g.alpha, ", accumulate ", g.accumulate,
       ", pad ", g.pad_c, ", gap ", g.panel_gap, ", transposed ", g.transposed);
  test::for_each_table([&](const KernelTable& table) {
    const std::size_t panel_a = table.gemm_mr * g.k;
    const std::size_t panel_b = table.gemm_nr * g.k;
    const auto packed_a =
        packed(g.m, g.k, a.data(), a_view.row_stride, a_view.col_stride, table.gemm_mr);
    const auto packed_b =
        packed(g.n, g.k, b.data(), b_view.col_stride, b_view.row_stride, table.gemm_nr);
    const auto in_a = buffers.a.place(spread(packed_a, panel_a, panel_a + g.panel_gap), Edge::end);
    const auto in_b = buffers.b.place(spread(packed_b, panel_b, panel_b + g.panel_gap), Edge::end);
    const auto out = buffers.c.place(c, g.m % 2 == 0 ? Edge::end : Edge::start, 0);
    table.gemm_block_f32(g.m, g.n, g.k, g.alpha, in_a.data(), panel_a + g.panel_gap, in_b.data(),
                         panel_b + g.panel_gap, out.data(), ldc, g.accumulate);
    CHECK(count_wrong(g, {a_view, b_view, c, out}) == 0);
    CHECK((buffers.a.intact() && buffers.b.intact() && buffers.c.intact()));
  });
}

}  // namespace

TEST_SUITE("gemm tables") {
  TEST_CASE("gemm_mr and gemm_nr are set") {
    test::for_each_table([](const KernelTable& table) {
      CHECK(table.gemm_mr >= 1);
      CHECK(table.gemm_nr >= 1);
    });
  }

  TEST_CASE("gemm_pack_f32: every number of rows, both orders, strided") {
    test::GuardedBuffer<float> in(1 << 17), out(1 << 17);
    for (std::size_t rows = 0; rows <= 70; ++rows) {
      for (const std::size_t k : {0U, 1U, 2U, 3U, 7U, 8U, 17U, 33U}) {
        check_pack(in, out, rows, k, k, 1);
        check_pack(in, out, rows, k, k + 3, 1);
        check_pack(in, out, rows, k, 1, rows);
        check_pack(in, out, rows, k, 1, rows + 5);
        check_pack(in, out, rows, k, 2 * k + 1, 2);
      }
    }
  }

  TEST_CASE("gemm_block_f32: every m and n up to 70") {
    GemmBuffers buffers;
    std::mt19937 engine(55);
    for (std::size_t m = 1; m <= 70; ++m) {
      for (std::size_t n = 1; n <= 70; ++n) {
        if (m > 20 && n > 20 && (m + n) % 7 != 0) continue;
        GemmCase g{.m = m, .n = n, .k = 1 + engine() % 9};
        g.alpha = engine() % 2 == 0 ? 1.0F : -0.3F;
        g.accumulate = engine() % 2 == 0;
        g.pad_c = engine() % 3;
        g.panel_gap = engine() % 2 * 5;
        g.transposed = engine() % 2 == 0;
        check_block(g, buffers);
      }
    }
  }

  TEST_CASE("gemm_block_f32: every k up to 70, and long ones") {
    GemmBuffers buffers;
    for (std::size_t k = 0; k <= 70; ++k) {
      check_block({.m = 13, .n = 35, .k = k, .alpha = 0.5F, .accumulate = true}, buffers);
      check_block({.m = 37, .n = 17, .k = k, .pad_c = 3}, buffers);
    }
    for (const std::size_t k : {255U, 256U, 257U, 1000U}) {
      check_block({.m = 29, .n = 41, .k = k, .alpha = 1.0F / 128}, buffers);
      check_block({.m = 29, .n = 41, .k = k, .accumulate = true}, buffers);
    }
  }

  TEST_CASE("gemm_block_f32: without accumulate, what C held does not matter") {
    test::for_each_table([](const KernelTable& table) {
      const std::vector<float> a(table.gemm_mr * 3, 1.0F);
      const std::vector<float> b(table.gemm_nr * 3, 2.0F);
      std::vector<float> c(static_cast<std::size_t>(table.gemm_mr) * table.gemm_nr, std::nanf(""));
      table.gemm_block_f32(table.gemm_mr, table.gemm_nr, 3, 1.0F, a.data(), a.size(), b.data(),
                           b.size(), c.data(), table.gemm_nr, false);
      CHECK(std::all_of(c.begin(), c.end(), [](float value) { return value == 6.0F; }));
    });
  }
}
