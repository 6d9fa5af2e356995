// The operations of vector.h in plain C++, where a vector is one element, and bit 0 its mask.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/types.h"
#include "kernels/isa/vector.h"

namespace simdrop::detail {
namespace {

// Volatile, or GCC 12 joins the elements of a row with some of the next row, and reads beyond the
// last one.
template <class T>
inline T load_one(const T* p) {
  return *static_cast<const volatile T*>(p);
}
inline float load(const float* p) {
  return *p;
}
inline double load(const double* p) {
  return *p;
}
inline void store(float* p, float v) {
  *p = v;
}
inline void store(double* p, double v) {
  *p = v;
}
inline float load_first(const float* p, std::size_t /*n*/) {
  return *p;
}
inline double load_first(const double* p, std::size_t /*n*/) {
  return *p;
}
inline void store_first(float* p, float v, std::size_t /*n*/) {
  *p = v;
}
inline void store_first(double* p, double v, std::size_t /*n*/) {
  *p = v;
}
inline float mul_add(float a, float b, float c) {
  return a * b + c;
}
inline double mul_add(double a, double b, double c) {
  return a * b + c;
}
inline float relu_times(float z, float factor) {
  return z <= 0 ? 0.0F : z * factor;
}
inline double relu_times(double z, double factor) {
  return z <= 0 ? 0.0 : z * factor;
}
inline float select_gt_zero(float y, float v) {
  return y > 0 ? v : 0.0F;
}
inline double select_gt_zero(double y, double v) {
  return y > 0 ? v : 0.0;
}
inline float select_bits(std::uint64_t bits, float v) {
  return (bits & 1) != 0 ? v : 0.0F;
}
inline double select_bits(std::uint64_t bits, double v) {
  return (bits & 1) != 0 ? v : 0.0;
}
inline float blend_bits(std::uint64_t bits, float a, float b) {
  return (bits & 1) != 0 ? a : b;
}
inline float compress(std::uint64_t /*bits*/, float v) {
  return v;
}
inline float expand(std::uint64_t bits, float v) {
  return select_bits(bits, v);
}
inline float divide(float a, float b) {
  return a / b;
}
inline float square_root(float a) {
  return __builtin_sqrtf(a);
}
inline double load_double(const float* p) {
  return static_cast<double>(*p);
}
inline void store_float(float* p, double v) {
  *p = static_cast<float>(v);
}
template <class V>
inline void transpose(V* /*rows*/) {}
inline void stream_fence() {}

}  // namespace
}  // namespace simdrop::detail
