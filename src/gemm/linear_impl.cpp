#include "gemm/linear_impl.h"

#include <algorithm>
#include <type_traits>

#include "mask_source.h"
#include "parallel.h"

namespace simdrop::detail {
namespace {

template <class T>
const ElementwiseKernels<T, T>& elementwise(const KernelTable& table) {
  if constexpr (std::is_same_v<T, double>) {
    return table.f64;
  } else {
    return table.f32;
  }
}

// Bias, activation and dropout of `rows` rows of z from `first` (a multiple of 8) on, in place.
template <class T>
void finish_rows(const KernelTable& table, const LinearForward<T>& call, std::size_t first,
                 std::size_t rows) {
  const MatrixView<T>& y = call.y;
  const std::size_t offset = first * y.cols;
  const MaskSource kept = advance(call.kept, offset);
  const Shape2D shape{rows, y.cols, y.ld, y.ld};
  std::uint8_t* mask = call.mask == nullptr ? nullptr : call.mask + offset / 8;
  T* z = y.row(first);
  if (call.activation == Activation::relu) {
    elementwise<T>(table).bias_relu_dropout(kept, call.scale, shape, z, call.bias, z, mask);
    return;
  }
  for (std::size_t r = 0; r < rows && call.bias != nullptr; ++r) {
    for (std::size_t c = 0; c < y.cols; ++c) z[r * y.ld + c] += call.bias[c];
  }
  elementwise<T>(table).dropout(kept, call.scale, shape, z, z, mask);
}

}  // namespace

template <class T>
void linear_forward_impl(const KernelTable& table, const LinearForward<T>& call,
                         LinearWorkspace::State& /*workspace*/, int num_threads) {
  const MatrixView<T>& y = call.y;
  parallel_for(y.rows, 8, num_threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      for (std::size_t c = 0; c < y.cols; ++c) {
        T sum{0};
        for (std::size_t p = 0; p < call.x.cols; ++p) sum += call.x(r, p) * call.weights(c, p);
        y(r, c) = sum;
      }
    }
    finish_rows(table, call, begin, end - begin);
  });
}

template <class T>
void linear_backward_input_impl(const KernelTable& table, const LinearBackwardInput<T>& call,
                                LinearWorkspace::State& /*workspace*/, int num_threads) {
  const MatrixView<T>& dx = call.dx;
  parallel_for(dx.rows, 8, num_threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      std::fill_n(dx.row(r), dx.cols, T{0});
      for (std::size_t c = 0; c < call.dy.cols; ++c) {
        for (std::size_t p = 0; p < dx.cols; ++p) dx(r, p) += call.dy(r, c) * call.weights(c, p);
      }
    }
    if (call.stored.data == nullptr) return;
    T* first = dx.row(begin);
    elementwise<T>(table).relu_dropout_backward(
        call.scale, Shape2D{end - begin, dx.cols, call.stored.ld, dx.ld}, call.stored.row(begin),
        first, dx.ld, first);
  });
}

template <class T>
void linear_backward_weights_impl(const KernelTable& /*table*/,
                                  const LinearBackwardWeights<T>& call,
                                  LinearWorkspace::State& workspace, int num_threads) {
  const MatrixView<T>& dw = call.dw;
  T* sums = workspace.reserve<T>(dw.rows * (dw.cols + 1));  // of dy^T x and of dy, row by row
  const auto put = [&](T& to, T sum) {
    const T value = call.alpha * sum;
    to = call.accumulate ? to + value : value;
  };
  parallel_for(dw.rows, 1, num_threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t c = begin; c < end; ++c) {
      T* row = sums + c * (dw.cols + 1);
      std::fill_n(row, dw.cols + 1, T{0});
      for (std::size_t r = 0; r < call.dy.rows; ++r) {
        for (std::size_t p = 0; p < dw.cols; ++p) row[p] += call.dy(r, c) * call.x(r, p);
        row[dw.cols] += call.dy(r, c);
      }
      for (std::size_t p = 0; p < dw.cols; ++p) put(dw(c, p), row[p]);
      if (call.db != nullptr) put(call.db[c], row[dw.cols]);
    }
  });
}

#define SIMDROP_INSTANTIATE_FOR(T)                                                                \
  template void linear_forward_impl(const KernelTable&, const LinearForward<T>&,                  \
                                    LinearWorkspace::State&, int);                                \
  template void linear_backward_input_impl(const KernelTable&, const LinearBackwardInput<T>&,     \
                                           LinearWorkspace::State&, int);                         \
  template void linear_backward_weights_impl(const KernelTable&, const LinearBackwardWeights<T>&, \
                                             LinearWorkspace::State&, int);

SIMDROP_INSTANTIATE_FOR(float)
SIMDROP_INSTANTIATE_FOR(double)

#undef SIMDROP_INSTANTIATE_FOR

}  // namespace simdrop::detail
