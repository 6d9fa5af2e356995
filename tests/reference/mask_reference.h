// The mask rules from the text of simdrop/mask.hpp; shares no code with src.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace reference {

enum class Rule { dyadic, words };

struct MaskSpec {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
  std::uint64_t first = 0;
  double keep_prob = 1.0;
  Rule rule = Rule::dyadic;
  int rounds = 10;
};

// round(keep_prob * 2^32), ties to even.
std::uint64_t threshold(double keep_prob);

// Steps 1 and 3 of the dyadic rule for 0 < T < 2^32.
struct Dyadic {
  unsigned d = 0;
  std::uint64_t n = 0, base = 0, delta = 0, whole = 0;
  std::vector<std::uint64_t> c;  // c_k; empty if there are no hits
};
Dyadic dyadic(std::uint64_t t);

// Mask of elements spec.first ... spec.first + n - 1, LSB first, unused bits 0.
std::vector<std::uint8_t> mask(const MaskSpec& spec, std::size_t n);

}  // namespace reference
