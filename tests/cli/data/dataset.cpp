// Data sets made by the program, and the order and choice of training examples.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "cli/data/dataset.h"

namespace io = simdrop::io;

TEST_CASE("permutation: every number once, a function of its stream alone") {
  for (const std::size_t n : {0U, 1U, 2U, 3U, 257U, 10000U}) {
    std::vector<std::size_t> order = io::epoch_order(n, 5, 3);
    CHECK(order == io::epoch_order(n, 5, 3));
    if (n > 3) {
      CHECK(order != io::epoch_order(n, 5, 4));
      CHECK(order != io::epoch_order(n, 6, 3));
    }
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < n; ++i) REQUIRE(order[i] == i);
  }
}

TEST_CASE("permutation: all orders of three are equally likely") {
  constexpr std::size_t draw_count = 60000;
  std::vector<std::size_t> counts(27, 0);
  for (std::size_t epoch = 0; epoch < draw_count; ++epoch) {
    const std::vector<std::size_t> order = io::epoch_order(3, 1, epoch);
    ++counts[9 * order[0] + 3 * order[1] + order[2]];
  }
  const double p = 1.0 / 6.0;
  const double sigma = std::sqrt(draw_count * p * (1.0 - p));
  for (const std::size_t code : {5U, 7U, 11U, 15U, 19U, 21U}) {
    CHECK(std::abs(static_cast<double>(counts[code]) - draw_count * p) < 4.0 * sigma);
  }
}

TEST_CASE("random_subset: different examples with their labels") {
  io::Dataset data;
  data.features = 2;
  data.classes = 256;
  for (std::size_t i = 0; i < 200; ++i) {
    data.x.push_back(static_cast<float>(i));
    data.x.push_back(static_cast<float>(i) + 0.5F);
    data.labels.push_back(static_cast<std::uint8_t>(i));
  }
  const io::Dataset subset = io::random_subset(data, 50, 9);
  REQUIRE(subset.rows() == 50);
  CHECK(subset.features == 2);
  CHECK(subset.classes == 256);
  for (std::size_t i = 0; i < 50; ++i) {
    CHECK(subset.x[2 * i] == static_cast<float>(subset.labels[i]));
    CHECK(subset.x[2 * i + 1] == static_cast<float>(subset.labels[i]) + 0.5F);
  }
  std::vector<std::uint8_t> labels = subset.labels;
  std::sort(labels.begin(), labels.end());
  CHECK(std::adjacent_find(labels.begin(), labels.end()) == labels.end());
  CHECK(io::random_subset(data, 50, 9).labels == subset.labels);
  CHECK(io::random_subset(data, 50, 10).labels != subset.labels);
  CHECK(io::random_subset(data, 500, 9).labels == data.labels);
}

TEST_CASE("moons: without noise every point lies on its half circle") {
  const io::Dataset data = io::make_moons(501, 0.0, {3, 4});
  REQUIRE(data.rows() == 501);
  CHECK(data.features == 2);
  CHECK(data.classes == 2);
  // A coordinate is rounded to float: |error| <= 2^-24 relative, of values up to 2, and the
  // radius errs by at most the sum of both.
  constexpr double tolerance = 2.0 * 2.0 * 0x1p-24;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    const double x = data.x[2 * i];
    const double y = data.x[2 * i + 1];
    CHECK(data.labels[i] == i % 2);
    const bool lower = data.labels[i] == 1;
    const double radius = lower ? std::hypot(x - 1.0, y - 0.5) : std::hypot(x, y);
    CHECK(std::abs(radius - 1.0) <= tolerance);
    CHECK((lower ? y <= 0.5 + tolerance : y >= -tolerance));
  }
}

TEST_CASE("moons: noise has the deviation asked for, train and test differ") {
  constexpr std::size_t row_count = 20000;
  constexpr double noise_deviation = 0.1;
  const io::Dataset clean = io::make_moons(row_count, 0.0, {3, 4});
  const io::Dataset noisy = io::make_moons(row_count, noise_deviation, {3, 4});
  double sum = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < clean.x.size(); ++i) {
    const double error = double{noisy.x[i]} - clean.x[i];
    sum += error;
    squares += error * error;
  }
  constexpr double value_count = 2.0 * row_count;
  // Standard errors of the mean and of the variance of normal variates.
  CHECK(std::abs(sum / value_count) < 4.0 * noise_deviation / std::sqrt(value_count));
  CHECK(std::abs(squares / value_count - noise_deviation * noise_deviation) <
        4.0 * noise_deviation * noise_deviation * std::sqrt(2.0 / value_count));

  const io::TrainTest moons = io::make_moons(std::uint64_t{1});
  CHECK(moons.train.x != moons.test.x);
  CHECK(moons.train.x == io::make_moons(std::uint64_t{1}).train.x);
  CHECK(moons.train.x != io::make_moons(std::uint64_t{2}).train.x);
}
