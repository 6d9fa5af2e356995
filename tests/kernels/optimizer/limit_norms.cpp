// limit_norms_f32 against the definition in double, on every table.
#include <cmath>
#include <limits>
#include <vector>

#include "helpers/kernel_test.h"

namespace {

using simdrop::detail::KernelTable;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float quiet_nan = std::numeric_limits<float>::quiet_NaN();

double norm_of(std::span<const float> row) {
  double squares = 0.0;
  for (const float v : row) squares += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(squares);
}

// The relative error in double of w * (max_norm / norm) before it is rounded to float, on both
// sides: half of that of a sum of n squares in any order, its root, a quotient and a product.
double double_error(std::size_t n) {
  return 2.0 * (static_cast<double>(n) / 2.0 + 4.0) * 0x1p-53;
}

void check_row(std::span<const float> got, std::span<const float> before, double max_norm) {
  const double norm = norm_of(before);
  const double slack = double_error(before.size());
  REQUIRE(std::abs(norm - max_norm) > slack * norm);  // else this could not tell what is right
  if (norm < max_norm) {
    CHECK(test::first_difference(got, before) == test::no_difference);
    return;
  }
  for (std::size_t j = 0; j < got.size(); ++j) {
    const double want = static_cast<double>(before[j]) * (max_norm / norm);
    const double bound = std::abs(want) * (0x1p-24 + slack) * (1.0 + 0x1p-20) + 0x1p-150;
    CHECK(std::abs(static_cast<double>(got[j]) - want) <= bound);
  }
  // A relative error of each element is one of the norm; subnormals round by 2^-150.
  const double most = max_norm * (1.0 + 0x1p-24 + slack) * (1.0 + 0x1p-20) +
                      std::sqrt(static_cast<double>(got.size())) * 0x1p-150;
  CHECK(norm_of(got) <= most);
}

// Rows of norms far below, just below, just above and far above max_norm, on every table.
void check_rows(test::GuardedBuffer<float>& buffer, std::size_t cols, double max_norm) {
  const std::vector<double> sizes{1e-3, 0.999, 1.001, 1.5, 1e3};
  std::vector<float> before = test::random_floats(sizes.size() * cols, 71);
  for (std::size_t r = 0; r < sizes.size(); ++r) {
    const std::span<float> row = std::span(before).subspan(r * cols, cols);
    const double by = sizes[r] * max_norm / norm_of(row);
    for (float& v : row) v = static_cast<float>(static_cast<double>(v) * by);
  }
  const auto limit = [&](const KernelTable& table) {
    const auto weights = buffer.place(before, test::Edge::end, cols % 3);
    table.limit_norms_f32(max_norm, sizes.size(), cols, weights.data());
    CHECK(buffer.intact());
    return std::vector<float>(weights.begin(), weights.end());
  };
  const std::vector<float> scalar = limit(simdrop::detail::scalar::kernel_table());
  test::for_each_table([&](const KernelTable& table) {
    CAPTURE(cols);
    CAPTURE(max_norm);
    const std::vector<float> got = limit(table);
    CHECK(test::first_difference(got, scalar) == test::no_difference);
    for (std::size_t r = 0; r < sizes.size(); ++r) {
      check_row(std::span(got).subspan(r * cols, cols), std::span(before).subspan(r * cols, cols),
                max_norm);
    }
  });
}

std::vector<float> limited(const KernelTable& table, std::vector<float> row, double max_norm) {
  table.limit_norms_f32(max_norm, 1, row.size(), row.data());
  return row;
}

}  // namespace

TEST_SUITE("limit_norms") {
  TEST_CASE("limit_norms_f32 scales the rows that are too long, at every length") {
    test::GuardedBuffer<float> buffer(8192);
    for (std::size_t cols = 1; cols <= 100; ++cols) check_rows(buffer, cols, 3.0);
    for (const std::size_t cols : {255U, 256U, 1024U, 1031U}) check_rows(buffer, cols, 0.7);
    // The squares of these are no floats.
    for (const std::size_t cols : {1U, 8U, 33U, 100U}) {
      check_rows(buffer, cols, 1e34);
      check_rows(buffer, cols, 1e-30);
      check_rows(buffer, cols, 1e-36);
    }
  }

  TEST_CASE("limit_norms_f32: a row at the limit stays, one above it by a rounding does not") {
    test::for_each_table([](const KernelTable& table) {
      const std::vector<float> row{3.0F, 0.0F, -4.0F};
      CHECK(limited(table, row, 5.0) == row);
      CHECK(limited(table, row, 2.5) == std::vector<float>{1.5F, 0.0F, -2.0F});
      const float above = std::nextafter(5.0F, 6.0F);
      CHECK(limited(table, {above}, 5.0) == std::vector<float>{5.0F});
      CHECK(limited(table, {-0.0F}, 5.0).size() == 1);
      CHECK(std::signbit(limited(table, {-0.0F, 9.0F}, 5.0)[0]));
      table.limit_norms_f32(1.0, 0, 7, nullptr);
      table.limit_norms_f32(1.0, 7, 0, nullptr);
    });
  }

  TEST_CASE("limit_norms_f32 leaves a row with a NaN or an Inf as it is, and no other") {
    test::for_each_table([](const KernelTable& table) {
      for (const std::size_t cols : {1U, 5U, 16U, 40U, 67U}) {
        for (const float bad : {quiet_nan, infinity, -infinity}) {
          for (std::size_t at = 0; at < cols; ++at) {
            std::vector<float> weights(3 * cols, 2.0F);
            weights[cols + at] = bad;
            auto want = weights;
            const std::vector<float> whole = limited(table, std::vector<float>(cols, 2.0F), 1.0);
            REQUIRE(whole[0] < 2.0F);
            std::copy(whole.begin(), whole.end(), want.begin());
            std::copy(whole.begin(), whole.end(), want.end() - static_cast<std::ptrdiff_t>(cols));
            table.limit_norms_f32(1.0, 3, cols, weights.data());
            CHECK(test::first_difference(weights, want) == test::no_difference);
          }
        }
      }
    });
  }
}
