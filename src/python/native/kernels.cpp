#include "python/native/kernels.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>

#include "python/native/threads.h"
#include "simdrop/c/dropout.h"

namespace simdrop::torch {
namespace {

struct Type {
  simdrop_dtype dtype;
  const char* name;  // null: a type that simdrop does not take
};

Type type_of(const Tensor& x) {
  const std::int32_t dtype = x.dtype();
  if (dtype == shim.aoti_torch_dtype_float32()) return {SIMDROP_F32, "torch.float32"};
  if (dtype == shim.aoti_torch_dtype_float64()) return {SIMDROP_F64, "torch.float64"};
  if (dtype == shim.aoti_torch_dtype_bfloat16()) return {SIMDROP_BF16, "torch.bfloat16"};
  if (dtype == shim.aoti_torch_dtype_float16()) return {SIMDROP_F16, "torch.float16"};
  return {SIMDROP_U8, nullptr};
}

simdrop_dtype dtype_of(const Tensor& x) {
  const Type type = type_of(x);
  if (type.name == nullptr) {
    throw std::runtime_error(
        "x is of another type; allowed: torch.float32, float64, bfloat16 and float16");
  }
  return type.dtype;
}

std::string description(const char* name, const Tensor& x) {
  const Type type = type_of(x);
  std::string text =
      std::string(name) + " is " + (type.name != nullptr ? type.name : "another type") + " of (";
  for (std::int64_t i = 0; i < x.dim(); ++i) {
    text += (i != 0 ? ", " : "") + std::to_string(x.sizes()[i]);
  }
  return text + ")";
}

void check_fit(bool fits, const char* name, const Tensor& x, const char* other_name,
               const Tensor& other) {
  if (fits && x.dtype() == other.dtype()) return;
  throw std::runtime_error(description(name, x) + ", " + description(other_name, other) +
                           "; allowed: shapes that fit and one type");
}

bool same_shape(const Tensor& x, const Tensor& other) {
  return x.dim() == other.dim() && std::equal(x.sizes(), x.sizes() + x.dim(), other.sizes());
}

// A tensor as rows with a leading dimension; one that cannot be seen so is copied.
struct Rows {
  Tensor tensor;  // keeps alive what lies at `data`
  void* data;
  std::int64_t rows, cols, ld;
};

Rows rows_of(const Tensor& x) {
  if (x.is_contiguous()) return {x.another(), x.data(), 1, x.numel(), x.numel()};
  if (x.dim() == 2 && x.strides()[1] == 1 && x.strides()[0] >= x.sizes()[1]) {
    return {x.another(), x.data(), x.sizes()[0], x.sizes()[1], x.strides()[0]};
  }
  return rows_of(contiguous(x));
}

// x in the rows that another operand has.
Rows matching(const Tensor& x, std::int64_t rows, std::int64_t cols) {
  Rows seen = rows_of(x);
  if (seen.rows == rows) return seen;
  if (seen.rows != 1) seen = rows_of(contiguous(x));
  seen.rows = rows;
  seen.cols = seen.ld = cols;
  return seen;
}

// Two tensors of one shape in the same rows.
struct Pair {
  Pair(const Tensor& x, const Tensor& other) : first(rows_of(x)) {
    second = matching(other, first.rows, first.cols);
    first = matching(x, second.rows, second.cols);
  }
  Rows first, second{};
};

// A new tensor with the strides that PyTorch's elementwise functions give their results.
class Output {
 public:
  explicit Output(const Tensor& like) : result_(empty_like(like)) {
    if (!result_.is_contiguous()) written_ = empty_contiguous(like);
  }
  void* data() const { return written_ ? written_.data() : result_.data(); }
  Tensor finished() {
    if (written_) SIMDROP_TORCH_CALL(aoti_torch_copy_, result_.get(), written_.get(), 0);
    return std::move(result_);
  }

