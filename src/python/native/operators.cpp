// The operators below autograd, which compiled graphs call: simdrop::_dropout and so on.
#include <bit>
#include <stdexcept>

#include "python/native/kernels.h"
#include "python/native/shim.h"

namespace simdrop::torch {
namespace {

Tensor tensor(StableIValue value) {
  return Tensor(std::bit_cast<Handle>(value));
}

// An optional value is 0, or where the value lies, which then is ours to delete.
StableIValue taken(StableIValue optional) {
  const auto* held = std::bit_cast<const StableIValue*>(optional);
  if (held == nullptr) return 0;
  const StableIValue value = *held;
  delete held;
  return value;
}

// The key, p and stream that end the arguments of an operator which draws a mask.
Draw draw_of(const StableIValue* values) {
  const Tensor key = tensor(values[0]);
  if (key.dtype() != shim.aoti_torch_dtype_int64() || key.dim() != 1 || key.numel() != 2) {
    throw std::runtime_error("key is another tensor; allowed: int64 of (2,)");
  }
  const auto* parts = static_cast<const std::int64_t*>(key.data());
  return {std::bit_cast<double>(values[1]), parts[0], parts[key.strides()[0]],
          static_cast<std::int64_t>(values[2]), 1};
}

void give(StableIValue* stack, Tensor result) {
  stack[0] = std::bit_cast<StableIValue>(result.release());
}

// (Tensor x, Tensor key, float p, int stream) -> Tensor
void run_dropout(StableIValue* stack, std::uint64_t, std::uint64_t) {
  const Tensor x = tensor(stack[0]);
  give(stack, dropout(x, draw_of(stack + 1)));
}

// (Tensor x, Tensor residual, Tensor key, float p, int stream) -> Tensor
void run_residual_dropout(StableIValue* stack, std::uint64_t, std::uint64_t) {
  const Tensor x = tensor(stack[0]), residual = tensor(stack[1]);
  give(stack, residual_dropout(x, residual, draw_of(stack + 2)));
}

// (Tensor x, Tensor? bias, Tensor key, float p, int stream) -> Tensor
void run_relu_dropout(StableIValue* stack, std::uint64_t, std::uint64_t) {
  const Tensor x = tensor(stack[0]), bias = tensor(taken(stack[1]));
  give(stack, relu_dropout(x, bias, draw_of(stack + 2), false));
}

// (Tensor y, Tensor dy, float p) -> Tensor
void run_relu_dropout_backward(StableIValue* stack, std::uint64_t, std::uint64_t) {
  const Tensor y = tensor(stack[0]), dy = tensor(stack[1]);
  give(stack, relu_dropout_backward(y, dy, std::bit_cast<double>(stack[2])));
}

// (int site, *, Device? device) -> Tensor
void run_draw_key(StableIValue* stack, std::uint64_t, std::uint64_t) {
  taken(stack[1]);
  const std::int64_t two = 2, one = 1;
  Tensor key = empty(1, &two, &one, shim.aoti_torch_dtype_int64());
  auto* parts = static_cast<std::int64_t*>(key.data());
  parts[0] = drawn_seed();
  parts[1] = 0;
  give(stack, std::move(key));
}

}  // namespace

// Registers them with PyTorch, which is told their schemas before. 0: done.
extern "C" SIMDROP_TORCH_EXPORT int simdrop_torch_register() {
  LibraryHandle cpu = nullptr, any = nullptr;  // for the life of the process
  const std::uint64_t version = shim.aoti_torch_abi_version();
  const auto add = [&](LibraryHandle library, const char* name, Kernel kernel) {
    return shim.torch_library_impl(library, name, kernel, version) == 0;
  };
  const bool done =
      shim.aoti_torch_library_init_impl("simdrop", "CPU", __FILE__, __LINE__, &cpu) == 0 &&
      shim.aoti_torch_library_init_impl("simdrop", "CompositeExplicitAutograd", __FILE__, __LINE__,
                                        &any) == 0 &&
      add(cpu, "_dropout", run_dropout) && add(cpu, "_residual_dropout", run_residual_dropout) &&
      add(cpu, "_relu_dropout", run_relu_dropout) &&
      add(cpu, "_relu_dropout_backward", run_relu_dropout_backward) &&
      add(any, "draw_key", run_draw_key);
  return done ? 0 : 1;
}

}  // namespace simdrop::torch
