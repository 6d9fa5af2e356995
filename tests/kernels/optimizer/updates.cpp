// sgd_f32, adam_f32 and their forms by rows: equal bit for bit on every table. Their formulas:
// tests/mlp/optimizer.cpp; the constraint: limit_norms.cpp.
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "helpers/kernel_test.h"

namespace {

using simdrop::detail::AdamParams;
using simdrop::detail::KernelTable;
using simdrop::detail::SgdParams;
using test::Edge;

constexpr std::size_t capacity = 8192;

constexpr std::array<SgdParams, 6> sgd_cases{{{0.1F, 0.0F, 0.0F, false},
                                              {0.1F, 0.0F, 0.01F, false},
                                              {0.1F, 0.9F, 0.0F, false},
                                              {0.1F, 0.9F, 0.01F, false},
                                              {0.1F, 0.9F, 0.0F, true},
                                              {0.1F, 0.9F, 0.01F, true}}};
constexpr std::array<AdamParams, 3> adam_cases{
    {{0.9F, 0.1F, 0.999F, 0.001F, 1e-8F, 0.0F, 0.0F, 0.01F, 31.6F},
     {0.9F, 0.1F, 0.999F, 0.001F, 1e-8F, 0.02F, 0.0F, 0.004F, 1.5F},
     {0.5F, 0.5F, 0.9F, 0.1F, 1e-3F, 0.0F, 0.001F, 0.001F, 1.0F}}};

struct State {
  std::vector<float> gradient, weights, first, second;
};

State initial_state(std::size_t n) {
  State s{test::random_floats(n, 61), test::random_floats(n, 62), test::random_floats(n, 63),
          test::random_floats(n, 64)};
  for (float& v : s.second) v = std::fabs(v);  // a mean of squares
  return s;
}

struct Buffers {
  test::GuardedBuffer<float> gradient{capacity}, weights{capacity}, first{capacity},
      second{capacity};

  // Runs step(gradient, weights, first, second) between guard pages; returns what it left.
  template <class Step>
  State run(const State& before, std::size_t offset, Edge edge, Step step) {
    const auto g = gradient.place(before.gradient, edge, offset);
    const auto w = weights.place(before.weights, edge, offset * 3 % 16);
    const auto m = first.place(before.first, edge, offset * 5 % 16);
    const auto v = second.place(before.second, edge, offset * 7 % 16);
    step(g.data(), w.data(), m.data(), v.data());
    CHECK((gradient.intact() && weights.intact() && first.intact() && second.intact()));
    return {{g.begin(), g.end()}, {w.begin(), w.end()}, {m.begin(), m.end()}, {v.begin(), v.end()}};
  }
};

// step(table, gradient, weights, first, second) on the scalar table and on every other.
template <class Step>
void check_equal_across_tables(Buffers& buffers, std::size_t n, std::size_t offset, Step step) {
  const State before = initial_state(n);
  const Edge edge = offset % 2 == 0 ? Edge::end : Edge::start;
  CAPTURE(n);
  CAPTURE(offset);
  const KernelTable& scalar = simdrop::detail::scalar::kernel_table();
  const State want =
      buffers.run(before, offset, edge, [&](auto... arrays) { step(scalar, arrays...); });
  test::for_each_table([&](const KernelTable& table) {
    const State got =
        buffers.run(before, offset, edge, [&](auto... arrays) { step(table, arrays...); });
    CHECK(test::first_difference(got.weights, want.weights) == test::no_difference);
    CHECK(test::first_difference(got.first, want.first) == test::no_difference);
    CHECK(test::first_difference(got.second, want.second) == test::no_difference);
    CHECK(test::first_difference(got.gradient, before.gradient) == test::no_difference);
    if (n > 0) CHECK(test::first_difference(got.weights, before.weights) != test::no_difference);
  });
}

template <class Check>
void over_lengths(Check check) {
  for (std::size_t n = 0; n <= 70; ++n) {
    check(n, std::size_t{0});
    check(n, n % 16);
  }
  check(std::size_t{4097}, std::size_t{3});
}

// What update_rows leaves is what update and limit_norms_f32 leave. max_norm is that of a row of
// ones: about half of the rows of each case are above it.
template <class Update, class UpdateRows>
void check_rows(Buffers& buffers, Update update, UpdateRows update_rows) {
  for (const std::size_t cols : {1U, 2U, 7U, 8U, 9U, 16U, 31U, 32U, 33U, 63U, 64U, 65U, 200U}) {
    const std::size_t rows = 5;
    const double max_norm = std::sqrt(static_cast<double>(cols));
    CAPTURE(cols);
    check_equal_across_tables(
        buffers, rows * cols, cols % 16,
        [&](const KernelTable& table, const float* g, float* w, float* m, float* v) {
          auto want = initial_state(rows * cols);
          update(table, rows * cols, g, want.weights.data(), want.first.data(), want.second.data());
          table.limit_norms_f32(max_norm, rows, cols, want.weights.data());
          update_rows(table, max_norm, rows, cols, g, w, m, v);
          CHECK(test::first_difference({w, rows * cols}, want.weights) == test::no_difference);
          CHECK(test::first_difference({m, rows * cols}, want.first) == test::no_difference);
          CHECK(test::first_difference({v, rows * cols}, want.second) == test::no_difference);
        });
  }
}

// Weights of infinity: without weight decay they stay, where 0 * Inf would be NaN.
void check_infinite_weights(const std::vector<float>& weights, bool decays) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const float w : weights) CHECK((decays ? std::isnan(w) : w == infinity));
}

}  // namespace

