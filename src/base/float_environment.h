// The floating-point environment that the library computes in, whatever its caller's is: round to
// nearest, subnormal numbers kept, no traps.
//
// Compilers order arithmetic on what lies in memory with a DefaultFloats, but not arithmetic on
// what a function has in registers: its parameters of type double are given to the constructor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <cfenv>
#endif

namespace simdrop::detail {

// This thread's control and status, in what the CPU computes with. The C library asks the x87 unit
// for the rounding mode, where it reads or writes decimal numbers: it is looked at where the other
// is not the default, for who sets one as C says sets both.
class FloatState {
 public:
#if defined(__x86_64__)
  FloatState() noexcept {
    asm volatile("stmxcsr %0" : "=m"(mxcsr_));
  }
  [[nodiscard]] bool is_default() const noexcept {
    constexpr std::uint32_t flags = 0x3F;
    return (mxcsr_ & ~flags) == default_mxcsr;
  }

 private:
  // But for its precision: nothing here computes on it.
  [[nodiscard]] bool x87_is_default() const noexcept {
    constexpr std::uint16_t rounding_and_traps = 0x0C3F;
    return (x87_control_ & rounding_and_traps) == (default_x87 & rounding_and_traps);
  }

  static constexpr std::uint32_t default_mxcsr = 0x1F80;
  static constexpr std::uint16_t default_x87 = 0x037F;
  std::uint32_t mxcsr_;
  // Both only if that is not the default, and the second if the first is not.
  std::uint16_t x87_control_;
  std::array<std::byte, 28> x87_;
#elif defined(__aarch64__)
  FloatState() noexcept {
    asm volatile("mrs %0, fpcr" : "=r"(control_));
  }
  [[nodiscard]] bool is_default() const noexcept {
    return control_ == 0;
  }

 private:
  std::uint64_t control_;
  std::uint64_t status_;  // if that is not the default
#else
  FloatState() noexcept {
    std::fegetenv(&environment_);
  }
  [[nodiscard]] static bool is_default() noexcept {
    return false;
  }

 private:
  std::fenv_t environment_;
#endif

 public:
  void enter_default() noexcept;
  void restore() const noexcept;
};

// Lives as long as a call of the library, or a part of one on another thread. If it found the
// default environment it leaves alone what arithmetic did to the exception flags; otherwise it
// gives back the environment that it found, flags included.
class DefaultFloats {
 public:
  template <class... Doubles>
  explicit DefaultFloats(Doubles&... in_registers) noexcept {
    if (!found_.is_default()) [[unlikely]]
      found_.enter_default();
    (order(in_registers), ...);
  }
  ~DefaultFloats() {
    if (!found_.is_default()) [[unlikely]]
      found_.restore();
  }
  DefaultFloats(const DefaultFloats&) = delete;
  DefaultFloats& operator=(const DefaultFloats&) = delete;

 private:
  // What is computed from it is computed after this.
  static void order(double& value) noexcept {
#if defined(__x86_64__)
    asm volatile("" : "+x"(value));
#elif defined(__aarch64__)
    asm volatile("" : "+w"(value));
#else
    asm volatile("" : "+m"(value));
#endif
  }

  FloatState found_;
};

}  // namespace simdrop::detail
