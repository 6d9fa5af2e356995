// add_bias_f32 and column_sum_f32 of every table.
#include <algorithm>
#include <cmath>
#include <vector>

#include "helpers/elementwise.h"
#include "helpers/kernel_test.h"
#include "reference/gemm_reference.h"

namespace {

using simdrop::detail::KernelTable;
using test::Edge;

constexpr std::size_t large_sizes[] = {4095, 4097, 65537, 100003};

void check_add_bias(test::Buffers<float>& buffers, std::size_t rows, std::size_t cols,
                    std::size_t pad, std::size_t offset, Edge edge) {
  const std::size_t ld = cols + pad;
  const auto x = test::random_floats(test::extent(rows, cols, ld), 42);
  const auto bias = test::random_floats(cols, 43);
  auto want = x;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < cols; ++c) want[r * ld + c] = x[r * ld + c] + bias[c];
  }
  CAPTURE(rows);
  CAPTURE(cols);
  CAPTURE(pad);
  test::for_each_table([&](const KernelTable& table) {
    const auto out = buffers.out.place(x, edge, offset);
    const auto bias_in = buffers.bias.place(bias, edge, (offset * 3) % 16);
    table.add_bias_f32(rows, cols, bias_in.data(), out.data(), ld);
    CHECK(test::first_difference(out, want) == test::no_difference);
    CHECK(buffers.intact());
  });
}

// The order of the rows is part of the contract, so the sums are equal bit for bit; they are also
// close to the sums in double.
void check_column_sum(test::Buffers<float>& buffers, std::size_t rows, std::size_t cols,
                      std::size_t pad, std::size_t offset, Edge edge) {
  constexpr float scale = 0.37F;
  const std::size_t ld = cols + pad;
  const auto x = test::random_floats(test::extent(rows, cols, ld), 44);
  std::vector<float> want(cols);
  std::size_t far_from_exact = 0;
  for (std::size_t c = 0; c < cols; ++c) {
    float sum = 0.0F;
    for (std::size_t r = 0; r < rows; ++r) sum += x[r * ld + c];
    want[c] = sum * scale;
    const auto exact = reference::column_sum({x.data(), ld, 1}, c, rows);
    const double wide_scale = static_cast<double>(scale);
    const double error = std::fabs(static_cast<double>(want[c]) - wide_scale * exact.value);
    far_from_exact += error <= test::gamma_bound(rows + 1) * wide_scale * exact.magnitude ? 0 : 1;
  }
  CHECK(far_from_exact == 0);
  CAPTURE(rows);
  CAPTURE(cols);
  CAPTURE(pad);
  test::for_each_table([&](const KernelTable& table) {
    const auto in = buffers.in.place(x, edge, offset);
    const auto sums = buffers.out.place(cols, edge, (offset * 5) % 16);
    table.column_sum_f32(rows, cols, in.data(), ld, scale, sums.data());
    CHECK(test::first_difference(sums, want) == test::no_difference);
    CHECK(test::first_difference(in, x) == test::no_difference);
    CHECK(buffers.intact());
  });
}

template <class Check>
void over_shapes(Check check) {
  for (std::size_t cols = 0; cols <= 257; ++cols) {
    const std::size_t rows = 1 + cols % 5;
    check(rows, cols, cols % 4, 0U, Edge::end);
    check(rows, cols, cols % 3, cols % 16, Edge::start);
  }
  for (std::size_t rows = 0; rows <= 40; ++rows) {
    for (const std::size_t cols : {1U, 7U, 8U, 15U, 16U, 17U, 33U, 64U, 129U}) {
      check(rows, cols, rows % 3, rows % 16, rows % 2 == 0 ? Edge::end : Edge::start);
    }
  }
}

}  // namespace

TEST_SUITE("add_bias") {
  TEST_CASE("add_bias_f32") {
    test::Buffers<float> buffers;
    over_shapes([&](auto... args) { check_add_bias(buffers, args...); });
    for (const std::size_t n : large_sizes) check_add_bias(buffers, 1, n, 0, 0, Edge::end);
  }
}

TEST_SUITE("column_sum") {
  TEST_CASE("column_sum_f32") {
    test::Buffers<float> buffers;
    over_shapes([&](auto... args) { check_column_sum(buffers, args...); });
    for (const std::size_t n : large_sizes) {
      check_column_sum(buffers, 1, n, 0, 0, Edge::end);
      check_column_sum(buffers, n / 7, 7, 0, 0, Edge::end);
    }
  }
}
