// few_rows_f32 of every table against a triple loop in double.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "helpers/elementwise.h"
#include "helpers/kernel_test.h"
#include "reference/gemm_reference.h"

namespace {

using simdrop::detail::KernelTable;
using test::Edge;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float quiet_nan = std::numeric_limits<float>::quiet_NaN();

struct Case {
  std::size_t m = 1;
  std::size_t n = 1;
  std::size_t k = 1;
  std::size_t pad = 0;  // of every matrix
  bool with_bias = false;
  bool relu = false;
  [[nodiscard]] std::size_t ldx() const { return k + pad; }
  [[nodiscard]] std::size_t ldw() const { return k + 2 * pad; }
  [[nodiscard]] std::size_t ldy() const { return n + pad; }
};

struct Inputs {
  std::vector<float> x, w, bias;
};

// The padding between rows is NaN: it must not reach a sum.
std::vector<float> random_matrix(std::size_t rows, std::size_t cols, std::size_t ld,
                                 std::uint32_t seed) {
  auto values = test::random_floats(test::extent(rows, cols, ld), seed);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % ld >= cols) values[i] = quiet_nan;
  }
  return values;
}

Inputs random_inputs(const Case& c, std::uint32_t seed) {
  return {random_matrix(c.m, c.k, c.ldx(), seed), random_matrix(c.n, c.k, c.ldw(), seed + 1),
          c.with_bias ? test::random_floats(c.n, seed + 2) : std::vector<float>{}};
}

struct Buffers {
  test::GuardedBuffer<float> x{1 << 18}, w{1 << 18}, bias{1 << 10}, y{1 << 12};
  [[nodiscard]] bool intact() const {
    return x.intact() && w.intact() && bias.intact() && y.intact();
  }
};

// y of a table, each array flush against an inaccessible page; padding of y as it was before.
std::vector<float> run(const KernelTable& table, const Case& c, const Inputs& in, Buffers& buffers,
                       Edge edge = Edge::end) {
  const auto x = buffers.x.place(in.x, edge);
  const auto w = buffers.w.place(in.w, edge);
  const auto bias = buffers.bias.place(in.bias, edge);
  const auto y = buffers.y.place(test::extent(c.m, c.n, c.ldy()), edge);
  std::fill(y.begin(), y.end(), test::padding_value);
  table.few_rows_f32(c.m, c.n, c.k, x.data(), c.ldx(), w.data(), c.ldw(),
                     in.bias.empty() ? nullptr : bias.data(), c.relu, y.data(), c.ldy());
  CHECK(buffers.intact());
  return {y.begin(), y.end()};
}

// k products and sums and the bias; ReLU brings no two values farther apart.
std::size_t count_wrong(const Case& c, const Inputs& in, const std::vector<float>& got) {
  const reference::Strided x{in.x.data(), c.ldx(), 1};
  const reference::Strided w{in.w.data(), 1, c.ldw()};
  std::size_t wrong = 0;
  for (std::size_t index = 0; index < got.size(); ++index) {
    const std::size_t i = index / c.ldy();
    const std::size_t j = index % c.ldy();
    if (j >= c.n) {
      wrong += test::same_float(got[index], test::padding_value) ? 0 : 1;
      continue;
    }
    const auto exact = reference::dot(x, w, i, j, c.k);
    const double bias = c.with_bias ? static_cast<double>(in.bias[j]) : 0.0;
    const double z = exact.value + bias;
    const double want = c.relu ? std::max(z, 0.0) : z;
    const double bound = test::gamma_bound(c.k + 1) * (exact.magnitude + std::fabs(bias));
    wrong += std::fabs(static_cast<double>(got[index]) - want) <= bound ? 0 : 1;
  }
  return wrong;
}

void check(const Case& c, Buffers& buffers) {
  const Inputs in = random_inputs(c, 61);
  const Edge edge = c.m % 2 == 0 ? Edge::start : Edge::end;
  INFO("m ", c.m, ", n ", c.n, ", k ", c.k, ", pad ", c.pad, ", bias ", c.with_bias, ", relu ",
       c.relu);
  test::for_each_table([&](const KernelTable& table) {
    CHECK(count_wrong(c, in, run(table, c, in, buffers, edge)) == 0);
  });
}

