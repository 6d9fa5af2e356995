// PyTorch's stable C interface (torch/csrc/stable/c/shim.h,
// torch/csrc/inductor/aoti_torch/c/shim.h), found at run time in the PyTorch that is loaded, so
// that nothing is built against one.
#pragma once

#include <cstdint>
#include <utility>

#define SIMDROP_TORCH_EXPORT __attribute__((visibility("default")))

namespace simdrop::torch {

using Handle = struct AtenTensorOpaque*;
using LibraryHandle = struct TorchLibraryOpaque*;
// An argument or a result of an operator in 64 bits; it owns what it refers to.
using StableIValue = std::uint64_t;
using Kernel = void (*)(StableIValue* stack, std::uint64_t arguments, std::uint64_t results);
using Range = void (*)(std::int64_t begin, std::int64_t end, void* context);

// X(name, result, parameters): since PyTorch 2.10. Functions that return int32_t and are no
// constants return 0 if all went well.
#define SIMDROP_TORCH_FUNCTIONS(X)                                                                 \
  X(aoti_torch_dtype_float32, std::int32_t, ())                                                    \
  X(aoti_torch_dtype_float64, std::int32_t, ())                                                    \
  X(aoti_torch_dtype_bfloat16, std::int32_t, ())                                                   \
  X(aoti_torch_dtype_float16, std::int32_t, ())                                                    \
  X(aoti_torch_dtype_int64, std::int32_t, ())                                                      \
  X(aoti_torch_device_type_cpu, std::int32_t, ())                                                  \
  X(aoti_torch_get_data_ptr, std::int32_t, (Handle, void**))                                       \
  X(aoti_torch_get_dim, std::int32_t, (Handle, std::int64_t*))                                     \
  X(aoti_torch_get_numel, std::int32_t, (Handle, std::int64_t*))                                   \
  X(aoti_torch_get_sizes, std::int32_t, (Handle, std::int64_t**))                                  \
  X(aoti_torch_get_strides, std::int32_t, (Handle, std::int64_t**))                                \
  X(aoti_torch_get_dtype, std::int32_t, (Handle, std::int32_t*))                                   \
  X(aoti_torch_is_contiguous, std::int32_t, (Handle, bool*))                                       \
  X(aoti_torch_empty_strided, std::int32_t,                                                        \
    (std::int64_t, const std::int64_t*, const std::int64_t*, std::int32_t, std::int32_t,           \
     std::int32_t, Handle*))                                                                       \
  X(aoti_torch_copy_, std::int32_t, (Handle, Handle, std::int32_t))                                \
  X(aoti_torch_new_tensor_handle, std::int32_t, (Handle, Handle*))                                 \
  X(aoti_torch_delete_tensor_object, std::int32_t, (Handle))                                       \
  X(aoti_torch_library_init_impl, std::int32_t,                                                    \
    (const char*, const char*, const char*, std::uint32_t, LibraryHandle*))                        \
  X(aoti_torch_abi_version, std::uint64_t, ())                                                     \
  X(torch_library_impl, std::int32_t, (LibraryHandle, const char*, Kernel, std::uint64_t))         \
  X(torch_call_dispatcher, std::int32_t, (const char*, const char*, StableIValue*, std::uint64_t)) \
  X(torch_parallel_for, std::int32_t, (std::int64_t, std::int64_t, std::int64_t, Range, void*))    \
  X(torch_get_num_threads, std::int32_t, (std::uint32_t*))

// Since 2.13: what a function that failed has to say.
#define SIMDROP_TORCH_ERROR_FUNCTIONS(X) \
  X(torch_exception_get_what_without_backtrace, const char*, ())

// Since 2.14, with the GIL held.
#define SIMDROP_TORCH_OBJECT_FUNCTIONS(X)                       \
  X(torch_tensor_from_pyobject, std::int32_t, (void*, Handle*)) \
  X(torch_tensor_to_pyobject, std::int32_t, (Handle, void*, void**))

// The functions by their names; null before bind().
struct Shim {
// NOLINTNEXTLINE(bugprone-macro-parentheses): these are types
#define SIMDROP_TORCH_FUNCTION(name, result, parameters) result(*name) parameters;
  SIMDROP_TORCH_FUNCTIONS(SIMDROP_TORCH_FUNCTION)
  SIMDROP_TORCH_ERROR_FUNCTIONS(SIMDROP_TORCH_FUNCTION)
  SIMDROP_TORCH_OBJECT_FUNCTIONS(SIMDROP_TORCH_FUNCTION)
#undef SIMDROP_TORCH_FUNCTION
};

extern Shim shim;

// Throws std::runtime_error if a function of PyTorch's did not return 0.
void check(std::int32_t code, const char* function);

#define SIMDROP_TORCH_CALL(name, ...) \
  ::simdrop::torch::check(::simdrop::torch::shim.name(__VA_ARGS__), #name)

// A reference to a tensor.
class Tensor {
 public:
  Tensor() = default;
  // Takes over the reference.
  explicit Tensor(Handle handle) : handle_(handle) {}
  Tensor(Tensor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Tensor& operator=(Tensor&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Tensor() {
    if (handle_ != nullptr) shim.aoti_torch_delete_tensor_object(handle_);
  }

  explicit operator bool() const { return handle_ != nullptr; }
  Handle get() const { return handle_; }
  // Gives the reference away.
  Handle release() { return std::exchange(handle_, nullptr); }
  Tensor another() const;

  void* data() const;
  std::int64_t dim() const;
  std::int64_t numel() const;
  const std::int64_t* sizes() const;
  const std::int64_t* strides() const;
  std::int32_t dtype() const;
  bool is_contiguous() const;

 private:
  Handle handle_ = nullptr;
};

// On the CPU.
Tensor empty(std::int64_t dim, const std::int64_t* sizes, const std::int64_t* strides,
             std::int32_t dtype);
// With the strides that PyTorch's elementwise functions give their results.
Tensor empty_like(const Tensor& x);
// In rows, whatever the strides of x.
Tensor empty_contiguous(const Tensor& x);
Tensor contiguous(const Tensor& x);

}  // namespace simdrop::torch
