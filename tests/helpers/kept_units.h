// Units of a layer that are kept, as kernels get them: index and bits flush against guard pages.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include "helpers/compare.h"
#include "helpers/guarded_buffer.h"
#include "kernels/gemm_arguments.h"
#include "simdrop/mask.hpp"

namespace test {

// `count` of `units` at random, in ascending order.
inline std::vector<std::uint32_t> choose_units(std::size_t units, std::size_t count,
                                               std::uint32_t seed) {
  std::vector<std::uint32_t> all(units);
  std::iota(all.begin(), all.end(), 0U);
  std::mt19937 engine(seed);
  for (std::size_t i = 0; i < count; ++i) std::swap(all[i], all[i + engine() % (units - i)]);
  all.resize(count);
  std::ranges::sort(all);
  return all;
}

class KeptChoice {
 public:
  explicit KeptChoice(std::size_t capacity = 4096) : index_(capacity), bits_(capacity) {}

  // Bits that belong to no unit, and the slack behind them, are random: nobody may look at them.
  void place(std::size_t units, const std::vector<std::uint32_t>& kept, std::uint32_t seed = 5) {
    const auto index = index_.place(std::span(kept), Edge::end);
    const std::size_t bytes = simdrop::mask_bytes(units);
    const auto random = random_bytes(bytes + simdrop::detail::mask_slack, seed);
    const auto bits = bits_.place(std::span(random), Edge::end);
    for (std::size_t u = 0; u < units; ++u) set(bits, u, false);
    for (const std::uint32_t u : kept) set(bits, u, true);
    units_ = {kept.size(), units, index.data(), bits.data()};
  }
  // All units, as a layer without dropout has them.
  void place_all(std::size_t units) {
    units_ = {units, units, nullptr, nullptr};
    index_.place(0, Edge::end);
    bits_.place(0, Edge::end);
  }

  [[nodiscard]] const simdrop::detail::KeptUnits& units() const { return units_; }
  [[nodiscard]] std::size_t unit(std::size_t i) const {
    return units_.index == nullptr ? i : units_.index[i];
  }
  [[nodiscard]] bool has(std::size_t u) const {
    return units_.index == nullptr ||
           std::binary_search(units_.index, units_.index + units_.count, u);
  }
  [[nodiscard]] bool intact() const { return index_.intact() && bits_.intact(); }

 private:
  static void set(std::span<std::uint8_t> bits, std::size_t u, bool to) {
    const auto bit = static_cast<std::uint8_t>(1U << (u % 8));
    bits[u / 8] = static_cast<std::uint8_t>(to ? bits[u / 8] | bit : bits[u / 8] & ~bit);
  }

  GuardedBuffer<std::uint32_t> index_;
  GuardedBuffer<std::uint8_t> bits_;
  simdrop::detail::KeptUnits units_{};
};

}  // namespace test
