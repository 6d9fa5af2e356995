#include "helpers/mlp_fixtures.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <sstream>

namespace fixture {

using simdrop::ConstMatrix;
using simdrop::Loss;
using simdrop::Matrix;
using simdrop::Mlp;
using simdrop::MlpConfig;

std::vector<float> uniform(std::size_t n, std::uint32_t seed, float low, float high) {
  std::mt19937 generator(seed);
  std::vector<float> values(n);
  for (float& v : values) {
    v = low + (high - low) * (static_cast<float>(generator() >> 8U) * 0x1p-24F);
  }
  return values;
}

std::vector<std::uint8_t> random_bits(std::size_t n, double probability, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<std::uint8_t> bits(simdrop::mask_bytes(n));
  for (std::size_t i = 0; i < n; ++i) {
    if (static_cast<double>(generator()) < probability * 0x1p32) {
      bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | (1U << (i % 8)));
    }
  }
  return bits;
}

MlpConfig make_config(std::vector<std::size_t> widths, Loss loss,
                      const std::vector<double>& keep_probs, std::size_t max_batch) {
  MlpConfig config;
  config.widths = std::move(widths);
  config.input_keep_prob = keep_probs.at(0);
  config.keep_prob.assign(keep_probs.begin() + 1, keep_probs.end());
  config.loss = loss;
  config.max_batch = max_batch;
  config.record = true;
  return config;
}

std::string describe(const MlpConfig& config) {
  std::ostringstream text;
  text << "loss " << static_cast<int>(config.loss) << ", widths";
  for (const std::size_t width : config.widths) text << ' ' << width;
  return text.str();
}

simdrop::Targets Batch::targets() const {
  if (loss == Loss::softmax_ce) return std::span<const std::uint8_t>(labels);
  return ConstMatrix{values.data(), rows, outputs};
}

Batch Batch::slice(std::size_t first, std::size_t count) const {
  const auto part = [&](const auto& all, std::size_t width) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first * width);
    return std::decay_t<decltype(all)>(begin, begin + static_cast<std::ptrdiff_t>(count * width));
  };
  Batch out{loss, count, features, outputs, part(x, features), part(values, outputs), {}};
  if (loss == Loss::softmax_ce) out.labels = part(labels, 1);
  return out;
}

Batch make_batch(const MlpConfig& config, std::size_t rows, std::uint32_t seed) {
  Batch batch{config.loss, rows, config.widths.front(), config.widths.back(), {}, {}, {}};
  batch.x = uniform(rows * batch.features, seed);
  batch.values = uniform(rows * batch.outputs, seed + 1, 0.0F, 1.0F);
  if (config.loss != Loss::softmax_ce) return batch;
  std::ranges::fill(batch.values, 0.0F);
  for (std::size_t r = 0; r < rows; ++r) {
    batch.labels.push_back(static_cast<std::uint8_t>((seed + 7 * r) % batch.outputs));
    batch.values[r * batch.outputs + batch.labels[r]] = 1.0F;
  }
  return batch;
}

void randomise(Mlp& mlp, std::uint32_t seed) {
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    const Matrix w = mlp.weights(l);
    const float limit = std::sqrt(3.0F / static_cast<float>(w.cols));
    const auto values = uniform(w.size(), seed + static_cast<std::uint32_t>(2 * l), -limit, limit);
    for (std::size_t i = 0; i < w.size(); ++i) w(i / w.cols, i % w.cols) = values[i];
    const auto biases = uniform(w.rows, seed + static_cast<std::uint32_t>(2 * l + 1), -0.5F, 0.5F);
    std::ranges::copy(biases, mlp.bias(l).begin());
  }
}

void inject_masks(Mlp& mlp, const reference::Masks& masks) {
  const MlpConfig& config = mlp.config();
  for (std::size_t l = 0; l < mlp.num_layers(); ++l) {
    std::vector<std::uint8_t> bits(simdrop::mask_bytes(config.max_batch * config.widths[l]));
    for (std::size_t i = 0; i < masks[l].size(); ++i) {
      if (masks[l][i]) bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | (1U << (i % 8)));
    }
    mlp.inject_mask(l, bits);
  }
}

reference::Masks inject_random_masks(Mlp& mlp, std::size_t rows, std::uint32_t seed) {
  reference::Masks masks;
  for (std::size_t l = 0; l < mlp.num_layers(); ++l) {
    const std::size_t n = rows * mlp.config().widths[l];
    const auto bits = random_bits(n, 0.6, seed + static_cast<std::uint32_t>(l));
    masks.emplace_back(n);
    for (std::size_t i = 0; i < n; ++i) masks[l][i] = simdrop::mask_bit(bits, i);
  }
  inject_masks(mlp, masks);
  return masks;
}

