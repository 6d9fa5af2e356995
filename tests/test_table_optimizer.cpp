// sgd_f32 and adam_f32: equal bit for bit on every table. Their formulas: test_optimizer.cpp.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

#include "compare.h"
#include "guarded_buffer.h"
#include "tables.h"

namespace {

using simdrop::detail::AdamParams;
using simdrop::detail::KernelTable;
using simdrop::detail::SgdParams;
using test::Edge;

constexpr std::size_t kCapacity = 8192;

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
  test::GuardedBuffer<float> gradient{kCapacity}, weights{kCapacity}, first{kCapacity},
      second{kCapacity};

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
  const KernelTable& scalar = simdrop::detail::kernel_table_scalar();
  const State want =
      buffers.run(before, offset, edge, [&](auto... arrays) { step(scalar, arrays...); });
  test::for_each_table([&](const KernelTable& table) {
    const State got =
        buffers.run(before, offset, edge, [&](auto... arrays) { step(table, arrays...); });
    CHECK(test::first_difference(got.weights, want.weights) == test::kSame);
    CHECK(test::first_difference(got.first, want.first) == test::kSame);
    CHECK(test::first_difference(got.second, want.second) == test::kSame);
    CHECK(test::first_difference(got.gradient, before.gradient) == test::kSame);
    if (n > 0) CHECK(test::first_difference(got.weights, before.weights) != test::kSame);
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

}  // namespace

TEST_SUITE("optimizer tables") {
  TEST_CASE("sgd_f32 is the same on every table") {
    Buffers buffers;
    constexpr std::array<SgdParams, 6> all{{{0.1F, 0.0F, 0.0F, false},
                                            {0.1F, 0.0F, 0.01F, false},
                                            {0.1F, 0.9F, 0.0F, false},
                                            {0.1F, 0.9F, 0.01F, false},
                                            {0.1F, 0.9F, 0.0F, true},
                                            {0.1F, 0.9F, 0.01F, true}}};
    for (const SgdParams& params : all) {
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

  TEST_CASE("adam_f32 is the same on every table") {
    Buffers buffers;
    constexpr std::array<AdamParams, 3> all{{{0.9F, 0.999F, 1e-8F, 0.0F, 1.0F, 0.01F, 31.6F},
                                             {0.9F, 0.999F, 1e-8F, 0.02F, 1.0F, 0.004F, 1.5F},
                                             {0.5F, 0.9F, 1e-3F, 0.0F, 0.999F, 0.001F, 1.0F}}};
    for (const AdamParams& params : all) {
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
}
