// A matrix of random elements, stride and alignment between guard pages, and what it should hold.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "random/draw.h"
#include "simdrop/matrix.hpp"

namespace random_case {

template <class T>
class GuardedMatrix {
 public:
  static constexpr std::size_t capacity = std::size_t{1} << 18;

  void place(Draw& draw, std::size_t rows_, std::size_t cols_, bool special) {
    rows = rows_, cols = cols_, ld = cols_ + draw.padding();
    const std::size_t n = rows == 0 || cols == 0 ? 0 : (rows - 1) * ld + cols;
    memory_ = buffer_.place(n, draw.one_in(2) ? test::Edge::start : test::Edge::end, draw.below(9));
    for (T& x : memory_) x = draw.element<T>(special);
    expected_.assign(memory_.begin(), memory_.end());
  }

  [[nodiscard]] simdrop::MatrixView<T> view() const { return {memory_.data(), rows, cols, ld}; }
  [[nodiscard]] std::span<T> elements() const { return memory_; }
  // What was there when it was placed; what should be there after the call.
  T& operator()(std::size_t r, std::size_t c) { return expected_[r * ld + c]; }

  // All of it is as expected, bit for bit, what lies between the rows and around them too.
  [[nodiscard]] bool as_expected() const {
    return buffer_.intact() &&
           test::first_different_element<T>(memory_, expected_) == test::no_difference;
  }

  std::size_t rows = 0, cols = 0, ld = 0;

 private:
  test::GuardedBuffer<T> buffer_{capacity};
  std::span<T> memory_;
  std::vector<T> expected_;
};

}  // namespace random_case
