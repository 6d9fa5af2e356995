#include "dispatch/cpu.h"

#include <array>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <unistd.h>
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

namespace {

// 0 or -1 stands for unknown.
std::size_t known_or([[maybe_unused]] int name, std::size_t usual) noexcept {
#if defined(__linux__)
  const long bytes = sysconf(name);
  if (bytes > 0) return static_cast<std::size_t>(bytes);
#endif
  return usual;
}

CacheSizes detect_caches() noexcept {
  CacheSizes sizes{std::size_t{32} << 10, std::size_t{512} << 10};
#if defined(_SC_LEVEL1_DCACHE_SIZE) && defined(_SC_LEVEL2_CACHE_SIZE)
  sizes = {known_or(_SC_LEVEL1_DCACHE_SIZE, sizes.l1), known_or(_SC_LEVEL2_CACHE_SIZE, sizes.l2)};
#endif
  return sizes;
}

}  // namespace

const CacheSizes& cache_sizes() noexcept {
  static const CacheSizes sizes = detect_caches();
  return sizes;
}

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
