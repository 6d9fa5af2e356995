// On the public calls of linear.hpp.
#include <memory>

#include "products/simdrop_products.h"
#include "simdrop/linear.hpp"

namespace simdrop::bench {
namespace {

template <class T>
struct Views {
  MatrixView<const T> x, w, dy, stored;
  MatrixView<T> y, dx, dw;
  std::span<const T> bias;
  std::span<T> db;

  Views(const Operands<T>& o, bool fused)
      : x(o.x.get(), o.shape.batch, o.shape.in),
        w(o.w.get(), o.shape.out, o.shape.in),
        dy(o.dy.get(), o.shape.batch, o.shape.out),
        y(o.y.get(), o.shape.batch, o.shape.out),
        dx(o.dx.get(), o.shape.batch, o.shape.in),
        dw(o.dw.get(), o.shape.out, o.shape.in) {
    if (!fused) return;
    stored = x;
    bias = {o.bias.get(), o.shape.out};
    db = {o.db.get(), o.shape.out};
  }
};

struct Call {
  Product product;
  int threads;
  bool fused;
  std::shared_ptr<LinearWorkspace> workspace = std::make_shared<LinearWorkspace>();
  std::uint64_t step = 0;

  template <class T>
  void operator()(const Operands<T>& operands) {
    const Views<T> v(operands, fused);
    const double keep_prob = fused ? fused_keep_prob : 1.0;
    switch (product) {
      case Product::y:
        linear_forward(v.x, v.w, v.bias, fused ? Activation::relu : Activation::identity,
                       {.keep_prob = keep_prob, .stream = {.seed = 1, .id = step++}}, v.y,
                       *workspace, {}, threads);
        break;
      case Product::dx:
        linear_backward_input(v.dy, v.w, v.stored, keep_prob, v.dx, *workspace, threads);
        break;
      case Product::dw:
        linear_backward_weights(v.dy, v.x, 1.0, false, v.dw, v.db, *workspace, threads);
        break;
    }
  }
};

}  // namespace

template <class T>
std::vector<Rival<T>> simdrop_rivals(Product product, int threads) {
  return {{"simdrop", Call{product, threads, false}, false},
          {"simdrop, fused", Call{product, threads, true}, true}};
}
template std::vector<Rival<float>> simdrop_rivals(Product, int);
template std::vector<Rival<double>> simdrop_rivals(Product, int);

}  // namespace simdrop::bench
