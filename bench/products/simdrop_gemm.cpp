// On the internal gemm() and the elementwise passes behind it, until linear.hpp is there.
#include <memory>

#include "dispatch.h"
#include "mlp/buffer.h"
#include "mlp/gemm.h"
#include "simdrop/dropout.hpp"
#include "simdrop_products.h"

namespace simdrop::bench {
namespace {

struct Call {
  Product product;
  int threads;
  bool fused;
  std::shared_ptr<detail::Buffer<float>> workspace = std::make_shared<detail::Buffer<float>>();
  std::uint64_t step = 0;

  void multiply(const detail::GemmSize& size, const detail::GemmOperand& a,
                const detail::GemmOperand& b, float* c) const {
    const detail::KernelTable& table = detail::kernels();
    if (!*workspace) {
      *workspace = detail::make_buffer<float>(detail::gemm_workspace_size(table, size));
    }
    detail::gemm(table, size, 1.0F, a, b, c, size.n, workspace->get(), threads);
  }

  void operator()(const Operands<float>& o) {
    const auto [batch, in, out] = o.shape;
    switch (product) {
      case Product::y: {
        multiply({batch, out, in}, {o.x.get(), in, 1}, {o.w.get(), 1, in}, o.y.get());
        const Matrix y(o.y.get(), batch, out);
        if (fused) {
          bias_relu_dropout_forward(
              {.keep_prob = fused_keep_prob, .stream = {.seed = 1, .id = step++}}, y,
              {o.bias.get(), out}, y, {}, threads);
        }
        break;
      }
      case Product::dx: {
        multiply({batch, in, out}, {o.dy.get(), out, 1}, {o.w.get(), in, 1}, o.dx.get());
        const Matrix dx(o.dx.get(), batch, in);
        if (fused) {
          relu_dropout_backward(fused_keep_prob, ConstMatrix(o.x.get(), batch, in), dx, dx,
                                threads);
        }
        break;
      }
      case Product::dw:
        multiply({out, in, batch}, {o.dy.get(), 1, out}, {o.x.get(), in, 1}, o.dw.get());
        break;
    }
  }
};

}  // namespace

template <>
std::vector<Rival<float>> simdrop_rivals(Product product, int threads) {
  std::vector<Rival<float>> rivals{{"simdrop", Call{product, threads, false}, false}};
  if (product != Product::dw) {
    rivals.push_back({"simdrop, fused", Call{product, threads, true}, true});
  }
  return rivals;
}
template <>
std::vector<Rival<double>> simdrop_rivals(Product, int) {
  return {};
}

}  // namespace simdrop::bench
