#include "reference/philox_reference.h"

namespace reference {

namespace {

constexpr std::uint64_t two_to_32 = std::uint64_t{1} << 32;

std::uint32_t low(std::uint64_t v) {
  return static_cast<std::uint32_t>(v % two_to_32);
}
std::uint32_t high(std::uint64_t v) {
  return static_cast<std::uint32_t>(v / two_to_32);
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    if (round > 0) {
      key[0] = low(key[0] + std::uint64_t{0x9E3779B9});
      key[1] = low(key[1] + std::uint64_t{0xBB67AE85});
    }
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {high(product1) ^ counter[1] ^ key[0], low(product1),
               high(product0) ^ counter[3] ^ key[1], low(product0)};
  }
  return counter;
}

std::uint32_t block_word(std::uint64_t seed, std::uint64_t stream, std::uint64_t block,
                         unsigned lane, int rounds) {
  const auto words = philox4x32({low(block), high(block), low(stream), high(stream)},
                                {low(seed), high(seed)}, rounds);
  return words[lane];
}

std::uint32_t stream_word(std::uint64_t seed, std::uint64_t stream, std::uint64_t word,
                          int rounds) {
  return block_word(seed, stream, word / 4, static_cast<unsigned>(word % 4), rounds);
}

}  // namespace reference
