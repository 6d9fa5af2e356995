// Random networks and batches for the tests of the MLP, and the ways to compare with the oracle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/mlp_reference.h"
#include "simdrop/mask.hpp"
#include "simdrop/mlp.hpp"

namespace fixture {

inline constexpr simdrop::Loss all_losses[] = {
    simdrop::Loss::sigmoid_bce, simdrop::Loss::softmax_ce, simdrop::Loss::identity_mse};

// The generator is std::mt19937 and the mapping is ours: the same numbers everywhere.
std::vector<float> uniform(std::size_t n, std::uint32_t seed, float low = -1.0F, float high = 1.0F);
std::vector<std::uint8_t> random_bits(std::size_t n, double probability, std::uint32_t seed);

/// keep_probs: of the input, then of each hidden layer.
simdrop::MlpConfig make_config(std::vector<std::size_t> widths, simdrop::Loss loss,
                               const std::vector<double>& keep_probs, std::size_t max_batch);

/// For messages: the widths, and the loss by its number.
std::string describe(const simdrop::MlpConfig& config);

/// A batch with targets for any loss.
struct Batch {
  simdrop::Loss loss;
  std::size_t rows;
  std::size_t features;
  std::size_t outputs;
  std::vector<float> x;
  std::vector<float> values;  // one-hot for softmax_ce
  std::vector<std::uint8_t> labels;

  simdrop::ConstMatrix inputs() const { return {x.data(), rows, features}; }
  simdrop::Targets targets() const;
  /// Rows first ... first + count - 1 alone.
  Batch slice(std::size_t first, std::size_t count) const;
};

Batch make_batch(const simdrop::MlpConfig& config, std::size_t rows, std::uint32_t seed);

/// Random weights of a size that keeps signals alive, and biases that are not 0.
void randomise(simdrop::Mlp& mlp, std::uint32_t seed);

/// Injects random masks into the input and every hidden layer; returns them for the oracle.
reference::Masks inject_random_masks(simdrop::Mlp& mlp, std::size_t rows, std::uint32_t seed);
void inject_masks(simdrop::Mlp& mlp, const reference::Masks& masks);

reference::Tensor tensor_of(simdrop::ConstMatrix matrix);
reference::Network network_of(const simdrop::Mlp& mlp);
/// The oracle's forward and backward for this network and batch.
reference::Pass oracle_pass(const simdrop::Mlp& mlp, const Batch& batch,
                            const reference::Masks& masks);
reference::Masks keep_everything(const simdrop::MlpConfig& config, std::size_t rows);
/// The mask bits of `layer` that mlp.mask() tells, for the oracle. Needs config.record.
reference::Masks recorded_masks(const simdrop::Mlp& mlp, std::size_t rows);

/// Every element within its bound, and no bound above `looseness` times the largest element: a
/// comparison that allows more says little.
void check_close(simdrop::ConstMatrix got, const reference::Tensor& want, const std::string& what,
                 double looseness = 1e-3);

std::vector<float> copy_of(simdrop::ConstMatrix matrix);
/// All weights and biases, all dW and db, end to end.
std::vector<float> parameters(const simdrop::Mlp& mlp);
std::vector<float> gradients(const simdrop::Mlp& mlp);
/// Equal bit for bit: NaN equals itself, and -0 is not 0.
bool same_bits(const std::vector<float>& x, const std::vector<float>& y);

}  // namespace fixture
