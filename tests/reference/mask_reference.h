// The mask rules, element by element from the text of simdrop/mask.hpp; shares no code with src.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace reference {

enum class Rule { digits, words };

struct MaskSpec {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
  std::uint64_t first = 0;
  double keep_prob = 1.0;
  Rule rule = Rule::digits;
  int rounds = 10;
};

// round(keep_prob * 2^32), ties to even.
std::uint64_t threshold(double keep_prob);

// Whether element `index` of the stream (not counted from spec.first) is kept.
bool kept(const MaskSpec& spec, std::uint64_t index);

// Mask of elements spec.first ... spec.first + n - 1, LSB first, unused bits 0.
std::vector<std::uint8_t> mask(const MaskSpec& spec, std::size_t n);

}  // namespace reference