 private:
  Tensor result_, written_;
};

simdrop_dropout described(const Draw& draw, const Tensor& x) {
  simdrop_dropout dropout;
  simdrop_dropout_init(&dropout, sizeof(dropout), nullptr);
  dropout.keep_prob = 1.0 - draw.p;
  dropout.seed = static_cast<std::uint64_t>(draw.seed);
  dropout.stream_id = static_cast<std::uint64_t>(draw.stream);
  if (draw.first_row != 0) {
    const std::int64_t rows = x.dim() > 0 ? x.sizes()[0] : 0;
    const std::int64_t width = rows > 0 ? x.numel() / rows : 1;
    dropout.first = static_cast<std::uint64_t>(draw.first_row) * static_cast<std::uint64_t>(width);
  }
  return dropout;
}

// Calls one of simdrop's functions with what all of them end with.
template <class F>
void call(const Tensor& x, F&& function) {
  simdrop_error error = SIMDROP_ERROR_INIT;
  const Exec exec(x.numel());
  if (function(exec.get(), &error) != SIMDROP_OK) throw std::runtime_error(error.message);
}

}  // namespace

std::int64_t drawn_seed() {
  const std::int64_t one = 1;
  const Tensor seed = empty(1, &one, &one, shim.aoti_torch_dtype_int64());
  StableIValue stack[2] = {std::bit_cast<StableIValue>(seed.another().release())};
  SIMDROP_TORCH_CALL(torch_call_dispatcher, "aten::random_", "", stack,
                     shim.aoti_torch_abi_version());
  const Tensor result(std::bit_cast<Handle>(stack[0]));
  return *static_cast<const std::int64_t*>(seed.data());
}

Tensor dropout(const Tensor& x, const Draw& draw) {
  const simdrop_dropout mask = described(draw, x);
  const Rows source = rows_of(x);
  Output y(x);
  call(x, [&](const simdrop_exec* exec, simdrop_error* error) {
    return simdrop_dropout_forward(&mask, dtype_of(x), source.rows, source.cols, source.data,
                                   source.ld, y.data(), source.cols, nullptr, exec, error);
  });
  return y.finished();
}

Tensor residual_dropout(const Tensor& x, const Tensor& residual, const Draw& draw) {
  check_fit(same_shape(x, residual), "x", x, "residual", residual);
  const simdrop_dropout mask = described(draw, x);
  const Pair pair(x, residual);
  const Rows &source = pair.first, &added = pair.second;
  Output y(x);
  call(x, [&](const simdrop_exec* exec, simdrop_error* error) {
    return simdrop_residual_dropout_forward(&mask, dtype_of(x), source.rows, source.cols,
                                            source.data, source.ld, added.data, added.ld, y.data(),
                                            source.cols, nullptr, exec, error);
  });
  return y.finished();
}

Tensor relu_dropout(const Tensor& x, const Tensor& bias, const Draw& draw, bool in_place) {
  const simdrop_dropout mask = described(draw, x);
  Rows source = rows_of(x);
  Tensor added;
  if (bias) {
    const std::int64_t width = x.dim() > 0 ? x.sizes()[x.dim() - 1] : -1;
    check_fit(bias.dim() == 1 && bias.numel() == width, "x", x, "bias", bias);
    added = contiguous(bias);
    if (source.rows == 1) {
      source.rows = x.numel() / std::max<std::int64_t>(width, 1);
      source.cols = source.ld = width;
    }
  }
  const auto write = [&](void* y, std::int64_t ld) {
    call(x, [&](const simdrop_exec* exec, simdrop_error* error) {
      return simdrop_bias_relu_dropout_forward(
          &mask, dtype_of(x), source.rows, source.cols, source.data, source.ld,
          added ? added.data() : nullptr, y, ld, nullptr, exec, error);
    });
  };
  if (in_place) {
    write(source.data, source.ld);
    return x.another();
  }
  Output y(x);
  write(y.data(), source.cols);
  return y.finished();
}

Tensor relu_dropout_backward(const Tensor& y, const Tensor& dy, double p) {
  check_fit(same_shape(y, dy), "y", y, "dy", dy);
  const Pair pair(y, dy);
  const Rows &stored = pair.first, &gradient = pair.second;
  Output dx(y);
  call(y, [&](const simdrop_exec* exec, simdrop_error* error) {
    return simdrop_relu_dropout_backward(1.0 - p, dtype_of(y), stored.rows, stored.cols,
                                         stored.data, stored.ld, gradient.data, gradient.ld,
                                         dx.data(), stored.cols, exec, error);
  });
  return dx.finished();
}

}  // namespace simdrop::torch
