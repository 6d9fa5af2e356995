// N vectors of floats in step, for math.h: its chains are long, and a core does not look far enough
// ahead to find the next vector's. A list and not an array, because GCC keeps arrays of vectors in
// memory.
#pragma once

#include <cstddef>

#include "kernels/isa/isa.h"
#include "kernels/loss/select.h"

namespace simdrop::detail {
namespace {

template <std::size_t N>
struct Vectors {
  VecF head;
  [[no_unique_address]] Vectors<N - 1> rest;

  Vectors() = default;
  [[gnu::always_inline]] Vectors(VecF first, const Vectors<N - 1>& others)
      : head(first), rest(others) {}
  [[gnu::always_inline]] explicit Vectors(float x) : head(x), rest(x) {}
  template <std::size_t K>
  [[gnu::always_inline]] VecF& get() {
    if constexpr (K == 0) {
      return head;
    } else {
      return rest.template get<K - 1>();
    }
  }
};
template <>
struct Vectors<0> {
  Vectors() = default;
  explicit Vectors(float /*x*/) {}
};

template <std::size_t N>
struct Conditions {
  typename VecF::batch_bool_type head;
  [[no_unique_address]] Conditions<N - 1> rest;
};
template <>
struct Conditions<0> {};

template <std::size_t N>
[[gnu::always_inline]] inline Vectors<N> operator+(const Vectors<N>& a, const Vectors<N>& b) {
  if constexpr (N == 0) {
    return {};
  } else {
    return {a.head + b.head, a.rest + b.rest};
  }
}
template <std::size_t N>
[[gnu::always_inline]] inline Vectors<N> operator-(const Vectors<N>& a, const Vectors<N>& b) {
  if constexpr (N == 0) {
    return {};
  } else {
    return {a.head - b.head, a.rest - b.rest};
  }
}
template <std::size_t N>
[[gnu::always_inline]] inline Vectors<N> operator*(const Vectors<N>& a, const Vectors<N>& b) {
  if constexpr (N == 0) {
    return {};
  } else {
    return {a.head * b.head, a.rest * b.rest};
  }
}
template <std::size_t N>
[[gnu::always_inline]] inline Conditions<N> operator<(const Vectors<N>& a, const Vectors<N>& b) {
  if constexpr (N == 0) {
    return {};
  } else {
    return {a.head < b.head, a.rest < b.rest};
  }
}
template <std::size_t N>
[[gnu::always_inline]] inline Vectors<N> divide(const Vectors<N>& a, const Vectors<N>& b) {
  if constexpr (N == 0) {
    return {};
  } else {
    return {divide(a.head, b.head), divide(a.rest, b.rest)};
  }
}
template <std::size_t N>
[[gnu::always_inline]] inline Vectors<N> where(const Conditions<N>& condition, const Vectors<N>& a,
                                               const Vectors<N>& b) {
  if constexpr (N == 0) {
    return {};
  } else {
    return {xsimd::select(condition.head, a.head, b.head), where(condition.rest, a.rest, b.rest)};
  }
}
template <std::size_t N>
[[gnu::always_inline]] inline Vectors<N> power_of_two(const Vectors<N>& t) {
  if constexpr (N == 0) {
    return {};
  } else {
    return {power_of_two(t.head), power_of_two(t.rest)};
  }
}

}  // namespace
}  // namespace simdrop::detail
