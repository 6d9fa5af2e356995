// Floating-point environments that a host program may have set, of the calling thread.
#pragma once

#include <cfenv>
#include <cstdint>
#include <string>
#include <vector>

namespace test {

struct FloatMode {
  std::string name;
  int rounding = FE_TONEAREST;
  bool flush_results = false, flush_operands = false, traps = false;
};

// On a CPU that has less, some are the same.
inline const std::vector<FloatMode>& hostile_modes() {
  static const std::vector<FloatMode> modes{
      {.name = "flush results", .flush_results = true},
      {.name = "flush operands", .flush_operands = true},
      {.name = "flush both", .flush_results = true, .flush_operands = true},
      {.name = "down", .rounding = FE_DOWNWARD},
      {.name = "up", .rounding = FE_UPWARD},
      {.name = "to zero", .rounding = FE_TOWARDZERO},
      {.name = "traps", .traps = true},
      {.name = "all of it",
       .rounding = FE_UPWARD,
       .flush_results = true,
       .flush_operands = true,
       .traps = true}};
  return modes;
}

// What decides how the thread computes: rounding, flushing, traps.
inline std::vector<std::uint64_t> float_controls() {
  std::vector<std::uint64_t> controls{static_cast<std::uint64_t>(std::fegetround())};
#if defined(__x86_64__)
  std::uint32_t mxcsr = 0;
  std::uint16_t x87 = 0;
  asm volatile("stmxcsr %0" : "=m"(mxcsr));
  asm volatile("fnstcw %0" : "=m"(x87));
  controls.push_back(mxcsr & ~std::uint32_t{0x3F});
  controls.push_back(x87);
#elif defined(__aarch64__)
  std::uint64_t control = 0;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  controls.push_back(control);
#endif
  return controls;
}

inline void set_float_mode(const FloatMode& mode) {
  std::feclearexcept(FE_ALL_EXCEPT);
  std::fesetround(mode.rounding);
#if defined(__x86_64__)
  std::uint32_t mxcsr = 0;
  asm volatile("stmxcsr %0" : "=m"(mxcsr));
  if (mode.flush_results) mxcsr |= 0x8000U;
  if (mode.flush_operands) mxcsr |= 0x0040U;
  if (mode.traps) {
    mxcsr &= ~std::uint32_t{0x1F80};
    std::uint16_t x87 = 0;
    asm volatile("fnstcw %0" : "=m"(x87));
    x87 &= static_cast<std::uint16_t>(~0x3FU);
    asm volatile("fldcw %0" : : "m"(x87));
  }
  asm volatile("ldmxcsr %0" : : "m"(mxcsr) : "memory");
#elif defined(__aarch64__)
  std::uint64_t control = 0;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  if (mode.flush_results) control |= std::uint64_t{1} << 24;
  if (mode.flush_operands) control |= std::uint64_t{1} << 25;  // NaNs lose their bits instead
  if (mode.traps) control |= std::uint64_t{0x1F} << 8;         // where the CPU has any
  asm volatile("msr fpcr, %0" : : "r"(control) : "memory");
#endif
}

inline void set_default_float_mode() {
  std::fesetenv(FE_DFL_ENV);
#if defined(__x86_64__)
  // A trap that C has no name for, of subnormal operands, stays otherwise.
  const std::uint32_t mxcsr = 0x1F80;
  asm volatile("ldmxcsr %0" : : "m"(mxcsr) : "memory");
#endif
}

// Sets a mode as long as it lives. Nothing may be computed on floats meanwhile but by the library.
class FloatModeScope {
 public:
  explicit FloatModeScope(const FloatMode& mode) {
    std::fegetenv(&before_);
    set_float_mode(mode);
  }
  ~FloatModeScope() { std::fesetenv(&before_); }
  FloatModeScope(const FloatModeScope&) = delete;
  FloatModeScope& operator=(const FloatModeScope&) = delete;

 private:
  std::fenv_t before_{};
};

}  // namespace test
