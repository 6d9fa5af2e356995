// Monte Carlo dropout: mean and variance of passes that anybody can draw again.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "helpers/expect_invalid.h"
#include "helpers/mlp_fixtures.h"

namespace {

using namespace simdrop;

struct Moments {
  std::vector<float> mean, variance;
};

Moments monte_carlo(Mlp& mlp, const fixture::Batch& batch, std::size_t samples,
                    std::uint64_t first_sample = 0, std::uint64_t first_row = 0) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  const std::size_t n = batch.rows * batch.outputs;
  Moments out{std::vector<float>(n, nan), std::vector<float>(n, nan)};
  mlp.predict_monte_carlo(batch.inputs(), samples, {out.mean.data(), batch.rows, batch.outputs},
                          {out.variance.data(), batch.rows, batch.outputs}, first_sample,
                          first_row);
  return out;
}

bool same(const Moments& x, const Moments& y) {
  return fixture::same_bits(x.mean, y.mean) && fixture::same_bits(x.variance, y.variance);
}

// The masks of a sample, by the public API.
reference::Masks masks_of(const Mlp& mlp, std::uint64_t sample, std::uint64_t first_row,
                          std::size_t rows) {
  const MlpConfig& config = mlp.config();
  reference::Masks masks;
  for (std::size_t l = 0; l < mlp.num_layers(); ++l) {
    const std::size_t n = rows * config.widths[l];
    std::vector<std::uint8_t> bits(mask_bytes(n));
    bernoulli_mask({.keep_prob = l == 0 ? config.input_keep_prob : config.keep_prob[l - 1],
                    .stream = {config.seed, Mlp::sample_stream_id(l, sample)},
                    .first = first_row * config.widths[l]},
                   n, bits);
    masks.emplace_back(n);
    for (std::size_t i = 0; i < n; ++i) masks[l][i] = mask_bit(bits, i);
  }
  return masks;
}

// Mean and variance of one output over samples that are each off by at most their bound.
struct Expected {
  reference::Bounded mean, variance;
};

Expected expected_moments(const std::vector<reference::Bounded>& samples) {
  const auto n = static_cast<double>(samples.size());
  double mean = 0.0;
  double off = 0.0;
  for (const auto& s : samples) mean += s.value / n;
  for (const auto& s : samples) off += s.bound / n;
  double squares = 0.0;
  double squares_off = 0.0;
  for (const auto& s : samples) {
    const double deviation = std::abs(s.value - mean);
    const double error = s.bound + off;
    squares += deviation * deviation;
    squares_off += error * (2.0 * deviation + error);
  }
  const double divisor = std::max(1.0, n - 1.0);
  // And the rounding of each to float; the sums in double are off by far less.
  return {reference::rounded(mean, off),
          reference::rounded(squares / divisor, squares_off / divisor)};
}

void check_moments(const Moments& got,
                   const std::vector<std::vector<reference::Bounded>>& samples) {
  std::size_t wrong = 0;
  double spread = 0.0;
  for (std::size_t i = 0; i < got.mean.size(); ++i) {
    std::vector<reference::Bounded> values;
    for (const auto& sample : samples) values.push_back(sample[i]);
    const Expected want = expected_moments(values);
    const auto off = [](float value, const reference::Bounded& w) {
      return !(std::abs(static_cast<double>(value) - w.value) <= w.bound);
    };
    wrong += off(got.mean[i], want.mean) || off(got.variance[i], want.variance) ? 1 : 0;
    spread = std::max(spread, want.variance.value - 10.0 * want.variance.bound);
  }
  CHECK(wrong == 0);
  if (samples.size() > 1) CHECK(spread > 0.0);  // else the bounds say little
}

// Against the textbook's forward and against forward() with those masks injected.
void check_textbook(const MlpConfig& config, std::size_t rows, std::size_t samples,
                    std::uint64_t first_sample, std::uint64_t first_row) {
  Mlp mlp(config);
  fixture::randomise(mlp, 3);
  const auto batch = fixture::make_batch(config, rows, 5);
  const auto network = fixture::network_of(mlp);
  const std::string name = fixture::describe(config);
  CAPTURE(name);
  const Moments got = monte_carlo(mlp, batch, samples, first_sample, first_row);
  std::vector<std::vector<reference::Bounded>> textbook, injected;
  for (std::size_t s = 0; s < samples; ++s) {
    const auto masks = masks_of(mlp, first_sample + s, first_row, rows);
    textbook.push_back(
        reference::forward(network, fixture::tensor_of(batch.inputs()), masks).a.back().values);
    fixture::inject_masks(mlp, masks);
    const ConstMatrix a = mlp.forward(batch.inputs(), 0);
    auto values = textbook.back();
    // Both are within the bound of the exact value.
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = {static_cast<double>(a.data[i]), 2.0 * values[i].bound};
    }
    injected.push_back(values);
  }
  check_moments(got, textbook);
  check_moments(got, injected);
}