// Pads, bias and ReLU in every combination over neighbouring cases.
Case make_case(std::size_t m, std::size_t n, std::size_t k) {
  const std::size_t mix = m + 3 * n + 7 * k;
  return {.m = m,
          .n = n,
          .k = k,
          .pad = mix / 4 % 3,
          .with_bias = mix % 2 == 0,
          .relu = mix / 2 % 2 == 0};
}

const std::vector<Case> shapes = {
    {.m = 1, .n = 19, .k = 37},
    {.m = 2, .n = 23, .k = 16, .pad = 1, .with_bias = true},
    {.m = 4, .n = 17, .k = 65, .with_bias = true, .relu = true},
    {.m = 16, .n = 40, .k = 100, .pad = 3, .with_bias = true, .relu = true}};

}  // namespace

TEST_SUITE("few_rows") {
  TEST_CASE("few_rows_f32: every two of m to 16, n to 40, k to 70") {
    Buffers buffers;
    for (std::size_t m = 1; m <= 16; ++m) {
      for (std::size_t n = 1; n <= 40; ++n) check(make_case(m, n, 1 + (5 * m + n) % 70), buffers);
      for (std::size_t k = 1; k <= 70; ++k) check(make_case(m, 1 + (5 * m + k) % 40, k), buffers);
    }
    for (std::size_t n = 1; n <= 40; ++n) {
      for (std::size_t k = 1; k <= 70; ++k) check(make_case(1 + (n + k) % 16, n, k), buffers);
    }
  }

  TEST_CASE("few_rows_f32: long sums") {
    Buffers buffers;
    for (const std::size_t k : {255U, 784U, 1024U, 4099U}) {
      for (const std::size_t m : {1U, 2U, 3U, 4U, 5U, 16U}) check(make_case(m, 13, k), buffers);
    }
  }

  TEST_CASE("few_rows_f32: a row of y depends on its row of x alone, and not on the split") {
    Buffers buffers;
    for (const Case& c : shapes) {
      const Inputs in = random_inputs(c, 62);
      test::for_each_table([&](const KernelTable& table) {
        const auto all = run(table, c, in, buffers);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < c.m; ++i) {
          for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, c.n / 2}) {
            std::vector<float> y(c.n);
            const auto part = [&](std::size_t begin, std::size_t n) {
              table.few_rows_f32(1, n, c.k, &in.x[i * c.ldx()], c.ldx(), &in.w[begin * c.ldw()],
                                 c.ldw(), c.with_bias ? &in.bias[begin] : nullptr, c.relu,
                                 &y[begin], c.ldy());
            };
            if (cut > 0) part(0, cut);
            part(cut, c.n - cut);
            for (std::size_t j = 0; j < c.n; ++j) {
              wrong += test::same_float(y[j], all[i * c.ldy() + j]) ? 0 : 1;
            }
          }
        }
        CHECK(wrong == 0);
      });
    }
  }

  TEST_CASE("few_rows_f32: NaN and Inf go where IEEE 754 has them go, and nowhere else") {
    Buffers buffers;
    for (const Case& c : shapes) {
      const Inputs clean = random_inputs(c, 63);
      for (const std::size_t p : {std::size_t{0}, c.k - 1}) {
        Inputs in = clean;
        const std::size_t row = c.m - 1;
        const std::size_t output = c.n - 1;
        in.x[row * c.ldx() + p] = quiet_nan;
        in.w[output * c.ldw() + p] = -infinity;
        for (std::size_t i = 0; i < c.m; ++i) {  // so that -Inf comes of it
          if (i != row) in.x[i * c.ldx() + p] = std::fabs(in.x[i * c.ldx() + p]);
        }
        test::for_each_table([&](const KernelTable& table) {
          const auto y = run(table, c, in, buffers);
          for (std::size_t i = 0; i < c.m; ++i) {
            for (std::size_t j = 0; j < c.n; ++j) {
              const float got = y[i * c.ldy() + j];
              if (i == row) {
                CHECK(std::isnan(got));  // ReLU keeps NaN
              } else if (j == output) {
                CHECK(test::same_float(got, c.relu ? 0.0F : -infinity));
              } else {
                CHECK(std::isfinite(got));
              }
            }
          }
        });
      }
    }
  }
}
