// The cases of `limits`: loops that measure this machine, and simdrop's kernels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/buffer.h"
#include "harness/timing.h"
#include "limits/limits_model.h"
#include "probes/vector_limits.h"

namespace simdrop::bench {

// Floats of an array in L1 (16 KiB), L2, L3 and memory (256 MiB).
constexpr std::array<std::size_t, 4> array_sizes{4096, 65536, 1048576, 67108864};

// Three arrays of floats and one of bits, which all cases share.
class Arrays {
 public:
  explicit Arrays(std::size_t floats);
  [[nodiscard]] float* x() const { return x_.data(); }
  [[nodiscard]] float* y() const { return y_.data(); }
  [[nodiscard]] float* z() const { return z_.data(); }
  [[nodiscard]] std::uint8_t* bits() const { return reinterpret_cast<std::uint8_t*>(bits_.data()); }

 private:
  Buffer<float> x_, y_, z_, bits_;
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
std::vector<const IsaLimits*> supported_limits();

// "<what>/<isa>", or "<what>/<isa>/<floats>".
std::string case_name(const std::string& what, const char* isa);
std::string case_name(const std::string& what, const char* isa, std::size_t floats);

// "clock": additions of which each needs the one before. Then
// "<operation>/<isa>", units as in vector_limits.h; "<loop>/<isa>/<floats>" and
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
