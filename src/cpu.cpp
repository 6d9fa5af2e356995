#include "cpu.h"

#include <array>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace simdrop {
namespace detail {
#if defined(__x86_64__)
namespace {

constexpr unsigned bit(unsigned index) {
  return 1U << index;
}

struct X86Features {
  bool avx2 = false;
  bool avx512 = false;
};

std::uint64_t read_xcr0() noexcept {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

X86Features detect() noexcept {
  X86Features features;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return features;
  const unsigned fma_osxsave_avx_f16c = bit(12) | bit(27) | bit(28) | bit(29);
  if ((ecx & fma_osxsave_avx_f16c) != fma_osxsave_avx_f16c) return features;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return features;

  const std::uint64_t xcr0 = read_xcr0();
  const std::uint64_t ymm_state = bit(1) | bit(2);
  const std::uint64_t zmm_state = ymm_state | bit(5) | bit(6) | bit(7);
  const unsigned f_dq_cd_bw = bit(16) | bit(17) | bit(28) | bit(30);
  features.avx2 = (xcr0 & ymm_state) == ymm_state && (ebx & bit(5)) != 0;
  features.avx512 =
      features.avx2 && (xcr0 & zmm_state) == zmm_state && (ebx & f_dq_cd_bw) == f_dq_cd_bw;
  return features;
}

}  // namespace

bool cpu_supports(Isa isa) noexcept {
  static const X86Features features = detect();
  switch (isa) {
    case Isa::scalar:
      return true;
    case Isa::avx2:
      return features.avx2;
    case Isa::avx512:
      return features.avx512;
    case Isa::neon:
      break;
  }
  return false;
}
#else
bool cpu_supports(Isa isa) noexcept {
#if defined(__aarch64__)
  if (isa == Isa::neon) return true;
#endif
  return isa == Isa::scalar;
}
#endif
}  // namespace detail

std::string cpu_name() {
#if defined(__x86_64__)
  std::array<unsigned, 12> words{};
  for (unsigned leaf = 0; leaf < 3; ++leaf) {
    unsigned* w = words.data() + 4 * std::size_t{leaf};
    if (__get_cpuid(0x80000002U + leaf, w, w + 1, w + 2, w + 3) == 0) return "unknown";
  }
  std::array<char, sizeof(words) + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof(words));
  std::string name = text.data();
  name.erase(0, name.find_first_not_of(' '));
  name.erase(name.find_last_not_of(' ') + 1);
  return name.empty() ? "unknown" : name;
#else
  return "unknown";
#endif
}

}  // namespace simdrop
