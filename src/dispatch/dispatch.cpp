#include "dispatch/dispatch.h"

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dispatch/cpu.h"

namespace simdrop {
namespace detail {
namespace {

using TableFn = const KernelTable& (*)() noexcept;

// Slowest first, as isa_list() promises; null where this build has no such kernels.
struct Entry {
  Isa isa;
  const char* name;
  TableFn table;
};

constexpr std::array<Entry, 4> entries{{
    {Isa::scalar, "scalar", scalar::kernel_table},
#ifdef SIMDROP_HAVE_NEON
    {Isa::neon, "neon", neon::kernel_table},
#else
    {Isa::neon, "neon", nullptr},
#endif
#ifdef SIMDROP_HAVE_AVX2
    {Isa::avx2, "avx2", avx2::kernel_table},
#else
    {Isa::avx2, "avx2", nullptr},
#endif
#ifdef SIMDROP_HAVE_AVX512
    {Isa::avx512, "avx512", avx512::kernel_table},
#else
    {Isa::avx512, "avx512", nullptr},
#endif
}};

std::string usable_names() {
  std::string names;
  for (const Entry& entry : entries) {
    if (kernel_table(entry.isa) == nullptr) continue;
    if (!names.empty()) names += ", ";
    names += entry.name;
  }
  return names;
}

const KernelTable& choose() {
  const char* forced = std::getenv("SIMDROP_FORCE_ISA");
  const KernelTable* best = nullptr;
  for (const Entry& entry : entries) {
    const KernelTable* table = kernel_table(entry.isa);
    if (table == nullptr) continue;
    if (forced != nullptr && std::string_view(forced) == entry.name) return *table;
    best = table;
  }
  if (forced != nullptr && *forced != '\0') {
    throw UnsupportedIsa("simdrop: environment variable SIMDROP_FORCE_ISA is " +
                         std::string(forced) + "; allowed here: " + usable_names());
  }
  return *best;
}

}  // namespace

const KernelTable& kernels() {
  static const KernelTable& table = choose();
  return table;
}

const KernelTable* kernel_table(Isa isa) noexcept {
  for (const Entry& entry : entries) {
    if (entry.isa == isa && entry.table != nullptr && cpu_supports(isa)) return &entry.table();
  }
  return nullptr;
}

}  // namespace detail

std::span<const IsaInfo> isa_list() noexcept {
  static const auto list = [] {
    std::array<IsaInfo, detail::entries.size()> infos{};
    for (std::size_t i = 0; i < infos.size(); ++i) {
      const auto& entry = detail::entries[i];
      infos[i] = {entry.isa, entry.name, entry.table != nullptr, detail::cpu_supports(entry.isa)};
    }
    return infos;
  }();
  return list;
}

Isa active_isa() {
  return detail::kernels().isa;
}

const char* isa_name(Isa isa) noexcept {
  for (const auto& entry : detail::entries) {
    if (entry.isa == isa) return entry.name;
  }
  return "unknown";
}

}  // namespace simdrop
