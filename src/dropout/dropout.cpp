#include "simdrop/dropout.hpp"

#include <algorithm>
#include <type_traits>

#include "base/check.h"
#include "base/float_environment.h"
#include "base/matrix_check.h"
#include "dispatch/dispatch.h"
#include "mask/mask_check.h"
#include "mask/mask_source.h"
#include "threading/parallel.h"

namespace simdrop {
namespace {

using detail::check_memory;
using detail::check_no_overlap;
using detail::check_same_or_no_overlap;
using detail::MaskSource;
using detail::MemoryRegion;
using detail::Shape2D;

void check_like(const MemoryRegion& m, const char* name, const MemoryRegion& other,
                const char* other_name) {
  detail::check_shape(m, name, other.rows, other.cols, other_name);
  check_memory(m, name);
}

void check_in_out(const MemoryRegion& in, const char* in_name, const MemoryRegion& out,
                  const char* out_name) {
  check_memory(in, in_name);
  check_like(out, out_name, in, in_name);
  check_same_or_no_overlap(out, out_name, in, in_name);
}

constexpr const char* mask_size_text = "mask_bytes(rows * cols)";

// Bits that are read while `out` is written.
void check_given_mask(std::span<const std::uint8_t> mask, const MemoryRegion& out,
                      const char* out_name) {
  detail::check_array(mask, "mask", mask_bytes(out.size()), mask_size_text);
  check_no_overlap(out, out_name, mask, "mask");
}

// Bits that are written, if they are asked for.
void check_drawn_mask(std::span<std::uint8_t> mask, const MemoryRegion& in, const char* in_name,
                      const MemoryRegion& out, const char* out_name) {
  detail::check_optional_array(mask, "mask", mask_bytes(in.size()), mask_size_text);
  check_no_overlap(mask, "mask", in, in_name);
  check_no_overlap(mask, "mask", out, out_name);
}

// How a call is run: the last two arguments of all functions.
struct Execution {
  Threads threads;
  Stores stores;