TEST_SUITE("sgd") {
  TEST_CASE("sgd_f32 is the same on every table") {
    Buffers buffers;
    for (const SgdParams& params : sgd_cases) {
      INFO("momentum ", params.momentum, ", weight decay ", params.weight_decay, ", nesterov ",
           params.nesterov);
      over_lengths([&](std::size_t n, std::size_t offset) {
        check_equal_across_tables(buffers, n, offset,
                                  [&](const KernelTable& table, const float* gradient,
                                      float* weights, float* momentum, const float*) {
                                    float* state = params.momentum == 0.0F ? nullptr : momentum;
                                    table.sgd_f32(params, n, gradient, weights, state);
                                  });
      });
    }
  }

  TEST_CASE("sgd_f32: no weight decay leaves its term out, as an infinite weight tells") {
    constexpr std::size_t n = 37;
    test::for_each_table([&](const KernelTable& table) {
      const std::vector<float> gradient(n, 0.5F);
      for (const SgdParams& params : sgd_cases) {
        std::vector<float> weights(n, std::numeric_limits<float>::infinity());
        std::vector<float> momentum(n, 1.0F);
        table.sgd_f32(params, n, gradient.data(), weights.data(),
                      params.momentum == 0.0F ? nullptr : momentum.data());
        check_infinite_weights(weights, params.weight_decay != 0.0F);
      }
    });
  }
}

TEST_SUITE("adam") {
  TEST_CASE("adam_f32 is the same on every table") {
    Buffers buffers;
    for (const AdamParams& params : adam_cases) {
      INFO("beta1 ", params.beta1, ", weight decay ", params.weight_decay, ", decay ",
           params.decay);
      over_lengths([&](std::size_t n, std::size_t offset) {
        check_equal_across_tables(
            buffers, n, offset,
            [&](const KernelTable& table, const float* gradient, float* weights, float* first,
                float* second) { table.adam_f32(params, n, gradient, weights, first, second); });
      });
    }
  }

  TEST_CASE("adam_f32: no weight decay leaves its term out, as an infinite weight tells") {
    constexpr std::size_t n = 37;
    test::for_each_table([&](const KernelTable& table) {
      const std::vector<float> gradient(n, 0.5F);
      for (const AdamParams& params : adam_cases) {
        std::vector<float> weights(n, std::numeric_limits<float>::infinity());
        std::vector<float> first(n, 1.0F);
        std::vector<float> second(n, 1.0F);
        table.adam_f32(params, n, gradient.data(), weights.data(), first.data(), second.data());
        check_infinite_weights(weights, params.weight_decay != 0.0F || params.decay != 0.0F);
      }
    });
  }
}

TEST_SUITE("sgd_rows") {
  TEST_CASE("sgd_rows_f32 is the update, then the constraint of each row") {
    Buffers buffers;
    for (const SgdParams& params : sgd_cases) {
      const auto state = [&](float* m) { return params.momentum == 0.0F ? nullptr : m; };
      check_rows(
          buffers,
          [&](const KernelTable& t, std::size_t n, const float* g, float* w, float* m, float*) {
            t.sgd_f32(params, n, g, w, state(m));
          },
          [&](const KernelTable& t, double max_norm, std::size_t rows, std::size_t cols,
              const float* g, float* w, float* m,
              float*) { t.sgd_rows_f32(params, max_norm, rows, cols, g, w, state(m)); });
    }
  }
}

TEST_SUITE("adam_rows") {
  TEST_CASE("adam_rows_f32 is the update, then the constraint of each row") {
    Buffers buffers;
    for (const AdamParams& params : adam_cases) {
      check_rows(
          buffers,
          [&](const KernelTable& t, std::size_t n, const float* g, float* w, float* m, float* v) {
            t.adam_f32(params, n, g, w, m, v);
          },
          [&](const KernelTable& t, double max_norm, std::size_t rows, std::size_t cols,
              const float* g, float* w, float* m,
              float* v) { t.adam_rows_f32(params, max_norm, rows, cols, g, w, m, v); });
    }
  }
}
