// What the calls of an Mlp and of a Predictor are checked for, before anything is written. All
// throw std::invalid_argument naming the argument, or std::logic_error where a call came too early.
// Texts that need memory are built only where they are thrown: a step allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/matrix_check.h"
#include "mlp/inference.h"
#include "mlp/own_memory.h"
#include "mlp/training_pass.h"
#include "simdrop/matrix.hpp"
#include "simdrop/mlp.hpp"

namespace simdrop::detail {

void check_layer(std::size_t layer, std::size_t low, std::size_t high);
// Which step or sample: what of a stream's id is left for it.
void check_step(std::uint64_t step, const char* name);

// Not memory that the network hands out views of: a call would overwrite what it reads, or what
// another reads. name: of the matrix or array.
void check_not_own(const OwnMemory& own, const MemoryRegion& m, const char* name);

// What forward() and train_step() take.
void check_batch(const MlpConfig& config, const OwnMemory& own, const Batch& batch);
// Targets of `rows` examples.
void check_targets(const MlpConfig& config, const OwnMemory& own, const Targets& targets,
                   std::size_t rows);
// An optimiser of the model's parameters.
void check_optimizer(const Model& model, const Optimizer& optimizer);

// x may be the network's own: it is read alone.
void check_predict(const MlpConfig& config, const OwnMemory& own, ConstMatrix x, Matrix out);
void check_monte_carlo(const MlpConfig& config, const OwnMemory& own, ConstMatrix x,
                       const Samples& samples, Matrix mean, Matrix variance);

// What can be read: the last forward(), the last backward(), what it left in dw and db, and what is
// kept in record mode alone.
void check_forward(const TrainingPass& training);
void check_backward(const TrainingPass& training);
void check_gradients(const TrainingPass& training);
void check_recorded(const MlpConfig& config);

}  // namespace simdrop::detail
