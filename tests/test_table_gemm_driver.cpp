// The blocked matrix product on every table against a triple loop in double.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "compare.h"
#include "elementwise.h"
#include "gemm_reference.h"
#include "guarded_buffer.h"
#include "mlp/gemm.h"
#include "tables.h"

namespace {

using simdrop::detail::GemmSize;
using simdrop::detail::KernelTable;
using test::Edge;

struct DriverCase {
  GemmSize size;
  float alpha = 1.0F;
  bool a_transposed = false;
  bool b_transposed = false;
  std::size_t pad = 0;  // of A, B and C
  bool threads = false;
};

simdrop::detail::GemmOperand operand(std::span<const float> data, std::size_t ld, bool transposed) {
  return {data.data(), transposed ? 1 : ld, transposed ? ld : 1};
}

reference::Strided view(const simdrop::detail::GemmOperand& m) {
  return {m.data, m.row_stride, m.col_stride};
}

struct DriverBuffers {
  test::GuardedBuffer<float> a{1 << 18}, b{1 << 18}, c{1 << 18}, workspace{1 << 21};

  // As large as gemm() asks for, aligned to 64 bytes, full of NaN.
  std::span<float> place_workspace(std::size_t size) {
    const auto space = workspace.place(size, Edge::end, (16 - size % 16) % 16);
    std::fill(space.begin(), space.end(), std::nanf(""));
    return space;
  }
  [[nodiscard]] bool intact() const {
    return a.intact() && b.intact() && c.intact() && workspace.intact();
  }
};

// Elements too far from the sum in double, or padding that was changed. k products and sums round,
// and so do alpha and the sum over blocks of k, which a shorter block makes up for.
std::size_t count_wrong(const DriverCase& g, const reference::Strided& a,
                        const reference::Strided& b, std::span<const float> c,
                        const std::vector<float>& before) {
  const std::size_t ldc = g.size.n + g.pad;
  const double alpha = static_cast<double>(g.alpha);
  std::size_t wrong = 0;
  for (std::size_t index = 0; index < c.size(); ++index) {
    const std::size_t j = index % ldc;
    if (j >= g.size.n) {
      wrong += test::same_float(c[index], before[index]) ? 0 : 1;
      continue;
    }
    const auto exact = reference::dot(a, b, index / ldc, j, g.size.k);
    const double error = std::fabs(static_cast<double>(c[index]) - alpha * exact.value);
    const double bound = test::gamma_bound(g.size.k + 2) * std::fabs(alpha) * exact.magnitude;
    wrong += error <= bound ? 0 : 1;
  }
  return wrong;
}

void check_driver(const DriverCase& g, DriverBuffers& buffers) {
  const std::size_t m = g.size.m;
  const std::size_t n = g.size.n;
  const std::size_t k = g.size.k;
  const std::size_t lda = (g.a_transposed ? m : k) + g.pad;
  const std::size_t ldb = (g.b_transposed ? k : n) + g.pad;
  const auto extent = [](std::size_t rows, std::size_t cols, std::size_t ld, bool transposed) {
    return transposed ? test::extent(cols, rows, ld) : test::extent(rows, cols, ld);
  };
  const auto a_values = test::random_floats(extent(m, k, lda, g.a_transposed), 101);
  const auto b_values = test::random_floats(extent(k, n, ldb, g.b_transposed), 102);
  const std::vector<float> before(test::extent(m, n, n + g.pad), std::nanf(""));
  INFO("m ", m, ", n ", n, ", k ", k, ", alpha ", g.alpha, ", transposed ", g.a_transposed, " ",
       g.b_transposed, ", pad ", g.pad);
  test::for_each_table([&](const KernelTable& table) {
    const auto a = operand(buffers.a.place(a_values, Edge::end), lda, g.a_transposed);
    const auto b = operand(buffers.b.place(b_values, Edge::end), ldb, g.b_transposed);
    const auto c = buffers.c.place(before, Edge::end);
    const auto space = buffers.place_workspace(simdrop::detail::gemm_workspace_size(table, g.size));
    simdrop::detail::gemm(table, g.size, g.alpha, a, b, c.data(), n + g.pad, space.data(), 1);
    CHECK(count_wrong(g, view(a), view(b), c, before) == 0);
    const std::vector<float> serial(c.begin(), c.end());
    for (int num_threads = 2; g.threads && num_threads <= 8; ++num_threads) {
      CAPTURE(num_threads);
      std::fill(c.begin(), c.end(), std::nanf(""));
      simdrop::detail::gemm(table, g.size, g.alpha, a, b, c.data(), n + g.pad, space.data(),
                            num_threads);
      CHECK(test::first_difference(c, serial) == test::kSame);
    }
    CHECK(buffers.intact());
  });
}

}  // namespace

TEST_SUITE("gemm tables") {
  TEST_CASE("gemm: odd shapes, all four orders") {
    DriverBuffers buffers;
    std::mt19937 engine(103);
    for (int variant = 0; variant < 1200; ++variant) {
      DriverCase g;
      g.size = {1 + engine() % 70, 1 + engine() % 70, 1 + engine() % 70};
      g.alpha = variant % 3 == 0 ? -0.37F : 1.0F;
      g.a_transposed = engine() % 2 == 0;
      g.b_transposed = engine() % 2 == 0;
      g.pad = engine() % 4;
      check_driver(g, buffers);
    }
  }

  TEST_CASE("gemm: shapes beside the sizes of its blocks") {
    DriverBuffers buffers;
    for (const std::size_t k : {255U, 256U, 257U, 511U, 513U, 1025U}) {
      check_driver({.size = {17, 33, k}, .b_transposed = true}, buffers);
    }
    check_driver({.size = {2051, 9, 7}, .pad = 1}, buffers);
    check_driver({.size = {3, 4103, 5}, .b_transposed = true}, buffers);
    check_driver({.size = {5, 7, 2053}, .alpha = 0.125F, .a_transposed = true}, buffers);
    check_driver({.size = {300, 31, 259}}, buffers);
  }

  TEST_CASE("gemm: 1 ... 8 threads give the same bits") {
    DriverBuffers buffers;
    check_driver({.size = {128, 300, 257}, .b_transposed = true, .pad = 3, .threads = true},
                 buffers);
    check_driver(
        {.size = {515, 67, 129}, .alpha = 1.0F / 128, .a_transposed = true, .threads = true},
        buffers);
    check_driver({.size = {7, 1000, 200}, .threads = true}, buffers);
  }
}
