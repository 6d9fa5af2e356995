// The cases of `limits`: loops that measure this machine, and simdrop's
// kernels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "limits/limits_isa.h"
#include "limits/limits_model.h"
#include "limits/limits_runner.h"

namespace simdrop::bench {

// Floats of an array in L1 (16 KiB), L2, L3 and memory (256 MiB).
constexpr std::array<std::size_t, 4> array_sizes{4096, 65536, 1048576, 67108864};

// Three arrays of floats and one of bits, which all cases share. They start at
// odd multiples of a cache line from a page, each at another one: at equal page
// offsets stores would alias the loads of the next line.
class Arrays {
 public:
  explicit Arrays(std::size_t floats);
  [[nodiscard]] float* x() const { return data(0); }
  [[nodiscard]] float* y() const { return data(1); }
  [[nodiscard]] float* z() const { return data(2); }
  [[nodiscard]] std::uint8_t* bits() const { return reinterpret_cast<std::uint8_t*>(data(3)); }

 private:
  struct Delete {
    void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{4096}); }
  };
  [[nodiscard]] float* data(std::size_t array) const {
    return reinterpret_cast<float*>(memory_.at(array).get() + 64 * (6 * array + 1));
  }
  std::array<std::unique_ptr<std::byte[], Delete>, 4> memory_;
};

struct KernelCase {
  std::string kernel;
  const IsaLimits* limits;
  std::size_t elements;
  std::string keep_prob;  // "-" if the kernel has none
  Work work;
  Case timed;
};

// Limits of each instruction set that is compiled and that this CPU has.
std::vector<const IsaLimits*> isa_limits();

// "<what>/<isa>", or "<what>/<isa>/<floats>".
std::string case_name(const std::string& what, const char* isa);
std::string case_name(const std::string& what, const char* isa, std::size_t floats);

// "clock": additions of which each needs the one before. Then
// "<operation>/<isa>", units as in limits_isa.h; "<loop>/<isa>/<floats>" and
// "<loop>x2/..." on two threads, in bytes read and written; the same of
// "memcpy/libc". Sizes up to max_floats.
std::vector<Case> limit_cases(const Arrays& arrays, std::size_t max_floats);

// dropout_forward of the public API on two threads and the array in memory, in bytes read and
// written; on the instruction set that dispatch picks. threaded_name() is that of the case.
constexpr std::array<double, 5> threaded_keep_probs{.9, .8, .7, .5, .1};
std::string threaded_name(double keep_prob);
std::vector<Case> threaded_cases(const Arrays& arrays, std::size_t max_floats);

// Each kernel on each instruction set whose name
// ("kernel/isa/elements[/keep_prob]") contains `filter`.
std::vector<KernelCase> kernel_cases(const Arrays& arrays, std::size_t max_floats,
                                     const std::string& filter);

}  // namespace simdrop::bench
