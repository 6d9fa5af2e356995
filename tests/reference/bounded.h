// A double with a bound on how far the float computation of the same quantity may be off: running
// error analysis (Higham, "Accuracy and Stability of Numerical Algorithms", chapter 3).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace reference {

inline constexpr double unit_roundoff = 0x1p-24;  // of float
inline constexpr double tiniest = 0x1p-149;       // the spacing of subnormal floats

struct Bounded {
  double value = 0.0;
  double bound = 0.0;

  double magnitude() const { return std::abs(value) + bound; }
};

/// Charges one operation. Two roundings, not one: the library may fold a constant into another
/// (x * float(1 / keep_prob) for x / keep_prob), which rounds once more.
inline Bounded rounded(double value, double bound, double roundings = 2.0) {
  const double relative = roundings * unit_roundoff / (1.0 - roundings * unit_roundoff);
  return {value, bound + relative * (std::abs(value) + bound) + roundings * tiniest};
}

/// A hyperparameter: a double that the library stores as the nearest float.
inline Bounded constant(double value) {
  return rounded(value, 0.0, 1.0);
}

inline Bounded operator+(Bounded x, Bounded y) {
  return rounded(x.value + y.value, x.bound + y.bound);
}

inline Bounded operator-(Bounded x, Bounded y) {
  return rounded(x.value - y.value, x.bound + y.bound);
}

inline Bounded exact_product(Bounded x, Bounded y) {
  return {x.value * y.value,
          std::abs(x.value) * y.bound + std::abs(y.value) * x.bound + x.bound * y.bound};
}

inline Bounded operator*(Bounded x, Bounded y) {
  const Bounded product = exact_product(x, y);
  return rounded(product.value, product.bound);
}

/// Unbounded if y may be 0.
inline Bounded operator/(Bounded x, Bounded y) {
  const double quotient = x.value / y.value;
  const double smallest = std::abs(y.value) - y.bound;
  if (!(smallest > 0.0)) return {quotient, std::numeric_limits<double>::infinity()};
  return rounded(quotient, (x.bound + std::abs(quotient) * y.bound) / smallest);
}

inline Bounded square_root(Bounded x) {
  const double root = std::sqrt(x.value);
  const double above = std::sqrt(x.value + x.bound) - root;
  const double below = root - std::sqrt(std::max(0.0, x.value - x.bound));
  return rounded(root, std::max(above, below));
}

/// A sum of n terms, rounded in whatever order: each term passes through at most n - 1 additions,
/// its own product and one more rounding.
class Sum {
 public:
  void add(Bounded term) {
    value_ += term.value;
    bound_ += term.bound;
    magnitude_ += term.magnitude();
    ++terms_;
  }
  void add_product(Bounded x, Bounded y) { add(exact_product(x, y)); }

  Bounded result() const {
    const double k = static_cast<double>(terms_) + 1.0;
    const double gamma = k * unit_roundoff / (1.0 - k * unit_roundoff);
    return {value_, bound_ + gamma * magnitude_ + k * tiniest};
  }

 private:
  double value_ = 0.0;
  double bound_ = 0.0;
  double magnitude_ = 0.0;
  std::size_t terms_ = 0;
};

}  // namespace reference
