// forward and backward_input of every table: each element is one chain over k in order, bit for
// bit, and what the epilogue makes of it; and it is as near to the wide sum as rounding allows.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "helpers/kernel_test.h"
#include "helpers/linear_compare.h"
#include "helpers/products.h"
#include "simdrop/mask.hpp"

namespace {

using simdrop::detail::BackwardInputPart;
using simdrop::detail::EvenSplit;
using simdrop::detail::ForwardPart;
using simdrop::detail::KernelTable;
using test::Edge;
using test::GuardedBuffer;
using test::GuardedMatrix;
using test::Textbook;

template <class T>
struct Buffers {
  GuardedMatrix<T> a, w, bias, y, z;
  GuardedBuffer<T> panels{std::size_t{1} << 17}, scratch{std::size_t{1} << 19};
  GuardedBuffer<std::uint8_t> bits{std::size_t{1} << 17};
  std::vector<std::uint8_t> random_bits = test::random_bytes(std::size_t{1} << 17, 75);

  [[nodiscard]] bool intact() const {
    return a.intact() && w.intact() && bias.intact() && y.intact() && z.intact() &&
           panels.intact() && scratch.intact() && bits.intact();
  }
};

struct Case {
  std::size_t batch, cols, k;
  std::size_t index;  // picks options, padding and offsets
};

template <class T>
struct Wrong {
  std::size_t z = 0, y = 0, far = 0;
};

// Whether the sum of a row of a and a row of b, plus bias, is what rounding allows.
template <class T>
bool is_near(T got, const reference::LinearOperand<T>& a, const reference::LinearOperand<T>& b,
             std::size_t i, std::size_t j, std::size_t k, T bias) {
  using W = Textbook<T>;
  const auto sum = reference::inner_product<W>(a, b, i, j, k);
  const auto want = reference::linear_forward(sum, static_cast<W>(bias), false, 1.0);
  return test::within(got, want, test::linear_gamma<T>(test::linear_roundings(k)));
}

template <class T>
void check_forward_elements(const KernelTable& table, const ForwardPart<T>& p,
                            const Buffers<T>& buffers) {
  const auto a = buffers.a.rows_as_operand();
  const auto b = buffers.w.rows_as_operand();
  const auto& e = p.epilogue;
  std::size_t wrong_z = 0;
  std::size_t wrong_y = 0;
  std::size_t far = 0;
  for (std::size_t r = 0; r < p.batch; ++r) {
    for (std::size_t c = 0; c < p.outs; ++c) {
      const T bias = e.bias != nullptr ? e.bias[c] : T{0};
      T z = test::chain(table, a, b, r, c, p.ins);
      if (e.bias != nullptr) z = z + bias;
      far += is_near(z, a, b, r, c, p.ins, bias) ? 0 : 1;
      if (e.z.data != nullptr) wrong_z += test::same_element(buffers.z(r, c), z) ? 0 : 1;
      T y = e.relu || e.bits != nullptr ? z * e.scale : z;
      if (e.relu && z <= T{0}) y = T{0};
      const std::size_t bit = e.first_bit + r * e.bits_per_row + c;
      if (e.bits != nullptr && (e.bits[bit / 8] >> (bit % 8) & 1) == 0) y = T{0};
      wrong_y += test::same_element(buffers.y(r, c), y) ? 0 : 1;
    }
  }
  CHECK(wrong_z == 0);
  CHECK(wrong_y == 0);
  CHECK(far == 0);
}

template <class T>
void check_forward(const KernelTable& table, Buffers<T>& buffers, const Case& c) {
  INFO("batch ", c.batch, ", outs ", c.cols, ", k ", c.k, ", options ", c.index % 16);
  const auto& kernels = test::products_of<T>(table);
  buffers.a.place(c.batch, c.k, c.k, 72);
  buffers.w.place(c.cols, c.k, c.k + c.index % 3, 73);
  buffers.bias.place(1, c.cols, c.cols, 74);
  buffers.y.place_filled(c.batch, c.cols, c.cols + c.index % 4, T{-7});
  buffers.z.place_filled(c.batch, c.cols, c.cols + c.index % 5, T{-7});
  ForwardPart<T> p{};
  auto& e = p.epilogue;
  p.batch = c.batch, p.outs = c.cols, p.ins = c.k;
  p.x = test::write_panels(buffers.a, false, kernels.nr, buffers.panels).data();
  p.weights = {buffers.w.data(), buffers.w.ld};
  if ((c.index & 1) != 0) e.bias = buffers.bias.data();
  e.relu = (c.index & 2) != 0;
  e.scale = T{1} / T(0.7);
  e.first_bit = c.index % 21, e.bits_per_row = c.cols + c.index % 19;
  const std::size_t last_bit = e.first_bit + (c.batch - 1) * e.bits_per_row + c.cols;
  const auto bytes =
      buffers.bits.place(simdrop::mask_bytes(last_bit) + simdrop::detail::mask_slack, Edge::end);
  std::copy_n(buffers.random_bits.begin(), bytes.size(), bytes.begin());
  if ((c.index & 4) != 0) e.bits = bytes.data();
  p.y = {buffers.y.data(), buffers.y.ld};
  if ((c.index & 8) != 0) e.z.data = buffers.z.data();
  e.z.ld = buffers.z.ld;
  p.scratch = test::place_scratch(kernels, buffers.scratch, c.batch, c.k, c.batch).data();
  kernels.forward(p);
  check_forward_elements(table, p, buffers);
  CHECK(buffers.intact());
}

template <class T>
void check_backward_input(const KernelTable& table, Buffers<T>& buffers, const Case& c) {
  INFO("batch ", c.batch, ", ins ", c.cols, ", k ", c.k, ", stored ", c.index % 2);
  const auto& kernels = test::products_of<T>(table);
  GuardedMatrix<T>& stored = buffers.z;
  buffers.a.place(c.batch, c.k, c.k, 76);
  buffers.w.place(c.k, c.cols, c.cols + c.index % 3, 77);
  stored.place(c.batch, c.cols, c.cols + c.index % 5, 78);
  const T special[] = {T{0}, -T{0}, std::numeric_limits<T>::quiet_NaN()};
  for (std::size_t i = c.index % 4; i < c.batch * c.cols; i += 4) {
    stored(i / c.cols, i % c.cols) = special[i / 4 % 3];
  }
  buffers.y.place_filled(c.batch, c.cols, c.cols + c.index % 4, T{-7});
  BackwardInputPart<T> p{};
  p.batch = c.batch, p.ins = c.cols, p.outs = c.k;
  const auto panels = buffers.panels.place(c.batch * c.k, Edge::end);
  const EvenSplit tiles(c.batch, kernels.mr);
  for (std::size_t t = 0; t < tiles.count; ++t) {
    test::write_panel(buffers.a, false, tiles.begin(t), tiles.size(t), tiles.size(t),
                      panels.data() + tiles.begin(t) * c.k);
  }
  p.dy.data = panels.data();
  p.weights = {buffers.w.data(), buffers.w.ld};
  const bool uses_stored = c.index % 2 != 0;
  const T scale = T{1} / T(0.7);
  p.epilogue = {{uses_stored ? stored.data() : nullptr, stored.ld}, scale};
  p.dx = {buffers.y.data(), buffers.y.ld};
  p.scratch = test::place_scratch(kernels, buffers.scratch, c.batch, c.k, c.batch).data();
  kernels.backward_input(p);

  const auto a = buffers.a.rows_as_operand();
  const auto b = buffers.w.cols_as_operand();
  std::size_t wrong = 0;
  std::size_t far = 0;
  for (std::size_t r = 0; r < c.batch; ++r) {
    for (std::size_t i = 0; i < c.cols; ++i) {
      const T sum = test::chain(table, a, b, r, i, c.k);
      far += is_near(sum, a, b, r, i, c.k, T{0}) ? 0 : 1;
      const T want = !uses_stored ? sum : stored(r, i) > T{0} ? sum * scale : T{0};
      wrong += test::same_element(buffers.y(r, i), want) ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
  CHECK(far == 0);
  CHECK(buffers.intact());
}

// Every remainder of a tile in batch and in columns; then several blocks over k, and no k at all.
template <class Check>
void over_cases(std::size_t nr, Check check) {
  const std::size_t stride = test::case_stride();
  std::size_t index = 0;
  for (std::size_t n = 1; n <= 2 * nr + 3; ++n) {
    for (std::size_t i = 0; i < 16; ++i, ++index) {
      if (index % stride != 0) continue;
      check(Case{n, (n * 7 + i * 3) % 61 + 1, (n * 5 + i) % 37, index});
      check(Case{(n * 5 + i * 3) % 43 + 1, n, (n * 11 + i) % 29, index});
    }
  }
  for (const std::size_t k : {0U, 1U, 511U, 512U, 513U, 1024U, 1300U}) {
    check(Case{nr + 2, 5, k, 15});
    check(Case{3, 2 * nr + 1, k, 13});
  }
  check(Case{70, 130, 33, 15});
}

}  // namespace

TEST_SUITE("linear_forward") {
  TEST_CASE_TEMPLATE("forward", T, float, double) {
    Buffers<T> buffers;
    test::for_each_table([&](const KernelTable& table) {
      over_cases(test::products_of<T>(table).nr,
                 [&](const Case& c) { check_forward(table, buffers, c); });
    });
  }
}

TEST_SUITE("linear_backward_input") {
  TEST_CASE_TEMPLATE("backward_input", T, float, double) {
    Buffers<T> buffers;
    test::for_each_table([&](const KernelTable& table) {
      over_cases(test::products_of<T>(table).nr,
                 [&](const Case& c) { check_backward_input(table, buffers, c); });
    });
  }
}
