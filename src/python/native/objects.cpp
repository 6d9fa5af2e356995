// The kernels for ctypes.PyDLL: tensors are Python's, and the GIL is held. A function that fails
// sets a ValueError and returns NULL.
#include <exception>

#include "python/native/kernels.h"
#include "python/native/shim.h"

namespace simdrop::torch {
namespace {

constexpr std::int64_t long_call = 1 << 15;  // elements

void* (*save_thread)() = nullptr;
void (*restore_thread)(void*) = nullptr;
void (*set_error)(void* type, const char* text) = nullptr;
void* value_error = nullptr;  // of Python, as None
void* none = nullptr;

// Lets other threads of Python run during a long call.
class WithoutGil {
 public:
  explicit WithoutGil(const Tensor& x) : state_(x.numel() > long_call ? save_thread() : nullptr) {}
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;
  ~WithoutGil() {
    if (state_ != nullptr) restore_thread(state_);
  }

 private:
  void* state_;
};

Tensor tensor(void* object) {
  Handle handle = nullptr;
  SIMDROP_TORCH_CALL(torch_tensor_from_pyobject, object, &handle);
  return Tensor(handle);
}

template <class F>
void* object(F&& function) try {
  const Tensor result = function();
  void* made = nullptr;
  SIMDROP_TORCH_CALL(torch_tensor_to_pyobject, result.get(), nullptr, &made);
  return made;
} catch (const std::exception& error) {
  set_error(value_error, error.what());
  return nullptr;
} catch (...) {
  set_error(value_error, "an exception of another kind");
  return nullptr;
}

void complete(Draw& draw) {
  if (draw.is_drawn == 0) draw.seed = drawn_seed();
  draw.is_drawn = 1;
}

}  // namespace

extern "C" {

// PyEval_SaveThread, PyEval_RestoreThread, PyErr_SetString, ValueError and None.
SIMDROP_TORCH_EXPORT void simdrop_torch_bind_python(void* (*save)(), void (*restore)(void*),
                                                    void (*set)(void*, const char*), void* error,
                                                    void* no_object) {
  save_thread = save;
  restore_thread = restore;
  set_error = set;
  value_error = error;
  none = no_object;
}

SIMDROP_TORCH_EXPORT void* simdrop_torch_dropout(void* x_object, Draw* draw) {
  return object([&] {
    const Tensor x = tensor(x_object);
    const WithoutGil without_gil(x);
    complete(*draw);
    return dropout(x, *draw);
  });
}

// bias_object: a tensor or None.
SIMDROP_TORCH_EXPORT void* simdrop_torch_relu_dropout(void* x_object, void* bias_object, Draw* draw,
                                                      int in_place) {
  return object([&] {
    const Tensor x = tensor(x_object);
    const Tensor bias = bias_object != none ? tensor(bias_object) : Tensor();
    const WithoutGil without_gil(x);
    complete(*draw);
    return relu_dropout(x, bias, *draw, in_place != 0);
  });
}

SIMDROP_TORCH_EXPORT void* simdrop_torch_relu_dropout_backward(void* y_object, void* dy_object,
                                                               double p) {
  return object([&] {
    const Tensor y = tensor(y_object), dy = tensor(dy_object);
    const WithoutGil without_gil(y);
    return relu_dropout_backward(y, dy, p);
  });
}

}  // extern "C"

}  // namespace simdrop::torch
