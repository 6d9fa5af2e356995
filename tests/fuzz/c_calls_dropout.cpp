#include "fuzz/c_objects.h"
#include "fuzz/c_structs.h"

namespace fuzz {
namespace {

// A matrix and its leading dimension, and what all functions of the header have.
struct Operand {
  void* data;
  std::int64_t ld;
};
struct Common {
  explicit Common(Call& call)
      : rows(call.bytes.size()),
        cols(call.bytes.size()),
        dtype(any_dtype(call)),
        keep_prob(call.bytes.keep_prob()) {}

  [[nodiscard]] Operand matrix(Call& call) const {
    const std::int64_t ld = call.ld(cols);
    return {call.matrix(rows, cols, ld, element_size(dtype)), ld};
  }

  std::int64_t rows, cols;
  simdrop_dtype dtype;
  double keep_prob;
};

void forward(Objects& /*objects*/, Call& call) {
  const Common c(call);
  const Operand x = c.matrix(call), y = call.bytes.one_in(4) ? x : c.matrix(call);
  auto* const mask = call.mask(c.rows, c.cols);
  const auto* const dropout = any_dropout(call);
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_dropout_forward(dropout, c.dtype, c.rows, c.cols, x.data, x.ld, y.data, y.ld,
                                   mask, exec, error);
  });
}

void backward(Objects& /*objects*/, Call& call) {
  const Common c(call);
  const Operand dy = c.matrix(call), dx = call.bytes.one_in(4) ? dy : c.matrix(call);
  const auto* const dropout = any_dropout(call);
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_dropout_backward(dropout, c.dtype, c.rows, c.cols, dy.data, dy.ld, dx.data,
                                    dx.ld, exec, error);
  });
}

void backward_from_mask(Objects& /*objects*/, Call& call) {
  const Common c(call);
  const Operand dy = c.matrix(call), dx = call.bytes.one_in(4) ? dy : c.matrix(call);
  const auto* const mask = call.mask(c.rows, c.cols);
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_dropout_backward_from_mask(c.keep_prob, mask, c.dtype, c.rows, c.cols, dy.data,
                                              dy.ld, dx.data, dx.ld, exec, error);
  });
}

void residual(Objects& /*objects*/, Call& call) {
  const Common c(call);
  const Operand x = c.matrix(call), r = c.matrix(call);
  const Operand y = call.bytes.one_in(4) ? x : call.bytes.one_in(4) ? r : c.matrix(call);
  auto* const mask = call.mask(c.rows, c.cols);
  const auto* const dropout = any_dropout(call);
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_residual_dropout_forward(dropout, c.dtype, c.rows, c.cols, x.data, x.ld, r.data,
                                            r.ld, y.data, y.ld, mask, exec, error);
  });
}

void residual_from_mask(Objects& /*objects*/, Call& call) {
  const Common c(call);
  const Operand x = c.matrix(call), r = c.matrix(call);
  const Operand y = call.bytes.one_in(4) ? x : call.bytes.one_in(4) ? r : c.matrix(call);
  const auto* const mask = call.mask(c.rows, c.cols);
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_residual_dropout_forward_from_mask(c.keep_prob, mask, c.dtype, c.rows, c.cols,
                                                      x.data, x.ld, r.data, r.ld, y.data, y.ld,
                                                      exec, error);
  });
}

void bias_relu(Objects& /*objects*/, Call& call) {
  const Common c(call);
  const Operand x = c.matrix(call), y = call.bytes.one_in(4) ? x : c.matrix(call);
  const auto* const bias = call.array(c.cols, element_size(c.dtype));
  auto* const mask = call.mask(c.rows, c.cols);
  const auto* const dropout = any_dropout(call);
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_bias_relu_dropout_forward(dropout, c.dtype, c.rows, c.cols, x.data, x.ld, bias,
                                             y.data, y.ld, mask, exec, error);
  });
}

void bias_relu_from_mask(Objects& /*objects*/, Call& call) {
  const Common c(call);
  const Operand x = c.matrix(call), y = call.bytes.one_in(4) ? x : c.matrix(call);
  const auto* const bias = call.array(c.cols, element_size(c.dtype));
  const auto* const mask = call.mask(c.rows, c.cols);
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_bias_relu_dropout_forward_from_mask(
        c.keep_prob, mask, c.dtype, c.rows, c.cols, x.data, x.ld, bias, y.data, y.ld, exec, error);
  });
}

void relu_backward(Objects& /*objects*/, Call& call) {
  const Common c(call);
  const Operand y = c.matrix(call), dy = c.matrix(call);
  const Operand dx = call.bytes.one_in(4) ? y : call.bytes.one_in(4) ? dy : c.matrix(call);
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_relu_dropout_backward(c.keep_prob, c.dtype, c.rows, c.cols, y.data, y.ld,
                                         dy.data, dy.ld, dx.data, dx.ld, exec, error);
  });
}

}  // namespace

std::vector<Function> dropout_calls() {
  return {forward,
          backward,
          backward_from_mask,
          residual,
          residual_from_mask,
          bias_relu,
          bias_relu_from_mask,
          relu_backward};
}

}  // namespace fuzz
