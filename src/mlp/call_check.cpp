#include "mlp/call_check.h"

#include <limits>
#include <stdexcept>
#include <string>

#include "base/check.h"
#include "base/matrix_check.h"
#include "mlp/loss.h"
#include "mlp/stream_id.h"

namespace simdrop::detail {
namespace {

std::string range(std::size_t low, std::size_t high) {
  return std::to_string(low) + " ... " + std::to_string(high);
}

void check_input(ConstMatrix x, const MlpConfig& config) {
  check_cols(x, "x", config.widths.front(), "number of inputs");
  check_memory(x, "x");
}

// Groups are counted from row 0: where row numbers wrap, there would be one more than memory is
// for.
void check_first_row(const MlpConfig& config, std::uint64_t first_row, std::size_t rows) {
  if (config.dropout_group == 0) return;
  const std::uint64_t last = std::numeric_limits<std::uint64_t>::max() - (rows - 1);
  if (first_row > last) {
    throw_invalid("first_row", first_row,
                  "at most 2^64 - x.rows = " + std::to_string(last) + ", with dropout_group");
  }
}

// What predictions of x are written to.
void check_output(Matrix out, const char* name, ConstMatrix x, const MlpConfig& config,
                  const OwnMemory& own) {
  check_shape(out, name, x.rows, config.widths.back(), "x.rows x number of outputs");
  check_memory(out, name);
  check_no_overlap(out, name, x, "x");
  check_not_own(own, out, name);
}

}  // namespace

void check_layer(std::size_t layer, std::size_t low, std::size_t high) {
  if (layer >= low && layer <= high) return;
  throw_invalid("layer", layer, low <= high ? range(low, high) : "none in this network");
}

void check_step(std::uint64_t step, const char* name) {
  check_argument(step < max_steps, name, step, "less than 2^40");
}

void check_not_own(const OwnMemory& own, const MemoryRegion& m, const char* name) {
  if (!own.overlaps(m)) return;
  throw_invalid(name, "memory that overlaps the network's own", "memory that does not");
}

void check_batch(const MlpConfig& config, const OwnMemory& own, const Batch& batch) {
  const std::size_t rows = batch.x.rows;
  if (rows < 1 || rows > config.max_batch) {
    throw_invalid("x.rows", rows, range(1, config.max_batch) + " = MlpConfig::max_batch");
  }
  check_input(batch.x, config);
  check_not_own(own, batch.x, "x");
  check_step(batch.step, "step");
  check_first_row(config, batch.first_row, rows);
}

void check_targets(const MlpConfig& config, const OwnMemory& own, const Targets& targets,
                   std::size_t rows) {
  check_targets(config.loss, targets, rows, config.widths.back());
  check_not_own(own, targets.labels, "targets.labels");
  check_not_own(own, targets.values, "targets.values");
}

void check_optimizer(const Model& model, const Optimizer& optimizer) {
  const auto& sizes = optimizer.sizes();
  check_array(std::span(sizes), "optimizer.sizes()", 2 * model.last(), "2 * number of layers");
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::size_t layer = 1 + i / 2;
    const std::size_t wanted = i % 2 == 0 ? model.weights(layer).size() : model.bias(layer).size();
    if (sizes[i] == wanted) continue;
    throw_invalid("optimizer.sizes()[" + std::to_string(i) + "]", sizes[i], std::to_string(wanted));
  }
}

void check_predict(const MlpConfig& config, const OwnMemory& own, ConstMatrix x, Matrix out) {
  check_input(x, config);
  check_output(out, "out", x, config, own);
}

void check_monte_carlo(const MlpConfig& config, const OwnMemory& own, ConstMatrix x,
                       const Samples& samples, Matrix mean, Matrix variance) {
  check_input(x, config);
  check_argument(samples.count >= 1 && samples.count <= max_steps, "samples", samples.count,
                 "1 ... 2^40");
  check_argument(samples.first <= max_steps - samples.count, "first_sample", samples.first,
                 "at most 2^40 - samples");
  check_output(mean, "mean", x, config, own);
  check_output(variance, "variance", x, config, own);
  check_no_overlap(variance, "variance", mean, "mean");
}

void check_forward(const TrainingPass& training) {
  if (training.forward_rows() == 0) throw std::logic_error("simdrop: there was no forward() yet");
}

void check_backward(const TrainingPass& training) {
  if (training.backward_rows() == 0) throw std::logic_error("simdrop: there was no backward() yet");
}

void check_gradients(const TrainingPass& training) {
  check_backward(training);
  if (!training.has_gradients()) {
    throw std::logic_error(
        "simdrop: train_step() keeps dw and db only if MlpConfig::keep_gradients or record is "
        "true");
  }
}

void check_recorded(const MlpConfig& config) {
  if (!config.record) {
    throw std::logic_error(
        "simdrop: z, mask and da, and with DropoutUnit::neuron a and dz, are kept only if "
        "MlpConfig::record is true");
  }
}

}  // namespace simdrop::detail
