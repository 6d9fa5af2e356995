// A plugin of another program that uses simdrop on two threads; built as a module that is loaded
// and unloaded.
#include <cstdint>
#include <vector>

#include "simdrop/mask.hpp"

extern "C" [[gnu::visibility("default")]] int plugin_run() {
  std::vector<std::uint8_t> bits(1 << 17);
  const std::size_t n = bits.size() * 8;
  simdrop::bernoulli_mask({.keep_prob = 0.5}, n, bits, 2);
  return bits[0] != 0 || bits[1] != 0 ? 0 : 1;
}
