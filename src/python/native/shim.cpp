#include "python/native/shim.h"

#include <dlfcn.h>

#include <bit>
#include <stdexcept>
#include <string>
#include <vector>

namespace simdrop::torch {

Shim shim{};

void check(std::int32_t code, const char* function) {
  if (code == 0) return;
  const auto what = shim.torch_exception_get_what_without_backtrace;
  throw std::runtime_error(what != nullptr ? what() : std::string(function) + " failed");
}

Tensor Tensor::another() const {
  Handle copy = nullptr;
  SIMDROP_TORCH_CALL(aoti_torch_new_tensor_handle, handle_, &copy);
  return Tensor(copy);
}

void* Tensor::data() const {
  void* data = nullptr;
  SIMDROP_TORCH_CALL(aoti_torch_get_data_ptr, handle_, &data);
  return data;
}

std::int64_t Tensor::dim() const {
  std::int64_t dim = 0;
  SIMDROP_TORCH_CALL(aoti_torch_get_dim, handle_, &dim);
  return dim;
}

std::int64_t Tensor::numel() const {
  std::int64_t numel = 0;
  SIMDROP_TORCH_CALL(aoti_torch_get_numel, handle_, &numel);
  return numel;
}

const std::int64_t* Tensor::sizes() const {
  std::int64_t* sizes = nullptr;
  SIMDROP_TORCH_CALL(aoti_torch_get_sizes, handle_, &sizes);
  return sizes;
}

const std::int64_t* Tensor::strides() const {
  std::int64_t* strides = nullptr;
  SIMDROP_TORCH_CALL(aoti_torch_get_strides, handle_, &strides);
  return strides;
}

std::int32_t Tensor::dtype() const {
  std::int32_t dtype = 0;
  SIMDROP_TORCH_CALL(aoti_torch_get_dtype, handle_, &dtype);
  return dtype;
}

bool Tensor::is_contiguous() const {
  bool is_contiguous = false;
  SIMDROP_TORCH_CALL(aoti_torch_is_contiguous, handle_, &is_contiguous);
  return is_contiguous;
}

Tensor empty(std::int64_t dim, const std::int64_t* sizes, const std::int64_t* strides,
             std::int32_t dtype) {
  Handle created = nullptr;
  const std::int32_t code = shim.aoti_torch_empty_strided(
      dim, sizes, strides, dtype, shim.aoti_torch_device_type_cpu(), 0, &created);
  check(code, "can't allocate memory: aoti_torch_empty_strided");
  return Tensor(created);
}

Tensor empty_like(const Tensor& x) {
  if (x.is_contiguous()) return empty(x.dim(), x.sizes(), x.strides(), x.dtype());
  StableIValue stack[6] = {std::bit_cast<StableIValue>(x.another().release())};
  SIMDROP_TORCH_CALL(torch_call_dispatcher, "aten::empty_like", "", stack,
                     shim.aoti_torch_abi_version());
  return Tensor(std::bit_cast<Handle>(stack[0]));
}

Tensor empty_contiguous(const Tensor& x) {
  const std::int64_t dim = x.dim();
  std::vector<std::int64_t> strides(static_cast<std::size_t>(dim));
  std::int64_t stride = 1;
  for (std::int64_t i = dim; i-- > 0;) {
    strides[static_cast<std::size_t>(i)] = stride;
    stride *= x.sizes()[i] > 0 ? x.sizes()[i] : 1;
  }
  return empty(dim, x.sizes(), strides.data(), x.dtype());
}

Tensor contiguous(const Tensor& x) {
  if (x.is_contiguous()) return x.another();
  Tensor copy = empty_contiguous(x);
  SIMDROP_TORCH_CALL(aoti_torch_copy_, copy.get(), x.get(), 0);
  return copy;
}

namespace {

template <class F>
bool find(void* library, const char* name, F*& function) {
  *reinterpret_cast<void**>(&function) = dlsym(library, name);
  return function != nullptr;
}

}  // namespace

// Finds PyTorch's functions in libtorch_cpu, a handle of dlopen(). 0: too old; 1: operators and
// threads; 2: tensors of Python, too.
extern "C" SIMDROP_TORCH_EXPORT int simdrop_torch_bind(void* libtorch_cpu) {
  Shim found{};
  bool all = true;
#define SIMDROP_TORCH_FIND(name, result, parameters) all &= find(libtorch_cpu, #name, found.name);
  SIMDROP_TORCH_FUNCTIONS(SIMDROP_TORCH_FIND)
  if (!all) return 0;
  SIMDROP_TORCH_ERROR_FUNCTIONS(SIMDROP_TORCH_FIND)
  SIMDROP_TORCH_OBJECT_FUNCTIONS(SIMDROP_TORCH_FIND)
#undef SIMDROP_TORCH_FIND
  shim = found;
  return all ? 2 : 1;
}

}  // namespace simdrop::torch