  void check() const {
    detail::check_threads(threads);
    const bool known =
        stores == Stores::automatic || stores == Stores::cached || stores == Stores::streaming;
    detail::check_argument(known, "stores", static_cast<std::int32_t>(stores),
                           "0 (automatic), 1 (cached) or 2 (streaming)");
  }
  [[nodiscard]] bool streaming(const MemoryRegion& out) const {
    if (stores != Stores::automatic) return stores == Stores::streaming;
    return out.size() * out.element_bytes >= streaming_threshold_bytes;
  }
};

// What the functions for all element types check: not templates, so that the code is there once.

void check_drawn(const Dropout& dropout, const MemoryRegion& x, const char* x_name,
                 const MemoryRegion& y, const char* y_name, std::span<std::uint8_t> mask,
                 const Execution& execution) {
  detail::check_dropout(dropout);
  check_in_out(x, x_name, y, y_name);
  execution.check();
  check_drawn_mask(mask, x, x_name, y, y_name);
}

void check_given(double keep_prob, const MemoryRegion& x, const char* x_name, const MemoryRegion& y,
                 const char* y_name, std::span<const std::uint8_t> mask,
                 const Execution& execution) {
  detail::check_keep_prob(keep_prob);
  check_in_out(x, x_name, y, y_name);
  execution.check();
  check_given_mask(mask, y, y_name);
}

// mask: bits that are written, or empty.
void check_residual(const MemoryRegion& x, const MemoryRegion& residual, const MemoryRegion& y,
                    std::span<std::uint8_t> mask) {
  check_like(residual, "residual", x, "x");
  check_same_or_no_overlap(y, "y", residual, "residual");
  check_no_overlap(mask, "mask", residual, "residual");
}

void check_bias(const MemoryRegion& bias, const MemoryRegion& y, std::span<std::uint8_t> mask) {
  detail::check_optional_array(bias, "bias", y.cols, "x.cols");
  check_no_overlap(y, "y", bias, "bias");
  check_no_overlap(mask, "mask", bias, "bias");
}

void check_backward(double keep_prob, const MemoryRegion& y, const MemoryRegion& dy,
                    const MemoryRegion& dx, const Execution& execution) {
  detail::check_keep_prob(keep_prob);
  check_in_out(y, "y", dx, "dx");
  check_like(dy, "dy", y, "y");
  check_same_or_no_overlap(dx, "dx", dy, "dy");
  execution.check();
}

template <class T>
bool contiguous(MatrixView<T> m) {
  return m.rows <= 1 || m.ld == m.cols;
}

// Matrices without gaps between their rows are one row.
template <class... T>
void flatten(MatrixView<T>&... matrices) {
  if (!(... && contiguous(matrices))) return;
  ((matrices = {matrices.data, 1, matrices.size()}), ...);
}

template <class T>
using Arithmetic = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <class T>
const detail::ElementwiseKernels<T, Arithmetic<T>>& elementwise() {
  const detail::KernelTable& table = detail::kernels();
  if constexpr (std::is_same_v<T, double>) return table.f64;
  if constexpr (std::is_same_v<T, float>) return table.f32;
  if constexpr (std::is_same_v<T, bfloat16>) return table.bf16;
  if constexpr (std::is_same_v<T, float16>) return table.f16;
}

// Runs fn(row, col, rows, cols) over the team: parts of whole rows, or of columns where there is
// one row. Parts start at multiples of 8 elements, so that no two share a byte of a mask; of 64
// if the output is streamed, so that they share no cache line of an aligned one.
template <class Fn>
void over_parts(std::size_t rows, std::size_t cols, Threads threads, bool streaming, Fn&& fn) {
  constexpr std::size_t grain = std::size_t{1} << 15;
  if (rows == 1) {
    detail::parallel_for(cols, grain, threads,
                         [&](std::size_t begin, std::size_t end) { fn(0, begin, 1, end - begin); });
  } else if (cols > 0) {
    const std::size_t multiple = streaming ? 64 : 8;
    const std::size_t row_grain = std::max<std::size_t>(1, grain / multiple / cols) * multiple;
    detail::parallel_for(rows, row_grain, threads, [&](std::size_t begin, std::size_t end) {
      fn(begin, 0, end - begin, cols);
    });
  }
}

template <class T>
void run_dropout(const MaskSource& source, double keep_prob, MatrixView<const T> x, MatrixView<T> y,
                 std::uint8_t* mask, Execution execution) {
  flatten(x, y);
  const auto& table = elementwise<T>();
  const auto scale = detail::dropout_scale<Arithmetic<T>>(keep_prob);
  const bool streaming = execution.streaming(y);
  over_parts(x.rows, x.cols, execution.threads, streaming,
             [&](std::size_t r, std::size_t c, std::size_t rows, std::size_t cols) {
               const std::size_t offset = r * x.cols + c;
               table.dropout(detail::advance(source, offset), scale,
                             Shape2D{rows, cols, x.ld, y.ld, streaming}, x.row(r) + c, y.row(r) + c,
                             mask == nullptr ? nullptr : mask + offset / 8);
             });
}

template <class T>
void run_residual_dropout(const MaskSource& source, double keep_prob, MatrixView<const T> x,
                          MatrixView<const T> residual, MatrixView<T> y, std::uint8_t* mask,
                          Execution execution) {
  flatten(x, residual, y);
  const auto& table = elementwise<T>();
  const auto scale = detail::dropout_scale<Arithmetic<T>>(keep_prob);
  const bool streaming = execution.streaming(y);
  over_parts(x.rows, x.cols, execution.threads, streaming,
             [&](std::size_t r, std::size_t c, std::size_t rows, std::size_t cols) {
               const std::size_t offset = r * x.cols + c;
               table.residual_dropout(detail::advance(source, offset), scale,
                                      Shape2D{rows, cols, x.ld, y.ld, streaming}, x.row(r) + c,
                                      residual.row(r) + c, residual.ld, y.row(r) + c,
                                      mask == nullptr ? nullptr : mask + offset / 8);
             });
}

template <class T>
void run_rows_bias_relu_dropout(const MaskSource& source, double keep_prob, MatrixView<const T> x,
                                std::span<const T> bias, MatrixView<T> y, std::uint8_t* mask,
                                Execution execution) {
  const auto& table = elementwise<T>();
  const auto scale = detail::dropout_scale<Arithmetic<T>>(keep_prob);
  const bool streaming = execution.streaming(y);
  over_parts(x.rows, x.cols, execution.threads, streaming,
             [&](std::size_t r, std::size_t c, std::size_t rows, std::size_t cols) {
               const std::size_t offset = r * x.cols + c;
               table.bias_relu_dropout(detail::advance(source, offset), scale,
                                       Shape2D{rows, cols, x.ld, y.ld, streaming}, x.row(r) + c,
                                       bias.empty() ? nullptr : bias.data() + c, y.row(r) + c,
                                       mask == nullptr ? nullptr : mask + offset / 8);
             });
}

// Narrow rows cost more for themselves than for their elements: without gaps between them, as many
// as repeat the bias to `wide` elements are one.
template <class T>
void run_bias_relu_dropout(const MaskSource& source, double keep_prob, MatrixView<const T> x,
                           std::span<const T> bias, MatrixView<T> y, std::uint8_t* mask,
                           Execution execution) {
  constexpr std::size_t narrow = 64;
  constexpr std::size_t wide = 512;
  if (bias.empty()) flatten(x, y);
  if (x.rows <= 1 || x.cols == 0 || x.cols >= narrow || !contiguous(x) || !contiguous(y)) {
    run_rows_bias_relu_dropout(source, keep_prob, x, bias, y, mask, execution);
    return;
  }
  const std::size_t at_once = std::min(x.rows, wide / x.cols / 8 * 8);
  T repeated[wide];
  for (std::size_t r = 0; r < at_once; ++r) std::ranges::copy(bias, repeated + r * x.cols);
  const std::size_t rows = x.rows / at_once;
  const std::size_t cols = at_once * x.cols;
  const std::span<const T> all(repeated, cols);
  run_rows_bias_relu_dropout<T>(source, keep_prob, {x.data, rows, cols}, all, {y.data, rows, cols},
                                mask, execution);
  const std::size_t done = rows * cols;
  const std::size_t left = x.size() - done;
  if (left == 0) return;
  run_rows_bias_relu_dropout<T>(detail::advance(source, done), keep_prob, {x.data + done, 1, left},
                                all.first(left), {y.data + done, 1, left},
                                mask == nullptr ? nullptr : mask + done / 8, execution);
}

// Both drawn variants of y = kept ? x * scale : 0.
template <class T>
void drawn_dropout(const Dropout& dropout, MatrixView<const T> x, const char* x_name,
                   MatrixView<T> y, const char* y_name, std::span<std::uint8_t> mask,
                   Execution execution) {
  const detail::DefaultFloats floats;
  check_drawn(dropout, x, x_name, y, y_name, mask, execution);
  run_dropout(detail::make_mask_source(dropout), dropout.keep_prob, x, y,
              mask.empty() ? nullptr : mask.data(), execution);
}

template <class T>
void given_dropout(double keep_prob, std::span<const std::uint8_t> mask, MatrixView<const T> dy,
                   MatrixView<T> dx, Execution execution) {
  const detail::DefaultFloats floats(keep_prob);
  check_given(keep_prob, dy, "dy", dx, "dx", mask, execution);
  run_dropout(detail::make_mask_source({.keep_prob = keep_prob}, mask.data()), keep_prob, dy, dx,
              nullptr, execution);
}

template <class T>
void drawn_residual_dropout(const Dropout& dropout, MatrixView<const T> x,
                            MatrixView<const T> residual, MatrixView<T> y,
                            std::span<std::uint8_t> mask, Execution execution) {
  const detail::DefaultFloats floats;
  check_drawn(dropout, x, "x", y, "y", mask, execution);
  check_residual(x, residual, y, mask);
  run_residual_dropout(detail::make_mask_source(dropout), dropout.keep_prob, x, residual, y,
                       mask.empty() ? nullptr : mask.data(), execution);
}

template <class T>
void given_residual_dropout(double keep_prob, std::span<const std::uint8_t> mask,
                            MatrixView<const T> x, MatrixView<const T> residual, MatrixView<T> y,
                            Execution execution) {
  const detail::DefaultFloats floats(keep_prob);
  check_given(keep_prob, x, "x", y, "y", mask, execution);
  check_residual(x, residual, y, {});
  run_residual_dropout(detail::make_mask_source({.keep_prob = keep_prob}, mask.data()), keep_prob,
                       x, residual, y, nullptr, execution);
}

template <class T>
void drawn_bias_relu_dropout(const Dropout& dropout, MatrixView<const T> x, std::span<const T> bias,
                             MatrixView<T> y, std::span<std::uint8_t> mask, Execution execution) {
  const detail::DefaultFloats floats;
  check_drawn(dropout, x, "x", y, "y", mask, execution);
  check_bias(bias, y, mask);
  run_bias_relu_dropout(detail::make_mask_source(dropout), dropout.keep_prob, x, bias, y,
                        mask.empty() ? nullptr : mask.data(), execution);
}

template <class T>
void given_bias_relu_dropout(double keep_prob, std::span<const std::uint8_t> mask,
                             MatrixView<const T> x, std::span<const T> bias, MatrixView<T> y,
                             Execution execution) {
  const detail::DefaultFloats floats(keep_prob);
  check_given(keep_prob, x, "x", y, "y", mask, execution);
  check_bias(bias, y, {});
  run_bias_relu_dropout(detail::make_mask_source({.keep_prob = keep_prob}, mask.data()), keep_prob,
                        x, bias, y, nullptr, execution);
}

template <class T>
void relu_backward(double keep_prob, MatrixView<const T> y, MatrixView<const T> dy,
                   MatrixView<T> dx, Execution execution) {
  const detail::DefaultFloats floats(keep_prob);
  check_backward(keep_prob, y, dy, dx, execution);
  flatten(y, dy, dx);
  if (keep_prob == 0.0) {  // all is dropped, whatever y says
    run_dropout(detail::make_mask_source({.keep_prob = 0.0}), keep_prob, dy, dx, nullptr,
                execution);
    return;
  }
  const auto& table = elementwise<T>();
  const auto scale = detail::dropout_scale<Arithmetic<T>>(keep_prob);
  const bool streaming = execution.streaming(dx);
  over_parts(y.rows, y.cols, execution.threads, streaming,
             [&](std::size_t r, std::size_t c, std::size_t rows, std::size_t cols) {
               table.relu_dropout_backward(scale, Shape2D{rows, cols, y.ld, dx.ld, streaming},
                                           y.row(r) + c, dy.row(r) + c, dy.ld, dx.row(r) + c);
             });
}

}  // namespace

// The functions for elements of one type.
#define SIMDROP_DEFINE_FOR(T)                                                                     \
  void dropout_forward(const Dropout& dropout, MatrixView<const T> x, MatrixView<T> y,            \
                       std::span<std::uint8_t> mask, Threads threads, Stores stores) {            \
    drawn_dropout(dropout, x, "x", y, "y", mask, {threads, stores});                              \
  }                                                                                               \
  void dropout_backward(const Dropout& dropout, MatrixView<const T> dy, MatrixView<T> dx,         \
                        Threads threads, Stores stores) {                                         \
    drawn_dropout(dropout, dy, "dy", dx, "dx", {}, {threads, stores});                            \
  }                                                                                               \
  void dropout_backward(double keep_prob, std::span<const std::uint8_t> mask,                     \
                        MatrixView<const T> dy, MatrixView<T> dx, Threads threads,                \
                        Stores stores) {                                                          \
    given_dropout(keep_prob, mask, dy, dx, {threads, stores});                                    \
  }                                                                                               \
  void residual_dropout_forward(const Dropout& dropout, MatrixView<const T> x,                    \
                                MatrixView<const T> residual, MatrixView<T> y,                    \
                                std::span<std::uint8_t> mask, Threads threads, Stores stores) {   \
    drawn_residual_dropout(dropout, x, residual, y, mask, {threads, stores});                     \
  }                                                                                               \
  void residual_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask,             \
                                MatrixView<const T> x, MatrixView<const T> residual,              \
                                MatrixView<T> y, Threads threads, Stores stores) {                \
    given_residual_dropout(keep_prob, mask, x, residual, y, {threads, stores});                   \
  }                                                                                               \
  void bias_relu_dropout_forward(const Dropout& dropout, MatrixView<const T> x,                   \
                                 std::span<const T> bias, MatrixView<T> y,                        \
                                 std::span<std::uint8_t> mask, Threads threads, Stores stores) {  \
    drawn_bias_relu_dropout(dropout, x, bias, y, mask, {threads, stores});                        \
  }                                                                                               \
  void bias_relu_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask,            \
                                 MatrixView<const T> x, std::span<const T> bias, MatrixView<T> y, \
                                 Threads threads, Stores stores) {                                \
    given_bias_relu_dropout(keep_prob, mask, x, bias, y, {threads, stores});                      \
  }                                                                                               \
  void relu_dropout_backward(double keep_prob, MatrixView<const T> y, MatrixView<const T> dy,     \
                             MatrixView<T> dx, Threads threads, Stores stores) {                  \
    relu_backward(keep_prob, y, dy, dx, {threads, stores});                                       \
  }

SIMDROP_DEFINE_FOR(float)
SIMDROP_DEFINE_FOR(double)
SIMDROP_DEFINE_FOR(bfloat16)
SIMDROP_DEFINE_FOR(float16)

#undef SIMDROP_DEFINE_FOR

}  // namespace simdrop
