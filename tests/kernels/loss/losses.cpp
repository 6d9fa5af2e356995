// softmax_ce_f32, sigmoid_bce_f32 and identity_mse_f32 of every table: within bounds of the oracle,
// and the same bits as the scalar table.
//
// The bounds, in roundings u = 2^-24 (derivation by the operations of loss_math.h; second-order
// terms are in the round figures):
// - exp: polynomial u / 16, the terms behind the 1 together 1.2 u, the last sum u: 2.25 u, and half
//   a spacing of the subnormals.
// - sigmoid: exp, 1 + e, division: 4.5 u. Its loss, in which every term is positive: exp 2.25 u,
//   log1p 5 u, its sum u, or |z| (1 - y) 2 u: 9 u.
// - softmax: exp twice (term and sum), the inverse and the product: 7 u. Its loss: an error of the
//   sum's 2.25 u, log1p 5 u and its argument u act on the logarithm: 9 u of that; the rest is in
//   double.
// - squared error: all in double, dz rounded to float.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "helpers/kernel_test.h"
#include "helpers/loss_case.h"
#include "reference/loss_reference.h"

namespace {

using simdrop::detail::KernelTable;
using test::Edge;
using namespace test::loss;

constexpr long double unit_roundoff = 0x1p-24L;
constexpr long double double_epsilon = 0x1p-52L;
constexpr long double subnormal_spacing = 0x1p-149L;  // of subnormal floats
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float quiet_nan = std::numeric_limits<float>::quiet_NaN();
struct Errors {
  std::size_t a = 0, dz = 0, loss = 0, z = 0, padding = 0;
  [[nodiscard]] bool none() const { return a + dz + loss + z + padding == 0; }
};

std::size_t beyond(long double got, long double want, long double bound) {
  return std::fabs(got - want) <= bound ? 0 : 1;
}

// What the oracle says of row r, and how far a (relative) and the loss may be off.
struct Expected {
  reference::OutputRow row;
  long double a_error = 0.0L, loss_error = 0.0L;
};

Expected expected_row(const Case& c, std::span<const float> z, std::size_t r) {
  const std::span<const float> y(c.y.data() + r * c.ld_y(), c.cols);
  const auto n = static_cast<long double>(c.cols);
  if (c.kind == Kind::softmax) {
    const auto row = reference::softmax_cross_entropy(z, c.labels[r]);
    return {row, 7.0L * unit_roundoff,
            9.0L * unit_roundoff * row.log_sum + (n + 4.0L) * double_epsilon * (1.0L + row.margin)};
  }
  if (c.kind == Kind::sigmoid) {
    const auto row = reference::sigmoid_cross_entropy(z, y);
    return {row, 4.5L * unit_roundoff,
            9.0L * unit_roundoff * row.loss + 4.0L * n * subnormal_spacing};
  }
  const auto row = reference::squared_error(z, y);
  return {row, 0.0L, (n + 4.0L) * double_epsilon * row.loss};
}

void compare_row(const Case& c, const Outcome& got, std::size_t r, Errors& errors) {
  const std::size_t first = r * c.ld();
  std::vector<float> z(c.cols);
  for (std::size_t k = 0; k < c.cols; ++k) {
    z[k] = c.with_bias ? c.z[first + k] + c.bias[k] : c.z[first + k];
    errors.z += test::same_float(got.z[first + k], z[k]) ? 0 : 1;
  }
  const Expected want = expected_row(c, z, r);
  errors.loss += beyond(got.losses[r], want.row.loss, want.loss_error);
  for (std::size_t k = 0; k < c.cols; ++k) {
    const long double a = want.row.a[k];
    const long double dz = want.row.dz[k];
    const long double a_bound =
        c.kind == Kind::identity ? 0.0L : want.a_error * a + subnormal_spacing;
    const long double dz_bound =
        a_bound + unit_roundoff * (std::fabs(dz) + a_bound) + subnormal_spacing;
    errors.a += beyond(got.a[first + k], a, a_bound);
    errors.dz += beyond(got.dz[first + k], dz, dz_bound);
  }
}

void check_padding(const Case& c, const Outcome& got, Errors& errors) {
  for (std::size_t i = 0; i < c.z.size(); ++i) {
    if (i % c.ld() < c.cols) continue;
    const bool same = got.z[i] == c.z[i] && got.a[i] == untouched && got.dz[i] == untouched;
    errors.padding += same ? 0 : 1;
  }
}

bool same_losses(const std::vector<double>& x, const std::vector<double>& y) {
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](double v, double w) { return v == w || (std::isnan(v) && std::isnan(w)); });
}

