// A network of the C API beside the same one of the C++ API.
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "helpers/c_api.h"
#include "helpers/compare.h"
#include "simdrop/mlp.hpp"

namespace c_api {

struct Destroy {
  void operator()(simdrop_mlp* mlp) const { simdrop_mlp_destroy(mlp); }
  void operator()(simdrop_optimizer* optimizer) const { simdrop_optimizer_destroy(optimizer); }
  void operator()(simdrop_predictor* predictor) const { simdrop_predictor_destroy(predictor); }
};
template <class T>
using Handle = std::unique_ptr<T, Destroy>;

inline const std::vector<std::int64_t> layer_widths{5, 17, 9, 3};
inline const std::vector<double> network_keep_prob{0.5, 0.8};

// Both must live as long as the configuration.
inline simdrop_mlp_config make_config() {
  auto config = made(simdrop_mlp_config_init);
  config.widths = layer_widths.data();
  config.num_widths = 4;
  config.keep_prob = network_keep_prob.data();
  config.num_keep_prob = 2;
  config.input_keep_prob = 0.9;
  config.seed = 42;
  config.max_batch = 8;
  config.record = 1;
  return config;
}

inline simdrop::MlpConfig same_config(const simdrop_mlp_config& c) {
  simdrop::MlpConfig config;
  for (std::int64_t l = 0; l < c.num_widths; ++l) {
    config.widths.push_back(static_cast<std::size_t>(c.widths[l]));
  }
  config.keep_prob = network_keep_prob;
  config.input_keep_prob = c.input_keep_prob;
  config.seed = c.seed;
  config.max_batch = static_cast<std::size_t>(c.max_batch);
  config.loss = static_cast<simdrop::Loss>(c.loss);
  config.dropout_unit = static_cast<simdrop::DropoutUnit>(c.dropout_unit);
  config.record = c.record != 0;
  return config;
}

inline Handle<simdrop_mlp> create(const simdrop_mlp_config& config) {
  simdrop_mlp* mlp = nullptr;
  simdrop_error error = SIMDROP_ERROR_INIT;
  const simdrop_status status = simdrop_mlp_create(&config, &mlp, &error);
  INFO(error.message);
  REQUIRE(status == SIMDROP_OK);
  return Handle<simdrop_mlp>(mlp);
}

inline Handle<simdrop_optimizer> create(const simdrop_optimizer_config& config,
                                        const simdrop_mlp* mlp) {
  simdrop_optimizer* optimizer = nullptr;
  REQUIRE(simdrop_optimizer_create(&config, mlp, &optimizer, nullptr) == SIMDROP_OK);
  return Handle<simdrop_optimizer>(optimizer);
}

// 8 rows of inputs, and targets of each kind for 3 outputs.
struct Batch {
  std::vector<float> x = test::random_floats(8 * 5, 21);
  std::vector<float> values = test::random_floats(8 * 3, 22);
  std::vector<std::uint8_t> labels{0, 2, 1, 1, 0, 2, 2, 0};

  [[nodiscard]] simdrop::ConstMatrix inputs() const { return {x.data(), 8, 5}; }
  [[nodiscard]] simdrop_targets targets(simdrop_loss loss) const {
    const bool softmax = loss == SIMDROP_LOSS_SOFTMAX_CE;
    return {sizeof(simdrop_targets), softmax ? labels.data() : nullptr,
            softmax ? nullptr : values.data(), 3};
  }
  [[nodiscard]] simdrop::Targets same_targets(simdrop_loss loss) const {
    if (loss == SIMDROP_LOSS_SOFTMAX_CE) return std::span<const std::uint8_t>(labels);
    return simdrop::ConstMatrix{values.data(), 8, 3};
  }
};

// The tensor is that matrix, bit for bit.
inline bool same(simdrop_mlp* mlp, simdrop_tensor_kind kind, std::size_t layer,
                 simdrop::ConstMatrix want) {
  simdrop_tensor t{sizeof(simdrop_tensor), nullptr, 0, 0, 0, -1, -1};
  const auto index = static_cast<std::int64_t>(layer);
  if (simdrop_mlp_tensor(mlp, kind, index, &t, nullptr) != SIMDROP_OK) return false;
  if (t.dtype != SIMDROP_F32 || static_cast<std::size_t>(t.rows) != want.rows ||
      static_cast<std::size_t>(t.cols) != want.cols) {
    return false;
  }
  for (std::size_t r = 0; r < want.rows; ++r) {
    const float* row = static_cast<const float*>(t.data) + r * static_cast<std::size_t>(t.ld);
    if (std::memcmp(row, want.row(r), want.cols * sizeof(float)) != 0) return false;
  }
  return true;
}

inline bool same_parameters(simdrop_mlp* mlp, const simdrop::Mlp& want) {
  for (std::size_t l = 1; l <= want.num_layers(); ++l) {
    if (!same(mlp, SIMDROP_TENSOR_WEIGHTS, l, want.weights(l))) return false;
    if (!same(mlp, SIMDROP_TENSOR_BIAS, l, want.bias(l))) return false;
  }
  return true;
}

}  // namespace c_api
