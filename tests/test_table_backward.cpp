// relu_dropout_backward_f32 of every table, alone and behind bias_relu_dropout_f32.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "dropout_reference.h"
#include "elementwise_sweep.h"

namespace {

using simdrop::detail::KernelTable;
using test::ElementwiseCase;

constexpr float kScale = 1.0F / 0.3F;

enum class Target { own, over_dy, over_y };

std::vector<float> slice(std::size_t n, std::uint32_t seed) {
  static const std::vector<float> pools[2] = {test::random_floats(test::Buffers::kFloats, 31),
                                              test::random_floats(test::Buffers::kFloats, 32)};
  const auto& pool = pools[seed];
  return {pool.begin(), pool.begin() + static_cast<std::ptrdiff_t>(n)};
}

// y is in `in`, dy in `other` with the leading dimension of dx, dx in `out` or over one of them.
void check_backward(const ElementwiseCase& c, test::Buffers& buffers) {
  const auto target = static_cast<Target>((c.rows + c.cols + c.offset_out) % 3);
  auto shape = c.shape();
  const std::size_t ld_dy = shape.ld_out;
  if (target == Target::over_y) shape.ld_out = shape.ld_in;
  const auto y = slice(test::extent(c.rows, c.cols, shape.ld_in), 0);
  const auto dy = slice(test::extent(c.rows, c.cols, ld_dy), 1);
  std::vector<float> want(test::extent(c.rows, c.cols, shape.ld_out), test::kPadding);
  if (target == Target::over_y) want = y;
  if (target == Target::over_dy) want = dy;
  for (std::size_t row = 0; row < c.rows; ++row) {
    for (std::size_t col = 0; col < c.cols; ++col) {
      want[row * shape.ld_out + col] = reference::relu_dropout_backward_as_documented(
          y[row * shape.ld_in + col], dy[row * ld_dy + col], kScale);
    }
  }
  INFO("rows ", c.rows, ", cols ", c.cols, ", ld ", shape.ld_in, " ", ld_dy, " ", shape.ld_out,
       ", target ", static_cast<int>(target));
  test::for_each_table([&](const KernelTable& table) {
    const auto y_copy = buffers.in.place(y, c.edge_in, c.offset_in);
    const auto dy_copy = buffers.other.place(dy, c.edge_out, c.offset_out);
    auto dx = target == Target::over_y ? y_copy : dy_copy;
    if (target == Target::own) {
      dx = buffers.out.place(want.size(), c.edge_out, c.offset_in);
      std::fill(dx.begin(), dx.end(), test::kPadding);
    }
    table.f32.relu_dropout_backward(kScale, shape, y_copy.data(), dy_copy.data(), ld_dy, dx.data());
    CHECK(test::first_difference(dx, want) == test::kSame);
    if (target != Target::over_y) CHECK(test::first_difference(y_copy, y) == test::kSame);
    if (target != Target::over_dy) CHECK(test::first_difference(dy_copy, dy) == test::kSame);
    CHECK(buffers.intact());
  });
}

// Forward, then backward from the activation, against the textbook from the mask and z.
void check_against_textbook(const reference::MaskSpec& spec, std::size_t n) {
  const auto z = slice(n, 0);
  const auto dy = slice(n, 1);
  const auto bits = reference::mask(spec, n);
  const float scale = reference::scale_of(spec.keep_prob);
  INFO_SPEC(spec);
  test::for_each_table([&](const KernelTable& table) {
    std::vector<float> y(n), dx(n);
    table.f32.bias_relu_dropout(test::mask_source(spec), scale, {1, n, n, n}, z.data(), nullptr,
                                y.data(), nullptr);
    table.f32.relu_dropout_backward(scale, {1, n, n, n}, y.data(), dy.data(), n, dx.data());
    std::size_t far_from_textbook = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double want =
          reference::relu_dropout_backward(static_cast<double>(z[i]), test::bit_at(bits, i),
                                           static_cast<double>(dy[i]), spec.keep_prob);
      const double bound = test::gamma_bound(2) * (1.0 + 0x1p-40) * std::fabs(want);
      const bool close = std::fabs(static_cast<double>(dx[i]) - want) <= bound;
      far_from_textbook += close ? 0 : 1;
    }
    CHECK(far_from_textbook == 0);
  });
}

}  // namespace

TEST_SUITE("dropout tables") {
  TEST_CASE("relu_dropout_backward_f32 against the oracle") {
    test::Buffers buffers;
    const auto check = [&](const ElementwiseCase& c) { check_backward(c, buffers); };
    test::sweep_lengths(check);
    test::sweep_flush(check);
    test::sweep_large(check);
    test::sweep_matrices(check);
  }

  TEST_CASE("relu_dropout_backward_f32 from the activation alone equals the textbook's from mask") {
    for (const double keep_prob : {0.999, 0.9, 0.8, 0.5, 0.3, 0.1, 1e-6, 1.0}) {
      check_against_textbook({5, 6, 7, keep_prob, reference::Rule::dyadic, 10}, 5003);
      check_against_textbook({5, 6, 8, keep_prob, reference::Rule::words, 7}, 1001);
    }
  }
}
