#include "simdrop/dropout.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "check.h"
#include "dispatch.h"
#include "mask_source.h"
#include "parallel.h"

namespace simdrop {
namespace {

using detail::MaskSource;
using detail::Shape2D;
using detail::throw_invalid;

std::string shape_text(ConstMatrix m) {
  return std::to_string(m.rows) + " x " + std::to_string(m.cols);
}

// Messages are built only when something is wrong: a call on a small array is short.
void check_matrix(ConstMatrix m, const char* name, ConstMatrix like, const char* like_name) {
  if (m.rows != like.rows || m.cols != like.cols) {
    throw_invalid(std::string(name) + " shape", shape_text(m),
                  shape_text(like) + ", as " + like_name);
  }
  constexpr std::size_t max_elements = std::numeric_limits<std::size_t>::max() / sizeof(float);
  const std::size_t widest = std::max(m.cols, m.ld);
  if (widest != 0 && m.rows > max_elements / widest) {
    throw_invalid(std::string(name) + ".rows", m.rows, "a matrix that fits in memory");
  }
  if (m.size() == 0) return;
  if (m.rows > 1 && m.ld < m.cols) {
    throw_invalid(std::string(name) + ".ld", m.ld, ">= cols = " + std::to_string(m.cols));
  }
  if (m.data == nullptr) throw_invalid(std::string(name) + ".data", "null", "a valid pointer");
}

void check_in_out(ConstMatrix in, const char* in_name, ConstMatrix out, const char* out_name,
                  int num_threads) {
  check_matrix(in, in_name, in, in_name);
  check_matrix(out, out_name, in, in_name);
  detail::check_num_threads(num_threads);
}

void check_mask(std::span<const std::uint8_t> mask, std::size_t elements) {
  if (mask.size() != mask_bytes(elements)) {
    throw_invalid("mask.size()", mask.size(),
                  "mask_bytes(rows * cols) = " + std::to_string(mask_bytes(elements)));
  }
}

void check_bias(std::span<const float> bias, ConstMatrix x) {
  if (!bias.empty() && bias.size() != x.cols) {
    throw_invalid("bias.size()", bias.size(), "0 or x.cols = " + std::to_string(x.cols));
  }
}

bool contiguous(ConstMatrix m) {
  return m.rows <= 1 || m.ld == m.cols;
}

// Runs fn(row, col, rows, cols) over the team: blocks of whole rows, or of columns where there is
// one row. Blocks start at multiples of 8 elements, so that no two share a byte of a mask.
template <class Fn>
void over_blocks(std::size_t rows, std::size_t cols, int num_threads, Fn&& fn) {
  constexpr std::size_t grain = std::size_t{1} << 15;
  if (rows == 1) {
    detail::parallel_for(cols, grain, num_threads,
                         [&](std::size_t begin, std::size_t end) { fn(0, begin, 1, end - begin); });
  } else if (cols > 0) {
    const std::size_t row_grain = std::max<std::size_t>(1, grain / 8 / cols) * 8;
    detail::parallel_for(rows, row_grain, num_threads, [&](std::size_t begin, std::size_t end) {
      fn(begin, 0, end - begin, cols);
    });
  }
}

void run_dropout(const MaskSource& source, float scale, ConstMatrix x, Matrix y, std::uint8_t* mask,
                 int num_threads) {
  if (contiguous(x) && contiguous(y)) {
    x = {x.data, 1, x.size()};
    y = {y.data, 1, y.size()};
  }
  const detail::KernelTable& table = detail::kernels();
  over_blocks(x.rows, x.cols, num_threads,
              [&](std::size_t r, std::size_t c, std::size_t rows, std::size_t cols) {
                const std::size_t offset = r * x.cols + c;
                table.f32.dropout(detail::advance(source, offset), scale,
                                  Shape2D{rows, cols, x.ld, y.ld}, x.row(r) + c, y.row(r) + c,
                                  mask == nullptr ? nullptr : mask + offset / 8);
              });
}

void run_bias_relu_dropout(const MaskSource& source, float scale, ConstMatrix x, const float* bias,
                           Matrix y, std::uint8_t* mask, int num_threads) {
  const detail::KernelTable& table = detail::kernels();
  over_blocks(x.rows, x.cols, num_threads,
              [&](std::size_t r, std::size_t c, std::size_t rows, std::size_t cols) {
                const std::size_t offset = r * x.cols + c;
                table.f32.bias_relu_dropout(detail::advance(source, offset), scale,
                                            Shape2D{rows, cols, x.ld, y.ld}, x.row(r) + c,
                                            bias == nullptr ? nullptr : bias + c, y.row(r) + c,
                                            mask == nullptr ? nullptr : mask + offset / 8);
              });
}

}  // namespace

void dropout_forward(const Dropout& dropout, ConstMatrix x, Matrix y, std::span<std::uint8_t> mask,
                     int num_threads) {
  detail::check_dropout(dropout);
  check_in_out(x, "x", y, "y", num_threads);
  if (!mask.empty()) check_mask(mask, x.size());
  run_dropout(detail::make_mask_source(dropout), detail::dropout_scale(dropout.keep_prob), x, y,
              mask.empty() ? nullptr : mask.data(), num_threads);
}

void dropout_backward(const Dropout& dropout, ConstMatrix dy, Matrix dx, int num_threads) {
  detail::check_dropout(dropout);
  check_in_out(dy, "dy", dx, "dx", num_threads);
  run_dropout(detail::make_mask_source(dropout), detail::dropout_scale(dropout.keep_prob), dy, dx,
              nullptr, num_threads);
}

void dropout_backward(double keep_prob, std::span<const std::uint8_t> mask, ConstMatrix dy,
                      Matrix dx, int num_threads) {
  detail::check_keep_prob(keep_prob);
  check_in_out(dy, "dy", dx, "dx", num_threads);
  check_mask(mask, dy.size());
  run_dropout(detail::make_mask_source({.keep_prob = keep_prob}, mask.data()),
              detail::dropout_scale(keep_prob), dy, dx, nullptr, num_threads);
}

void bias_relu_dropout_forward(const Dropout& dropout, ConstMatrix x, std::span<const float> bias,
                               Matrix y, std::span<std::uint8_t> mask, int num_threads) {
  detail::check_dropout(dropout);
  check_in_out(x, "x", y, "y", num_threads);
  check_bias(bias, x);
  if (!mask.empty()) check_mask(mask, x.size());
  run_bias_relu_dropout(detail::make_mask_source(dropout), detail::dropout_scale(dropout.keep_prob),
                        x, bias.empty() ? nullptr : bias.data(), y,
                        mask.empty() ? nullptr : mask.data(), num_threads);
}

void bias_relu_dropout_forward(double keep_prob, std::span<const std::uint8_t> mask, ConstMatrix x,
                               std::span<const float> bias, Matrix y, int num_threads) {
  detail::check_keep_prob(keep_prob);
  check_in_out(x, "x", y, "y", num_threads);
  check_bias(bias, x);
  check_mask(mask, x.size());
  run_bias_relu_dropout(detail::make_mask_source({.keep_prob = keep_prob}, mask.data()),
                        detail::dropout_scale(keep_prob), x, bias.empty() ? nullptr : bias.data(),
                        y, nullptr, num_threads);
}

void relu_dropout_backward(double keep_prob, ConstMatrix y, ConstMatrix dy, Matrix dx,
                           int num_threads) {
  detail::check_keep_prob(keep_prob);
  check_in_out(y, "y", dx, "dx", num_threads);
  check_matrix(dy, "dy", y, "y");
  const float scale = detail::dropout_scale(keep_prob);
  const detail::KernelTable& table = detail::kernels();
  over_blocks(y.rows, y.cols, num_threads,
              [&](std::size_t r, std::size_t c, std::size_t rows, std::size_t cols) {
                table.f32.relu_dropout_backward(scale, Shape2D{rows, cols, y.ld, dx.ld},
                                                y.row(r) + c, dy.row(r) + c, dy.ld, dx.row(r) + c);
              });
}

}  // namespace simdrop
