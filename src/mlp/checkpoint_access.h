// What readers and writers of checkpoints need of the MLP runtime beyond its public headers, and
// the only header of this room that they include: the fields of a configuration and their ranges
// (checked_config(), max_layers, max_steps), and the state of an optimizer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mlp/config.h"
#include "mlp/config_fields.h"
#include "mlp/stream_id.h"
#include "simdrop/optimizer.hpp"

namespace simdrop::detail {

// Of parameter array `index`. which: 0 is momentum or the first moment, 1 the second moment.
std::span<float> optimizer_state(Optimizer& optimizer, std::size_t which, std::size_t index);
std::span<const float> optimizer_state(const Optimizer& optimizer, std::size_t which,
                                       std::size_t index);

void set_step_count(Optimizer& optimizer, std::uint64_t step);

}  // namespace simdrop::detail