// Every table against the scalar one, and predict against train.
void check_same_bits(const Case& c, Buffers& buffers, Edge edge, const Outcome& want) {
  test::for_each_table([&](const KernelTable& table) {
    const Outcome got = train(table, c, buffers, edge);
    CHECK(test::first_difference(got.z, want.z) == test::no_difference);
    CHECK(test::first_difference(got.a, want.a) == test::no_difference);
    CHECK(test::first_difference(got.dz, want.dz) == test::no_difference);
    CHECK(same_losses(got.losses, want.losses));
    auto predicted = want.a;
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      if (i % c.ld() >= c.cols) predicted[i] = c.z[i];
    }
    CHECK(test::first_difference(predict(table, c, buffers, edge), predicted) ==
          test::no_difference);
  });
}

void describe_and_check(const Case& c, Buffers& buffers, Edge edge) {
  INFO("kind ", static_cast<int>(c.kind), ", ", c.rows, " x ", c.cols, ", padding ", c.pad, " and ",
       c.pad_y, ", bias ", c.with_bias);
  const Outcome scalar = train(simdrop::detail::scalar::kernel_table(), c, buffers, edge);
  Errors errors;
  for (std::size_t r = 0; r < c.rows; ++r) compare_row(c, scalar, r, errors);
  check_padding(c, scalar, errors);
  CAPTURE(errors.a);
  CAPTURE(errors.dz);
  CAPTURE(errors.loss);
  CAPTURE(errors.z);
  CAPTURE(errors.padding);
  CHECK(errors.none());
  check_same_bits(c, buffers, edge, scalar);
}

// What is to become of a row with one special logit, at column k.
void check_special_row(const Case& c, const Outcome& got, std::size_t r, std::size_t k,
                       float special) {
  const float a = got.a[r * c.ld() + k];
  if (c.kind == Kind::softmax && special == -infinity && c.cols > 1) {
    CHECK(a == 0.0F);
    CHECK(std::isfinite(got.losses[r]));
  } else if (c.kind == Kind::softmax) {
    for (std::size_t i = 0; i < c.cols; ++i) CHECK(std::isnan(got.a[r * c.ld() + i]));
    CHECK(std::isnan(got.losses[r]));
  } else if (c.kind == Kind::sigmoid && !std::isnan(special)) {
    CHECK(a == (special > 0.0F ? 1.0F : 0.0F));
    CHECK(got.losses[r] == std::numeric_limits<double>::infinity());
  } else {
    CHECK(test::same_float(a, special));
    CHECK(std::isnan(got.losses[r]) == std::isnan(special));
    CHECK(!std::isfinite(got.losses[r]));
  }
}

void check_special(Buffers& buffers, Kind kind, std::size_t cols, float special) {
  CAPTURE(cols);
  CAPTURE(special);
  constexpr std::size_t r = 2;
  const std::size_t k = cols / 2;
  Case c = make_case(kind, 5, cols, 60, 1.0F, false);
  c.with_bias = true;
  c.z[r * c.ld() + k] = special;
  c.y[r * c.ld_y() + k] = 0.5F;
  c.labels[r] = static_cast<std::uint8_t>(k == 0 ? 0 : k - 1);
  const Outcome scalar = train(simdrop::detail::scalar::kernel_table(), c, buffers, Edge::end);
  check_same_bits(c, buffers, Edge::end, scalar);
  Errors errors;
  for (const std::size_t other : {0U, 1U, 3U, 4U}) compare_row(c, scalar, other, errors);
  CHECK(errors.none());
  check_special_row(c, scalar, r, k, special);
}