reference::Tensor tensor_of(ConstMatrix matrix) {
  reference::Tensor out(matrix.rows, matrix.cols);
  for (std::size_t r = 0; r < matrix.rows; ++r) {
    for (std::size_t c = 0; c < matrix.cols; ++c) out(r, c).value = matrix(r, c);
  }
  return out;
}

reference::Network network_of(const Mlp& mlp) {
  const MlpConfig& config = mlp.config();
  reference::Network network;
  switch (config.loss) {
    case Loss::sigmoid_bce:
      network.head = reference::Head::sigmoid_bce;
      break;
    case Loss::softmax_ce:
      network.head = reference::Head::softmax_ce;
      break;
    case Loss::identity_mse:
      network.head = reference::Head::identity_mse;
      break;
  }
  network.keep_prob = {config.input_keep_prob};
  for (std::size_t l = 1; l < mlp.num_layers(); ++l) {
    network.keep_prob.push_back(config.keep_prob.empty() ? 1.0 : config.keep_prob[l - 1]);
  }
  network.weights.resize(1);
  network.bias.resize(1);
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    network.weights.push_back(tensor_of(mlp.weights(l)));
    network.bias.push_back(tensor_of(mlp.bias(l)));
  }
  return network;
}

reference::Pass oracle_pass(const Mlp& mlp, const Batch& batch, const reference::Masks& masks) {
  const reference::Network network = network_of(mlp);
  auto pass = reference::forward(network, tensor_of(batch.inputs()), masks);
  const ConstMatrix values{batch.values.data(), batch.rows, batch.outputs};
  reference::backward(network, tensor_of(values), masks, pass);
  return pass;
}

reference::Masks keep_everything(const MlpConfig& config, std::size_t rows) {
  reference::Masks masks;
  for (std::size_t l = 0; l + 1 < config.widths.size(); ++l) {
    masks.emplace_back(rows * config.widths[l], true);
  }
  return masks;
}

reference::Masks recorded_masks(const Mlp& mlp, std::size_t rows) {
  reference::Masks masks;
  for (std::size_t l = 0; l < mlp.num_layers(); ++l) {
    masks.emplace_back(rows * mlp.config().widths[l]);
    for (std::size_t i = 0; i < masks[l].size(); ++i) {
      masks[l][i] = simdrop::mask_bit(mlp.mask(l), i);
    }
  }
  return masks;
}

void check_close(ConstMatrix got, const reference::Tensor& want, const std::string& what,
                 double looseness) {
  INFO(what);
  REQUIRE(got.rows == want.rows);
  REQUIRE(got.cols == want.cols);
  std::size_t wrong = 0;
  double largest = 0.0;
  double loosest = 0.0;
  for (std::size_t r = 0; r < got.rows; ++r) {
    for (std::size_t c = 0; c < got.cols; ++c) {
      const reference::Bounded w = want(r, c);
      largest = std::max(largest, std::abs(w.value));
      loosest = std::max(loosest, w.bound);
      if (std::abs(static_cast<double>(got(r, c)) - w.value) <= w.bound) continue;
      if (wrong++ == 0) {
        CHECK_MESSAGE(false, "(", r, ", ", c, ") is ", got(r, c), ", not ", w.value, " +- ",
                      w.bound);
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(loosest <= looseness * largest + 1e-30);
}

std::vector<float> copy_of(ConstMatrix matrix) {
  std::vector<float> out;
  for (std::size_t r = 0; r < matrix.rows; ++r) {
    out.insert(out.end(), matrix.row(r), matrix.row(r) + matrix.cols);
  }
  return out;
}

namespace {

void append(std::vector<float>& out, ConstMatrix matrix) {
  const auto part = copy_of(matrix);
  out.insert(out.end(), part.begin(), part.end());
}

}  // namespace

std::vector<float> parameters(const Mlp& mlp) {
  std::vector<float> out;
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    append(out, mlp.weights(l));
    append(out, mlp.bias(l));
  }
  return out;
}

std::vector<float> gradients(const Mlp& mlp) {
  std::vector<float> out;
  for (std::size_t l = 1; l <= mlp.num_layers(); ++l) {
    append(out, mlp.dw(l));
    append(out, mlp.db(l));
  }
  return out;
}

bool same_bits(const std::vector<float>& x, const std::vector<float>& y) {
  return x.size() == y.size() &&
         (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0);
}

}  // namespace fixture
