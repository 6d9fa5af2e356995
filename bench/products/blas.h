// Other libraries' matrix product, loaded at run time: nothing here links to them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "products/products.h"

namespace simdrop::bench {

// One factor as the CBLAS sees it.
template <class T>
struct BlasOperand {
  const T* data;
  bool transposed;
  std::size_t ld;
};

template <class T>
using BlasGemm =
    std::function<void(std::size_t m, std::size_t n, std::size_t k, const BlasOperand<T>& a,
                       const BlasOperand<T>& b, T* c, std::size_t ldc)>;

struct Blas {
  std::string version;  // as the library tells it
  std::string code;     // which of its kernels it runs
  BlasGemm<float> f32;
  BlasGemm<double> f64;
  std::function<void(int)> set_threads;

  template <class T>
  [[nodiscard]] const BlasGemm<T>& gemm() const;
};

// An environment variable, to be set before a library is loaded, or unset if the value is empty.
struct Setting {
  std::string variable, value;
};

// A library in one of the ways to run it.
struct BlasChoice {
  enum class Kind { openblas, mkl, aocl };
  Kind kind;
  std::string path;
  std::vector<Setting> settings{};

  [[nodiscard]] std::string who() const;
  [[nodiscard]] std::string describe() const;
};

// Loads it into this process; throws std::runtime_error. It stays loaded.
[[nodiscard]] Blas load(const BlasChoice& choice);

template <class T>
void multiply(const Blas& blas, Product product, const Operands<T>& operands);

// The ways to run the libraries of a kind among `paths` (files, folders to search, or names that
// the dynamic linker knows).
[[nodiscard]] std::vector<BlasChoice> choices(BlasChoice::Kind kind,
                                              const std::vector<std::string>& paths);

}  // namespace simdrop::bench
