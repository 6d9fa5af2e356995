// The float matrices of a network's functions.
#pragma once

#include "c_api/arguments.h"
#include "simdrop/mlp.hpp"

namespace simdrop::c_api {

inline ConstMatrix matrix(const float* data, std::int64_t rows, std::size_t cols, std::int64_t ld,
                          const char* ld_name) {
  return {data, count_of(rows, "rows"), cols, count_of(ld, ld_name)};
}

inline Matrix matrix(float* data, std::int64_t rows, std::size_t cols, std::int64_t ld,
                     const char* ld_name) {
  return {data, count_of(rows, "rows"), cols, count_of(ld, ld_name)};
}

inline std::size_t inputs_of(const Mlp& mlp) {
  return mlp.config().widths.front();
}

inline std::size_t outputs_of(const Mlp& mlp) {
  return mlp.config().widths.back();
}

}  // namespace simdrop::c_api
