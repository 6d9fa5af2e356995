// relu_dropout_backward of every table and type, alone and behind bias_relu_dropout.
#include <algorithm>
#include <type_traits>
#include <vector>

#include "helpers/elementwise_sweep.h"
#include "helpers/kernel_test.h"
#include "reference/dropout_reference.h"

namespace {

using simdrop::detail::KernelTable;
using test::ElementwiseCase;
using test::widen;

template <class T>
constexpr test::Arithmetic<T> scale_factor = 1 / test::Arithmetic<T>(0.3);

enum class Target { own, over_dy, over_y };

template <class T>
std::vector<T> slice(std::size_t n, std::uint32_t seed) {
  static const std::vector<T> pools[2] = {test::random_elements<T>(test::max_elements, 31),
                                          test::random_elements<T>(test::max_elements, 32)};
  const auto& pool = pools[seed];
  return {pool.begin(), pool.begin() + static_cast<std::ptrdiff_t>(n)};
}

// y is in `in`, dy in `other` with the leading dimension of dx, dx in `out` or over one of them.
template <class T>
void check_backward(const ElementwiseCase& c, test::Buffers<T>& buffers) {
  const auto target = static_cast<Target>((c.rows + c.cols + c.offset_out) % 3);
  auto shape = c.shape();
  const std::size_t ld_dy = shape.ld_out;
  if (target == Target::over_y) shape.ld_out = shape.ld_in;
  const auto y = slice<T>(test::extent(c.rows, c.cols, shape.ld_in), 0);
  const auto dy = slice<T>(test::extent(c.rows, c.cols, ld_dy), 1);
  std::vector<T> want(test::extent(c.rows, c.cols, shape.ld_out), test::padding<T>());
  if (target == Target::over_y) want = y;
  if (target == Target::over_dy) want = dy;
  for (std::size_t row = 0; row < c.rows; ++row) {
    for (std::size_t col = 0; col < c.cols; ++col) {
      want[row * shape.ld_out + col] =
          test::narrow<T>(reference::relu_dropout_backward_as_documented(
              widen(y[row * shape.ld_in + col]), widen(dy[row * ld_dy + col]), scale_factor<T>));
    }
  }
  INFO("rows ", c.rows, ", cols ", c.cols, ", ld ", shape.ld_in, " ", ld_dy, " ", shape.ld_out,
       ", target ", static_cast<int>(target));
  test::for_each_table_and_store([&](const KernelTable& table, bool streaming) {
    const auto y_copy = buffers.in.place(y, c.edge_in, c.offset_in);
    const auto dy_copy = buffers.other.place(dy, c.edge_out, c.offset_out);
    auto dx = target == Target::over_y ? y_copy : dy_copy;
    if (target == Target::own) {
      dx = buffers.out.place(want.size(), c.edge_out, c.offset_in);
      std::fill(dx.begin(), dx.end(), test::padding<T>());
    }
    shape.streaming = streaming;
    test::kernels_of<T>(table).relu_dropout_backward(scale_factor<T>, shape, y_copy.data(),
                                                     dy_copy.data(), ld_dy, dx.data());
    CHECK(test::first_difference(dx, want) == test::no_difference);
    if (target != Target::over_y) CHECK(test::first_difference(y_copy, y) == test::no_difference);
    if (target != Target::over_dy)
      CHECK(test::first_difference(dy_copy, dy) == test::no_difference);
    CHECK(buffers.intact());
  });
}

// Forward, then backward from the activation, against the textbook from the mask and z. What 16
// bits round, other tests judge: here, that they pass a gradient where the textbook does.
template <class T>
void check_against_textbook(const reference::MaskSpec& spec, std::size_t n) {
  using W = test::Textbook<T>;
  const auto z = slice<T>(n, 0);
  const auto dy = slice<T>(n, 1);
  const auto bits = reference::mask(spec, n);
  const auto scale = reference::scale_of<test::Arithmetic<T>>(spec.keep_prob);
  INFO_SPEC(spec);
  test::for_each_table_and_store([&](const KernelTable& table, bool streaming) {
    const auto& kernels = test::kernels_of<T>(table);
    const simdrop::detail::Shape2D shape{1, n, n, n, streaming};
    std::vector<T> y(n), dx(n);
    kernels.bias_relu_dropout(test::mask_source(spec), scale, shape, z.data(), nullptr, y.data(),
                              nullptr);
    kernels.relu_dropout_backward(scale, shape, y.data(), dy.data(), n, dx.data());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const W want = reference::relu_dropout_backward(W{widen(z[i])}, test::bit_at(bits, i),
                                                      W{widen(dy[i])}, spec.keep_prob);
      const auto got = widen(dx[i]);
      const bool right =
          test::is_16_bit<T> ? (got != 0) == (want != 0) : test::close_to_textbook(got, want, 2);
      wrong += right ? 0 : 1;
    }
    CHECK(wrong == 0);
  });
}

}  // namespace

TEST_SUITE("relu_dropout_backward") {
  TEST_CASE_TEMPLATE("relu_dropout_backward against the oracle", T, float, double, test::bfloat16,
                     test::float16) {
    test::Buffers<T> buffers;
    const auto check = [&](const ElementwiseCase& c) { check_backward<T>(c, buffers); };
    test::sweep_lengths(check);
    test::sweep_flush(check);
    test::sweep_large(check);
    test::sweep_matrices(check);
  }

  TEST_CASE_TEMPLATE("relu_dropout_backward from the activation equals the textbook's from mask", T,
                     float, double, test::bfloat16, test::float16) {
    for (const double keep_prob : {0.999, 0.9, 0.8, 0.5, 0.3, 0.1, 1e-6, 1.0}) {
      check_against_textbook<T>({5, 6, 7, keep_prob, reference::Rule::dyadic, 10}, 5003);
      check_against_textbook<T>({5, 6, 8, keep_prob, reference::Rule::words, 7}, 1001);
    }
  }
}
