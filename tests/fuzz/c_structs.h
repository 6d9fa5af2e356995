// The structures that C functions take, each with any fields.
#pragma once

#include <cstdint>

#include "fuzz/c_call.h"

namespace fuzz {

simdrop_dropout* any_dropout(Call& call);
simdrop_exec* any_exec(Call& call);
// It may have been given one of a shape that does not fit.
simdrop_targets* any_targets(Call& call, std::int64_t rows, std::int64_t outputs);
simdrop_optimizer_config* any_optimizer_config(Call& call);
// A network of at most some 100,000 weights; or the defaults of a file, without widths.
simdrop_mlp_config* any_mlp_config(Call& call);

simdrop_dtype any_dtype(Call& call);
std::size_t element_size(simdrop_dtype dtype);

}  // namespace fuzz
