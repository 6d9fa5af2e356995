// Philox4x32 written from Salmon et al., SC 2011, section 3.3; shares no code with src.
#pragma once

#include <array>
#include <cstdint>

namespace reference {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key, int rounds);

// Word `lane` of the block with counter (block, stream) and key seed.
std::uint32_t block_word(std::uint64_t seed, std::uint64_t stream, std::uint64_t block,
                         unsigned lane, int rounds);

// Word `word` of a stream: word (word mod 4) of block word / 4.
std::uint32_t stream_word(std::uint64_t seed, std::uint64_t stream, std::uint64_t word, int rounds);

}  // namespace reference
