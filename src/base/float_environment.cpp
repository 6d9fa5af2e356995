#include "base/float_environment.h"

namespace simdrop::detail {

#if defined(__x86_64__)

// Loading a control word costs little, all of the x87 unit 80 ns. Its flags must be given back with
// its traps: a flag whose trap is set stops the program at the next x87 instruction.
void FloatState::enter_default() noexcept {
  asm volatile("fnstcw %0" : "=m"(x87_control_));
  if (!x87_is_default()) {
    asm volatile("fnstenv %0" : "=m"(x87_));
    asm volatile("fldcw %0" : : "m"(default_x87));
  }
  asm volatile("ldmxcsr %0" : : "m"(default_mxcsr) : "memory");
}

void FloatState::restore() const noexcept {
  asm volatile("ldmxcsr %0" : : "m"(mxcsr_) : "memory");
  if (!x87_is_default()) asm volatile("fldenv %0" : : "m"(x87_) : "memory");
}

#elif defined(__aarch64__)

void FloatState::enter_default() noexcept {
  asm volatile("mrs %0, fpsr" : "=r"(status_));
  asm volatile("msr fpcr, %0" : : "r"(std::uint64_t{0}) : "memory");
}

void FloatState::restore() const noexcept {
  asm volatile("msr fpcr, %0" : : "r"(control_) : "memory");
  asm volatile("msr fpsr, %0" : : "r"(status_) : "memory");
}

#else

void FloatState::enter_default() noexcept {
  std::fesetenv(FE_DFL_ENV);
}

void FloatState::restore() const noexcept {
  std::fesetenv(&environment_);
}

#endif

}  // namespace simdrop::detail