MlpConfig small_config(std::size_t max_batch) {
  auto config = fixture::make_config({7, 33, 17, 3}, Loss::softmax_ce, {0.9, 0.5, 0.75}, max_batch);
  config.seed = 0x0123456789abcdefU;
  return config;
}

}  // namespace

TEST_CASE("mlp: Monte Carlo dropout equals the textbook's passes with the documented masks") {
  const std::vector<std::vector<double>> keep_probs = {
      {0.8, 0.5, 0.75}, {1.0, 0.5, 0.75}, {1.0, 1.0, 0.5}, {0.5, 1.0, 1.0}, {1.0, 0.9, 1.0}};
  for (const Loss loss : fixture::all_losses) {
    for (const auto& keep_prob : keep_probs) {
      check_textbook(fixture::make_config({7, 33, 17, 3}, loss, keep_prob, 12), 5, 9, 0, 0);
    }
    check_textbook(fixture::make_config({9, 4}, loss, {0.7}, 12), 5, 9, 0, 0);
  }
  const auto config = small_config(12);
  check_textbook(config, 1, 30, 1000, 77);
  check_textbook(config, 12, 3, (std::uint64_t{1} << 40) - 3, std::uint64_t{1} << 50);
}

TEST_CASE("mlp: Monte Carlo moments are those of its samples") {
  Mlp mlp(small_config(8));
  fixture::randomise(mlp, 3);
  const auto batch = fixture::make_batch(mlp.config(), 4, 5);
  std::vector<std::vector<reference::Bounded>> samples;
  for (std::uint64_t s = 0; s < 50; ++s) {
    const Moments one = monte_carlo(mlp, batch, 1, s);
    CHECK(std::ranges::all_of(one.variance, [](float v) { return v == 0.0F; }));
    samples.emplace_back();
    for (const float v : one.mean) samples.back().push_back({static_cast<double>(v), 0.0});
  }
  check_moments(monte_carlo(mlp, batch, 50), samples);
}

TEST_CASE("mlp: Monte Carlo dropout is the same for any max_batch, split and threads") {
  for (const double input_keep_prob : {0.9, 1.0}) {
    auto config = small_config(100);
    config.widths = {130, 600, 70, 3};
    config.input_keep_prob = input_keep_prob;
    Mlp whole(config);
    const auto batch = fixture::make_batch(config, 23, 5);
    const Moments want = monte_carlo(whole, batch, 6, 2, 40);
    for (const std::size_t max_batch : {std::size_t{1}, std::size_t{7}, std::size_t{24}}) {
      for (int threads = 1; threads <= 4; ++threads) {
        config.max_batch = max_batch;
        config.num_threads = threads;
        Mlp mlp(config);
        CHECK(same(monte_carlo(mlp, batch, 6, 2, 40), want));
      }
    }
    Moments joined;
    for (std::size_t first = 0; first < 23; first += 5) {
      const auto part = batch.slice(first, std::min<std::size_t>(5, 23 - first));
      const Moments got = monte_carlo(whole, part, 6, 2, 40 + first);
      joined.mean.insert(joined.mean.end(), got.mean.begin(), got.mean.end());
      joined.variance.insert(joined.variance.end(), got.variance.begin(), got.variance.end());
    }
    CHECK(same(joined, want));
  }
}

TEST_CASE("mlp: without dropout every sample is the prediction") {
  for (const auto& widths :
       {std::vector<std::size_t>{7, 33, 17, 3}, std::vector<std::size_t>{7, 3}}) {
    auto config = fixture::make_config(widths, Loss::softmax_ce,
                                       std::vector<double>(widths.size() - 1, 1.0), 8);
    Mlp mlp(config);
    const auto batch = fixture::make_batch(config, 20, 5);
    std::vector<float> want(20 * 3);
    mlp.predict(batch.inputs(), {want.data(), 20, 3});
    const Moments got = monte_carlo(mlp, batch, 10);
    CHECK(fixture::same_bits(got.mean, want));
    CHECK(got.variance == std::vector<float>(20 * 3, 0.0F));
  }
}

TEST_CASE("mlp: where all of a layer is dropped, only biases are left") {
  auto config = small_config(8);
  config.keep_prob = {0.5, 0.0};
  config.loss = Loss::identity_mse;
  Mlp mlp(config);
  fixture::randomise(mlp, 3);
  const Moments got = monte_carlo(mlp, fixture::make_batch(config, 5, 5), 10);
  for (std::size_t i = 0; i < got.mean.size(); ++i) {
    CHECK(got.mean[i] == mlp.bias(3)[i % 3]);
    CHECK(got.variance[i] == 0.0F);
  }
}

