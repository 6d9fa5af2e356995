// What the tests of backward_weights share: parameters with the state of an optimiser, between
// guard pages, and the optimisers' parameters.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "helpers/products.h"

namespace test {

inline constexpr simdrop::detail::SgdParams sgd_cases[] = {
    {0.1F, 0.0F, 0.0F, false}, {0.1F, 0.9F, 0.01F, false}, {0.1F, 0.9F, 0.0F, true}};
inline constexpr simdrop::detail::AdamParams adam_cases[] = {
    {0.9F, 0.1F, 0.999F, 0.001F, 1e-8F, 0.0F, 0.0F, 0.01F, 31.6F},
    {0.9F, 0.1F, 0.999F, 0.001F, 1e-8F, 0.02F, 0.0F, 0.004F, 1.5F},
    {0.5F, 0.5F, 0.9F, 0.1F, 1e-3F, 0.0F, 0.001F, 0.001F, 1.0F}};

// Weights or a bias, and the state of an optimiser.
template <class T>
struct Target {
  GuardedMatrix<T> target, first, second;

  void place(std::size_t rows, std::size_t cols, std::size_t ld, std::uint32_t seed) {
    target.place(rows, cols, ld, seed);
    first.place(rows, cols, ld, seed + 1);
    second.place(rows, cols, ld, seed + 2);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < cols; ++c) second(r, c) = std::fabs(second(r, c));
    }
  }
  [[nodiscard]] bool intact() const { return target.intact() && first.intact() && second.intact(); }
};

template <class T>
std::size_t differences(const GuardedMatrix<T>& got, const GuardedMatrix<T>& want) {
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < want.rows; ++r) {
    for (std::size_t c = 0; c < want.cols; ++c) {
      wrong += same_element(got(r, c), want(r, c)) ? 0 : 1;
    }
  }
  return wrong;
}

template <class T>
void check_equal(const Target<T>& got, const Target<T>& want) {
  CHECK(differences(got.target, want.target) == 0);
  CHECK(differences(got.first, want.first) == 0);
  CHECK(differences(got.second, want.second) == 0);
}

template <class T>
simdrop::detail::GradientTarget<T> target_of(Target<T>& t, simdrop::detail::Update update,
                                             bool has_first) {
  const bool adam = update == simdrop::detail::Update::adam;
  return {t.target.data(), adam || has_first ? t.first.data() : nullptr,
          adam ? t.second.data() : nullptr, t.target.ld};
}

}  // namespace test
