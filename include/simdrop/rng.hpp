/// @file
/// Philox4x32: the counter-based generator that all of simdrop's randomness comes from.
///
/// Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
/// checked against the known answers of the authors' Random123 distribution.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "simdrop/api.h"
#include "simdrop/requirements.hpp"
#include "simdrop/threads.hpp"

namespace simdrop {

/// Where random numbers come from. Two streams that differ in either member are independent.
/// Nothing is carried from call to call: a stream is read at an offset, like an array.
struct Stream {
  std::uint64_t seed = 0;  ///< the Philox key: low 32 bits are key word 0, high ones key word 1
  std::uint64_t id = 0;    ///< counter words 2 (low 32 bits) and 3
};

/// Rounds of the Philox bijection. Ten is the published default; seven still passes BigCrush
/// (same paper) and gives other words.
enum class PhiloxRounds : std::int32_t { seven = 7, ten = 10 };

/// One block of Philox4x32 in plain C++: four words from a counter and a key. Never throws.
[[nodiscard]] SIMDROP_API std::array<std::uint32_t, 4> philox4x32(
    const std::array<std::uint32_t, 4>& counter, const std::array<std::uint32_t, 2>& key,
    PhiloxRounds rounds = PhiloxRounds::ten) noexcept;

/// Writes words[i] = word (first_word + i) of the stream, in native byte order.
/// Word w is word (w mod 4) of the block with counter (w / 4, stream.id), each 64 bits, low
/// 32-bit word first; the key is stream.seed. The offset wraps modulo 2^64 words.
/// words: any length (0 writes nothing), any alignment of std::uint32_t.
/// threads: who runs the call (threads.hpp); the words do not depend on it.
/// Thread-safe. Throws std::invalid_argument if rounds is neither value of the enumeration or
/// threads.count < 0; then nothing is written.
SIMDROP_API void philox_fill(const Stream& stream, std::uint64_t first_word,
                             std::span<std::uint32_t> words,
                             PhiloxRounds rounds = PhiloxRounds::ten, Threads threads = 1);

}  // namespace simdrop