TEST_CASE("mlp: Monte Carlo dropout leaves no trace and sees no injected mask") {
  Mlp mlp(small_config(8));
  const auto batch = fixture::make_batch(mlp.config(), 8, 5);
  const Moments want = monte_carlo(mlp, batch, 5);
  mlp.forward(batch.inputs(), 1);
  const double loss = mlp.backward(batch.targets());
  const auto gradients = fixture::gradients(mlp);
  mlp.forward(batch.inputs(), 1);
  const auto masks = fixture::recorded_masks(mlp, 8);
  CHECK(same(monte_carlo(mlp, batch, 5), want));
  CHECK(fixture::recorded_masks(mlp, 8) == masks);
  CHECK(mlp.backward(batch.targets()) == loss);
  CHECK(fixture::same_bits(fixture::gradients(mlp), gradients));
  fixture::inject_random_masks(mlp, 8, 9);
  CHECK(same(monte_carlo(mlp, batch, 5), want));
}

TEST_CASE("mlp: Monte Carlo dropout honours leading dimensions, and takes no rows") {
  Mlp mlp(small_config(4));
  const auto batch = fixture::make_batch(mlp.config(), 9, 5);
  const Moments want = monte_carlo(mlp, batch, 6);
  std::vector<float> x(9 * 10, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < batch.x.size(); ++i) x[i / 7 * 10 + i % 7] = batch.x[i];
  std::vector<float> out(9 * 8, 3.0F);  // mean, a gap, variance, a gap
  mlp.predict_monte_carlo({x.data(), 9, 7, 10}, 6, {out.data(), 9, 3, 8}, {&out[4], 9, 3, 8});
  CHECK(fixture::same_bits(fixture::copy_of({out.data(), 9, 3, 8}), want.mean));
  CHECK(fixture::same_bits(fixture::copy_of({&out[4], 9, 3, 8}), want.variance));
  for (std::size_t r = 0; r < 9; ++r) CHECK((out[8 * r + 3] == 3.0F && out[8 * r + 7] == 3.0F));
  CHECK_NOTHROW(mlp.predict_monte_carlo({nullptr, 0, 7}, 6, {nullptr, 0, 3}, {nullptr, 0, 3}));
}

TEST_CASE("mlp: streams of samples are their own") {
  std::set<std::uint64_t> ids;
  for (std::size_t layer = 0; layer < 20; ++layer) {
    for (std::uint64_t i = 0; i < 20; ++i) {
      ids.insert(Mlp::mask_stream_id(layer, i));
      ids.insert(Mlp::sample_stream_id(layer, i));
    }
  }
  CHECK(ids.size() == 800);
}

TEST_CASE("mlp: misuse of Monte Carlo dropout is an error and writes nothing") {
  Mlp mlp(small_config(4));
  const auto batch = fixture::make_batch(mlp.config(), 6, 5);
  const ConstMatrix x = batch.inputs();
  std::vector<float> mean(18, 5.0F), variance(18, 5.0F);
  const Matrix m{mean.data(), 6, 3};
  const Matrix v{variance.data(), 6, 3};
  const auto check = [&](const char* name, const char* value, ConstMatrix in, std::size_t samples,
                         Matrix to_mean, Matrix to_variance, std::uint64_t first_sample = 0) {
    test::expect_invalid(name, value, [&] {
      mlp.predict_monte_carlo(in, samples, to_mean, to_variance, first_sample);
    });
  };
  constexpr auto most = std::size_t{1} << 40;
  check("x.cols", "6", {x.data, 6, 6}, 2, m, v);
  check("x.data", "null", {nullptr, 6, 7}, 2, m, v);
  check("samples", "0", x, 0, m, v);
  check("samples", "1099511627777", x, most + 1, m, v);
  check("first_sample", "1099511627775", x, 2, m, v, most - 1);
  check("mean shape", "5 x 3", x, 2, {mean.data(), 5, 3}, v);
  check("mean shape", "6 x 2", x, 2, {mean.data(), 6, 2}, v);
  check("mean.ld", "2", x, 2, {mean.data(), 6, 3, 2}, v);
  check("variance shape", "5 x 3", x, 2, m, {variance.data(), 5, 3});
  check("variance.data", "null", x, 2, m, {nullptr, 6, 3});
  check("variance", "overlaps mean", x, 2, m, m);
  check("mean", "overlaps x", {mean.data(), 2, 7}, 2, {mean.data() + 3, 2, 3},
        {variance.data(), 2, 3});
  check("variance", "overlaps x", {variance.data(), 2, 7}, 2, {mean.data(), 2, 3},
        {variance.data() + 3, 2, 3});
  test::expect_invalid("layer", "65536", [] { return Mlp::sample_stream_id(65536, 0); });
  test::expect_invalid("sample", "1099511627776", [] { return Mlp::sample_stream_id(0, most); });
  CHECK(mean == std::vector<float>(18, 5.0F));
  CHECK(variance == std::vector<float>(18, 5.0F));
}
