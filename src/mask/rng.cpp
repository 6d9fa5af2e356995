#include "simdrop/rng.hpp"

#include "dispatch/dispatch.h"
#include "kernels/mask/philox_block.h"
#include "mask/mask_check.h"
#include "threading/parallel.h"

namespace simdrop {
namespace {

constexpr std::size_t grain_words = std::size_t{1} << 14;

}  // namespace

std::array<std::uint32_t, 4> philox4x32(const std::array<std::uint32_t, 4>& counter,
                                        const std::array<std::uint32_t, 2>& key,
                                        PhiloxRounds rounds) noexcept {
  std::array<std::uint32_t, 4> words = counter;
  detail::philox_block(words.data(), key[0], key[1], static_cast<std::int32_t>(rounds));
  return words;
}

void philox_fill(const Stream& stream, std::uint64_t first_word, std::span<std::uint32_t> words,
                 PhiloxRounds rounds, Threads threads) {
  detail::check_rounds(rounds);
  detail::check_threads(threads);
  const detail::KernelTable& table = detail::kernels();
  const auto fill = [&](std::uint64_t word, std::uint32_t* out, std::size_t n) {
    table.philox_fill(stream.seed, stream.id, word / 4, static_cast<unsigned>(word % 4),
                      static_cast<std::int32_t>(rounds), out, n);
  };
  detail::parallel_for(words.size(), grain_words, threads, [&](std::size_t begin, std::size_t end) {
    const std::uint64_t word = first_word + begin;
    const std::uint64_t to_wrap = ~word;  // words left after this one
    std::uint32_t* out = words.data() + begin;
    std::size_t n = end - begin;
    if (n > 0 && n - 1 > to_wrap) {
      fill(word, out, to_wrap + 1);
      out += to_wrap + 1;
      n -= to_wrap + 1;
      fill(0, out, n);
    } else {
      fill(word, out, n);
    }
  });
}

}  // namespace simdrop
