// scale of every type, add_bias_f32 and column_sum_f32 of every table.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "helpers/compare.h"
#include "helpers/elementwise.h"
#include "helpers/guarded_buffer.h"
#include "helpers/tables.h"
#include "reference/gemm_reference.h"

namespace {

using simdrop::detail::KernelTable;
using test::Edge;

constexpr std::size_t kLarge[] = {4095, 4097, 65537, 100003};

template <class T>
void check_scale(test::Buffers<T>& buffers, std::size_t n, std::size_t offset, Edge edge,
                 bool in_place) {
  constexpr auto factor = static_cast<test::Arithmetic<T>>(1.7);
  const auto x = test::random_elements<T>(n, 41);
  std::vector<T> want(n);
  std::transform(x.begin(), x.end(), want.begin(),
                 [](T v) { return test::narrow<T>(test::widen(v) * factor); });
  CAPTURE(n);
  CAPTURE(offset);
  test::for_each_table([&](const KernelTable& table) {
    const auto in = buffers.in.place(x, edge, offset);
    const auto out = in_place ? in : buffers.out.place(n, edge, (offset * 7) % 32);
    test::kernels_of<T>(table).scale(factor, in.data(), out.data(), n);
    CHECK(test::first_difference(out, want) == test::kSame);
    CHECK(buffers.intact());
  });
}

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
    CHECK(test::first_difference(out, want) == test::kSame);
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
    CHECK(test::first_difference(sums, want) == test::kSame);
    CHECK(test::first_difference(in, x) == test::kSame);
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

TEST_SUITE("linear tables") {
  TEST_CASE_TEMPLATE("scale", T, float, double, test::bfloat16, test::float16) {
    test::Buffers<T> buffers;
    for (std::size_t n = 0; n <= 257; ++n) {
      for (std::size_t offset = 0; offset < 32; ++offset) {
        check_scale<T>(buffers, n, offset, Edge::start, offset % 3 == 0);
      }
      check_scale<T>(buffers, n, 0, Edge::end, false);
      check_scale<T>(buffers, n, 0, Edge::end, true);
    }
    for (const std::size_t n : kLarge) check_scale<T>(buffers, n, 0, Edge::end, false);
  }

  TEST_CASE("add_bias_f32") {
    test::Buffers<float> buffers;
    over_shapes([&](auto... args) { check_add_bias(buffers, args...); });
    for (const std::size_t n : kLarge) check_add_bias(buffers, 1, n, 0, 0, Edge::end);
  }

  TEST_CASE("column_sum_f32") {
    test::Buffers<float> buffers;
    over_shapes([&](auto... args) { check_column_sum(buffers, args...); });
    for (const std::size_t n : kLarge) {
      check_column_sum(buffers, 1, n, 0, 0, Edge::end);
      check_column_sum(buffers, n / 7, 7, 0, 0, Edge::end);
    }
  }
}
