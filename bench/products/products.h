// The three matrix products of a linear layer, and the memory that they run on.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace simdrop::bench {

// Y = X W^T; dX = dY W; dW = dY^T X.
enum class Product { y, dx, dw };
constexpr std::array<Product, 3> products{Product::y, Product::dx, Product::dw};
constexpr std::array<const char*, 3> product_names{"Y = X·Wᵀ", "dX = dY·W", "dW = dYᵀ·X"};

// Of the calls that do more than the product: bias, ReLU and dropout behind Y; their gradient
// behind dX; the gradient of the bias beside dW.
constexpr double fused_keep_prob = 0.5;

struct Shape {
  std::size_t batch, in, out;
  [[nodiscard]] double flops() const {
    return 2.0 * static_cast<double>(batch) * static_cast<double>(in) * static_cast<double>(out);
  }
  friend bool operator==(const Shape&, const Shape&) = default;
};

// One layer's arrays, row-major: x and dx batch x in, w and dw out x in, dy and y batch x out.
template <class T>
struct Operands {
  struct Delete {
    void operator()(T* p) const { ::operator delete[](p, std::align_val_t{64}); }
  };
  using Array = std::unique_ptr<T[], Delete>;

  Operands(const Shape& shape, std::size_t seed);
  // What `product` writes, and how many elements that is.
  [[nodiscard]] T* result(Product product) const;
  [[nodiscard]] std::size_t result_size(Product product) const;

  Shape shape;
  Array x, w, dy, bias;  // in [-1, 1)
  Array y, dx, dw, db;   // results
};

// Sets of operands to take in turn: large layers, which a training step finds outside the L2 cache
// after the other layers have passed, are not hotter here.
template <class T>
class Pool {
 public:
  explicit Pool(const Shape& shape);
  [[nodiscard]] const Operands<T>& operator[](std::size_t turn) const {
    return sets_[turn % sets_.size()];
  }

 private:
  std::vector<Operands<T>> sets_;
};

template <class T>
struct Rival {
  std::string who;
  std::function<void(const Operands<T>&)> run;
  bool fused = false;
};

// What is wrong with what a rival computes, or "". Products are compared with double-precision
// sums: each sum of k terms may be off by k eps times the sum of their magnitudes.
template <class T>
[[nodiscard]] std::string check(const Rival<T>& rival, const Operands<T>& operands,
                                Product product);

}  // namespace simdrop::bench
