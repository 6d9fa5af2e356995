#include "products/products.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace simdrop::bench {
namespace {

constexpr std::size_t pool_bytes = std::size_t{16} << 20U;
constexpr std::size_t max_sets = 8;
constexpr std::size_t checked_elements = 997;

template <class T>
typename Operands<T>::Array allocate(std::size_t n) {
  return typename Operands<T>::Array(new (std::align_val_t{64}) T[n]());
}

template <class T>
typename Operands<T>::Array values(std::size_t n, std::uint64_t seed) {
  auto array = allocate<T>(n);
  std::uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
  for (std::size_t i = 0; i < n; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    array[i] = static_cast<T>(static_cast<double>(state >> 40U) * 0x1p-23 - 1.0);
  }
  return array;
}

struct Sum {
  double value = 0.0;
  double magnitude = 0.0;
  void add(double term) {
    value += term;
    magnitude += std::abs(term);
  }
};

// Element i of a product; terms is how many it sums.
template <class T>
Sum reference(const Operands<T>& o, Product product, std::size_t i) {
  const auto [batch, in, out] = o.shape;
  const auto term = [](T a, T b) { return static_cast<double>(a) * static_cast<double>(b); };
  Sum sum;
  switch (product) {
    case Product::y:
      for (std::size_t k = 0; k < in; ++k) {
        sum.add(term(o.x[i / out * in + k], o.w[i % out * in + k]));
      }
      break;
    case Product::dx:
      for (std::size_t k = 0; k < out; ++k) {
        sum.add(term(o.dy[i / in * out + k], o.w[k * in + i % in]));
      }
      break;
    case Product::dw:
      for (std::size_t k = 0; k < batch; ++k) {
        sum.add(term(o.dy[k * out + i / in], o.x[k * in + i % in]));
      }
      break;
  }
  return sum;
}

std::size_t terms(const Shape& shape, Product product) {
  switch (product) {
    case Product::y:
      return shape.in;
    case Product::dx:
      return shape.out;
    case Product::dw:
      break;
  }
  return shape.batch;
}

// What the calls that do more make of a sum: {if it is kept, if it is dropped}.
template <class T>
std::array<double, 2> fused_values(const Operands<T>& o, Product product, std::size_t i,
                                   double sum) {
  if (product == Product::y) {
    const double z = sum + static_cast<double>(o.bias[i % o.shape.out]);
    return {z > 0.0 ? z / fused_keep_prob : 0.0, 0.0};
  }
  if (product == Product::dx) {
    const double dx = o.x[i] > T{0} ? sum / fused_keep_prob : 0.0;
    return {dx, dx};
  }
  return {sum, sum};
}

}  // namespace

template <class T>
Operands<T>::Operands(const Shape& shape_, std::size_t seed)
    : shape(shape_),
      x(values<T>(shape.batch * shape.in, 3 * seed)),
      w(values<T>(shape.out * shape.in, 3 * seed + 1)),
      dy(values<T>(shape.batch * shape.out, 3 * seed + 2)),
      bias(values<T>(shape.out, seed)),
      y(allocate<T>(shape.batch * shape.out)),
      dx(allocate<T>(shape.batch * shape.in)),
      dw(allocate<T>(shape.out * shape.in)),
      db(allocate<T>(shape.out)) {}

template <class T>
T* Operands<T>::result(Product product) const {
  const std::array<T*, 3> results{y.get(), dx.get(), dw.get()};
  return results[static_cast<std::size_t>(product)];
}

template <class T>
std::size_t Operands<T>::result_size(Product product) const {
  const std::array<std::size_t, 3> sizes{shape.batch * shape.out, shape.batch * shape.in,
                                         shape.out * shape.in};
  return sizes[static_cast<std::size_t>(product)];
}

template <class T>
Pool<T>::Pool(const Shape& shape) {
  const std::size_t floats =
      2 * (shape.batch * shape.in + shape.batch * shape.out + shape.out * shape.in);
  const std::size_t sets =
      std::clamp<std::size_t>(pool_bytes / (floats * sizeof(T)) + 1, 2, max_sets);
  for (std::size_t s = 0; s < sets; ++s) sets_.emplace_back(shape, s);
}

template <class T>
std::string check(const Rival<T>& rival, const Operands<T>& operands, Product product) {
  T* result = operands.result(product);
  const std::size_t size = operands.result_size(product);
  std::fill_n(result, size, std::numeric_limits<T>::quiet_NaN());
  rival.run(operands);
  const double eps = static_cast<double>(std::numeric_limits<T>::epsilon()) *
                     static_cast<double>(terms(operands.shape, product) + 2);
  std::size_t dropped = 0;
  std::size_t droppable = 0;
  for (std::size_t c = 0; c < std::min(checked_elements, size); ++c) {
    const std::size_t i = c * (size - 1) / (checked_elements - 1);
    const Sum sum = reference(operands, product, i);
    const std::array<double, 2> allowed = rival.fused
                                              ? fused_values(operands, product, i, sum.value)
                                              : std::array<double, 2>{sum.value, sum.value};
    const double tolerance = eps * (sum.magnitude + 1.0) * (rival.fused ? 2.0 : 1.0);
    const auto is = [&](double value) {
      return std::abs(static_cast<double>(result[i]) - value) <= tolerance;
    };
    if (!is(allowed[0]) && !is(allowed[1])) {
      return "element " + std::to_string(i) + " is " + std::to_string(result[i]) + ", not " +
             std::to_string(allowed[0]);
    }
    if (allowed[0] > 2.0 * tolerance && allowed[1] == 0.0) {
      ++droppable;
      dropped += is(0.0) ? 1 : 0;
    }
  }
  const double off =
      static_cast<double>(dropped) - (1.0 - fused_keep_prob) * static_cast<double>(droppable);
  const double sigma =
      std::sqrt(static_cast<double>(droppable) * fused_keep_prob * (1.0 - fused_keep_prob));
  return std::abs(off) <= 5.0 * sigma
             ? ""
             : "dropped " + std::to_string(dropped) + " of " + std::to_string(droppable);
}

template struct Operands<float>;
template struct Operands<double>;
template class Pool<float>;
template class Pool<double>;
template std::string check(const Rival<float>&, const Operands<float>&, Product);
template std::string check(const Rival<double>&, const Operands<double>&, Product);

}  // namespace simdrop::bench