// Outputs of all widths and batches.
void check_shapes(Kind kind) {
  Buffers buffers;
  std::uint32_t seed = 1 + 1000 * static_cast<std::uint32_t>(kind);
  for (std::size_t cols = 1; cols <= 40; ++cols) {
    for (const std::size_t rows : {1U, 2U, 5U, 16U, 17U, 35U}) {
      const float scale = seed % 2 == 0 ? 1.0F : 20.0F;
      const Edge edge = seed % 4 < 2 ? Edge::end : Edge::start;
      describe_and_check(make_case(kind, rows, cols, seed, scale, false), buffers, edge);
      ++seed;
    }
  }
  for (std::size_t rows = 1; rows <= 300; rows += rows < 40 ? 1 : 13) {
    for (const std::size_t cols : {1U, 3U, 10U}) {
      describe_and_check(make_case(kind, rows, cols, seed++, 3.0F, false), buffers, Edge::end);
    }
  }
  describe_and_check(make_case(kind, 3, 1000, seed++, 3.0F, false), buffers, Edge::end);
}

// Logits at the ends of the ranges of float and of exp.
void check_extremes(Kind kind) {
  Buffers buffers;
  std::uint32_t seed = 1000 + 40 * static_cast<std::uint32_t>(kind);
  for (std::size_t cols = 1; cols <= 40; ++cols) {
    Case c = make_case(kind, 19, cols, seed++, 5.0F, true);
    if (kind == Kind::identity) c.with_bias = false;
    describe_and_check(c, buffers, Edge::end);
  }
}

void check_specials(Kind kind) {
  Buffers buffers;
  for (const std::size_t cols : {1U, 2U, 7U, 10U, 16U, 17U, 35U}) {
    for (const float special : {infinity, -infinity, quiet_nan})
      check_special(buffers, kind, cols, special);
  }
}

}  // namespace

TEST_SUITE("softmax_ce") {
  TEST_CASE("softmax_ce_f32: outputs of all widths and batches") {
    check_shapes(Kind::softmax);
  }

  TEST_CASE("softmax_ce_f32: logits at the ends of the ranges") {
    check_extremes(Kind::softmax);
  }

  TEST_CASE("softmax_ce_f32: infinite logits and NaN") {
    check_specials(Kind::softmax);
  }
}

TEST_SUITE("sigmoid_bce") {
  TEST_CASE("sigmoid_bce_f32: outputs of all widths and batches") {
    check_shapes(Kind::sigmoid);
  }

  TEST_CASE("sigmoid_bce_f32: logits at the ends of the ranges") {
    check_extremes(Kind::sigmoid);
  }

  TEST_CASE("sigmoid_bce_f32: infinite logits and NaN") {
    check_specials(Kind::sigmoid);
  }

  TEST_CASE("sigmoid_bce_f32: exponentials of every exponent") {
    Buffers buffers;
    for (const std::uint32_t sign : {0U, 0x80000000U}) {
      std::vector<float> z;
      for (std::uint32_t bits = 0; bits < 0x43000000U; bits += 9973) {  // up to 128
        z.push_back(std::bit_cast<float>(bits | sign));
        if (z.size() < 8000) continue;
        describe_and_check(column_case(z, z.front() > 1.0F ? 1.0F : 0.25F), buffers, Edge::end);
        z.clear();
      }
      describe_and_check(column_case(z, 0.0F), buffers, Edge::end);
    }
  }
}

TEST_SUITE("identity_mse") {
  TEST_CASE("identity_mse_f32: outputs of all widths and batches") {
    check_shapes(Kind::identity);
  }

  TEST_CASE("identity_mse_f32: logits at the ends of the ranges") {
    check_extremes(Kind::identity);
  }

  TEST_CASE("identity_mse_f32: infinite logits and NaN") {
    check_specials(Kind::identity);
  }
}
